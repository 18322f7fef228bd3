"""Similar innovations, possible duplicates, and likely themes, with the model that there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.likeness import encoding, model
from app.likening.asking import LEARN_AFTER
from tests.conftest import WARD_ROUNDS, Register, settings_for
from tests.http.speaking import Submit, head_of, problem_of

PAPERWORK = {
    "title": "Less discharge paperwork",
    "summary": "Four forms became one for people leaving the ward.",
    "theme": "basics-sorted",
}
FORMS = {
    "title": "Fewer forms before a patient goes home",
    "summary": "A single sheet is filled in when somebody is sent home.",
    "theme": "basics-sorted",
}
OTHERS = [
    ("Free staff parking", "Nobody who works here pays for a space.", "valued-staff"),
    ("Daily huddle", "The whole team stands together at eight.", "great-teams"),
    ("Virtual fracture clinic", "X-rays are seen without a visit.", "21st-century-tools"),
    ("Scrubs sewn at home", "Neighbours made clothing for wards.", "community-collaboration"),
]
PATIENT = {"likeness_wait_seconds": 30}
"""So that the answer to a submission waits, however busy the machine is."""


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The model is there before the first test, which then takes no longer than the others."""
    encoding.encoder()


@pytest.fixture
def patient(serve: Callable[..., Register]) -> Register:
    return serve(**PATIENT)


def similar(client: httpx.Client, to: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"{to['links']['self']}/similar", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def titles(items: list[dict[str, Any]]) -> list[str]:
    return [item["innovation"]["title"] for item in items]


def asked(client: httpx.Client, text: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/v1/themes/suggestions", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    suggestions: dict[str, Any] = answer.json()
    return suggestions


def suggest(client: httpx.Client, text: str, **more: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = asked(client, text, **more)["items"]
    return items


def themes(items: list[dict[str, Any]]) -> list[str]:
    return [item["theme"]["slug"] for item in items]


def submit_others(submit: Submit) -> None:
    for title, summary, theme in OTHERS:
        submit(title=title, summary=summary, theme=theme)


# Similar innovations


def test_the_same_in_other_words_is_found_first_and_says_why(
    anybody: httpx.Client, submit: Submit
) -> None:
    submit_others(submit)
    theirs, ours = submit(**FORMS), submit(**PAPERWORK)
    found = similar(anybody, ours)
    assert found[0]["innovation"] == theirs
    assert len(found) == len(OTHERS) + 1
    scores = [item["score"] for item in found]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.4 > scores[1]
    assert {"here": "forms", "there": "forms"} in found[0]["why"]
    assert len(similar(anybody, ours, limit=2)) == 2


def test_only_what_is_published_is_found(
    anybody: httpx.Client, trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    ours = submit(**PAPERWORK)
    draft = submit(**FORMS, visibility="draft")
    assert similar(anybody, ours) == similar(trust, ours) == []
    assert titles(similar(trust, draft)) == [PAPERWORK["title"]]
    problem_of(other_trust.get(f"{draft['links']['self']}/similar"), 404, "not-found")
    at = draft["links"]["self"]
    patch = {"visibility": "published"}
    published = trust.patch(at, json=patch, headers={"If-Match": "*"})
    assert titles(similar(anybody, ours)) == [FORMS["title"]]
    trust.delete(f"{at}?reason=Twice.", headers={"If-Match": published.headers["etag"]})
    assert similar(anybody, ours) == []
    problem_of(anybody.get(f"{at}/similar"), 410, "withdrawn")


def test_an_entry_is_found_by_what_it_says_now(trust: httpx.Client, submit: Submit) -> None:
    submit_others(submit)
    ours, theirs = submit(**PAPERWORK), submit(**WARD_ROUNDS)
    assert similar(trust, ours)[0]["innovation"]["id"] != theirs["id"]
    patch = {"title": FORMS["title"], "summary": FORMS["summary"]}
    trust.patch(theirs["links"]["self"], json=patch, headers={"If-Match": "*"})
    assert similar(trust, ours)[0]["innovation"]["id"] == theirs["id"]


def test_vectors_are_stored_and_a_new_process_finds_the_same(
    serve: Callable[..., Register], submit: Submit, anybody: httpx.Client, register: Register
) -> None:
    submit_others(submit)
    submit(**FORMS)
    ours = submit(**PAPERWORK)
    before = similar(anybody, ours)
    head = head_of(anybody)
    again = serve().client()
    assert similar(again, ours) == before
    assert head_of(again) == head
    assert register.verify().broken_at is None


def test_what_there_is_not_and_what_cannot_be(anybody: httpx.Client, submit: Submit) -> None:
    at = submit()["links"]["self"]
    problem_of(anybody.get("/v1/innovations/INN-000999/similar"), 404, "not-found")
    for query in ("limit=0", "limit=101", "limit=x", "depth=2"):
        problem_of(anybody.get(f"{at}/similar?{query}"), 422, "validation-failed")


# Possible duplicates


def test_a_submission_is_told_of_what_may_be_the_same(patient: Register) -> None:
    trust = patient.client(patient.key("R0A"))
    trust.post("/v1/innovations", json=FORMS)
    theirs = trust.get("/v1/innovations").json()["items"][0]
    similar(trust, theirs)  # it is known now
    answer = trust.post("/v1/innovations", json=PAPERWORK)
    assert answer.status_code == 201
    (told,) = answer.json()["possible_duplicates"]
    assert told["score"] >= 0.4
    names = ("id", "reference", "title", "summary", "status", "organisation")
    assert {name: told[name] for name in names} == {name: theirs[name] for name in names}
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).json()["possible_duplicates"] == []


def test_what_is_told_is_no_part_of_the_innovation(patient: Register) -> None:
    trust = patient.client(patient.key("R0A"))
    first = trust.post("/v1/innovations", json=FORMS)
    similar(trust, first.json())
    answer = trust.post("/v1/innovations", json=PAPERWORK, headers={"Idempotency-Key": "a"})
    stored = trust.get(answer.headers["location"])
    assert stored.headers["etag"] == answer.headers["etag"]
    assert "possible_duplicates" not in stored.json()
    told = answer.json()
    assert len(told.pop("possible_duplicates")) == 1
    assert told == stored.json()
    line = trust.get("/v1/changes", params={"after": head_of(trust) - 1}).json()["items"][0]
    assert line["document"] == stored.json()
    patch = {"If-Match": answer.headers["etag"]}
    assert trust.patch(answer.headers["location"], json={"tags": ["a"]}, headers=patch).is_success
    again = trust.post("/v1/innovations", json=PAPERWORK, headers={"Idempotency-Key": "a"})
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == answer.content


def test_a_submission_is_told_of_no_draft(patient: Register) -> None:
    trust = patient.client(patient.key("R0A"))
    other = patient.client(patient.key("RJ1"))
    mine = trust.post("/v1/innovations", json=WARD_ROUNDS).json()
    other.post("/v1/innovations", json={**FORMS, "visibility": "draft"})
    similar(trust, mine)
    assert trust.post("/v1/innovations", json=PAPERWORK).json()["possible_duplicates"] == []


def test_before_anything_was_read_a_submission_does_not_wait(trust: httpx.Client) -> None:
    answer = trust.post("/v1/innovations", json=WARD_ROUNDS)
    assert (answer.status_code, answer.json()["possible_duplicates"]) == (201, None)


# Themes


@pytest.mark.parametrize(
    ("text", "theme", "word"),
    [
        ("Volunteers rang everybody who lives alone.", "community-collaboration", "volunteers"),
        ("The chief executive listens to the porters.", "engaged-leaders", "executive"),
        ("Video clinics instead of a long journey.", "21st-century-tools", "video"),
        ("Free parking and a hot meal for night nurses.", "valued-staff", "parking"),
    ],
)
def test_a_text_is_given_its_theme_and_the_words_that_spoke(
    anybody: httpx.Client, text: str, theme: str, word: str
) -> None:
    found = suggest(anybody, text)
    assert len(found) == 3
    assert found[0]["theme"]["slug"] == theme
    assert word in found[0]["words"]
    assert set(found[0]["words"]) <= set(text.lower().rstrip(".").split())


def test_the_scores_of_all_themes_make_one(anybody: httpx.Client) -> None:
    found = suggest(anybody, "One form instead of four.", limit=100)
    assert len(found) == 10
    assert sum(item["score"] for item in found) == pytest.approx(1, abs=0.01)


def test_a_theme_that_a_curator_adds_is_suggested_at_once(
    anybody: httpx.Client, curator: httpx.Client
) -> None:
    text = "Anaesthetic gases with a smaller carbon footprint."
    assert "greener-care" not in themes(suggest(anybody, text, limit=10))
    theme = {
        "slug": "greener-care",
        "name": "Greener care",
        "group": "now_have",
        "description": "Less carbon, energy and waste: gases, journeys, inhalers, recycling.",
    }
    assert curator.post("/v1/themes", json=theme).status_code == 201
    assert themes(suggest(anybody, text))[0] == "greener-care"


def test_it_learns_from_what_is_published_and_from_no_draft(
    anybody: httpx.Client, submit: Submit
) -> None:
    text = "A therapy dog visits."
    before = {item["theme"]["slug"]: item["score"] for item in suggest(anybody, text, limit=10)}
    for number in range(5):
        drafted = f"A therapy dog visits room {number}."
        submit(title=drafted, summary=drafted, theme="local-system", visibility="draft")
    assert suggest(anybody, text, limit=10)[0]["score"] == max(before.values())
    for number in range(LEARN_AFTER):
        shown = f"A therapy dog visits ward {number}."
        submit(title=shown, summary=shown, theme="valued-staff")
    learnt_to = head_of(anybody)
    while (
        anybody.post("/v1/themes/suggestions", json={"text": text}).json()["learnt_to"] < learnt_to
    ):
        pass
    after = suggest(anybody, text)
    assert after[0]["theme"]["slug"] == "valued-staff"
    assert after[0]["score"] > before["valued-staff"]


def test_texts_of_any_language_and_none_get_an_answer(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for text in (
        "Les bénévoles appellent les voisins.",
        "志愿者给独居老人打电话",
        "🙂",
        "…",
        "1 2 3",
    ):
        with subtests.test(text):
            assert len(suggest(anybody, text, limit=10)) == 10
    french = suggest(anybody, "Des bénévoles du quartier téléphonent aux personnes isolées.")
    assert "community-collaboration" in themes(french)


def test_bad_texts_are_refused_and_not_echoed(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for text in ("", " ", "canary" * 17_000, "canary\x00", "canary\x07", 17, None, ["canary"]):
        with subtests.test(str(text)[:10]):
            answer = anybody.post("/v1/themes/suggestions", json={"text": text})
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == "#/text"
            assert "canary" not in answer.text
    for more in ({"limit": 0}, {"limit": 101}, {"colour": "red"}):
        answer = anybody.post("/v1/themes/suggestions", json={"text": "Rest.", **more})
        problem_of(answer, 422, "validation-failed")


# Without the model


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, serve: Callable[..., Register]) -> Register:
    """A service where the extra is not installed."""
    monkeypatch.setattr(model, "find_spec", lambda _: None)
    return serve()


def test_without_the_model_themes_are_told_by_letters_and_that_is_said(without: Register) -> None:
    anybody = without.client()
    assert anybody.get("/version").json()["language_model"] is None
    answer = anybody.post("/v1/themes/suggestions", json={"text": "Volunteers and neighbours."})
    assert answer.json()["model"] is None
    assert answer.json()["items"][0]["theme"]["slug"] == "community-collaboration"
    assert answer.json()["items"][0]["words"]


def test_without_the_model_nobody_looks_for_duplicates_and_that_is_said(without: Register) -> None:
    trust = without.client(without.key("R0A"))
    answer = trust.post("/v1/innovations", json=WARD_ROUNDS)
    assert (answer.status_code, answer.json()["possible_duplicates"]) == (201, None)
    problem_of(trust.get(f"{answer.headers['location']}/similar"), 501, "not-installed")


def test_with_the_model_the_service_says_so(anybody: httpx.Client) -> None:
    assert anybody.get("/version").json()["language_model"] == model.NAME
    assert settings_for("sqlite://").likeness_wait_seconds < 0.01
