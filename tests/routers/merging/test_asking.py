"""Asking for a merge: who may, what is refused, and asking again."""

from __future__ import annotations

import httpx

from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.merging.merges import (
    ANYHOW,
    AUDIT,
    INNOVATIONS,
    REASON,
    get,
    merge,
    merged,
    successor_of,
)
from tests.routers.test_innovations import Entry, lines_since, patch, withdraw


def test_who_merges_curates(
    trust: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    problem_of(merge(trust, ours, theirs), 403, "forbidden")
    problem_of(merge(anybody, ours, theirs), 401, "unauthenticated")


def test_a_merge_asks_for_the_version_that_was_seen(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    tag = anybody.get(ours["links"]["self"]).headers["etag"]
    assert patch(trust, ours, title="Changed meanwhile").status_code == 200
    problem_of(merge(curator, ours, theirs, tag=None), 428, "precondition-required")
    problem_of(merge(curator, ours, theirs, tag=tag), 412, "precondition-failed")
    tag = anybody.get(ours["links"]["self"]).headers["etag"]
    assert merge(curator, ours, theirs, tag=tag).status_code == 200


def test_into_what_it_cannot_be_merged_is_pointed_at(
    curator: httpx.Client, trust: httpx.Client, submit: Submit, ours: Entry, theirs: Entry
) -> None:
    draft, gone, last = submit(visibility="draft"), submit(), submit()
    withdraw(trust, gone)
    merged(curator, theirs, last)
    before = head_of(curator)
    unknown = "01a20840-d264-742b-bd62-c66f43977b7b"
    for into, status, slug, code in (
        (ours, 422, "validation-failed", "into_itself"),
        (ours["id"].upper(), 422, "validation-failed", "into_itself"),
        (draft, 422, "validation-failed", "innovation_is_draft"),
        (gone, 422, "unknown-innovation", "innovation_withdrawn"),
        (unknown, 422, "unknown-innovation", "unknown_innovation"),
        ("INN-999999", 422, "unknown-innovation", "unknown_innovation"),
        ("STY-000001", 422, "unknown-innovation", "unknown_innovation"),
        ("nothing", 422, "unknown-innovation", "unknown_innovation"),
        (theirs, 409, "superseded", "innovation_superseded"),
    ):
        answer = merge(curator, ours, into)
        (error,) = problem_of(answer, status, slug)["errors"]
        assert (error["pointer"], error["code"]) == ("#/into", code)
    assert last["reference"] in error["detail"]
    assert successor_of(answer) == last["links"]["self"]
    assert head_of(curator) == before


def test_what_cannot_be_merged_is_told(
    curator: httpx.Client, trust: httpx.Client, submit: Submit, ours: Entry
) -> None:
    draft, gone = submit(visibility="draft"), submit()
    withdraw(trust, gone)
    problem_of(merge(curator, draft, ours), 422, "validation-failed")
    problem_of(merge(curator, gone, ours), 410, "withdrawn")
    nothing = {"links": {"self": f"{INNOVATIONS}/INN-999999"}}
    problem_of(merge(curator, nothing, ours), 404, "not-found")
    body = {"into": ours["id"], "reason": "Mrs Example asked."}
    at = f"{submit()['links']['self']}/merge"
    problem_of(curator.post(at, json=body, headers=ANYHOW), 422, "possible-personal-data")
    for wrong in ({"into": ours["id"]}, {"reason": REASON}, {**body, "by": 1}, {"into": 1}):
        assert curator.post(at, json=wrong, headers=ANYHOW).status_code == 422


def test_more_evidence_than_an_innovation_has_room_for_is_told(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    one, other = (
        submit(evidence=[{**AUDIT, "statement": f"{name} {n}."} for n in range(26)])
        for name in ("One", "Other")
    )
    before = head_of(anybody)
    problem = problem_of(merge(curator, one, other), 422, "too-many")
    assert "52" in problem["detail"]
    assert head_of(anybody) == before
    assert get(anybody, one) == one


def test_a_reason_that_was_accepted_is_noted_at_its_own_line_only(
    register: Register, curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    body = {"into": ours["id"], "reason": "Both are of Miss Havisham ward."}
    before, at = head_of(anybody), f"{theirs['links']['self']}/merge?accept_flagged=true"
    assert curator.post(at, json=body, headers=ANYHOW).status_code == 200
    lines = lines_since(anybody, before)
    assert [line["accepted_flagged"] for line in lines] == [True, False]
    assert register.verify().broken_at is None


def test_the_same_request_again_gets_the_first_answer_again(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    key = {"Idempotency-Key": "once"}
    first = merge(curator, theirs, ours, **key)
    before = head_of(anybody)
    again = merge(curator, theirs, ours, **key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert successor_of(again) == successor_of(first) == ours["links"]["self"]
    assert head_of(anybody) == before
    problem_of(merge(curator, ours, theirs["id"], **key), 422, "idempotency-key-reused")
