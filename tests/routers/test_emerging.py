"""Emerging themes: what keeps coming up, what is new in it, and the theme that it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.likeness import encoding, model
from app.likening import emerging
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import Entry
from tests.routers.test_likeness import OTHERS

AT = "/v1/themes/emerging"

TOLD = [
    "We gave up the anaesthetic gas that does most harm to the climate.",
    "Our theatre weighed its carbon footprint and cut the waste by half.",
    "Patients bring back their inhalers, and the gas in them no longer harms the climate.",
]
GASES: Entry = {
    "title": "Anaesthetic gases with less carbon",
    "summary": "Theatres use gases that do less harm to the climate.",
    "theme": "basics-sorted",
}
GREENER: Entry = {
    "slug": "greener-care",
    "name": "Greener care",
    "group": "now_have",
    "description": "Less carbon, less waste, and gases that do less harm.",
}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The model is there before the first test, which then takes no longer than the others."""
    encoding.encoder()


def tell(client: httpx.Client, text: str, **fields: Any) -> Entry:
    story = {"text": text, "verdict": "keep", "consent_to_publish": True, **fields}
    answer = client.post("/v1/stories", json=story)
    assert answer.status_code == 201, answer.text
    told: Entry = answer.json()
    return told


def emerged(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get(AT, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def groups(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = emerged(client, **query)["items"]
    return items


def members(group: dict[str, Any]) -> set[str]:
    return {member["id"] for member in group["members"]}


@pytest.fixture
def green(trust: httpx.Client, submit: Submit) -> list[Entry]:
    """An innovation and three stories that no theme is about, among others that have theirs."""
    for title, summary, theme in OTHERS:
        submit(title=title, summary=summary, theme=theme)
    return [submit(**GASES), *(tell(trust, text) for text in TOLD)]


def make(client: httpx.Client, group: str, /, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", None)
    return client.post(f"{AT}/{group}/theme", json={**GREENER, **fields}, headers=headers)


# What emerges


def test_what_no_theme_is_about_emerges_with_its_words_and_members(
    anybody: httpx.Client, green: list[Entry]
) -> None:
    found = emerged(anybody)
    (group,) = found["items"]
    assert (found["total"], found["looked_at"]) == (1, len(green) + len(OTHERS))
    assert (found["model"], found["read_to"]) == (model.NAME, head_of(anybody))
    assert (group["kind"], group["theme"], group["since"]) == ("unplaced", None, None)
    assert members(group) == {entry["id"] for entry in green}
    assert group["size"] == 4
    assert "climate" in group["words"]
    assert 0.2 < group["strength"] < 1
    assert group["verdicts"] == {"keep": 3, "retire": 0, "under_review": 1, "never_again": 0}
    (count,) = group["themes"]
    assert (count["theme"]["slug"], count["members"]) == ("basics-sorted", 1)
    titles = {member["reference"]: member["title"] for member in group["members"]}
    assert titles == {"INN-000005": GASES["title"]} | {
        f"STY-{number:06}": text for number, text in enumerate(TOLD, 1)
    }
    scores = [member["score"] for member in group["members"]]
    assert scores == sorted(scores, reverse=True)


def test_any_member_leads_to_the_group_and_it_keeps_its_id_while_it_grows(
    anybody: httpx.Client, trust: httpx.Client, green: list[Entry]
) -> None:
    (group,) = groups(anybody, members=100)
    assert group["id"] in members(group)
    for entry in green:
        for name in (entry["id"], entry["reference"], entry["id"].upper()):
            assert anybody.get(f"{AT}/{name}").json() == group
    tell(trust, "Less carbon and less waste in the theatre: I want to keep that for the climate.")
    (grown,) = groups(anybody)
    assert (grown["id"], grown["size"]) == (group["id"], 5)
    for name in ("INN-000001", "INN-000999", "STY-000999", "great-teams", "%20"):
        problem_of(anybody.get(f"{AT}/{name}"), 404, "not-found")


def test_what_is_shown_can_be_less(anybody: httpx.Client, green: list[Entry]) -> None:
    assert len(green) == 4
    (group,) = groups(anybody, members=1, limit=1)
    assert (group["size"], len(group["members"])) == (4, 1)
    assert groups(anybody, members=0)[0]["members"] == []
    assert emerged(anybody, kind=["within_theme", "across_themes"])["total"] == 0
    assert emerged(anybody, kind="unplaced")["total"] == 1


def test_what_is_new_since_a_time_is_told(
    anybody: httpx.Client, trust: httpx.Client, green: list[Entry]
) -> None:
    (group,) = groups(anybody, since="2020-01-01")
    news = {"at": "2020-01-01T00:00:00.000000Z", "new_members": 4, "is_new": True}
    assert group["since"] == news
    last = green[-1]["created_at"]
    text = "Less carbon and less waste in the theatre: I want to keep that for the climate."
    newest = tell(trust, text)["created_at"]
    for since, new, is_new in ((last, 2, False), (newest, 1, False)):
        at = {"at": since, "new_members": new, "is_new": is_new}
        assert groups(anybody, since=since)[0]["since"] == at
        assert anybody.get(f"{AT}/{green[0]['id']}", params={"since": since}).json()["since"] == at


def test_a_story_counts_from_when_it_was_published(
    anybody: httpx.Client, trust: httpx.Client, green: list[Entry]
) -> None:
    text = "Less carbon and less waste in the theatre: I want to keep that for the climate."
    private = tell(trust, text, consent_to_publish=False)
    after = tell(trust, "A quiet room on every ward.")["created_at"]
    trust.patch(
        private["links"]["self"], json={"consent_to_publish": True}, headers={"If-Match": "*"}
    )
    (group,) = groups(anybody, since=after)
    assert (group["size"], group["since"]["new_members"]) == (len(green) + 1, 1)


# What is not among it


def test_what_is_not_published_is_in_no_group_and_counts_for_none(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit, green: list[Entry]
) -> None:
    before = emerged(anybody)
    submit(**{**GASES, "title": "Gases with little carbon", "visibility": "draft"})
    tell(trust, "The climate is not harmed by our gases any more.", consent_to_publish=False)
    for client in (anybody, trust):
        assert emerged(client)["items"] == before["items"]
        assert emerged(client)["looked_at"] == before["looked_at"]
    assert len(green) == 4


def test_what_is_taken_back_is_gone_at_once_with_its_words(
    anybody: httpx.Client,
    trust: httpx.Client,
    green: list[Entry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unusual = "Zanzibar gases harm the climate."
    green += [tell(trust, unusual) for _ in range(3)]
    assert "Zanzibar" in groups(anybody)[0]["words"]
    # As in a large register, which is not grouped anew for this.
    monkeypatch.setattr(emerging, "SHARE", 1)
    read_to, anyhow = emerged(anybody)["read_to"], {"If-Match": "*"}
    at = [entry["links"]["self"] for entry in green]
    assert trust.patch(at[-1], json={"consent_to_publish": False}, headers=anyhow).is_success
    assert trust.delete(f"{at[-2]}?reason=Twice.", headers=anyhow).is_success
    assert trust.patch(at[0], json={"title": "Another"}, headers=anyhow).is_success
    found = emerged(anybody, members=100)
    assert found["read_to"] == read_to
    assert members(found["items"][0]) == {entry["id"] for entry in green[1:-2]}
    assert "Zanzibar" not in found["items"][0]["words"]


def test_another_process_finds_the_same(
    serve: Callable[..., Register], anybody: httpx.Client, green: list[Entry]
) -> None:
    before = emerged(anybody)
    assert members(before["items"][0]) == {entry["id"] for entry in green}
    assert emerged(serve().client()) == before


def test_bad_questions_are_refused(anybody: httpx.Client, subtests: pytest.Subtests) -> None:
    for query, name in (
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("members=-1", "members"),
        ("members=101", "members"),
        ("since=canary", "since"),
        ("since=2020-01-01T00:00:00", "since"),
        ("since=2199-01-01", "since"),
        ("kind=canary", "kind"),
        ("colour=canary", "colour"),
    ):
        with subtests.test(query):
            answer = anybody.get(f"{AT}?{query}")
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == f"?{name}"
            assert "canary" not in answer.text
    problem_of(anybody.get(f"{AT}/INN-000001?since=2199-01-01"), 422, "validation-failed")
    assert groups(anybody) == []


# A theme of it


def test_a_curator_makes_a_theme_of_a_group_in_one_call(
    register: Register, anybody: httpx.Client, curator: httpx.Client, green: list[Entry]
) -> None:
    (group,) = groups(anybody)
    before = head_of(anybody)
    left = green[-1]
    answer = make(curator, group["id"], without=[left["reference"]])
    assert answer.status_code == 201, answer.text
    made = answer.json()
    theme = anybody.get(answer.headers["location"])
    assert made["theme"] == theme.json()
    assert theme.headers["etag"] == answer.headers["etag"]
    assert {**theme.json(), **GREENER} == theme.json()
    assert {each["id"] for each in made["members"]} == {entry["id"] for entry in green[:-1]}
    assert made["left_out"] == []
    innovation = anybody.get(green[0]["links"]["self"]).json()
    assert innovation["version"] == 2
    assert innovation["theme"]["slug"] == "basics-sorted"
    assert [each["slug"] for each in innovation["further_themes"]] == ["greener-care"]
    for entry in green[1:]:
        story = anybody.get(entry["links"]["self"]).json()
        expected = [] if entry is left else ["greener-care"]
        assert [each["slug"] for each in story["themes"]] == expected
    lines = anybody.get("/v1/changes", params={"after": before}).json()["items"]
    assert [(line["kind"], line["action"]) for line in lines] == [
        ("theme", "created"),
        ("innovation", "updated"),
        *[("story", "updated")] * 2,
    ]
    assert [line["by"] for line in lines] == ["RJ1", "RJ1", None, None]
    assert register.verify().broken_at is None


def test_a_group_that_has_become_a_theme_emerges_no_more(
    anybody: httpx.Client, curator: httpx.Client, green: list[Entry]
) -> None:
    assert make(curator, green[0]["id"]).status_code == 201
    assert groups(anybody) == []
    answer = make(curator, green[0]["id"], slug="greener-still")
    problem_of(answer, 404, "not-found")


def test_the_same_request_again_gets_the_first_answer(
    curator: httpx.Client, green: list[Entry]
) -> None:
    once = {"Idempotency-Key": "once"}
    first = make(curator, green[0]["id"], headers=once)
    assert first.status_code == 201, first.text
    before = head_of(curator)
    again = make(curator, green[0]["id"], headers=once)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert head_of(curator) == before


def test_what_was_accepted_of_the_theme_is_told_of_the_theme_alone(
    curator: httpx.Client, green: list[Entry]
) -> None:
    theme = {**GREENER, "description": "After Miss Havisham ward."}
    at, before = f"{AT}/{green[0]['id']}/theme", head_of(curator)
    problem_of(curator.post(at, json=theme), 422, "possible-personal-data")
    answer = curator.post(at, json=theme, params={"accept_flagged": "true"})
    assert answer.status_code == 201, answer.text
    lines = curator.get("/v1/changes", params={"after": before}).json()["items"]
    assert [line["accepted_flagged"] for line in lines] == [True, *[False] * len(green)]


def test_who_has_as_many_themes_as_may_be_is_left_out_and_that_is_told(
    anybody: httpx.Client, curator: httpx.Client, trust: httpx.Client, green: list[Entry]
) -> None:
    slugs = [theme["slug"] for theme in anybody.get("/v1/themes").json()["items"]]
    further = [slug for slug in slugs if slug != "basics-sorted"]
    anyhow = {"If-Match": "*"}
    for entry, patch in (
        (green[0], {"further_themes": further}),
        (green[1], {"themes": slugs}),
    ):
        assert trust.patch(entry["links"]["self"], json=patch, headers=anyhow).status_code == 200
    made = make(curator, green[2]["id"]).json()
    assert {each["id"] for each in made["members"]} == {entry["id"] for entry in green[2:]}
    told = {each["reference"]: each["because"] for each in made["left_out"]}
    assert told == {"INN-000005": "most_themes", "STY-000001": "most_themes"}


def test_nothing_is_written_when_it_cannot_be_made(
    anybody: httpx.Client, curator: httpx.Client, trust: httpx.Client, green: list[Entry]
) -> None:
    group = groups(anybody)[0]["id"]
    before = head_of(anybody)
    problem_of(make(trust, group), 403, "forbidden")
    problem_of(make(anybody, group), 401, "unauthenticated")
    problem_of(make(curator, group, slug="great-teams"), 409, "duplicate")
    problem_of(make(curator, "INN-000001"), 404, "not-found")
    everybody = [entry["reference"] for entry in green]
    for wrong, pointer in (
        ({"slug": "emerging"}, "#/slug"),
        ({"slug": "Canary"}, "#/slug"),
        ({"group": "canary"}, "#/group"),
        ({"without": ["INN-000001"]}, "#/without/0"),
        ({"without": [everybody[0], "canary"]}, "#/without/1"),
        ({"without": everybody}, "#/without"),
        ({"without": "canary"}, "#/without"),
        ({"colour": "canary"}, "#/colour"),
    ):
        answer = make(curator, group, **wrong)
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert error["pointer"] == pointer
        assert "canary" not in answer.text
    assert head_of(anybody) == before


# Without the model


def test_without_the_model_nothing_is_grouped_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Register]
) -> None:
    monkeypatch.setattr(model, "find_spec", lambda _: None)
    problem_of(serve().client().get(AT), 501, "not-installed")
