"""Checks: what would be said of an entry, before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.likeness import encoding, model
from app.likening import beside
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of, problem_of

AT = "/v1/checks"
STORIES = "/v1/checks/stories"
STORY = {"text": "Volunteers rang my mother each day.", "verdict": "keep"}
PAPERWORK = {
    "title": "Less discharge paperwork",
    "summary": "Four forms became one for people leaving the ward.",
}
FORMS = {
    "title": "Fewer forms before a patient goes home",
    "summary": "A single sheet is filled in when somebody is sent home.",
}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The model is there before the first test, which then takes no longer than the others."""
    encoding.encoder()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told beside is waited for, however busy the machine is."""
    monkeypatch.setattr(beside, "PATIENCE", 60.0)


def checked(client: httpx.Client, body: dict[str, Any], at: str = AT) -> dict[str, Any]:
    answer = client.post(at, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


def themes(told: dict[str, Any]) -> list[str]:
    return [each["theme"]["slug"] for each in told["suggested_themes"]]


def titles(told: dict[str, Any]) -> list[str]:
    return [each["title"] for each in told["possible_duplicates"]]


# What is wrong


def test_what_is_well_is_told_to_be_so_and_nothing_is_written(trust: httpx.Client) -> None:
    before = head_of(trust)
    told = checked(trust, WARD_ROUNDS)
    assert (told["valid"], told["errors"], told["personal_data"]) == (True, [], [])
    assert checked(trust, STORY, STORIES)["valid"]
    assert head_of(trust) == before


def test_personal_data_is_told_beside_what_else_is_wrong(trust: httpx.Client) -> None:
    told = checked(trust, {"title": "Huddle", "summary": "Ask Mr Example.", "theme": "none"})

    assert not told["valid"]
    assert [error["code"] for error in told["errors"]] == ["unknown_theme"]
    (found,) = told["personal_data"]
    assert (found["pointer"], found["kind"]) == ("#/summary", "person_name")
    assert (found["start"], found["end"]) == (4, 14)
    assert "example" not in str(told).lower()


BAD: list[dict[str, Any]] = [
    {},
    {"title": ""},
    {**WARD_ROUNDS, "colour": "red"},
    {**WARD_ROUNDS, "theme": "none"},
    {**WARD_ROUNDS, "organisation": "RJ1"},
    {**WARD_ROUNDS, "organisation": "XXX"},
    {**WARD_ROUNDS, "further_themes": ["21st-century-tools"]},
    {**WARD_ROUNDS, "evidence": [{"kind": "measure", "statement": "Fewer."}]},
    {**WARD_ROUNDS, "source": {"system": "intranet", "id": "42"}},
]


def test_the_same_is_wrong_as_when_it_is_sent(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    taken = {**WARD_ROUNDS, "source": {"system": "intranet", "id": "42"}}
    assert trust.post("/v1/innovations", json=taken).status_code == 201
    for body in BAD:
        with subtests.test(str(body)):
            told, sent = checked(trust, body), trust.post("/v1/innovations", json=body)
            assert sent.status_code in (403, 409, 422)
            if sent.json()["errors"]:
                assert told["errors"] == sent.json()["errors"]
            assert not told["valid"]
            assert told["errors"]


BAD_STORIES: list[dict[str, Any]] = [
    {},
    {"text": ""},
    {**STORY, "colour": "red"},
    {**STORY, "verdict": "perhaps"},
    {**STORY, "themes": ["none"]},
    {**STORY, "organisation": "RJ1"},
    {**STORY, "region": "XXX"},
    {**STORY, "innovations": ["INN-000999"]},
    {**STORY, "other_role": "Porter"},
    {**STORY, "source": {"system": "survey", "id": "42"}},
]


def test_the_same_is_wrong_with_a_story_as_when_it_is_sent(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    taken = {**STORY, "source": {"system": "survey", "id": "42"}}
    assert trust.post("/v1/stories", json=taken).status_code == 201
    for body in BAD_STORIES:
        with subtests.test(str(body)):
            told, sent = checked(trust, body, STORIES), trust.post("/v1/stories", json=body)
            assert sent.status_code in (403, 409, 422)
            if sent.json()["errors"]:
                assert told["errors"] == sent.json()["errors"]
            assert not told["valid"]
            assert told["errors"]


def test_a_story_that_names_somebody_is_told_where(trust: httpx.Client) -> None:
    told = checked(trust, {**STORY, "text": "Mr Example rang my mother each day."}, STORIES)

    assert (told["valid"], told["errors"]) == (False, [])
    (found,) = told["personal_data"]
    assert (found["pointer"], found["start"], found["end"]) == ("#/text", 0, 10)
    assert "example" not in str(told).lower()
    assert "mother" in str(told["suggested_themes"])


@pytest.mark.parametrize("at", [AT, STORIES])
def test_a_stranger_cannot_check(anybody: httpx.Client, at: str) -> None:
    problem_of(anybody.post(at, json={}), 401, "unauthenticated")


# What is told beside it


def test_a_form_is_told_of_what_says_the_same_in_other_words(
    trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    theirs = submit(other_trust, **FORMS)
    submit()
    told = checked(trust, PAPERWORK)  # no theme yet: half written
    assert [error["pointer"] for error in told["errors"]] == ["#/theme"]
    (found,) = told["possible_duplicates"]
    assert found.pop("score") >= 0.4
    assert found == {name: theirs[name] for name in found}
    whole = checked(trust, {**PAPERWORK, "theme": "basics-sorted"})
    assert whole["valid"]
    assert titles(whole) == [FORMS["title"]]


def test_it_is_told_as_soon_as_there_is_a_title(trust: httpx.Client, submit: Submit) -> None:
    submit(**FORMS)
    for body in ({"title": FORMS["title"]}, {"summary": FORMS["summary"], "title": 7}):
        told = checked(trust, body)
        assert titles(told) == [FORMS["title"]]
        assert len(themes(told)) == 3


def test_what_nobody_may_see_is_not_told(
    trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    draft = submit(other_trust, **FORMS, visibility="draft")
    assert titles(checked(trust, PAPERWORK)) == []
    at = draft["links"]["self"]
    other_trust.patch(at, json={"visibility": "published"}, headers={"If-Match": "*"})
    assert titles(checked(trust, PAPERWORK)) == [FORMS["title"]]
    other_trust.delete(f"{at}?reason=Twice.", headers={"If-Match": "*"})
    assert titles(checked(trust, PAPERWORK)) == []


@pytest.mark.parametrize(
    ("at", "body"),
    [
        (AT, {"title": "Volunteers ring people who live alone", "summary": "Each day."}),
        (AT, {"summary": "Volunteers ring people who live alone."}),
        (STORIES, {"text": "Volunteers rang my mother each day."}),
    ],
)
def test_a_form_is_told_the_likely_themes(
    trust: httpx.Client, at: str, body: dict[str, Any]
) -> None:
    told = checked(trust, body, at)
    assert themes(told)[0] == "community-collaboration"
    assert len(themes(told)) == 3
    assert "volunteers" in told["suggested_themes"][0]["words"]
    text = ". ".join(body.values())
    asked = trust.post("/v1/themes/suggestions", json={"text": text}).json()
    assert told["suggested_themes"] == asked["items"]
    assert ("possible_duplicates" in told) is (at == AT)


NO_TEXT: list[dict[str, Any]] = [
    {},
    {"title": "", "summary": " ", "text": "\n"},
    {"title": None, "summary": ["a"], "text": {"a": "b"}},
    {"title": "Mrs Example", "text": "020 7946 0000"},
    {"description": "This is not what is compared."},
]


def test_without_a_text_there_is_nothing_to_tell(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    submit()
    for body in NO_TEXT:
        with subtests.test(str(body)):
            told = checked(trust, body)
            assert (told["suggested_themes"], told["possible_duplicates"]) == ([], [])
            assert checked(trust, body, STORIES)["suggested_themes"] == []


def test_whatever_is_written_gets_an_answer(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    submit()
    for text in "\x00", "…", "🙂", "a" * 300_000, "Zug\u200b\u202e", "1 2 3":
        with subtests.test(text[:10]):
            told = checked(trust, {"title": text, "summary": text})
            assert len(told["suggested_themes"]) == 3
            assert told["possible_duplicates"] == []
            assert len(checked(trust, {"text": text}, STORIES)["suggested_themes"]) == 3


def test_while_the_register_is_being_read_the_rest_is_told(
    trust: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "PATIENCE", 0.0)
    told = checked(trust, {**WARD_ROUNDS, "theme": "none"})
    assert [error["code"] for error in told["errors"]] == ["unknown_theme"]
    assert (told["suggested_themes"], told["possible_duplicates"]) == (None, None)
    monkeypatch.setattr(beside, "PATIENCE", 60.0)
    told = checked(trust, WARD_ROUNDS)
    assert (len(told["suggested_themes"]), told["possible_duplicates"]) == (3, [])


def test_without_the_model_duplicates_are_null_and_themes_told_by_letters(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Register]
) -> None:
    monkeypatch.setattr(model, "find_spec", lambda _: None)
    register = serve()
    trust = register.client(register.key("R0A"))
    told = checked(trust, {"title": "Volunteers and neighbours"})
    assert told["possible_duplicates"] is None
    assert themes(told)[0] == "community-collaboration"
    assert checked(trust, {})["possible_duplicates"] is None
    assert themes(checked(trust, STORY, STORIES))[0] == "community-collaboration"
