"""Finding innovations: whatever is asked, the answer is what a plain look at all of them gives."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.models.finding import InnovationSort
from tests.conftest import Register
from tests.http.speaking import problem_of

Entry = dict[str, Any]

THEMES = ["valued-staff", "basics-sorted", "great-teams"]
ORGANISATIONS = ["R0A", "RJ1", "RTQ", "QOP"]
SETTINGS = ["acute", "care_home", None]
TAGS = ["video", "huddle", "discharge", "ward-round"]
STATUSES = ["keep", "retire", "under_review"]
KINDS = ["staff_voice", "audit"]
STRENGTHS = ["suggestive", "strong"]


def random_entry(dice: random.Random) -> Entry:
    entry: Entry = {
        "title": dice.choice(["Évening huddle", "evening huddle", "Video round", "Zebra", "audit"]),
        "summary": "As it was done.",
        "theme": dice.choice(THEMES),
        "organisation": dice.choice(ORGANISATIONS),
        "care_setting": dice.choice(SETTINGS),
        "tags": dice.sample(TAGS, dice.randrange(3)),
        "evidence": [
            {"kind": dice.choice(KINDS), "statement": "So it was.", "strength": strength}
            for strength in dice.sample(STRENGTHS, dice.randrange(3))
        ],
    }
    if dice.random() < 0.7:
        entry["decision"] = {
            "status": dice.choice(STATUSES),
            "reason": "It was so.",
            "decided_on": "2026-01-01",
            "review_on": dice.choice([None, "2027-01-01", "2027-02-01", "2028-01-01"]),
        }
    return entry


@pytest.fixture
def entries(curator: httpx.Client) -> list[Entry]:
    """Sixty entries, as the register answered them, in the order of their creation."""
    dice = random.Random(7)  # noqa: S311
    made = []
    for _ in range(60):
        answer = curator.post("/v1/innovations", json=random_entry(dice))
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    return made


def everything(client: httpx.Client, query: dict[str, Any]) -> list[str]:
    """The references on all pages of a list, in its order."""
    found: list[str] = []
    query = dict(query)
    while True:
        answer = client.get("/v1/innovations", params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [entry["reference"] for entry in page["items"]]
        assert len(page["items"]) <= query.get("limit", 50)
        if page["page"]["next"] is None:
            assert page["page"]["total"] == len(found)
            return found
        assert 'rel="next"' in answer.headers["link"]
        query["cursor"] = page["page"]["next"]


FILTERS: dict[str, Callable[[Entry], list[Any]]] = {
    "theme": lambda entry: [entry["theme"]["slug"]],
    "status": lambda entry: [entry["status"]],
    "organisation": lambda entry: [entry["organisation"]["code"]],
    "icb": lambda entry: [(entry["organisation"]["icb"] or {}).get("code")],
    "region": lambda entry: [(entry["organisation"]["region"] or {}).get("code")],
    "care_setting": lambda entry: [entry["care_setting"]],
    "tag": lambda entry: entry["tags"],
    "evidence_kind": lambda entry: [piece["kind"] for piece in entry["evidence"]],
    "evidence_strength": lambda entry: [piece["strength"] for piece in entry["evidence"]],
}


def values_of(entries: list[Entry], name: str) -> list[str]:
    return sorted({value for entry in entries for value in FILTERS[name](entry) if value})


def expected(entries: list[Entry], query: dict[str, Any]) -> set[str]:
    """The references that fit: of each filter any value, and of all filters each."""
    return {
        entry["reference"]
        for entry in entries
        if all(
            set(query[name]) & set(values(entry))
            for name, values in FILTERS.items()
            if name in query
        )
    }


def test_any_filters_find_what_fits_and_nothing_else(
    anybody: httpx.Client, entries: list[Entry]
) -> None:
    dice = random.Random(11)  # noqa: S311
    for _ in range(60):
        query: dict[str, Any] = {"limit": dice.choice([1, 7, 50])}
        for name in dice.sample(list(FILTERS), dice.randrange(1, 4)):
            known = values_of(entries, name)
            query[name] = dice.sample(known, min(len(known), dice.randrange(1, 3)))

        found = everything(anybody, query)

        assert len(found) == len(set(found)), query
        assert set(found) == expected(entries, query), query


def test_pages_in_any_order_are_the_whole_list_in_that_order(
    anybody: httpx.Client, entries: list[Entry], subtests: pytest.Subtests
) -> None:
    for sort in [sort for sort in InnovationSort if sort != "relevance"]:
        with subtests.test(sort.value):
            whole = everything(anybody, {"sort": sort.value, "limit": 100})

            assert everything(anybody, {"sort": sort.value, "limit": 7}) == whole
            assert set(whole) == {entry["reference"] for entry in entries}
            backwards = sort.value[1:] if sort.value.startswith("-") else f"-{sort.value}"
            if backwards in set(InnovationSort):
                assert everything(anybody, {"sort": backwards, "limit": 7}) == whole[::-1]


def test_a_page_is_not_shifted_by_what_is_added_meanwhile(
    anybody: httpx.Client, entries: list[Entry], curator: httpx.Client
) -> None:
    first = anybody.get("/v1/innovations?limit=10").json()
    for _ in range(3):
        curator.post(
            "/v1/innovations", json={"title": "New", "summary": "New.", "theme": "great-teams"}
        )

    query = {"limit": 10, "cursor": first["page"]["next"]}
    second = anybody.get("/v1/innovations", params=query).json()

    newest_first = [entry["reference"] for entry in reversed(entries)]
    assert [entry["reference"] for entry in first["items"]] == newest_first[:10]
    assert [entry["reference"] for entry in second["items"]] == newest_first[10:20]


def test_facets_count_under_the_same_filters(anybody: httpx.Client, entries: list[Entry]) -> None:
    names = [name for name in FILTERS if name != "region"]
    themes = ["great-teams", "basics-sorted"]
    query: dict[str, Any] = {"theme": themes, "facets": ",".join(names), "limit": 1}

    facets = anybody.get("/v1/innovations", params=query).json()["facets"]

    fitting = [entry for entry in entries if entry["theme"]["slug"] in themes]
    for name in names:
        counts = {count["value"]: count["count"] for count in facets[name]}
        for value in values_of(entries, name):
            having = sum(value in FILTERS[name](entry) for entry in fitting)
            assert counts.get(value, 0) == having, (name, value)
        assert [c["count"] for c in facets[name]] == sorted(counts.values(), reverse=True)


def test_times_bound_a_list(anybody: httpx.Client, entries: list[Entry]) -> None:
    middle = entries[30]["created_at"]

    later = everything(anybody, {"created_from": middle})
    earlier = everything(anybody, {"created_to": middle})

    assert later[-1] == entries[30]["reference"]
    assert len(later) + len(earlier) == len(entries)
    assert everything(anybody, {"created_from": "2199-01-01"}) == []
    assert everything(anybody, {"updated_since": middle}) == later


def test_reviews_that_are_due_come_with_the_soonest_first(
    anybody: httpx.Client, entries: list[Entry]
) -> None:
    query = {"review_due_before": "2027-02-02", "sort": "review_on", "limit": 7}

    found = everything(anybody, query)

    due = {
        entry["reference"]: entry["decision"]["review_on"]
        for entry in entries
        if entry["decision"] and (entry["decision"]["review_on"] or "9") < "2027-02-02"
    }
    assert set(found) == set(due)
    assert [due[reference] for reference in found] == sorted(due.values())


def test_a_list_costs_as_many_statements_for_fifty_as_for_five(
    register: Register, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    prepare = register.database.dialect.prepare

    def counted(statement: Any) -> Any:
        made = prepare(statement)
        statements.append(made.sql)
        return made

    monkeypatch.setattr(register.database.dialect, "prepare", counted)
    costs = []
    for limit in (5, 50):
        client = register.client()
        statements.clear()
        assert client.get(f"/v1/innovations?limit={limit}").status_code == 200
        costs.append(len(statements))

    assert len(entries) > 50
    assert costs[0] >= costs[1]
    assert max(costs) <= 3


def test_times_out_of_order_are_a_problem(anybody: httpx.Client) -> None:
    query = {"created_from": "2024-02-01", "created_to": "2024-01-01"}
    problem = problem_of(anybody.get("/v1/innovations", params=query), 422, "validation-failed")
    (error,) = problem["errors"]
    assert (error["pointer"], error["code"]) == ("?created_to", "dates_out_of_order")
