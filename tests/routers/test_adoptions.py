"""Adoptions: taking a position on another organisation's innovation, and what follows from it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.models.clients import Scope
from app.models.organisations import OrganisationKind
from app.register import organisations
from app.register.access import OPERATOR
from app.register.organisations import Facts
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import Entry, lines_since, withdraw

ADOPTED: Entry = {"stage": "adopted", "since": "2024-03-01"}
STOPPED: Entry = {"stage": "stopped", "since": "2025-03-01", "learnt": "It hung on one person."}


def adopt(client: httpx.Client, entry: Entry, **fields: Any) -> Entry:
    answer = client.post(entry["links"]["adoptions"], json={**ADOPTED, **fields})
    assert answer.status_code == 201, answer.text
    adoption: Entry = answer.json()
    return adoption


def patch(client: httpx.Client, adoption: Entry, tag: str = "*", **fields: Any) -> httpx.Response:
    return client.patch(adoption["links"]["self"], json=fields, headers={"If-Match": tag})


def remove(client: httpx.Client, adoption: Entry) -> httpx.Response:
    return client.delete(adoption["links"]["self"], headers={"If-Match": "*"})


def put(register: Register, *facts: Any) -> None:
    register.database.transaction(organisations.put, Facts(*facts), by=OPERATOR)


# Taking a position


def test_an_adoption_stands_in_the_innovation_and_in_the_log(
    anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry, before = submit(), head_of(anybody)
    sent = {**ADOPTED, "outcome": "Fewer admissions.", "learnt": "Buy tablets first."}

    answer = other_trust.post(entry["links"]["adoptions"], json=sent)

    assert answer.status_code == 201
    adoption = answer.json()
    assert adoption.items() >= {**sent, "adopted_on": "2024-03-01", "version": 1}.items()
    assert adoption["innovation"] == {"id": entry["id"], "reference": entry["reference"]}
    place = adoption["organisation"]
    assert (place["code"], place["icb"]["code"], place["region"]["code"]) == ("RJ1", "QKK", "Y56")
    assert answer.headers["location"] == adoption["links"]["self"]
    found = anybody.get(answer.headers["location"])
    assert (found.json(), found.headers["etag"]) == (adoption, answer.headers["etag"])
    assert anybody.get(entry["links"]["adoptions"]).json()["items"] == [adoption]
    document = anybody.get(entry["links"]["self"]).json()
    assert document["adoptions"] == [
        {
            "organisation": "RJ1",
            "icb": "QKK",
            "region": "Y56",
            "stage": "adopted",
            "since": "2024-03-01",
            "adopted_on": "2024-03-01",
        }
    ]
    assert (document["counts"]["adoptions"], document["version"]) == (1, 2)
    own, innovations = lines_since(anybody, before)
    assert (own["kind"], own["action"], own["document"]) == ("adoption", "created", adoption)
    assert (innovations["kind"], innovations["action"]) == ("innovation", "adopted")
    assert innovations["document"] == document
    assert {own["by"], innovations["by"]} == {"RJ1"}


def test_only_what_is_adopted_or_adapted_is_counted(
    anybody: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    for organisation, fields in {
        "RJ1": {"stage": "considering"},
        "RBV": {"stage": "piloting"},
        "RM3": {"stage": "adopted"},
        "RMC": {"stage": "adapted"},
        "RXL": STOPPED,
    }.items():
        adopt(curator, entry, organisation=organisation, **fields)
    document = anybody.get(entry["links"]["self"]).json()
    assert (len(document["adoptions"]), document["counts"]["adoptions"]) == (5, 2)


def test_since_is_today_if_it_is_not_said(other_trust: httpx.Client, submit: Submit) -> None:
    adoption = other_trust.post(submit()["links"]["adoptions"], json={"stage": "piloting"}).json()
    assert adoption["since"] == f"{datetime.now(UTC):%Y-%m-%d}"
    assert adoption["adopted_on"] is None


def test_a_second_position_is_told_the_address_of_the_first(
    other_trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    first = adopt(other_trust, entry)
    before = head_of(other_trust)
    answer = other_trust.post(entry["links"]["adoptions"], json={"stage": "piloting"})
    problem = problem_of(answer, 409, "position-taken")
    assert first["links"]["self"] in problem["detail"]
    assert head_of(other_trust) == before
    assert remove(other_trust, first).status_code == 204
    adopt(other_trust, entry)


def test_a_post_may_be_repeated_with_its_key(other_trust: httpx.Client, submit: Submit) -> None:
    entry, key = submit(), {"Idempotency-Key": "once"}
    first, again = (
        other_trust.post(entry["links"]["adoptions"], json=ADOPTED, headers=key) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


def test_nobody_adopts_what_is_its_own(
    trust: httpx.Client, icb: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    answer = trust.post(entry["links"]["adoptions"], json=ADOPTED)
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert (error["pointer"], error["code"]) == ("#/organisation", "own_innovation")
    # The ICB above it is another organisation, and takes it up for all.
    assert adopt(icb, entry)["organisation"]["code"] == "QOP"


def test_a_contributor_adopts_for_its_organisation_and_those_below_it(
    icb: httpx.Client, other_trust: httpx.Client, submit: Submit, register: Register
) -> None:
    curator = register.client(register.key("RJ1", Scope.CURATE))
    entry = submit(curator, organisation="RJ1")
    adoption = adopt(icb, entry, organisation="R0A")
    assert adoption["organisation"]["code"] == "R0A"
    before = head_of(icb)
    answer = other_trust.post(entry["links"]["adoptions"], json={**ADOPTED, "organisation": "RBV"})
    problem_of(answer, 403, "forbidden")
    problem_of(patch(other_trust, adoption, stage="adapted"), 403, "forbidden")
    problem_of(remove(other_trust, adoption), 403, "forbidden")
    assert head_of(icb) == before


def test_only_what_is_published_can_be_adopted(
    trust: httpx.Client, icb: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    draft = submit(visibility="draft")
    problem_of(other_trust.post(draft["links"]["adoptions"], json=ADOPTED), 404, "not-found")
    problem_of(icb.post(draft["links"]["adoptions"], json=ADOPTED), 422, "validation-failed")
    entry = submit()
    adoption = adopt(other_trust, entry)
    withdraw(trust, entry)
    problem_of(icb.post(entry["links"]["adoptions"], json=ADOPTED), 410, "withdrawn")
    problem_of(patch(other_trust, adoption, stage="adapted"), 410, "withdrawn")
    problem_of(icb.get(adoption["links"]["self"]), 410, "withdrawn")
    assert icb.get(adoption["links"]["history"]).json()["page"]["total"] == 1
    assert icb.get("/v1/organisations/RJ1/adoptions").json()["items"] == []


def test_a_closed_organisation_takes_no_new_position(
    register: Register, other_trust: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    adoption = adopt(other_trust, entry)
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    put(register, "RJ1", "Closed", OrganisationKind.TRUST, "QKK", date(2000, 1, 1), yesterday)
    answer = curator.post(submit()["links"]["adoptions"], json={**ADOPTED, "organisation": "RJ1"})
    problem_of(answer, 422, "organisation-closed")
    # What it said can still be corrected, and stays counted.
    assert patch(other_trust, adoption, outcome="It went well.").status_code == 200
    assert curator.get(entry["links"]["self"]).json()["counts"]["adoptions"] == 1


INVALID: list[tuple[Entry, str]] = [
    ({}, "#/stage"),
    ({"stage": "loved"}, "#/stage"),
    ({"stage": "stopped"}, "#/learnt"),
    ({"stage": "stopped", "learnt": None}, "#/learnt"),
    ({**ADOPTED, "learnt": ""}, "#/learnt"),
    ({**ADOPTED, "outcome": "a\0"}, "#/outcome"),
    ({**ADOPTED, "since": "2199-01-01"}, "#/since"),
    ({**ADOPTED, "since": "1899-12-31"}, "#/since"),
    ({**ADOPTED, "since": 20240301}, "#/since"),
    ({**ADOPTED, "organisation": "R/A"}, "#/organisation"),
    ({**ADOPTED, "adopted_on": "2024-03-01"}, "#/adopted_on"),
]


def test_what_is_no_position_is_refused_where_it_is_wrong(
    other_trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    entry = submit()
    before = head_of(other_trust)
    for fields, pointer in INVALID:
        with subtests.test(f"{pointer} {fields}"[:90]):
            answer = other_trust.post(entry["links"]["adoptions"], json=fields)
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == pointer
    unknown = other_trust.post(
        entry["links"]["adoptions"], json={**ADOPTED, "organisation": "ZZZZ"}
    )
    problem_of(unknown, 422, "unknown-organisation")
    assert head_of(other_trust) == before


# Changing it


def test_a_position_moves_on_and_its_history_tells_how(
    anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    adoption = adopt(other_trust, entry, stage="piloting", since="2023-01-01")
    tag = anybody.get(adoption["links"]["self"]).headers["etag"]

    moved = patch(other_trust, adoption, tag, stage="adopted", since="2023-09-01")
    assert moved.status_code == 200
    problem_of(patch(other_trust, adoption, tag, stage="adapted"), 412, "precondition-failed")
    bare = other_trust.patch(adoption["links"]["self"], json={"stage": "adapted"})
    problem_of(bare, 428, "precondition-required")
    assert patch(other_trust, adoption, **STOPPED).status_code == 200

    now = anybody.get(adoption["links"]["self"]).json()
    assert now.items() >= {**STOPPED, "adopted_on": "2023-09-01", "version": 3}.items()
    assert now["created_at"] == adoption["created_at"] < now["updated_at"]
    history = anybody.get(adoption["links"]["history"]).json()
    assert [line["document"]["stage"] for line in history["items"]] == [
        "piloting",
        "adopted",
        "stopped",
    ]
    assert [line["action"] for line in history["items"]] == ["created", "updated", "updated"]
    page = anybody.get(adoption["links"]["history"] + "?limit=2")
    assert anybody.get(page.links["next"]["url"]).json()["items"] == history["items"][2:]
    versions = anybody.get(entry["links"]["history"]).json()["items"]
    assert [line["action"] for line in versions] == ["created", "adopted", "adopted", "adopted"]
    counts = [line["document"]["counts"]["adoptions"] for line in versions]
    assert counts == [0, 0, 1, 0]


def test_another_stage_without_a_day_is_so_since_today(
    other_trust: httpx.Client, submit: Submit
) -> None:
    adoption = adopt(other_trust, submit())
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert patch(other_trust, adoption, outcome="Good.").json()["since"] == "2024-03-01"
    changed = patch(other_trust, adoption, stage="adapted").json()
    assert (changed["since"], changed["adopted_on"]) == (today, "2024-03-01")


def test_a_day_that_was_wrong_is_corrected(other_trust: httpx.Client, submit: Submit) -> None:
    adoption = adopt(other_trust, submit())
    corrected = patch(other_trust, adoption, since="2024-05-01").json()
    assert (corrected["since"], corrected["adopted_on"]) == ("2024-05-01", "2024-05-01")
    # It never was adopted, then.
    assert patch(other_trust, adoption, stage="piloting").json()["adopted_on"] is None


def test_a_change_keeps_a_position_whole(other_trust: httpx.Client, submit: Submit) -> None:
    adoption = adopt(other_trust, submit())
    before = head_of(other_trust)
    for fields, pointer in (
        ({"stage": "stopped"}, "#/learnt"),
        ({**STOPPED, "since": "2024-02-29"}, "#/since"),
        ({"stage": None}, "#/stage"),
        ({"since": "2199-01-01"}, "#/since"),
        ({"organisation": "RBV"}, "#/organisation"),
    ):
        (error,) = problem_of(patch(other_trust, adoption, **fields), 422, "validation-failed")[
            "errors"
        ]
        assert error["pointer"] == pointer
    same = patch(other_trust, adoption, stage="adopted")
    assert (same.json(), head_of(other_trust)) == (adoption, before)
    assert patch(other_trust, adoption, **STOPPED).status_code == 200
    problem_of(patch(other_trust, adoption, learnt=None), 422, "validation-failed")


def test_an_adoption_entered_in_error_is_withdrawn_and_its_history_stays(
    anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    adoption = adopt(other_trust, entry)
    at = adoption["links"]["self"]
    problem_of(other_trust.delete(at), 428, "precondition-required")

    removed = remove(other_trust, adoption)

    assert (removed.status_code, removed.content) == (204, b"")
    problem_of(anybody.get(at), 410, "withdrawn")
    problem_of(remove(other_trust, adoption), 410, "withdrawn")
    problem_of(patch(other_trust, adoption, stage="adapted"), 410, "withdrawn")
    document = anybody.get(entry["links"]["self"]).json()
    assert (document["adoptions"], document["counts"]["adoptions"]) == ([], 0)
    history = anybody.get(adoption["links"]["history"]).json()["items"]
    assert [(line["action"], line["version"]) for line in history] == [
        ("created", 1),
        ("withdrawn", 2),
    ]


def test_an_adoption_is_found_with_its_own_innovation_only(
    anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry, other = submit(), submit()
    adoption = adopt(other_trust, entry)
    withdrawn = adopt(other_trust, submit())
    remove(other_trust, withdrawn)
    for id in (adoption["id"], withdrawn["id"], "nothing", other["id"]):
        at = f"{other['links']['adoptions']}/{id}"
        problem_of(anybody.get(at), 404, "not-found")
        problem_of(anybody.get(f"{at}/history"), 404, "not-found")
        answer = other_trust.patch(at, json={"stage": "adapted"}, headers={"If-Match": "*"})
        problem_of(answer, 404, "not-found")
    by_reference = f"/v1/innovations/{entry['reference']}/adoptions/{adoption['id'].upper()}"
    assert anybody.get(by_reference).json() == adoption


# Finding by it


def found(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("/v1/innovations", params=query)
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["items"]]


@pytest.fixture
def adopted(curator: httpx.Client, submit: Submit) -> dict[str, Entry]:
    """Innovations of Manchester's, by how they spread."""
    entries = {title: submit(title=title) for title in ("nowhere", "wide", "near", "stopped")}
    for organisation in ("RMC", "RM3", "RJ1"):
        adopt(curator, entries["wide"], organisation=organisation)
    adopt(curator, entries["near"], organisation="RBL", stage="adapted")
    adopt(curator, entries["near"], organisation="RJ1", stage="considering")
    adopt(curator, entries["stopped"], organisation="RMC", **STOPPED)
    submit(curator, title="London's", organisation="RJ1")
    return entries


@pytest.mark.usefixtures("adopted")
def test_an_icb_or_a_region_stands_for_all_below_it(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for code, titles in {
        "RMC": ["wide"],
        "QOP": ["wide"],
        "QYG": ["near"],
        "Y62": ["near", "wide"],
        "RJ1": ["wide"],
        "R0A": [],
    }.items():
        with subtests.test(code):
            assert found(anybody, adopted_by=code) == titles
    assert found(anybody, adopted_by=["RMC", "RBL"]) == ["near", "wide"]
    assert found(anybody, adopted_by="RMC", sort="title") == ["wide"]


@pytest.mark.usefixtures("adopted")
def test_what_an_organisation_does_not_have_is_neither_adopted_nor_its_own(
    anybody: httpx.Client,
) -> None:
    assert found(anybody, not_adopted_by="RJ1") == ["stopped", "near", "nowhere"]
    assert found(anybody, not_adopted_by="RMC") == ["London's", "stopped", "near", "nowhere"]
    assert found(anybody, not_adopted_by=["Y56", "QYG"]) == ["stopped", "nowhere"]
    assert found(anybody, not_adopted_by="Y62") == ["London's"]
    assert found(anybody, not_adopted_by="RJ1", adopted_by="RBL") == ["near"]


@pytest.mark.usefixtures("adopted")
def test_lists_are_filtered_by_stage_and_sorted_by_adoptions(anybody: httpx.Client) -> None:
    assert found(anybody, adoption_stage="stopped") == ["stopped"]
    assert found(anybody, adoption_stage=["considering", "stopped"]) == ["stopped", "near"]
    most = found(anybody, sort="-adoption_count")
    assert most == ["wide", "near", "London's", "stopped", "nowhere"]
    assert found(anybody, sort="adoption_count") == most[::-1]
    assert found(anybody, sort="-adoption_count", adoption_stage="adapted") == ["near"]
    of_icb = found(anybody, sort="-adoption_count", icb="QOP")
    assert of_icb == ["wide", "near", "stopped", "nowhere"]
    page = anybody.get("/v1/innovations?sort=-adoption_count&limit=2")
    seen = [page]
    while "next" in page.links:
        page = anybody.get(page.links["next"]["url"])
        seen.append(page)
    titles = [entry["title"] for page in seen for entry in page.json()["items"]]
    assert (titles, len(seen)) == (most, 3)
    facets = anybody.get("/v1/innovations?facets=adoption_stage").json()["facets"]
    assert {each["value"]: each["count"] for each in facets["adoption_stage"]} == {
        "adopted": 1,
        "adapted": 1,
        "considering": 1,
        "stopped": 1,
    }


def test_a_filter_that_names_nobody_is_a_problem(anybody: httpx.Client) -> None:
    for name in ("adopted_by", "not_adopted_by"):
        answer = anybody.get(f"/v1/innovations?{name}=ZZZZ")
        (error,) = problem_of(answer, 422, "unknown-organisation")["errors"]
        assert error["pointer"] == f"?{name}"
    answer = anybody.get("/v1/innovations?adoption_stage=loved")
    problem_of(answer, 422, "validation-failed")


def test_the_feed_tells_who_follows_an_adopter_that_it_came_and_that_it_left(
    anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    before = head_of(anybody)
    adoption = adopt(other_trust, entry)
    patch(other_trust, adoption, **STOPPED)
    patch(other_trust, adoption, outcome="None.")

    def actions(query: str) -> list[str]:
        lines = anybody.get(f"/v1/changes?after={before}&{query}").json()["items"]
        return [f"{line['kind']}.{line['action']}" for line in lines]

    assert actions("adopted_by=QKK") == ["innovation.adopted"] * 2
    assert actions("adoption_stage=stopped") == ["innovation.adopted"] * 2
    assert actions("not_adopted_by=RJ1") == ["innovation.adopted"] * 3
    assert actions("kind=adoption") == ["adoption.created", "adoption.updated", "adoption.updated"]


# Following the hierarchy


def test_an_adopter_that_moves_takes_its_adoptions_along(
    register: Register, anybody: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    adoption = adopt(curator, entry, organisation="RMC")
    line = head_of(anybody)
    total = anybody.get("/v1/statistics?adopted_by=QOP").json()["total"]["innovations"]
    assert (found(anybody, adopted_by="QOP"), total) == ([entry["title"]], 1)

    put(register, "RMC", "Bolton, moved", OrganisationKind.TRUST, "QYG")

    assert found(anybody, adopted_by="QOP") == []
    assert found(anybody, adopted_by="QYG") == [entry["title"]]
    assert found(anybody, adopted_by="QOP", as_of=line) == [entry["title"]]
    assert found(anybody, not_adopted_by="QYG", as_of=line) == [entry["title"]]
    assert found(anybody, not_adopted_by="QYG") == []
    for code, count in (("QOP", 0), ("QYG", 1)):
        total = anybody.get(f"/v1/statistics?adopted_by={code}").json()["total"]["innovations"]
        assert total == count
    moved = anybody.get(adoption["links"]["self"])
    assert moved.json()["organisation"]["name"] == "Bolton, moved"
    assert moved.json()["organisation"]["icb"]["code"] == "QYG"
    (position,) = anybody.get(entry["links"]["self"]).json()["adoptions"]
    assert position["icb"] == "QYG"
    assert register.verify().broken_at is None


# Those of an organisation


@pytest.mark.usefixtures("adopted")
def test_an_organisations_adoptions_tell_what_they_are_of(anybody: httpx.Client) -> None:
    listed = anybody.get("/v1/organisations/RJ1/adoptions").json()
    assert [(each["about"]["title"], each["stage"]) for each in listed["items"]] == [
        ("near", "considering"),
        ("wide", "adopted"),
    ]
    assert listed["items"][0]["about"]["organisation"]["code"] == "R0A"
    assert listed["page"]["total"] == 2
    few = anybody.get("/v1/organisations/RJ1/adoptions?stage=adopted&stage=stopped").json()
    assert [each["about"]["title"] for each in few["items"]] == ["wide"]


@pytest.mark.usefixtures("adopted")
def test_those_below_an_organisation_come_on_request(anybody: httpx.Client) -> None:
    at = "/v1/organisations/QOP/adoptions"
    assert anybody.get(at).json()["items"] == []
    page = anybody.get(f"{at}?below=true&limit=2")
    assert page.json()["page"]["total"] == 3
    more = anybody.get(page.links["next"]["url"]).json()
    whose = [each["organisation"]["code"] for each in page.json()["items"] + more["items"]]
    assert whose == ["RMC", "RM3", "RMC"]
    assert anybody.get("/v1/organisations/Y62/adoptions?below=true").json()["page"]["total"] == 4
    cursor = page.json()["page"]["next"]
    problem_of(anybody.get(f"{at}?cursor={cursor}"), 400, "invalid-cursor")
    problem_of(anybody.get("/v1/organisations/ZZZ/adoptions"), 404, "not-found")
    problem_of(anybody.get(f"{at}?below=perhaps"), 422, "validation-failed")


def test_what_is_known_already_is_not_sent_again(
    anybody: httpx.Client, other_trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    entry = submit()
    links = adopt(other_trust, entry)["links"]
    for path in (
        entry["links"]["adoptions"],
        links["self"],
        links["history"],
        "/v1/organisations/RJ1/adoptions",
        "/v1/organisations/RJ1/recommendations",
        "/v1/statistics/spread",
    ):
        with subtests.test(path):
            tag = anybody.get(path).headers["etag"]
            answer = anybody.get(path, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.headers["etag"]) == (304, tag)
