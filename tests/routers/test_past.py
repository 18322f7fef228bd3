"""The register as it was: lists, single innovations and statistics of the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.histories import Histories
from tests.routers.test_innovations import patch, withdraw

INNOVATIONS = "/v1/innovations"
EVERYTHING = {"visibility": ["published", "draft", "withdrawn", "superseded"]}

QUERIES: list[dict[str, Any]] = [
    {},
    {"sort": "created_at", "limit": 3},
    {"sort": "-updated_at", "facets": "theme,icb,evidence_strength,evidence_kind"},
    {"sort": "review_on", "theme": "great-teams"},
    {"icb": "QYG", "facets": "tag,organisation,care_setting"},
    {"q": "zebra", "sort": "created_at", "limit": 2},
    {"q": '"the zebra" -lion', "status": ["keep", "retire"], "sort": "created_at"},
    {"evidence_kind": "audit", "evidence_strength": "strong"},
    {"tag": ["video", "paper"], **EVERYTHING},
    {"organisation": ["RMC"], "created_from": "2020-01-01", "created_to": "2199-01-01"},
    {"adopted_by": ["QYG", "RJ1"], "facets": "adoption_stage", "sort": "-adoption_count"},
    {"not_adopted_by": ["QOP"], "adoption_stage": ["adopted", "stopped"]},
    {"updated_since": "2020-01-01", "review_due_before": "2031-01-01"},
]
GROUPS: list[dict[str, Any]] = [
    {"group_by": ["theme", "status"]},
    {"group_by": ["adoption_stage", "region"], "adopted_by": ["RMC"]},
    {"group_by": ["icb", "evidence_strength"], **EVERYTHING},
    {"group_by": ["organisation", "month"], "tag": "video"},
]


def whole(client: httpx.Client, query: dict[str, Any]) -> dict[str, Any]:
    """All pages of a list as one."""
    page = client.get(INNOVATIONS, params=query).json()
    found = dict(page)
    while page["page"]["next"]:
        cursor = page["page"]["next"]
        page = client.get(INNOVATIONS, params={**query, "cursor": cursor}).json()
        found["items"] += page["items"]
    del found["page"]["next"]
    return found


def told(client: httpx.Client, as_of: int | None) -> list[Any]:
    """All that the queries find."""
    when = {} if as_of is None else {"as_of": as_of}
    answers: list[Any] = [whole(client, {**query, **when}) for query in QUERIES]
    answers += [client.get("/v1/statistics", params={**query, **when}).json() for query in GROUPS]
    return answers


@pytest.mark.parametrize("seed", range(2))
def test_what_was_told_then_is_told_of_then(
    register: Register, curator: httpx.Client, seed: int
) -> None:
    history = Histories(register, curator, seed)
    past: dict[int, list[Any]] = {head_of(curator): told(curator, None)}
    for _ in range(6):
        for _ in range(5):
            history.step()
        past[head_of(curator)] = told(curator, None)

    for line, then in past.items():
        assert told(curator, line) == then


def test_what_has_come_since_is_not_counted_among_what_was_found_then(
    anybody: httpx.Client, submit: Submit
) -> None:
    for _ in range(2):
        submit(title="A zebra")
    line = head_of(anybody)
    submit(title="A third zebra")
    page = anybody.get(
        INNOVATIONS, params={"q": "zebra", "sort": "created_at", "limit": 1, "as_of": line}
    )
    assert page.json()["page"]["total"] == 2


def test_an_innovation_is_shown_as_it_was(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    before = head_of(anybody)
    entry = submit(title="The first")
    first = head_of(anybody)
    patch(trust, entry, title="The second")
    second = head_of(anybody)
    withdraw(trust, entry)
    at = f"{INNOVATIONS}/{entry['reference']}"

    problem_of(anybody.get(at, params={"as_of": before}), 404, "not-found")
    assert anybody.get(at, params={"as_of": first}).json() == entry
    assert anybody.get(at, params={"as_of": second}).json()["title"] == "The second"
    problem_of(anybody.get(at, params={"as_of": second + 1}), 410, "withdrawn")
    answer = anybody.get(at, params={"as_of": first})
    again = anybody.get(
        at, params={"as_of": first}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_draft_of_then_shows_to_its_own_organisation_only(
    trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    entry = submit(visibility="draft")
    then = {"as_of": head_of(trust)}
    patch(trust, entry, visibility="published")
    at = f"{INNOVATIONS}/{entry['id']}"

    problem_of(other_trust.get(at, params=then), 404, "not-found")
    assert trust.get(at, params=then).json()["visibility"] == "draft"
    assert other_trust.get(INNOVATIONS, params=then).json()["items"] == []
    drafts: dict[str, Any] = {**then, "visibility": "draft"}
    assert other_trust.get(INNOVATIONS, params=drafts).json()["items"] == []
    assert len(trust.get(INNOVATIONS, params=drafts).json()["items"]) == 1


def test_a_time_is_the_line_that_was_the_newest_then(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit(title="The first")
    changed = patch(trust, entry, title="The second").json()
    titles = {
        entry["created_at"]: ["The first"],
        changed["updated_at"]: ["The second"],
        datetime.now(UTC).isoformat(): ["The second"],
        "2020-01-01": [],
        "1900-01-01": [],
    }
    for moment, expected in titles.items():
        found = anybody.get(INNOVATIONS, params={"as_of": moment}).json()["items"]
        assert [each["title"] for each in found] == expected, moment


@pytest.mark.parametrize("address", [INNOVATIONS, f"{INNOVATIONS}/INN-000001", "/v1/statistics"])
def test_the_future_is_a_problem(
    anybody: httpx.Client, submit: Submit, address: str, subtests: pytest.Subtests
) -> None:
    submit()
    moments = {
        "next line": str(head_of(anybody) + 1),
        "a line of long after": "100000000000000",
        "in an hour": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
        "a day of long after": "2199-12-31",
    }
    for soon, moment in moments.items():
        with subtests.test(soon):
            answer = anybody.get(address, params={"as_of": moment})
            problem = problem_of(answer, 422, "validation-failed")
            assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
                ("?as_of", "in_the_future")
            ]


def test_what_is_no_moment_is_a_problem(anybody: httpx.Client, subtests: pytest.Subtests) -> None:
    for as_of in ("", "yesterday", "-1", "2020-13-01", "²", "1e3", "0x1"):
        with subtests.test(as_of):
            answer = anybody.get(INNOVATIONS, params={"as_of": as_of})
            problem = problem_of(answer, 422, "validation-failed")
            assert {each["pointer"] for each in problem["errors"]} == {"?as_of"}


@pytest.mark.parametrize("sort", ["title", "-title", "relevance"])
def test_an_order_that_the_past_is_not_kept_in_is_a_problem(
    anybody: httpx.Client, sort: str
) -> None:
    query = {"as_of": "0", "sort": sort, "q": "zebra"}
    problem = problem_of(anybody.get(INNOVATIONS, params=query), 422, "validation-failed")
    assert problem["errors"][0]["code"] == "not_of_the_past"


def test_a_cursor_of_the_past_is_not_one_of_today(anybody: httpx.Client, submit: Submit) -> None:
    for _ in range(3):
        submit()
    query = {"limit": 1, "as_of": head_of(anybody)}
    cursor = anybody.get(INNOVATIONS, params=query).json()["page"]["next"]
    today = anybody.get(INNOVATIONS, params={"limit": 1, "cursor": cursor})
    problem_of(today, 400, "invalid-cursor")
