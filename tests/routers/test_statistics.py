"""Statistics: innovations in groups, over time, and at a glance."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic_core import from_json, to_json

from app.database import Database
from app.models.clients import Scope
from app.models.organisations import OrganisationKind
from app.models.statistics import Dimension, Overview, Statistics, StatisticsQuery, Timeline
from app.register import organisations
from app.register.access import OPERATOR, Caller
from app.register.lists.memory import Memory
from app.register.organisations import Facts
from app.register.statistics import innovations
from tests.conftest import Register
from tests.http.speaking import Submit, problem_of
from tests.routers.histories import AUDIT, VOICE, Histories

STATISTICS = "/v1/statistics"
ANYHOW = {"If-Match": "*"}


def grouped(client: httpx.Client, *by: str, **query: Any) -> dict[tuple[str | None, ...], Any]:
    """The groups' numbers of innovations, by what they are grouped by."""
    answer = client.get(STATISTICS, params={"group_by": by, **query})
    assert answer.status_code == 200, answer.text
    return {tuple(row[name] for name in by): row["innovations"] for row in answer.json()["items"]}


def decide(client: httpx.Client, entry: dict[str, Any], status: str, on: str) -> None:
    decision = {"status": status, "reason": "It works.", "decided_on": on}
    answer = client.post(f"/v1/innovations/{entry['id']}/decisions", json=decision)
    assert answer.status_code == 201, answer.text


def test_groups_are_counted_and_measured(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    kept = submit(theme="great-teams", evidence=[AUDIT, VOICE])
    decide(trust, kept, "keep", "2024-01-31")
    submit(theme="great-teams")
    submit(theme="basics-sorted", care_setting=None)
    submit(theme="basics-sorted", visibility="draft")

    answer = anybody.get(STATISTICS, params={"group_by": ["theme", "status"]}).json()
    assert answer["group_by"] == ["theme", "status"]
    assert answer["items"] == [
        {
            "theme": "basics-sorted",
            "theme_name": "Basics sorted",
            "status": "under_review",
            "innovations": 1,
            "evidence": 0,
            "adoptions": 0,
            "kept": 0,
            "share_kept": 0.0,
        },
        {
            "theme": "great-teams",
            "theme_name": "Great teams",
            "status": "under_review",
            "innovations": 1,
            "evidence": 0,
            "adoptions": 0,
            "kept": 0,
            "share_kept": 0.0,
        },
        {
            "theme": "great-teams",
            "theme_name": "Great teams",
            "status": "keep",
            "innovations": 1,
            "evidence": 2,
            "adoptions": 0,
            "kept": 1,
            "share_kept": 1.0,
        },
    ]
    assert answer["total"] == {
        "innovations": 3,
        "evidence": 2,
        "adoptions": 0,
        "kept": 1,
        "share_kept": 0.3333,
    }


def test_answers_are_what_the_api_declares(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    decide(trust, submit(evidence=[AUDIT]), "keep", "2024-01-31")

    for path, model in (
        ("?group_by=theme&group_by=month", Statistics),
        ("?group_by=icb&group_by=evidence_strength&empty=true", Statistics),
        ("/timeline", Timeline),
        ("/overview", Overview),
    ):
        answer = anybody.get(f"{STATISTICS}{path}")
        model.model_validate_json(answer.content)


def test_each_dimension_and_any_two_of_them(
    anybody: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    submit(care_setting="acute", theme="great-teams", evidence=[AUDIT, VOICE])
    submit(care_setting=None, theme="basics-sorted")
    month = f"{datetime.now(UTC):%Y-%m}"
    expected: dict[str, dict[str | None, int]] = {
        "theme": {"great-teams": 1, "basics-sorted": 1},
        "group": {"sorted": 1, "now_have": 1},
        "status": {"under_review": 2},
        "organisation": {"R0A": 2},
        "icb": {"QOP": 2},
        "region": {"Y62": 2},
        "care_setting": {"acute": 1, None: 1},
        "evidence_strength": {"suggestive": 1, "strong": 1, None: 1},
        "adoption_stage": {None: 2},
        "month": {month: 2},
    }
    themes = {each["slug"]: each["group"] for each in anybody.get("/v1/themes").json()["items"]}
    expected["group"] = {themes["great-teams"]: 1, themes["basics-sorted"]: 1}
    for one, groups in expected.items():
        with subtests.test(one):
            assert grouped(anybody, one) == {(value,): n for value, n in groups.items()}
        for other in expected:
            if other != one:
                with subtests.test(f"{one}, {other}"):
                    both = grouped(anybody, one, other)
                    for value, n in groups.items():
                        found = sum(count for (first, _), count in both.items() if first == value)
                        # With evidence of two strengths, it is in both groups.
                        assert found >= n
                        if other != "evidence_strength":
                            assert found == n


def test_adoptions_are_counted_by_the_stages_that_others_are_at(
    anybody: httpx.Client, icb: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    submit()
    for client, stage in ((icb, "considering"), (other_trust, "adopted")):
        answer = client.post(entry["links"]["adoptions"], json={"stage": stage})
        assert answer.status_code == 201, answer.text

    stages = {("considering",): 1, ("adopted",): 1, (None,): 1}
    assert grouped(anybody, "adoption_stage") == stages
    assert len(grouped(anybody, "adoption_stage", empty="true")) == 6
    assert grouped(anybody, "status", adoption_stage="adopted") == {("under_review",): 1}
    total = anybody.get(STATISTICS).json()["total"]
    assert (total["innovations"], total["adoptions"]) == (2, 1)
    assert anybody.get(f"{STATISTICS}/overview").json()["totals"]["adoptions"] == 1


def test_all_filters_of_the_list_apply(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    submit(tags=["zebra"], theme="great-teams")
    submit(tags=["zebra"], theme="basics-sorted", title="A giraffe")
    submit(tags=["lion"], theme="great-teams")
    submit(tags=["zebra"], theme="great-teams", visibility="draft")

    assert grouped(anybody, "theme", tag="zebra") == {("great-teams",): 1, ("basics-sorted",): 1}
    assert grouped(anybody, "theme", q="giraffe") == {("basics-sorted",): 1}
    assert grouped(anybody, "month", "status", tag="lion").popitem()[1] == 1
    own = grouped(trust, "theme", tag="zebra", visibility=["draft", "published"])
    assert own == {("great-teams",): 2, ("basics-sorted",): 1}


def test_empty_groups_are_told_if_asked_for(anybody: httpx.Client, submit: Submit) -> None:
    submit(theme="great-teams", care_setting="acute")

    assert len(grouped(anybody, "theme", empty="true")) == 10
    both = grouped(anybody, "group", "care_setting", empty="true")
    assert len(both) == 3 * 12
    assert sum(both.values()) == 1
    icbs = grouped(anybody, "icb", empty="true")
    assert len(icbs) == 36, "those that are open"
    assert ("QHG",) not in icbs


def test_without_groups_there_is_the_total(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    answer = anybody.get(STATISTICS).json()
    assert (answer["items"], answer["total"]["innovations"]) == ([], 1)


def test_what_was_an_icbs_that_closed_counts_for_the_one_that_took_over(
    register: Register, anybody: httpx.Client, submit: Submit
) -> None:
    today = datetime.now(UTC).date()

    def put(code: str, parent: str, closed: date | None = None) -> None:
        facts = Facts(code, f"ICB {code}", OrganisationKind.ICB, parent, date(2022, 7, 1), closed)
        register.database.transaction(organisations.put, facts, by=OPERATOR)

    def succeeds(before: str, after: str) -> None:
        register.database.transaction(
            organisations.put_succession, before, after, today, by=OPERATOR
        )

    for code in ("OLD1", "OLD2", "SPLIT", "NEW1", "NEW2"):
        put(code, "Y62")
    curator = register.client(register.key("RJ1", Scope.CURATE))
    for code in ("OLD1", "OLD2", "SPLIT", "NEW1"):
        submit(curator, organisation=code)
    yesterday = today - timedelta(days=1)
    for code in ("OLD1", "OLD2", "SPLIT"):
        put(code, "Y62", yesterday)
    for before, after in (("OLD1", "NEW1"), ("OLD2", "NEW1"), ("SPLIT", "NEW1"), ("SPLIT", "NEW2")):
        succeeds(before, after)

    # Nobody says which part of what was split an innovation belongs to.
    assert grouped(anybody, "icb") == {("NEW1",): 3, ("SPLIT",): 1}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("group_by=colour", "?group_by"),
        ("group_by=theme&group_by=theme", "?group_by"),
        ("group_by=theme&group_by=status&group_by=icb", "?group_by"),
        ("group_by=theme&empty=perhaps", "?empty"),
        ("groupby=theme", "?groupby"),
    ],
)
def test_a_group_that_there_is_not_is_a_problem(
    anybody: httpx.Client, query: str, pointer: str
) -> None:
    problem = problem_of(anybody.get(f"{STATISTICS}?{query}"), 422, "validation-failed")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    if "colour" in query:
        assert all(f"'{each}'" in problem["errors"][0]["detail"] for each in Dimension)


def test_it_is_not_modified_while_nothing_is_written(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    for address in (
        f"{STATISTICS}?group_by=icb",
        f"{STATISTICS}/timeline",
        f"{STATISTICS}/overview",
    ):
        first = anybody.get(address)
        again = anybody.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        submit()
        assert anybody.get(address).headers["etag"] != first.headers["etag"]


# Over time


def test_a_timeline_tells_what_happened_by_month_and_in_all(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    for on in ("2024-01-31", "2024-03-01"):
        decide(trust, submit(), "keep", on)
    decide(trust, submit(theme="great-teams"), "retire", "2024-03-31")

    answer = anybody.get(f"{STATISTICS}/timeline?until=2024-04-30").json()
    steps = [
        (step["period"], step["decided_keep"], step["decided_retire"], step["in_all"])
        for step in answer["items"]
    ]
    assert steps == [
        ("2024-01", 1, 0, {"submitted": 0, "decided_keep": 1, "decided_retire": 0, "adopted": 0}),
        ("2024-02", 0, 0, {"submitted": 0, "decided_keep": 1, "decided_retire": 0, "adopted": 0}),
        ("2024-03", 1, 1, {"submitted": 0, "decided_keep": 2, "decided_retire": 1, "adopted": 0}),
        ("2024-04", 0, 0, {"submitted": 0, "decided_keep": 2, "decided_retire": 1, "adopted": 0}),
    ]
    whole = anybody.get(f"{STATISTICS}/timeline?theme=great-teams&since=2024-05-01").json()
    last = whole["items"][-1]
    assert whole["items"][0]["period"] == "2024-05"
    assert last["period"] == f"{datetime.now(UTC):%Y-%m}"
    assert last["submitted"] == 1
    assert last["in_all"] == {"submitted": 1, "decided_keep": 0, "decided_retire": 1, "adopted": 0}


def test_weeks_are_those_of_iso_8601(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    for on in ("2020-12-31", "2021-01-03", "2021-01-04"):
        decide(trust, submit(), "keep", on)
    answer = anybody.get(f"{STATISTICS}/timeline?by=week&until=2021-01-10").json()
    steps = [(step["period"], step["starts_on"], step["decided_keep"]) for step in answer["items"]]
    assert steps == [("2020-W53", "2020-12-28", 2), ("2021-W01", "2021-01-04", 1)]


def test_days_out_of_order_are_a_problem(anybody: httpx.Client) -> None:
    answer = anybody.get(f"{STATISTICS}/timeline?since=2024-02-01&until=2024-01-01")
    problem = problem_of(answer, 422, "validation-failed")
    assert [each["pointer"] for each in problem["errors"]] == ["?until"]


# At a glance


def test_the_overview_tells_all_that_a_landing_page_needs(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    entries = [submit(theme="great-teams", title=f"Number {n}") for n in range(6)]
    decide(trust, entries[0], "keep", "2024-01-31")
    decide(trust, entries[1], "retire", "2024-01-31")
    due = {"status": "keep", "reason": "So far.", "decided_on": "2021-01-01"}
    decision = {**due, "review_on": "2022-01-01"}
    submit(theme="basics-sorted", decision=decision, evidence=[AUDIT])
    submit(visibility="draft")

    overview = anybody.get(f"{STATISTICS}/overview").json()
    assert overview["totals"] == {
        "innovations": 7,
        "evidence": 1,
        "adoptions": 0,
        "kept": 2,
        "share_kept": 0.2857,
        "retired": 1,
        "under_review": 4,
        "organisations": 1,
        "review_due": 1,
        "submitted_last_30_days": 7,
        "stories": 0,
        "never_again": 0,
    }
    themes = {theme["theme"]: theme for theme in overview["themes"]}
    assert len(themes) == 10
    assert themes["great-teams"]["innovations"] == 6
    assert (themes["great-teams"]["kept"], themes["great-teams"]["retired"]) == (1, 1)
    regions = {region["region"]: region["innovations"] for region in overview["regions"]}
    assert len(regions) == 7
    assert regions["Y62"] == 7
    newest = anybody.get("/v1/innovations?limit=5").json()["items"]
    assert overview["newest"] == newest


# Carried on along the log

GROUPS = [
    ("theme", "status"),
    ("icb", "evidence_strength"),
    ("care_setting", "month"),
    ("organisation", "adoption_stage"),
    (),
]


@pytest.mark.parametrize("seed", range(3))
def test_counts_that_were_carried_on_are_those_of_a_full_count(
    register: Register, curator: httpx.Client, seed: int
) -> None:
    caller = Caller("curator", "RJ1", frozenset({Scope.CURATE}))
    queries = [
        {"group_by": by, **filters}
        for by in GROUPS
        for filters in (
            {},
            {"status": ["keep"]},
            {
                "evidence_kind": ["audit"],
                "visibility": ["published", "draft", "withdrawn", "superseded"],
            },
            {"icb": ["QYG"], "created_from": "2020-01-01"},
            {"q": "zebra -horse", "theme": ["great-teams"]},
        )
    ]
    queries += [
        {"group_by": ("status", "region"), "adopted_by": ["QYG", "RJ1"]},
        {"not_adopted_by": ["QOP"], "adoption_stage": ["adopted", "stopped"]},
    ]
    history = Histories(register, curator, seed)

    async def fully() -> list[Any]:
        database = Database(register.settings)
        await database.open()
        told = [
            await database.read(
                innovations.grouped,
                StatisticsQuery.model_validate(query),
                caller,
                memory=Memory(),
            )
            for query in queries
        ]
        await database.close()
        return [from_json(to_json(each.content)) for each in told]

    for _ in range(8):
        for _ in range(4):
            history.step()
        carried = [curator.get(STATISTICS, params=query).json() for query in queries]
        assert carried == asyncio.run(fully())
