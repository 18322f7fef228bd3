"""Spread: how far innovations have come, and what an organisation could take from neighbours."""

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
from app.models.recommendations import RecommendationPage
from app.models.spread import SpreadAnswer, SpreadQuery
from app.register import organisations
from app.register.access import OPERATOR, Caller
from app.register.lists.memory import Memory
from app.register.statistics import spread
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.histories import Histories
from tests.routers.test_adoptions import STOPPED, adopt, patch, put
from tests.routers.test_innovations import Entry

SPREAD = "/v1/statistics/spread"
STRONG: Entry = {"kind": "evaluation", "statement": "It held.", "strength": "strong"}
KEEP: Entry = {"status": "keep", "reason": "Fewer admissions."}
MANCHESTER = ("RMC", "RM3", "RBV")


def told(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get(SPREAD, params=query)
    assert answer.status_code == 200, answer.text
    SpreadAnswer.model_validate_json(answer.content)
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def spreading(curator: httpx.Client, submit: Submit) -> dict[str, Entry]:
    """Two innovations, of which one spread."""
    wide, other = submit(title="wide", theme="great-teams"), submit(title="other")
    for month, code in enumerate(("RMC", "RM3", "RJ1"), 1):
        adopt(curator, wide, organisation=code, since=f"2024-0{month}-15")
    adopt(curator, wide, organisation="RBL", stage="considering")
    adopt(curator, other, organisation="RMC", stage="adapted", since="2024-05-01")
    stopped = adopt(curator, other, organisation="RBV", since="2024-05-31")
    assert patch(curator, stopped, **STOPPED).status_code == 200
    return {"wide": wide, "other": other}


@pytest.mark.usefixtures("spreading")
def test_spread_is_told_by_icb_and_region_with_the_share_of_trusts(anybody: httpx.Client) -> None:
    answer = told(anybody)
    assert (answer["by"], answer["page"]) == ("icb", None)
    rows = {row["icb"]: row for row in answer["items"]}
    assert len(rows) == 36, "each that is open, as where nothing came is worth knowing"
    listed = anybody.get("/v1/organisations?kind=trust&open=true&parent=QOP&limit=100").json()
    trusts = listed["page"]["total"]
    assert rows["QOP"] == {
        "icb": "QOP",
        "icb_name": "NHS Greater Manchester Integrated Care Board",
        "considering": 0,
        "piloting": 0,
        "adopted": 2,
        "adapted": 1,
        "stopped": 1,
        "adoptions": 3,
        "adopters": 2,
        "trusts_adopted": 2,
        "share_of_trusts": round(2 / trusts, 4),
    }
    assert (rows["QYG"]["considering"], rows["QYG"]["share_of_trusts"]) == (1, 0.0)
    regions = {row["region"]: row["adoptions"] for row in told(anybody, by="region")["items"]}
    assert (len(regions), regions["Y62"], regions["Y56"]) == (7, 3, 1)
    total = answer["total"]
    assert (total["adoptions"], total["adopters"], total["trusts_adopted"]) == (4, 3, 3)
    every = anybody.get("/v1/organisations?kind=trust&open=true").json()["page"]["total"]
    assert total["share_of_trusts"] == round(3 / every, 4)
    few = told(anybody, theme="great-teams", by="region")
    assert (few["total"]["adoptions"], few["total"]["stopped"]) == (3, 0)


@pytest.mark.usefixtures("spreading")
def test_spread_over_the_months_tells_what_began_even_where_it_stopped(
    anybody: httpx.Client,
) -> None:
    items = told(anybody, by="month")["items"]
    assert [(row["month"], row["began"], row["in_all"]) for row in items] == [
        ("2024-01", 1, 1),
        ("2024-02", 1, 2),
        ("2024-03", 1, 3),
        ("2024-04", 0, 3),
        ("2024-05", 2, 5),
    ]
    assert [row["trusts_adopted"] for row in items] == [1, 2, 3, 3, 4]
    timeline = anybody.get("/v1/statistics/timeline?until=2024-05-31").json()["items"]
    assert [(step["adopted"], step["in_all"]["adopted"]) for step in timeline] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (0, 3),
        (2, 5),
    ]


@pytest.mark.usefixtures("spreading")
def test_each_innovation_tells_how_far_it_came_and_how_fast(
    anybody: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    trusts = anybody.get("/v1/organisations?kind=trust&open=true&limit=12").json()["items"]
    fast = submit(title="fast")
    codes = [trust["code"] for trust in trusts if trust["code"] != "R0A"][:11]
    for number, code in enumerate(codes):
        since = date(2024, 1, 1) + timedelta(days=number * 10)
        adopt(curator, fast, organisation=code, since=since.isoformat())
    submit(title="nowhere")

    page = anybody.get(SPREAD, params={"by": "innovation", "limit": 2})
    rows = page.json()["items"]
    assert [(row["title"], row["adoptions"]) for row in rows] == [("fast", 11), ("wide", 3)]
    assert rows[0]["reference"] == fast["reference"]
    days = ("first_adopted_on", "tenth_adopted_on", "days_to_tenth")
    assert [rows[0][name] for name in days] == ["2024-01-01", "2024-03-31", 90]
    assert [rows[1][name] for name in days] == ["2024-01-15", None, None]
    assert page.json()["page"]["total"] == 3
    (last,) = anybody.get(page.links["next"]["url"]).json()["items"]
    assert (last["title"], last["adapted"], last["stopped"]) == ("other", 1, 1)
    stopped = told(anybody, by="innovation", adoption_stage="stopped")["items"]
    assert [row["title"] for row in stopped] == ["other"]


def test_what_a_trust_adopted_that_merged_counts_for_the_one_that_took_over(
    register: Register, anybody: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    adopt(curator, entry, organisation="RMC")
    adopt(curator, entry, organisation="RM3")
    before = told(anybody)
    today = datetime.now(UTC).date()
    for code in ("RMC", "RM3"):
        put(
            register,
            code,
            "Merged",
            OrganisationKind.TRUST,
            "QOP",
            date(2000, 1, 1),
            today - timedelta(days=1),
        )
        register.database.transaction(organisations.put_succession, code, "RBL", today, by=OPERATOR)
    after = told(anybody)
    assert (before["total"]["adoptions"], after["total"]["adoptions"]) == (2, 2)
    assert (before["total"]["trusts_adopted"], after["total"]["trusts_adopted"]) == (2, 1)
    rows = {row["icb"]: row for row in after["items"]}
    # The positions stay where they were taken; the trust that has it now stands elsewhere.
    assert (rows["QOP"]["adoptions"], rows["QOP"]["trusts_adopted"]) == (2, 0)
    assert (rows["QYG"]["adoptions"], rows["QYG"]["trusts_adopted"]) == (0, 1)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("by=colour", "?by"),
        ("by=icb&limit=5", "?limit"),
        ("by=month&cursor=WyI", "?cursor"),
        ("by=innovation&limit=0", "?limit"),
        ("theme=Great", "?theme"),
        ("as_of=2199-01-01", "?as_of"),
    ],
)
def test_what_cannot_be_told_is_a_problem(anybody: httpx.Client, query: str, pointer: str) -> None:
    problem = problem_of(anybody.get(f"{SPREAD}?{query}"), 422, "validation-failed")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


QUERIES: list[dict[str, Any]] = [
    {},
    {"by": "region", "status": ["keep"]},
    {"by": "month", "theme": ["great-teams"]},
    {"by": "innovation", "visibility": ["published", "withdrawn", "superseded"]},
    {"by": "region", "adopted_by": ["QYG"]},
]


@pytest.mark.parametrize("seed", range(2))
def test_what_was_carried_on_is_a_full_count_and_stays_so_of_the_past(
    register: Register, curator: httpx.Client, seed: int
) -> None:
    caller = Caller("curator", "RJ1", frozenset({Scope.CURATE}))
    history = Histories(register, curator, seed)

    async def fully() -> list[Any]:
        database = Database(register.settings)
        await database.open()
        found = [
            await database.read(
                spread.spread, SpreadQuery.model_validate(query), caller, memory=Memory()
            )
            for query in QUERIES
        ]
        await database.close()
        return [from_json(to_json(each.content)) for each in found]

    past = {}
    for _ in range(6):
        for _ in range(5):
            history.step()
        carried = [curator.get(SPREAD, params=query).json() for query in QUERIES]
        assert carried == asyncio.run(fully())
        past[head_of(curator)] = carried
    for line, then in past.items():
        of_then = [curator.get(SPREAD, params={**query, "as_of": line}).json() for query in QUERIES]
        assert of_then == then


# Recommendations


def recommended(client: httpx.Client, code: str, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(f"/v1/organisations/{code}/recommendations", params=query)
    assert answer.status_code == 200, answer.text
    RecommendationPage.model_validate_json(answer.content)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.fixture
def offers(curator: httpx.Client, submit: Submit) -> dict[str, Entry]:
    """Innovations of a London trust, by who in the north west has adopted them."""
    entries = {}
    for title, adopters in {
        "two in the ICB": ("RM3", "RBV"),
        "one in the ICB": ("RM3", "RJZ"),
        "in the region": ("RBL", "RBS", "REM"),
        "far away": ("RJZ",),
        "nowhere": (),
        "weak": MANCHESTER,
        "retired": MANCHESTER,
    }.items():
        fields: Entry = {
            "organisation": "RJ1",
            "evidence": [STRONG] if title != "weak" else [],
            "decision": {**KEEP, "status": "retire"} if title == "retired" else KEEP,
        }
        entries[title] = submit(curator, title=title, **fields)
        for code in adopters:
            adopt(curator, entries[title], organisation=code)
    return entries


@pytest.mark.usefixtures("offers")
def test_what_neighbours_keep_is_ranked_by_how_near_and_how_many_they_are(
    anybody: httpx.Client,
) -> None:
    items = recommended(anybody, "RMC")
    assert [each["innovation"]["title"] for each in items] == [
        "two in the ICB",
        "one in the ICB",
        "in the region",
    ]
    assert items[1]["figures"] == {
        "adopters_in_icb": 1,
        "adopters_in_region": 1,
        "adopters": 2,
        "stopped": 0,
        "strong_evidence": 1,
    }
    assert items[0]["reasons"] == [
        "In NHS Greater Manchester Integrated Care Board, Northern Care Alliance NHS Foundation "
        "Trust and The Christie NHS Foundation Trust have adopted it.",
        "Guy's and St Thomas' NHS Foundation Trust keeps it: Fewer admissions.",
        "1 piece of strong evidence speaks for it.",
    ]
    assert items[2]["reasons"][0].startswith("Elsewhere in NHS England North West, ")
    assert items[0]["innovation"] == anybody.get(items[0]["innovation"]["links"]["self"]).json()


def test_what_an_organisation_has_or_knows_is_not_recommended(
    anybody: httpx.Client, curator: httpx.Client, offers: dict[str, Entry]
) -> None:
    considered = adopt(curator, offers["two in the ICB"], organisation="RMC", stage="considering")
    titles = [each["innovation"]["title"] for each in recommended(anybody, "RMC")]
    assert titles == ["one in the ICB", "in the region"]
    assert patch(curator, considered, **STOPPED).status_code == 200
    assert [each["innovation"]["title"] for each in recommended(anybody, "RMC")] == titles
    # To another it is told that somebody stopped.
    first = recommended(anybody, "R0A")[0]
    assert (first["innovation"]["title"], first["figures"]["stopped"]) == ("two in the ICB", 1)
    assert first["reasons"][-1] == "1 organisation has stopped; read first what was learnt there."
    # An ICB stands for its trusts; a region, and who stands nowhere, has nobody near.
    of_icb = [each["innovation"]["title"] for each in recommended(anybody, "QOP")]
    assert of_icb == ["in the region"]
    assert recommended(anybody, "RJ1") == []
    assert recommended(anybody, "Y62") == []
    problem_of(anybody.get("/v1/organisations/ZZZ/recommendations"), 404, "not-found")


@pytest.mark.usefixtures("offers")
def test_recommendations_come_in_pages(anybody: httpx.Client) -> None:
    whole = recommended(anybody, "RMC")
    page = anybody.get("/v1/organisations/RMC/recommendations?limit=1")
    seen = page.json()["items"]
    assert page.json()["page"]["total"] == 3
    while "next" in page.links:
        page = anybody.get(page.links["next"]["url"])
        seen += page.json()["items"]
    assert seen == whole
    at = "/v1/organisations/R0A/recommendations"
    cursor = anybody.get("/v1/organisations/RMC/recommendations?limit=1").json()["page"]["next"]
    problem_of(anybody.get(f"{at}?cursor={cursor}"), 400, "invalid-cursor")
    problem_of(anybody.get(f"{at}?limit=101"), 422, "validation-failed")
