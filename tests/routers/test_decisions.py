"""Decisions: the newest by its day is the innovation's status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import Entry, lines_since

KEEP: Entry = {"status": "keep", "reason": "It works.", "decided_on": "2021-01-01"}
RETIRE: Entry = {"status": "retire", "reason": "It tires.", "decided_on": "2022-01-01"}


def decide(client: httpx.Client, entry: Entry, **fields: Any) -> Entry:
    answer = client.post(entry["links"]["decisions"], json=fields)
    assert answer.status_code == 201, answer.text
    decision: Entry = answer.json()
    assert client.get(answer.headers["location"]).json() == decision
    return decision


def test_a_decision_changes_the_status_in_the_document_and_the_lists(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry, before = submit(), head_of(trust)

    decision = decide(trust, entry, **RETIRE, review_on="2027-01-01", decided_by="Chief nurse")

    assert decision.items() >= {**RETIRE, "review_on": "2027-01-01"}.items()
    after = anybody.get(entry["links"]["self"]).json()
    assert (after["status"], after["version"], after["decision"]) == ("retire", 2, decision)
    assert after["counts"]["decisions"] == 1
    for query in ("status=retire", "review_due_before=2027-01-02"):
        assert anybody.get(f"/v1/innovations?{query}").json()["items"] == [after]
    for query in ("status=under_review", "review_due_before=2027-01-01"):
        assert anybody.get(f"/v1/innovations?{query}").json()["items"] == []
    (line,) = lines_since(anybody, before)
    assert (line["action"], line["document"]) == ("decided", after)


def test_the_newest_by_its_day_is_the_status(trust: httpx.Client, submit: Submit) -> None:
    entry = submit()
    review = {"status": "under_review", "reason": "We shall see.", "decided_on": "2020-01-01"}
    same_day = {**KEEP, "decided_on": RETIRE["decided_on"], "reason": "On second thoughts."}
    made = []
    for fields, status in (
        (RETIRE, "retire"),
        (KEEP, "retire"),
        (review, "retire"),
        (same_day, "keep"),
    ):
        made.append(decide(trust, entry, **fields))
        assert trust.get(entry["links"]["self"]).json()["status"] == status
    listed = trust.get(entry["links"]["decisions"]).json()
    assert listed["items"] == [made[3], made[0], made[1], made[2]]
    assert listed["page"]["total"] == 4
    first = trust.get(f"{entry['links']['decisions']}?limit=3")
    second = trust.get(first.links["next"]["url"]).json()
    assert first.json()["items"] + second["items"] == listed["items"]
    assert second["page"]["next"] is None


def test_a_decision_is_of_today_if_it_does_not_say(trust: httpx.Client, submit: Submit) -> None:
    decision = decide(trust, submit(), status="keep", reason="It works.")
    assert decision["decided_on"] == datetime.now(UTC).date().isoformat()
    assert (decision["review_on"], decision["decided_by"]) == (None, None)


FUTURE = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
INVALID: list[tuple[Entry, str]] = [
    ({"status": "keep"}, "#/reason"),
    ({"reason": "It works."}, "#/status"),
    ({**KEEP, "status": "published"}, "#/status"),
    ({**KEEP, "reason": "  "}, "#/reason"),
    ({**KEEP, "reason": "x" * 1001}, "#/reason"),
    ({**KEEP, "decided_on": FUTURE}, "#/decided_on"),
    ({**KEEP, "decided_on": "2021-02-30"}, "#/decided_on"),
    ({**KEEP, "decided_on": 1}, "#/decided_on"),
    ({**KEEP, "review_on": "2020-12-31"}, "#"),
    ({**KEEP, "decided_by": "A\nB"}, "#/decided_by"),
    ({**KEEP, "colour": "red"}, "#/colour"),
]


def test_what_is_no_decision_is_refused_where_it_is_wrong(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    entry = submit()
    before = head_of(trust)
    for fields, pointer in INVALID:
        with subtests.test(f"{pointer} {fields}"[:80]):
            answer = trust.post(entry["links"]["decisions"], json=fields)
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == pointer
            nested = trust.post("/v1/innovations", json={**entry_body(), "decision": fields})
            (error,) = problem_of(nested, 422, "validation-failed")["errors"]
            assert error["pointer"] == pointer.replace("#", "#/decision")
    assert head_of(trust) == before


def entry_body() -> Entry:
    return {"title": "Huddle", "summary": "Daily.", "theme": "great-teams"}


def test_a_decision_is_found_under_its_own_innovation_only(
    trust: httpx.Client, submit: Submit
) -> None:
    one, other = submit(decision=KEEP), submit()
    identity = one["decision"]["id"]
    found = trust.get(f"{one['links']['decisions']}/{identity}")
    assert found.json() == one["decision"]
    for at in (f"{other['links']['decisions']}/{identity}", f"{one['links']['decisions']}/none"):
        problem_of(trust.get(at), 404, "not-found")
    gone = {"decisions": f"{one['links']['self']}x/decisions"}
    problem_of(trust.post(gone["decisions"], json=KEEP), 404, "not-found")
