"""Full-text search: what a search box finds, and that both databases find the same."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.http.speaking import Submit, problem_of
from tests.routers.test_innovations import Entry, patch

ENTRIES: dict[str, Entry] = {
    "rounds": {
        "title": "Video ward rounds in the care home",
        "summary": "A doctor checks in by video, and admissions fell.",
        "description": "Residents' families may join; the café lends a tablet.",
        "tags": ["ward-round", "telehealth"],
        "evidence": [{"kind": "audit", "statement": "Ambulances were called half as often."}],
    },
    "huddle": {
        "title": "Daily huddle",
        "summary": "The whole ward meets for ten minutes, by VIDEO if need be.",
        "description": "A check-in at eight o'clock; CO₂ is measured in the room.",
        "tags": ["meetings"],
    },
    "parking": {
        "title": "Free parking for staff",
        "summary": "Nobody pays to come to work.",
        "description": "It replaces permits and a video barrier. Ask the naïve question: why pay?",
        "tags": ["travel", "staff-benefits"],
        "evidence": [
            {"kind": "staff_voice", "statement": "It says “you matter” – on a straße, too."}  # noqa: RUF001
        ],
    },
}

FOUND: list[tuple[str, list[str]]] = [
    ("parking", ["parking"]),
    ("minutes", ["huddle"]),
    ("permits", ["parking"]),
    ("telehealth", ["rounds"]),
    ("ambulances", ["rounds"]),
    ("matter", ["parking"]),
    ("ward video", ["rounds", "huddle"]),
    ("ward parking", []),
    ('"ward rounds"', ["rounds"]),
    ('"rounds ward"', []),
    ('"the whole ward"', ["huddle"]),
    ("video -parking", ["rounds", "huddle"]),
    ('ward -"daily huddle"', ["rounds"]),
    ("huddle or parking", ["huddle", "parking"]),
    ("huddle OR parking", ["huddle", "parking"]),
    ("ambulances or minutes -video", ["rounds"]),
    ("or parking or", ["parking"]),
    ("cafe", ["rounds"]),
    ("Café", ["rounds"]),
    ("naive", ["parking"]),
    ("check-in", ["rounds", "huddle"]),
    ("check in", ["rounds", "huddle"]),
    ('"check in"', ["rounds", "huddle"]),
    ("ward-round", ["rounds"]),
    ("staff benefits", ["parking"]),
    ("DAILY HUDDLE", ["huddle"]),
    ("admission", ["rounds"]),
    ("resident", ["rounds"]),
    ("measuring", ["huddle"]),
    ("families'", ["rounds"]),
    ("o'clock", ["huddle"]),
    ("o’clock", ["huddle"]),  # noqa: RUF001
    ("you matter", ["parking"]),
    ("“you matter”", ["parking"]),
    ("CO₂", ["huddle"]),
    ("straße", ["parking"]),
]

PLAIN: list[tuple[str, str]] = [
    # What is an operator to one of the databases is a word here; and its like without it.
    ("video AND ward", "video and ward"),
    ("video NOT ward", "video not ward"),
    ("NEAR(video ward)", "near video ward"),
    ("title:video", '"title video"'),
    ("{title summary}: video", "title summary video"),
    ("video & ward", "video ward"),
    ("video | parking", "video parking"),
    ("!video", "video"),
    ("video:*", "video"),
    ("vid*", "vid"),
    ("^video", "video"),
    ("video + ward", "video ward"),
    ("video <-> ward", "video ward"),
    ('"video ward', '"video ward"'),
    ("(video", "video"),
    ("video);--", "video"),
    ("'video'", "video"),
    ("video\\", "video"),
    ("%", ""),
    ("_", ""),
    ('"""', ""),
    ("* ^ : ( )", ""),
    ("-", ""),
    ("-video", ""),
    ('-"ward rounds" -parking', ""),
    ("ward or -video", ""),
    ("'; DROP TABLE innovation; --", "drop table innovation"),
    ("video' OR '1'='1", '"video" or "1 1"'),
]


@pytest.fixture
def names(submit: Submit) -> dict[str, str]:
    """The name of each entry by its reference."""
    return {submit(**fields)["reference"]: name for name, fields in ENTRIES.items()}


def found(client: httpx.Client, q: str, **more: Any) -> list[str]:
    """The references that a search finds, the best first."""
    answer = client.get("/v1/innovations", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    references = [entry["reference"] for entry in answer.json()["items"]]
    assert answer.json()["page"]["total"] == len(references)
    return references


def test_a_search_finds_what_it_means(
    anybody: httpx.Client, names: dict[str, str], subtests: pytest.Subtests
) -> None:
    for q, expected in FOUND:
        with subtests.test(q):
            assert {names[reference] for reference in found(anybody, q)} == set(expected)


def test_no_operator_of_a_database_is_more_than_a_word(
    anybody: httpx.Client, names: dict[str, str], subtests: pytest.Subtests
) -> None:
    for q, like in PLAIN:
        with subtests.test(q):
            if like:
                assert sorted(found(anybody, q)) == sorted(found(anybody, like))
            else:
                answer = anybody.get(f"/v1/innovations?q={quote(q)}")
                (error,) = problem_of(answer, 422, "validation-failed")["errors"]
                assert error["pointer"] == "?q"
    assert len(found(anybody, "video")) == len(names)


def test_the_best_match_comes_first(anybody: httpx.Client, names: dict[str, str]) -> None:
    # In the title, in the summary, in the description.
    for sort in ({}, {"sort": "relevance"}):
        ordered = [names[reference] for reference in found(anybody, "video", **sort)]
        assert ordered == ["rounds", "huddle", "parking"]


def test_of_equal_matches_the_newest_comes_first(anybody: httpx.Client, submit: Submit) -> None:
    made = [submit(title="The same")["reference"] for _ in range(4)]
    assert found(anybody, "same") == made[::-1]


def test_a_phrase_stays_within_a_field(anybody: httpx.Client, submit: Submit) -> None:
    submit(
        title="Free parking",
        summary="Staff huddle daily.",
        description="Nurses decide alone.",
        tags=["bicycles"],
        evidence=[{"kind": "audit", "statement": "Wards were calmer."}],
    )
    edges = ["parking staff", "daily nurses", "daily bicycles", "alone bicycles", "alone wards"]
    assert [edge for edge in edges if found(anybody, f'"{edge}"')] == []
    for edge in edges:
        assert len(found(anybody, edge)) == 1


def test_what_was_edited_out_is_not_found_any_more(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    piece = {"kind": "audit", "statement": "Bravo."}
    entry = submit(title="Alpha", tags=["tango"], evidence=[piece])
    for word in ("alpha", "tango", "bravo"):
        assert found(anybody, word) == [entry["reference"]]

    patch(trust, entry, title="Omega", tags=["victor"])
    at = f"{entry['links']['evidence']}/{entry['evidence'][0]['id']}"
    trust.patch(at, json={"statement": "Sierra."}, headers={"If-Match": "*"})

    for word in ("alpha", "tango", "bravo"):
        assert found(anybody, word) == []
    for word in ("omega", "victor", "sierra", '"care home"', "gp"):
        assert len(found(anybody, word)) == (word != '"care home"')
    assert trust.delete(at, headers={"If-Match": "*"}).status_code == 204
    assert found(anybody, "sierra") == []


def test_a_search_goes_with_filters_and_counts(
    anybody: httpx.Client, names: dict[str, str], submit: Submit
) -> None:
    other = submit(title="A video of a garden", theme="valued-staff")["reference"]
    assert found(anybody, "video", theme="valued-staff") == [other]
    assert found(anybody, "video", tag="meetings", evidence_kind="audit") == []
    rounds = next(reference for reference, name in names.items() if name == "rounds")
    assert found(anybody, "video", tag="telehealth", evidence_kind="audit") == [rounds]
    query: dict[str, Any] = {"q": "video", "facets": "theme,tag", "limit": 1}
    facets = anybody.get("/v1/innovations", params=query).json()["facets"]
    assert {each["value"]: each["count"] for each in facets["theme"]} == {
        "21st-century-tools": 3,
        "valued-staff": 1,
    }
    assert {each["value"] for each in facets["tag"]} == {
        tag for entry in ENTRIES.values() for tag in entry["tags"]
    }
