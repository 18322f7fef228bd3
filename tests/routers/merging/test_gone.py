"""The one that goes: it says what took its place, keeps its address, and is in no list."""

from __future__ import annotations

import csv
import io

import httpx

from tests.http.speaking import Submit, problem_of
from tests.routers.merging.merges import (
    ANYHOW,
    INNOVATIONS,
    KEEP,
    REASON,
    get,
    merge,
    merged,
    ref,
    successor_of,
)
from tests.routers.test_adoptions import adopt
from tests.routers.test_innovations import Entry, patch, withdraw
from tests.routers.test_stories import HUDDLE, STORIES


def test_what_is_merged_says_what_took_its_place_and_keeps_its_address(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    submit: Submit,
    ours: Entry,
) -> None:
    source = {"system": "intranet", "id": "42"}
    theirs = submit(other_trust, decision=KEEP, source=source, started_on=None)

    answer = merge(curator, theirs, ours)

    gone = answer.json()
    assert answer.status_code == 200, answer.text
    assert (gone["visibility"], gone["version"], gone["supersedes"]) == ("superseded", 2, [])
    supersession = gone["superseded_by"]
    assert supersession == {
        **ref(ours),
        "reason": REASON,
        "superseded_at": gone["updated_at"],
    }
    assert (gone["title"], gone["status"]) == (theirs["title"], "keep")
    assert (gone["decision"], gone["source"]) == (theirs["decision"], source)
    at = theirs["links"]["self"]
    for found in (
        answer,
        anybody.get(at),
        anybody.get(f"{INNOVATIONS}/{theirs['reference']}"),
        other_trust.get(f"{INNOVATIONS}/by-source/intranet/42"),
    ):
        assert found.json() == gone
        assert successor_of(found) == ours["links"]["self"]
        assert found.headers["etag"] == answer.headers["etag"]
    assert anybody.get(f"{at}/decisions").json()["items"] == [theirs["decision"]]
    assert "link" not in anybody.get(ours["links"]["self"]).headers
    assert get(anybody, ours)["supersedes"] == [{**ref(theirs), "evidence": []}]
    assert get(anybody, ours)["status"] == "under_review", "a decision stays with its own entry"


def test_it_leaves_all_lists_and_figures(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    queries = ("", "?tag=theirs", "?q=video", "?region=Y56", "?sort=title", "?evidence_kind=audit")
    merged(curator, theirs, ours)

    now = get(anybody, ours)
    for query, total in zip(queries, (1, 0, 1, 0, 1, 1), strict=True):
        page = anybody.get(f"{INNOVATIONS}{query}").json()
        assert page["items"] == [now][:total], query
        assert page["page"]["total"] == total, query
    assert anybody.get("/v1/statistics").json()["total"]["innovations"] == 1
    assert anybody.get("/v1/statistics/overview").json()["totals"]["innovations"] == 1
    exported = list(csv.DictReader(io.StringIO(anybody.get("/v1/exports/innovations.csv").text)))
    assert [row["reference"] for row in exported] == [ours["reference"]]
    pieces = csv.DictReader(io.StringIO(anybody.get("/v1/exports/evidence.csv").text))
    assert {row["reference"] for row in pieces} == {ours["reference"]}
    entities = anybody.get("/odata/v4/Innovations?$count=true").json()
    assert (entities["@odata.count"], entities["value"][0]["id"]) == (1, ours["id"])
    assert theirs["id"] not in anybody.get("/feeds/innovations.atom").text
    similar = anybody.get(f"{ours['links']['self']}/similar").json()
    assert similar["items"] == []
    of_theirs = anybody.get(f"{theirs['links']['self']}/similar").json()["items"]
    assert [each["innovation"]["id"] for each in of_theirs] == [ours["id"]]


def test_who_may_see_it_lists_it(
    curator: httpx.Client,
    trust: httpx.Client,
    other_trust: httpx.Client,
    anybody: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    gone = merged(curator, theirs, ours)
    query = {"visibility": "superseded"}
    problem_of(anybody.get(INNOVATIONS, params=query), 401, "unauthenticated")
    assert trust.get(INNOVATIONS, params=query).json()["items"] == []
    for client in (curator, other_trust):
        assert client.get(INNOVATIONS, params=query).json()["items"] == [gone]
    every = {"visibility": ["published", "superseded"], "facets": "visibility", "q": "video"}
    page = curator.get(INNOVATIONS, params=every).json()
    assert page["page"]["total"] == 2
    assert {each["value"]: each["count"] for each in page["facets"]["visibility"]} == {
        "published": 1,
        "superseded": 1,
    }


def test_what_took_its_place_may_be_withdrawn(
    curator: httpx.Client,
    anybody: httpx.Client,
    trust: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    at = f"{STORIES}/by-source/survey/1"
    sent = {**HUDDLE, "innovations": [theirs["reference"]]}
    assert other_trust.put(at, json=sent).status_code == 201
    merged(curator, theirs, ours)
    withdraw(trust, ours)

    found = anybody.get(theirs["links"]["self"])
    assert found.status_code == 200
    problem_of(anybody.get(successor_of(found)), 410, "withdrawn")
    assert patch(other_trust, theirs, title="Still ours").status_code == 200
    assert other_trust.put(at, json=sent, headers=ANYHOW).status_code == 200, "it was linked before"
    answer = other_trust.post(STORIES, json=sent)
    (error,) = problem_of(answer, 422, "unknown-innovation")["errors"]
    assert (error["pointer"], error["code"]) == ("#/innovations/0", "innovation_withdrawn")


def test_old_links_show_nothing_of_what_was_withdrawn(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    adoption = adopt(curator, theirs, organisation="RM3")
    (piece,) = theirs["evidence"]
    merged(curator, theirs, ours)
    withdraw(curator, ours)
    for what, id in (("evidence", piece["id"]), ("adoptions", adoption["id"])):
        problem_of(anybody.get(f"{theirs['links'][what]}/{id}"), 410, "withdrawn")
