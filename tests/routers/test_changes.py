"""The change feed: a copy that follows it is never wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import EVERYTHING, Entry, lines_since, patch, withdraw

VOICE = {"kind": "staff_voice", "statement": "We get home on time."}
KEEP = {"status": "keep", "reason": "It works."}


def all_lines(client: httpx.Client, **query: Any) -> list[Entry]:
    """All that there is from the start, by the links of the answers."""
    lines: list[Entry] = []
    answer = client.get("/v1/changes", params=query)
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()["page"]
        lines += answer.json()["items"]
        if "next" not in answer.links:
            assert page["next"] == page["head"]
            return lines
        assert page["total"] >= len(answer.json()["items"])
        answer = client.get(answer.links["next"]["url"])


def test_the_log_has_no_gaps_and_its_pages_are_the_whole(
    curator: httpx.Client, submit: Submit
) -> None:
    submit()
    head = head_of(curator)
    lines = all_lines(curator, limit=100)
    assert [line["sequence"] for line in lines] == list(range(1, head + 1))
    assert all_lines(curator, after=head - 9, limit=4) == lines[-9:]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)


def test_each_write_is_a_line_with_the_document_as_it_then_was(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    before = head_of(anybody)
    entry = submit()
    at = entry["links"]["self"]
    shown = [entry]

    def show(answer: httpx.Response) -> None:
        assert answer.is_success, answer.text
        shown.append(anybody.get(at).json())

    show(patch(trust, entry, title="Rounds"))
    show(trust.post(f"{at}/decisions", json=KEEP))
    piece = trust.post(f"{at}/evidence", json=VOICE)
    show(piece)
    where = piece.headers["location"]
    show(trust.patch(where, json={"strength": "strong"}, headers={"If-Match": "*"}))
    show(trust.delete(where, headers={"If-Match": "*"}))
    shown.append(withdraw(trust, entry))

    lines = lines_since(anybody, before)
    assert [line["sequence"] for line in lines] == list(range(before + 1, before + 8))
    assert [line["document"] for line in lines] == shown
    assert [line["version"] for line in lines] == list(range(1, 8))
    assert [line["action"] for line in lines] == [
        *("created", "updated", "decided", "evidenced", "evidenced", "evidenced", "withdrawn")
    ]
    assert {(line["by"], line["kind"], line["id"]) for line in lines} == {
        ("R0A", "innovation", entry["id"])
    }
    assert [line["at"] for line in lines] == [document["updated_at"] for document in shown]


def test_what_was_refused_leaves_no_line(trust: httpx.Client, submit: Submit) -> None:
    entry = submit()
    before = head_of(trust)
    refused = [
        trust.post("/v1/innovations", json={**EVERYTHING, "theme": "nowhere"}),
        trust.patch(entry["links"]["self"], json={"title": "New"}, headers={"If-Match": '"9-9"'}),
        patch(trust, entry, organisation="RJ1"),
        trust.post("/v1/themes", json={}),
    ]
    assert all(answer.is_client_error for answer in refused)
    assert head_of(trust) == before


def test_a_reader_knows_where_it_stands(anybody: httpx.Client, submit: Submit) -> None:
    for _ in range(5):
        submit()
    head = head_of(anybody)

    first = anybody.get(f"/v1/changes?after={head - 5}&limit=2")

    assert first.json()["page"] == {"limit": 2, "total": 5, "next": head - 3, "head": head}
    assert httpx.URL(first.links["next"]["url"]).params["after"] == str(head - 3)
    last = anybody.get(f"/v1/changes?after={head - 1}&limit=1")
    assert (last.json()["page"]["next"], "link" in last.headers) == (head, False)
    nothing = anybody.get(f"/v1/changes?after={head}")
    assert nothing.json() == {
        "items": [],
        "page": {"limit": 50, "total": 0, "next": head, "head": head},
    }
    assert nothing.headers["register-sequence"] == str(head)
    answer = anybody.get(f"/v1/changes?after={head + 1}")
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert (error["pointer"], error["code"]) == ("?after", "after_the_head")
    for limit in ("0", "101", "x"):
        problem_of(anybody.get(f"/v1/changes?limit={limit}"), 422, "validation-failed")


def test_who_may_not_see_drafts_passes_them_by_without_losing_the_way(
    register: Register, anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    before = head_of(anybody)
    seen = [submit(visibility="draft" if i % 3 else "published") for i in range(9)]
    stranger = register.client(register.key("RJ1"))
    for client, own in ((anybody, False), (stranger, False), (trust, True)):
        start = head_of(client) if client is stranger else before
        assert start >= before
        expected = [entry for entry in seen if own or entry["visibility"] == "published"]
        for limit in (1, 2, 4, 100):
            lines = all_lines(client, after=before, limit=limit)
            documents = [line["document"] for line in lines if line["kind"] == "innovation"]
            assert documents == expected
        page = client.get(f"/v1/changes?after={before}&limit=1").json()["page"]
        assert page["total"] == page["head"] - before


def test_a_copy_that_follows_the_log_is_the_register(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    copy: dict[str, Entry] = {}
    place = 0
    entries = [submit(title=f"Number {i}") for i in range(6)]
    steps: list[Callable[[], object]] = [
        lambda: patch(trust, entries[0], title="Other"),
        lambda: withdraw(trust, entries[1]),
        lambda: trust.post(entries[2]["links"]["decisions"], json=KEEP),
        lambda: submit(visibility="draft"),
        submit,
    ]
    for step in steps:
        step()
        while True:
            answer = anybody.get(f"/v1/changes?after={place}&limit=100").json()
            for line in answer["items"]:
                if line["action"] == "withdrawn":
                    del copy[line["id"]]
                elif line["kind"] == "innovation":
                    copy[line["id"]] = line["document"]
            place = answer["page"]["next"]
            if place == answer["page"]["head"]:
                break
        listed = anybody.get("/v1/innovations?sort=created_at").json()["items"]
        assert list(copy.values()) == listed


def test_no_line_shows_a_key_or_a_clients_name(
    register: Register, anybody: httpx.Client, curator: httpx.Client, trust: httpx.Client
) -> None:
    key = trust.headers["authorization"].removeprefix("Bearer ")
    for client in (anybody, trust, curator, register.client(register.key("RJ1"))):
        text = client.get(f"/v1/changes?after={head_of(client) - 20}").text
        assert key not in text
        assert "key_hash" not in text


@pytest.mark.parametrize("path", ["/v1/changes", "/v1/changes?after=3&limit=2"])
def test_a_reader_that_is_up_to_date_gets_a_304(
    anybody: httpx.Client, submit: Submit, path: str
) -> None:
    tag = anybody.get(path).headers["etag"]
    assert anybody.get(path, headers={"If-None-Match": tag}).status_code == 304
    submit()
    assert anybody.get(path, headers={"If-None-Match": tag}).status_code == 200
