"""The demonstration content: enough to try everything with, and true to its source."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from app.register import demonstration, redaction
from tests.conftest import Register
from tests.http.speaking import head_of
from tests.register.test_reference import LEAPS

SECTION = re.compile(
    r"10 Leaps Forward, (?:section (?P<number>\d+), (?P<title>[^;.)]+)|[A-Z][^;.)]+)"
)


@pytest.fixture
def entries(register: Register, anybody: httpx.Client) -> list[dict[str, Any]]:
    """All that is found after the content was loaded."""
    new = register.database.transaction(demonstration.load)
    assert new == (len(demonstration.entries()), len(demonstration.told()))
    listed = anybody.get("/v1/innovations?limit=100").json()
    assert listed["page"]["next"] is None
    assert listed["page"]["total"] == len(listed["items"]) == len(demonstration.entries())
    found: list[dict[str, Any]] = listed["items"]
    return found


def test_each_leap_has_some_and_there_is_something_to_keep_and_to_retire(
    entries: list[dict[str, Any]],
) -> None:
    assert len(entries) >= 40
    slugs = {slug for members in LEAPS.values() for slug in members}
    assert {entry["theme"]["slug"] for entry in entries} == slugs
    assert {entry["status"] for entry in entries} >= {"keep", "retire"}
    assert len({entry["title"] for entry in entries}) == len(entries)


def test_each_says_why_and_cites_the_report(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        assert entry["decision"]["reason"]
        assert any(SECTION.search(piece["statement"]) for piece in entry["evidence"])


def test_a_section_is_cited_by_its_number_and_its_own_title(
    entries: list[dict[str, Any]], anybody: httpx.Client
) -> None:
    themes = anybody.get("/v1/themes").json()["items"]
    titles = {str(theme["number"]): theme["name"].lower() for theme in themes}
    cited = {
        (section["number"], section["title"].lower())
        for entry in entries
        for piece in entry["evidence"]
        for section in SECTION.finditer(piece["statement"])
        if section["number"]
    }
    assert cited == set(titles.items())


def test_a_university_submitted_it(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        assert entry["organisation"]["kind"] == "other"
        assert "London South Bank University" in entry["organisation"]["name"]
    sources = {(entry["source"]["system"], entry["source"]["id"]) for entry in entries}
    assert len(sources) == len(entries)


def test_only_those_who_do_not_exist_have_adopted_any(
    entries: list[dict[str, Any]], anybody: httpx.Client
) -> None:
    positions = [position for entry in entries for position in entry["adoptions"]]
    for code in {position["organisation"] for position in positions}:
        organisation = anybody.get(f"/v1/organisations/{code}").json()
        assert (organisation["kind"], organisation["parent"]) == ("other", None)
        assert "not a real trust" in organisation["name"]
    stages = {position["stage"] for position in positions}
    assert stages == {"considering", "piloting", "adopted", "adapted", "stopped"}
    total = anybody.get("/v1/statistics/spread").json()["total"]
    assert (total["trusts_adopted"], total["adoptions"]) == (0, total["adopted"] + total["adapted"])


@pytest.mark.usefixtures("entries")
def test_loading_again_changes_nothing(register: Register, anybody: httpx.Client) -> None:
    before = head_of(anybody)
    assert register.database.transaction(demonstration.load) == (0, 0)
    assert head_of(anybody) == before


def test_a_start_undoes_nothing_of_what_was_tried_out(
    entries: list[dict[str, Any]], register: Register, curator: httpx.Client, anybody: httpx.Client
) -> None:
    adopted = next(entry for entry in entries if entry["adoptions"])
    one, other, third, fourth, fifth, *_ = (entry for entry in entries if not entry["adoptions"])
    (adoption, *_) = anybody.get(adopted["links"]["adoptions"]).json()["items"]
    told, private = (f"/v1/stories/STY-{number:06}" for number in (1, 2))
    piece = {"kind": "audit", "statement": "It held."}
    for method, at, body in (
        ("DELETE", one["links"]["self"] + "?reason=Sent+by+mistake.", None),
        ("POST", other["links"]["self"] + "/merge", {"into": third["id"], "reason": "The same."}),
        ("PATCH", third["links"]["self"], {"title": "In other words"}),
        ("POST", fourth["links"]["evidence"], piece),
        ("POST", fourth["links"]["decisions"], {"status": "retire", "reason": "Nobody asks."}),
        ("DELETE", adoption["links"]["self"], None),
        ("DELETE", told + "?reason=Sent+by+mistake.", None),
        ("PATCH", private, {"consent_to_publish": False}),
    ):
        answer = curator.request(method, at, json=body, headers={"If-Match": "*"})
        assert answer.is_success, answer.text
    for name, text in ((fifth["id"], fifth["title"]), ("STY-000003", "story.")):
        register.database.transaction(redaction.redact, name, "Somebody was named.", [text])
    before = head_of(anybody)

    assert register.database.transaction(demonstration.load) == (0, 0)

    assert head_of(anybody) == before
    assert anybody.get(one["links"]["self"]).status_code == 410
    assert anybody.get(told).status_code == 410
    assert anybody.get(fifth["links"]["self"]).json()["title"] == "[redacted]"
    stories = curator.get("/v1/stories?limit=1").json()["page"]["total"]
    assert stories == len(demonstration.told()) - 2


@pytest.mark.usefixtures("entries")
def test_stories_tell_what_to_keep_and_what_never_to_go_back_to(anybody: httpx.Client) -> None:
    stories = anybody.get("/v1/stories?limit=100").json()["items"]
    assert len(stories) == len(demonstration.told()) >= 40
    assert {story["verdict"] for story in stories} == {"keep", "never_again"}
    slugs = {slug for members in LEAPS.values() for slug in members}
    assert {theme["slug"] for story in stories for theme in story["themes"]} == slugs
    for story in stories:
        assert story["role"]
        assert story["care_setting"]
        assert story["organisation"] is None
    linked = [story for story in stories if story["innovations"]]
    assert len(linked) > 40
    for story in linked:
        for innovation in story["innovations"]:
            entry = anybody.get(f"/v1/innovations/{innovation['id']}").json()
            assert story["id"] in {piece["story"] for piece in entry["evidence"]}


@pytest.mark.usefixtures("entries")
def test_what_was_retired_has_stories_behind_it(anybody: httpx.Client) -> None:
    practices = anybody.get("/v1/never-again?limit=100").json()["items"]
    assert len(practices) > 10
    for practice in practices:
        assert practice["reason"]
        assert practice["story_count"] >= 1, practice["title"]
