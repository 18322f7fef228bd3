"""What the log, and the past, tell of a merge."""

from __future__ import annotations

from typing import Any

import httpx

from tests.http.speaking import head_of
from tests.routers.merging.merges import INNOVATIONS, get, merge, merged, successor_of
from tests.routers.test_adoptions import adopt
from tests.routers.test_innovations import Entry, lines_since


def test_each_of_them_has_a_line_and_a_history(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    before = head_of(anybody)

    answer = merge(curator, theirs, ours)

    superseded, taken_in = lines_since(anybody, before)
    assert (superseded["action"], superseded["id"]) == ("superseded", theirs["id"])
    assert (taken_in["action"], taken_in["id"]) == ("merged", ours["id"])
    assert superseded["document"] == answer.json()
    assert taken_in["document"] == get(anybody, ours)
    assert {superseded["by"], taken_in["by"]} == {"RJ1"}
    assert int(answer.headers["register-sequence"]) == taken_in["sequence"]
    for entry, line in ((ours, taken_in), (theirs, superseded)):
        history = anybody.get(entry["links"]["history"]).json()["items"]
        assert [each["document"] for each in history] == [entry, line["document"]]


def test_the_past_stays_as_it_was(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    adopt(curator, theirs, organisation="RM3")
    queries = [INNOVATIONS, f"{INNOVATIONS}?q=video", "/v1/statistics?group_by=region"]
    queries += ["/v1/statistics/spread?by=region", theirs["links"]["self"], ours["links"]["self"]]
    line = head_of(anybody)

    def then(at: str, as_of: int) -> Any:
        told = anybody.get(at, params={**httpx.URL(at).params, "as_of": as_of}).json()
        return {name: part for name, part in told.items() if name != "as_of"}

    before = [then(at, line) for at in queries]
    merged(curator, theirs, ours)
    now = head_of(anybody)

    assert [then(at, line) for at in queries] == before
    answer = anybody.get(theirs["links"]["self"], params={"as_of": now})
    assert answer.json() == get(anybody, theirs)
    assert successor_of(answer) == ours["links"]["self"]
    assert "link" not in anybody.get(theirs["links"]["self"], params={"as_of": line}).headers
    assert then(INNOVATIONS, now)["page"]["total"] == 1


def test_who_follows_a_part_is_told_that_it_went(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    before = head_of(anybody)
    merged(curator, theirs, ours)
    parts = (
        {"tag": "theirs"},
        {"region": "Y56"},
        {"visibility": "published"},
        {"q": '"ward rounds"'},
    )
    for filters in parts:
        query: Entry = {"after": before, **filters}
        lines = anybody.get("/v1/changes", params=query).json()["items"]
        assert ("superseded", theirs["id"]) in [(line["action"], line["id"]) for line in lines]
