"""Stories: what was told, as far as its teller agrees that others read it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.stories import StoryCreate
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import KINDS, Submit, head_of, problem_of
from tests.http.test_bad_input import JSON, VALUES
from tests.routers.test_changes import all_lines

Entry = dict[str, Any]

STORIES = "/v1/stories"
ANYHOW = {"If-Match": "*"}

HUDDLE: Entry = {
    "text": "At eight we all stand together, porters too, under the poster of a zebra.",
    "verdict": "keep",
    "role": "nurse",
    "care_setting": "acute",
    "themes": ["great-teams", "valued-staff"],
    "consent_to_publish": True,
}
FORMS: Entry = {
    "text": "Four forms before anybody could go home. Let us never do that again.",
    "verdict": "never_again",
    "role": "carer",
    "themes": ["basics-sorted"],
    "consent_to_publish": True,
}
SECRET: Entry = {**FORMS, "text": "The quokka knows what happened.", "consent_to_publish": False}


def tell(client: httpx.Client, story: Entry, **fields: Any) -> Entry:
    """Submits a story; returns what the register made of it."""
    answer = client.post(STORIES, json={**story, **fields})
    assert answer.status_code == 201, answer.text
    made: Entry = answer.json()
    return made


def patch(client: httpx.Client, story: Entry, **fields: Any) -> httpx.Response:
    return client.patch(story["links"]["self"], json=fields, headers=ANYHOW)


def withdraw(client: httpx.Client, story: Entry, reason: str = "Told twice.") -> httpx.Response:
    return client.delete(story["links"]["self"], params={"reason": reason}, headers=ANYHOW)


def found(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get(STORIES, params=query)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    references = [story["reference"] for story in page["items"]]
    assert page["page"]["total"] == len(references)
    return references


# Telling


def test_what_somebody_tells_is_found(trust: httpx.Client, anybody: httpx.Client) -> None:
    answer = trust.post(STORIES, json=HUDDLE)

    assert answer.status_code == 201
    story = answer.json()
    assert (story["reference"], story["version"]) == ("STY-000001", 1)
    assert (story["visibility"], story["consent_to_publish"]) == ("published", True)
    assert [theme["name"] for theme in story["themes"]] == ["Great teams", "Valued staff"]
    assert answer.headers["location"] == story["links"]["self"]
    for name in (story["id"], story["id"].upper(), "STY-000001", "sty-1"):
        found = anybody.get(f"{STORIES}/{name}")
        assert found.json() == story
        assert found.headers["etag"] == answer.headers["etag"]
    assert anybody.get(STORIES).json()["items"] == [story]
    for name in ("STY-000002", "INN-000001", "1", "x"):
        problem_of(anybody.get(f"{STORIES}/{name}"), 404, "not-found")


def test_only_text_and_verdict_are_required(trust: httpx.Client, subtests: pytest.Subtests) -> None:
    least = {"text": "It was better.", "verdict": "keep"}
    for name in least:
        with subtests.test(name):
            answer = trust.post(STORIES, json={k: v for k, v in least.items() if k != name})
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert (error["pointer"], error["code"]) == (f"#/{name}", "required")
    story = tell(trust, least)
    assert story["visibility"] == "private"
    assert (story["themes"], story["innovations"]) == ([], [])
    for name in ("role", "other_role", "care_setting", "organisation", "region"):
        assert story[name] is None


BAD: list[tuple[Entry, str, str]] = [
    ({"text": ""}, "#/text", "validation-failed"),
    ({"text": "a\0b"}, "#/text", "validation-failed"),
    ({"text": "canary" * 4_000}, "#/text", "validation-failed"),
    ({"verdict": "canary"}, "#/verdict", "validation-failed"),
    ({"role": "canary"}, "#/role", "validation-failed"),
    ({"role": "nurse", "other_role": "canary"}, "#/other_role", "validation-failed"),
    ({"name": "canary"}, "#/name", "validation-failed"),
    ({"source": {"system": "a/canary", "id": "1"}}, "#/source/system", "validation-failed"),
    ({"consent_to_publish": "canary"}, "#/consent_to_publish", "validation-failed"),
    ({"themes": ["great-teams", "great-teams"]}, "#/themes", "validation-failed"),
    ({"themes": ["great-teams", "canary"]}, "#/themes/1", "unknown-theme"),
    ({"organisation": "CANARY"}, "#/organisation", "unknown-organisation"),
    ({"region": "QOP"}, "#/region", "unknown-organisation"),
    ({"organisation": "R0A", "region": "Y56"}, "#/region", "validation-failed"),
    ({"innovations": ["INN-000099"]}, "#/innovations/0", "unknown-innovation"),
    ({"innovations": [f"INN-{n}" for n in range(1, 12)]}, "#/innovations", "validation-failed"),
]


def test_what_makes_no_sense_is_refused_where_it_stands(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    before = head_of(trust)
    for fields, pointer, slug in BAD:
        with subtests.test(f"{pointer} {slug}"):
            answer = trust.post(STORIES, json={**HUDDLE, **fields})
            problem = problem_of(answer, 422, slug)
            assert [error["pointer"] for error in problem["errors"]] == [pointer]
            assert "canary" not in answer.text.lower()
    problem_of(trust.post(STORIES, json={**HUDDLE, "organisation": "RJ1"}), 403, "forbidden")
    assert head_of(trust) == before


def test_whatever_is_sent_gets_an_answer(trust: httpx.Client) -> None:
    names = st.sampled_from([*StoryCreate.model_fields, "name", "system"])

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(st.dictionaries(names, VALUES, max_size=4))
    def post(fields: Entry) -> None:
        before = head_of(trust)
        answer = trust.post(STORIES, content=json.dumps({**HUDDLE, **fields}), headers=JSON)
        if answer.status_code == 201:
            assert trust.get(answer.headers["location"]).content == answer.content
            return
        assert answer.status_code in (400, 403, 409, 422), answer.text
        assert answer.json()["type"] in KINDS
        assert head_of(trust) == before

    post()


def test_a_story_can_be_sent_again_safely(trust: httpx.Client) -> None:
    key = {"Idempotency-Key": "story-1"}
    first, again = (trust.post(STORIES, json=HUDDLE, headers=key) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert len(found(trust)) == 1


def test_a_choice_may_be_written_as_a_survey_writes_it(trust: httpx.Client) -> None:
    written = {"verdict": "Never again", "role": "Allied Health-Professional"}
    story = tell(trust, HUDDLE, **written, care_setting="Primary care")
    assert (story["verdict"], story["role"]) == ("never_again", "allied_health_professional")
    assert story["care_setting"] == "primary_care"


def test_an_organisation_tells_its_region_and_a_region_nothing_more(trust: httpx.Client) -> None:
    told = tell(trust, HUDDLE, organisation="R0A")
    assert told["organisation"]["icb"]["code"] == "QOP"
    assert told["region"]["code"] == "Y62"
    vague = tell(trust, HUDDLE, region="Y62")
    assert (vague["organisation"], vague["region"]["name"]) == (None, "NHS England North West")
    for query, expected in (
        ({"organisation": "R0A"}, [told]),
        ({"icb": "QOP"}, [told]),
        ({"region": "Y62"}, [vague, told]),
    ):
        assert found(trust, **query) == [story["reference"] for story in expected]
    emptied = patch(trust, told, organisation=None).json()
    assert (emptied["organisation"], emptied["region"]) == (None, None)


def test_nobody_learns_from_whom_a_story_came(
    trust: httpx.Client, icb: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client
) -> None:
    head = head_of(anybody)
    story = tell(trust, HUDDLE, source={"system": "r0a-survey", "id": "7"})
    for stranger in (anybody, other_trust):
        (line,) = all_lines(stranger, after=head)
        assert (line["by"], line["document"]) == (None, story)
        for path in (story["links"]["self"], STORIES, story["links"]["history"]):
            text = stranger.get(path).text
            assert "R0A" not in text
            assert "r0a-survey" not in text
    for own in (trust, icb):
        assert all_lines(own, after=head)[0]["by"] == "R0A"


# Changing


def test_a_patch_changes_what_it_names_and_nothing_else(trust: httpx.Client) -> None:
    before = tell(trust, HUDDLE)
    after = patch(trust, before, themes=[], role="manager").json()
    assert {name for name in before if before[name] != after[name]} == {
        *("themes", "role", "version", "updated_at")
    }
    head = head_of(trust)
    same: list[Entry] = [{}, {"role": "manager"}, {"themes": []}]
    for fields in same:
        assert patch(trust, before, **fields).json() == after
    assert head_of(trust) == head
    (error,) = problem_of(patch(trust, before, text=None), 422, "validation-failed")["errors"]
    assert error["pointer"] == "#/text"


def test_a_change_names_the_version_that_it_is_of(trust: httpx.Client) -> None:
    at = tell(trust, HUDDLE)["links"]["self"]
    tag = trust.get(at).headers["etag"]
    problem_of(trust.patch(at, json={"themes": []}), 428, "precondition-required")
    changed = trust.patch(at, json={"themes": []}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    stale = trust.patch(at, json={"role": "doctor"}, headers={"If-Match": tag})
    problem_of(stale, 412, "precondition-failed")
    problem_of(
        trust.delete(f"{at}?reason=No.", headers={"If-Match": tag}), 412, "precondition-failed"
    )
    unmodified = trust.get(at, headers={"If-None-Match": changed.headers["etag"]})
    assert unmodified.status_code == 304
    assert trust.head(at).headers["etag"] == changed.headers["etag"]


def test_by_its_own_id_a_story_becomes_what_is_sent(
    trust: httpx.Client, other_trust: httpx.Client, anybody: httpx.Client
) -> None:
    at = f"{STORIES}/by-source/survey/a/17"
    made = trust.put(at, json=HUDDLE)
    assert made.status_code == 201
    assert trust.get(at).json() == made.json()
    head = head_of(trust)
    again = trust.put(at, json=HUDDLE, headers=ANYHOW)
    assert (again.status_code, again.json(), head_of(trust)) == (200, made.json(), head)
    problem_of(trust.put(at, json=HUDDLE), 428, "precondition-required")
    problem_of(
        trust.post(STORIES, json={**HUDDLE, "source": {"system": "survey", "id": "a/17"}}),
        *(409, "duplicate-source"),
    )
    bare = trust.put(at, json={"text": "Short.", "verdict": "keep"}, headers=ANYHOW).json()
    assert (bare["visibility"], bare["role"], bare["id"]) == ("private", None, made.json()["id"])
    assert bare["themes"] == made.json()["themes"], "what was found for it stays"
    none = trust.put(at, json={"text": "Short.", "verdict": "keep", "themes": []}, headers=ANYHOW)
    assert none.json()["themes"] == []
    problem_of(other_trust.get(at), 404, "not-found")
    assert other_trust.put(at, json=FORMS).status_code == 201
    problem_of(anybody.get(at), 401, "unauthenticated")


# Who may


def test_a_contributor_writes_stories_of_its_own_and_of_those_below(
    trust: httpx.Client, icb: httpx.Client, other_trust: httpx.Client, curator: httpx.Client
) -> None:
    story = tell(trust, HUDDLE)
    for stranger in (other_trust,):
        problem_of(patch(stranger, story, role="doctor"), 403, "forbidden")
        problem_of(withdraw(stranger, story), 403, "forbidden")
    assert patch(icb, story, role="doctor").status_code == 200
    assert patch(curator, story, role="midwife").status_code == 200
    assert tell(icb, HUDDLE, organisation="R0A")["organisation"]["code"] == "R0A"


# Consent


def test_without_consent_only_its_own_organisation_and_curators_see_a_story(
    trust: httpx.Client,
    icb: httpx.Client,
    curator: httpx.Client,
    other_trust: httpx.Client,
    anybody: httpx.Client,
) -> None:
    head = head_of(anybody)
    story = tell(trust, SECRET, organisation="R0A")
    for own in (trust, icb, curator):
        assert own.get(story["links"]["self"]).json() == story
        assert found(own) == []
        assert found(own, visibility="private", q="quokka") == [story["reference"]]
        assert [line["id"] for line in all_lines(own, after=head)] == [story["id"]]
        assert own.get(f"{story['links']['history']}/1").json()["document"] == story
    for stranger in (other_trust, anybody):
        for path in (*story["links"].values(), f"{story['links']['history']}/1"):
            problem_of(stranger.get(path), 404, "not-found")
        assert found(stranger, q="quokka") == []
        assert all_lines(stranger, after=head) == []
    assert found(other_trust, visibility="private") == []
    problem_of(anybody.get(f"{STORIES}?visibility=private"), 401, "unauthenticated")
    problem_of(patch(other_trust, story, role="doctor"), 404, "not-found")
    problem_of(withdraw(other_trust, story), 404, "not-found")


def test_consent_that_is_taken_back_takes_the_story_out_of_all_that_others_see(
    trust: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client, register: Register
) -> None:
    story = tell(trust, HUDDLE)
    head = head_of(anybody)

    taken = patch(trust, story, consent_to_publish=False, text="A numbat, between us.").json()

    assert (taken["visibility"], taken["version"]) == ("private", 2)
    for stranger in (anybody, other_trust):
        (line,) = all_lines(stranger, after=head)
        assert (line["action"], line["id"], line["document"]) == ("unpublished", story["id"], None)
        assert [each["sequence"] for each in all_lines(stranger, after=head - 1)] == [head + 1]
        problem_of(stranger.get(story["links"]["self"]), 404, "not-found")
        for query in ({}, {"q": "zebra"}, {"q": "numbat"}, {"theme": "great-teams"}):
            assert found(stranger, **query) == []
        (told,) = stranger.get(story["links"]["history"]).json()["items"]
        assert (told["version"], told["document"]) == (2, None)
        problem_of(stranger.get(f"{story['links']['history']}/1"), 404, "not-found")
        assert "numbat" not in stranger.get("/v1/changes?after=0&limit=100&kind=story").text
    own = trust.get(story["links"]["history"]).json()["items"]
    assert [each["document"] for each in own] == [story, taken]
    assert register.verify().broken_at is None

    given = patch(trust, story, consent_to_publish=True, text="In the open again.").json()

    assert anybody.get(story["links"]["self"]).json() == given
    history = anybody.get(story["links"]["history"]).json()["items"]
    assert [each["document"] for each in history] == [story, None, given]
    assert "numbat" not in anybody.get("/v1/changes?after=0&limit=100&kind=story").text


def test_a_withdrawn_story_leaves_a_tombstone_with_the_reason(
    trust: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client
) -> None:
    story = tell(trust, HUDDLE)
    hidden = tell(trust, SECRET)
    head = head_of(anybody)

    tombstone = withdraw(trust, story).json()
    assert withdraw(trust, hidden, "A wallaby asked for it.").status_code == 200

    assert tombstone["withdrawal"]["reason"] == "Told twice."
    for client in (trust, anybody):
        gone = problem_of(client.get(story["links"]["self"]), 410, "withdrawn")
        assert "Told twice." in gone["detail"]
        assert found(client) == []
    (line,) = all_lines(anybody, after=head)
    assert (line["action"], line["id"], line["document"]) == ("withdrawn", story["id"], None)
    for stranger in (anybody, other_trust):
        problem_of(stranger.get(hidden["links"]["self"]), 404, "not-found")
        assert "zebra" not in stranger.get(story["links"]["history"]).text.lower()
    problem_of(trust.get(hidden["links"]["self"]), 410, "withdrawn")
    assert found(trust, visibility="withdrawn") == [hidden["reference"], story["reference"]]
    for answer in (patch(trust, story, role="doctor"), withdraw(trust, story)):
        problem_of(answer, 410, "withdrawn")


# As evidence


@pytest.fixture
def innovation(submit: Submit) -> Entry:
    return submit()


def pieces(client: httpx.Client, innovation: Entry) -> list[tuple[str, str]]:
    """Kind and story of each piece of evidence, in the document and in the list."""
    entry = client.get(innovation["links"]["self"]).json()
    assert entry["counts"]["evidence"] == len(entry["evidence"])
    assert client.get(innovation["links"]["evidence"]).json()["items"] == entry["evidence"]
    return [(piece["kind"], piece["story"]) for piece in entry["evidence"]]


def test_a_published_story_is_evidence_for_what_it_tells_of_by_its_role(
    trust: httpx.Client, anybody: httpx.Client, innovation: Entry
) -> None:
    staff = tell(trust, HUDDLE, innovations=[innovation["reference"]])
    patient = tell(trust, FORMS, innovations=[innovation["id"], innovation["reference"]])

    ref = {"id": innovation["id"], "reference": innovation["reference"]}
    assert staff["innovations"] == patient["innovations"] == [ref]
    assert pieces(anybody, innovation) == [
        ("staff_voice", staff["id"]),
        ("patient_voice", patient["id"]),
    ]
    (piece, _) = anybody.get(innovation["links"]["self"]).json()["evidence"]
    assert staff["reference"] in piece["statement"]
    assert found(anybody, innovation=innovation["reference"]) == ["STY-000002", "STY-000001"]
    assert found(anybody, innovation=innovation["id"], verdict="keep") == ["STY-000001"]
    patch(trust, staff, role="patient")
    assert pieces(anybody, innovation)[0] == ("patient_voice", staff["id"])
    problem_of(anybody.get(f"{STORIES}?innovation=INN-000077"), *(422, "unknown-innovation"))


def test_evidence_goes_with_consent_and_comes_back_with_it(
    trust: httpx.Client, anybody: httpx.Client, innovation: Entry, register: Register
) -> None:
    story = tell(trust, SECRET, innovations=[innovation["reference"]])
    assert pieces(trust, innovation) == []
    for consent, expected in ((True, 1), (False, 0), (True, 1)):
        patch(trust, story, consent_to_publish=consent)
        assert len(pieces(anybody, innovation)) == expected
    withdraw(trust, story)
    assert pieces(anybody, innovation) == []
    history = anybody.get(innovation["links"]["history"])
    assert "quokka" not in history.text, "a story's words stand nowhere else"
    assert [each["action"] for each in history.json()["items"]] == ["created", *["evidenced"] * 4]
    assert register.verify().broken_at is None


def test_evidence_goes_when_the_story_tells_of_something_else(
    trust: httpx.Client, anybody: httpx.Client, innovation: Entry, submit: Submit
) -> None:
    other = submit(title="Another one")
    story = tell(trust, HUDDLE, innovations=[innovation["reference"]])
    patch(trust, story, innovations=[other["reference"]])
    assert pieces(anybody, innovation) == []
    assert pieces(anybody, other) == [("staff_voice", story["id"])]
    patch(trust, story, role=None)
    assert pieces(anybody, other) == [], "nobody knows whose voice it is"


def test_a_story_links_only_to_what_its_key_may_write(
    other_trust: httpx.Client, curator: httpx.Client, innovation: Entry, trust: httpx.Client
) -> None:
    linked = {**HUDDLE, "innovations": [innovation["reference"]]}
    (error,) = problem_of(other_trust.post(STORIES, json=linked), 403, "forbidden")["errors"]
    assert error["pointer"] == "#/innovations/0"
    story = tell(other_trust, HUDDLE)
    assert patch(curator, story, innovations=[innovation["id"]]).status_code == 200
    # What is linked stays so, whoever changes the rest.
    assert patch(other_trust, story, care_setting="acute").status_code == 200
    assert patch(other_trust, story, consent_to_publish=False).status_code == 200
    assert pieces(trust, innovation) == []


def test_what_is_evidence_as_a_story_is_changed_there(
    trust: httpx.Client, innovation: Entry
) -> None:
    tell(trust, HUDDLE, innovations=[innovation["reference"]])
    (piece,) = trust.get(innovation["links"]["self"]).json()["evidence"]
    at = f"{innovation['links']['evidence']}/{piece['id']}"
    for answer in (
        trust.patch(at, json={"strength": "strong"}, headers=ANYHOW),
        trust.delete(at, headers=ANYHOW),
    ):
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert error["code"] == "is_a_story"


def test_a_nightly_put_of_the_innovation_leaves_its_stories(trust: httpx.Client) -> None:
    at = "/v1/innovations/by-source/intranet/1"
    voice = {"kind": "staff_voice", "statement": "We like it."}
    entry = trust.put(at, json={**WARD_ROUNDS, "evidence": [voice]}).json()
    story = tell(trust, HUDDLE, innovations=[entry["reference"]])
    after = trust.put(at, json=WARD_ROUNDS, headers=ANYHOW).json()
    assert [piece["story"] for piece in after["evidence"]] == [story["id"]]
    head = head_of(trust)
    assert trust.put(at, json=WARD_ROUNDS, headers=ANYHOW).json() == after
    assert head_of(trust) == head


def test_a_withdrawn_innovation_does_not_stand_in_the_way(
    trust: httpx.Client, innovation: Entry
) -> None:
    story = tell(trust, HUDDLE, innovations=[innovation["reference"]])
    at = innovation["links"]["self"]
    assert trust.delete(f"{at}?reason=Twice.", headers=ANYHOW).status_code == 200
    assert patch(trust, story, consent_to_publish=False).status_code == 200
    linked = {**HUDDLE, "innovations": [innovation["reference"]]}
    (error,) = problem_of(trust.post(STORIES, json=linked), 422, "unknown-innovation")["errors"]
    assert error["code"] == "innovation_withdrawn"
