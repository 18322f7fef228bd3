"""The change feed: waiting for news, streams of them, and following a part of the register."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from app.database import Database
from app.models.clients import Scope
from app.models.innovations import InnovationCreate
from app.register import innovations
from app.register.access import OPERATOR
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_changes import all_lines
from tests.routers.test_innovations import Entry, patch, withdraw


def pointers_of(answer: httpx.Response) -> list[str]:
    problem = problem_of(answer, 422, "validation-failed")
    return [error["pointer"] for error in problem["errors"]]


Later = Callable[[Callable[[], object]], None]

SOON = 0.3
"""Seconds: time enough for a reader to be waiting."""


@pytest.fixture
def later() -> Iterator[Later]:
    """Does something in a moment, while the test waits for its answer."""
    with ThreadPoolExecutor(1) as pool:
        done = []

        def soon(do: Callable[[], object]) -> None:
            time.sleep(SOON)
            do()

        def later(do: Callable[[], object]) -> None:
            done.append(pool.submit(soon, do))

        yield later
        for each in done:
            each.result(30)


# Long polling


def test_who_waits_is_answered_as_soon_as_there_is_news(
    anybody: httpx.Client, submit: Submit, later: Later
) -> None:
    head = head_of(anybody)
    later(submit)
    started = time.monotonic()
    answer = anybody.get("/v1/changes", params={"after": head, "wait": 30})
    assert [line["sequence"] for line in answer.json()["items"]] == [head + 1]
    assert SOON / 2 < time.monotonic() - started < 15
    assert answer.json()["page"]["next"] == head + 1 == int(answer.headers["register-sequence"])


def test_what_is_there_already_is_not_waited_for(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    started = time.monotonic()
    answer = anybody.get("/v1/changes", params={"after": head_of(anybody) - 1, "wait": 60})
    assert len(answer.json()["items"]) == 1
    assert time.monotonic() - started < 15


def test_a_wait_without_news_ends_with_an_empty_page(anybody: httpx.Client) -> None:
    head = head_of(anybody)
    started = time.monotonic()
    answer = anybody.get("/v1/changes", params={"after": head, "wait": 1})
    assert answer.json()["items"] == []
    assert answer.json()["page"] == {"limit": 50, "total": 0, "next": head, "head": head}
    assert time.monotonic() - started >= 1
    assert "etag" not in answer.headers, "with it, the next wait would end at once"


def test_news_of_others_do_not_end_a_wait(
    trust: httpx.Client, other_trust: httpx.Client, submit: Submit, later: Later
) -> None:
    head = head_of(trust)

    def others_and_own() -> None:
        submit(other_trust, visibility="draft")
        time.sleep(SOON)
        submit(trust)

    later(others_and_own)
    answer = trust.get("/v1/changes", params={"after": head, "wait": 30})
    assert [line["sequence"] for line in answer.json()["items"]] == [head + 2]


def test_waiting_keeps_nobody_else_waiting(
    register: Register, anybody: httpx.Client, submit: Submit
) -> None:
    head = head_of(anybody)

    def wait() -> int:
        answer = register.client().get("/v1/changes", params={"after": head, "wait": 60})
        return len(answer.json()["items"])

    threads = threading.active_count()
    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(wait) for _ in range(50)]
        time.sleep(SOON)
        assert threading.active_count() <= threads + 50, "a thread of the service waits"
        assert anybody.get("/v1/innovations").status_code == 200
        submit()
        assert [each.result(30) for each in waiting] == [1] * 50


@pytest.mark.parametrize("wait", [-1, 61, "long", "1e3"])
def test_a_wait_is_a_minute_at_most(anybody: httpx.Client, wait: object) -> None:
    answer = anybody.get("/v1/changes", params={"wait": str(wait)})
    assert pointers_of(answer) == ["?wait"]


# Server-sent events


Event = tuple[int, dict[str, Any]]


@contextmanager
def streaming(client: httpx.Client, **request: Any) -> Iterator[Iterator[Event]]:
    """The events of a stream, as a browser would read them."""
    headers = {"Accept": "text/event-stream", **request.pop("headers", {})}
    with client.stream("GET", "/v1/changes", headers=headers, **request) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"

        def events() -> Iterator[Event]:
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                elif "data" in fields:
                    yield int(fields["id"]), json.loads(fields["data"])
                    fields = {}

        yield events()


def test_a_stream_tells_what_there_is_and_then_what_comes(
    anybody: httpx.Client, submit: Submit
) -> None:
    for _ in range(3):
        submit()
    head = head_of(anybody)
    with streaming(anybody, params={"after": head - 3}) as events:
        known = [next(events) for _ in range(3)]
        lines = anybody.get("/v1/changes", params={"after": head - 3}).json()["items"]
        assert known == [(line["sequence"], line) for line in lines]
        for _ in range(3):
            entry = submit()
            sequence, line = next(events)
            assert (sequence, line["id"], line["document"]) == (head + 1, entry["id"], entry)
            head += 1


def test_a_stream_goes_on_after_the_last_event_that_was_seen(
    anybody: httpx.Client, submit: Submit
) -> None:
    first, second = submit(), submit()
    seen = head_of(anybody) - 1
    headers = {"Last-Event-ID": str(seen)}
    with streaming(anybody, params={"after": 0}, headers=headers) as events:
        assert next(events)[1]["id"] == second["id"] != first["id"]


def test_a_stream_shows_drafts_to_their_own_organisation_only(
    trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    head = head_of(trust)
    with (
        streaming(trust, params={"after": head}) as own,
        streaming(other_trust, params={"after": head}) as others,
    ):
        draft, published = submit(visibility="draft"), submit()
        assert [next(own)[1]["id"], next(own)[1]["id"]] == [draft["id"], published["id"]]
        assert next(others)[1]["id"] == published["id"]


@pytest.mark.parametrize(
    ("accepted", "is_stream"),
    [
        ("text/event-stream", True),
        ("TEXT/Event-Stream; charset=utf-8", True),
        ("application/json;q=0.4, text/event-stream;q=0.5", True),
        ("text/event-stream, */*", True),
        ("text/*, application/json;q=0.9", True),
        ("application/json;q=0, */*;q=0.1", True),
        ("application/json, text/event-stream;q=0.5", False),
        ("application/json, text/event-stream", False),
        ("text/event-stream;q=0, */*;q=0.1", False),
        ("text/event-stream;q=much, application/json;q=0.001", False),
        ("*/*", False),
        ("text/csv", False),
    ],
)
def test_it_is_a_stream_for_who_prefers_one(
    anybody: httpx.Client, accepted: str, is_stream: bool
) -> None:
    answer = anybody.head("/v1/changes", headers={"Accept": accepted})
    form = "text/event-stream" if is_stream else "application/json"
    assert answer.headers["content-type"].partition(";")[0] == form


def test_who_prefers_what_in_two_headers_is_asked_both(anybody: httpx.Client) -> None:
    headers = [("Accept", "application/json;q=0.5"), ("Accept", "text/event-stream")]
    answer = anybody.head("/v1/changes", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_the_head_of_a_stream_is_no_stream(anybody: httpx.Client) -> None:
    answer = anybody.head("/v1/changes", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "²"])
def test_a_made_up_event_is_a_problem(anybody: httpx.Client, last: str) -> None:
    headers = [(b"accept", b"text/event-stream"), (b"last-event-id", last.encode())]
    answer = anybody.get("/v1/changes", headers=headers)
    assert pointers_of(answer) == ["header:Last-Event-ID"]


def test_a_stream_from_past_the_head_is_a_problem(anybody: httpx.Client) -> None:
    headers = {"Accept": "text/event-stream"}
    answer = anybody.get("/v1/changes", params={"after": 10**6}, headers=headers)
    assert pointers_of(answer) == ["?after"]


# Following a part


FITTING = {
    "theme": "21st-century-tools",
    "status": "keep",
    "organisation": "R0A",
    "icb": "QOP",
    "region": "Y62",
    "care_setting": "care_home",
    "tag": "video",
    "visibility": "published",
    "evidence_kind": "staff_voice",
    "evidence_strength": "strong",
    "review_due_before": "2027-01-02",
    "kind": "innovation",
    "created_from": "2020-01-01",
    "updated_since": "2020-01-01",
    "created_to": "2199-01-01",
}
OTHER = {
    "theme": "great-teams",
    "status": "retire",
    "organisation": "RJ1",
    "icb": "QKK",
    "region": "Y56",
    "care_setting": "acute",
    "tag": "paper",
    "visibility": "draft",
    "evidence_kind": "audit",
    "evidence_strength": "moderate",
    "review_due_before": "2027-01-01",
    "kind": "theme",
    "created_from": "2199-01-01",
    "updated_since": "2199-01-01",
    "created_to": "2020-01-01",
}


def test_a_filter_leaves_the_lines_of_entries_that_fit(
    anybody: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    head = head_of(anybody)
    entry = submit(
        care_setting="care_home",
        tags=["video"],
        decision={"status": "keep", "reason": "It works.", "review_on": "2027-01-01"},
        evidence=[{"kind": "staff_voice", "statement": "Home on time.", "strength": "strong"}],
    )
    for name, fitting in FITTING.items():
        with subtests.test(name):
            found = all_lines(anybody, after=head, **{name: fitting})
            assert [line["id"] for line in found] == [entry["id"]]
            assert all_lines(anybody, after=head, **{name: OTHER[name]}) == []
            query = {"tag": "video", "status": "keep", name: fitting}
            both = all_lines(anybody, after=head, **query)
            assert both == found


@pytest.mark.parametrize("name", ["theme", "organisation", "icb", "region"])
def test_who_follows_what_there_is_not_is_told_so(anybody: httpx.Client, name: str) -> None:
    slug = "unknown-theme" if name == "theme" else "unknown-organisation"
    for accepted in ("application/json", "text/event-stream"):
        answer = anybody.get(f"/v1/changes?{name}=canary&wait=60", headers={"Accept": accepted})
        (error,) = problem_of(answer, 422, slug)["errors"]
        assert error["pointer"] == f"?{name}"


def test_a_stream_has_the_lines_that_fit(anybody: httpx.Client, submit: Submit) -> None:
    head = head_of(anybody)
    with streaming(anybody, params={"after": head, "tag": "video"}) as events:
        for _ in range(3):
            submit(tags=["paper"])
            entry = submit(tags=["video"])
            assert next(events)[1]["id"] == entry["id"]


def test_several_values_are_an_or_and_several_filters_an_and(
    anybody: httpx.Client, submit: Submit
) -> None:
    head = head_of(anybody)
    entries = [
        submit(tags=[tag], theme=theme)
        for tag in "ab"
        for theme in ("basics-sorted", "great-teams")
    ]
    found = all_lines(anybody, after=head, tag=["a", "b"], theme="great-teams")
    assert [line["id"] for line in found] == [entries[1]["id"], entries[3]["id"]]


def test_who_follows_a_part_hears_of_an_entry_that_leaves_it(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    head = head_of(anybody)
    entry = submit(tags=["video"])
    patch(trust, entry, tags=["paper"])
    patch(trust, entry, title="Rounds")
    withdraw(trust, entry)
    found = all_lines(anybody, after=head, tag="video")
    assert [(line["version"], line["document"]["tags"]) for line in found] == [
        (1, ["video"]),
        (2, ["paper"]),
    ]
    assert [line["action"] for line in all_lines(anybody, after=head, tag="paper")] == [
        "updated",
        "updated",
        "withdrawn",
    ]


def test_a_part_is_followed_page_by_page_over_all_that_does_not_fit(
    register: Register, anybody: httpx.Client
) -> None:
    head = head_of(anybody)

    def many(session: Session) -> None:
        for i in range(450):
            tags = ["rare"] if i % 150 == 149 else []
            entry = InnovationCreate.model_validate(
                {**WARD_ROUNDS, "organisation": "R0A", "tags": tags}
            )
            innovations.add(session, entry, by=OPERATOR)

    register.database.transaction(many)
    for limit in (1, 2, 3, 50):
        found = all_lines(anybody, after=head, tag="rare", limit=limit)
        assert [line["sequence"] for line in found] == [head + 150, head + 300, head + 450]


SEARCHES = [
    "zebra",
    "Zebras",
    '"zebra crossing"',
    "zebra -pilot",
    "giraffe or lion",
    "cafe",
    "crossing lion",
    "nothing of the kind",
]


@pytest.mark.parametrize("q", SEARCHES)
def test_words_find_the_same_lines_as_the_same_search_finds_entries(
    anybody: httpx.Client, submit: Submit, q: str
) -> None:
    head = head_of(anybody)
    submit(title="A zebra crossing at the door")
    submit(summary="Zebras are crossing.", tags=["pilot"])
    submit(description="A giraffe in the café.")
    submit(evidence=[{"kind": "audit", "statement": "The lion slept."}])
    submit(tags=["zebra"], title="Crossing the yard")

    found = anybody.get("/v1/innovations", params={"q": q, "sort": "created_at"}).json()["items"]
    lines = all_lines(anybody, after=head, q=q)
    assert [line["id"] for line in lines] == [entry["id"] for entry in found]


def test_who_follows_words_hears_when_an_entry_loses_them(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    head = head_of(anybody)
    entry = submit(title="The zebra", theme="great-teams")
    submit(title="The zebra", theme="basics-sorted")
    patch(trust, entry, title="The horse")
    patch(trust, entry, title="The donkey")

    found = all_lines(anybody, after=head, q="zebra", theme="great-teams")
    assert [line["document"]["title"] for line in found] == ["The zebra", "The horse"]


def test_words_that_are_no_search_are_a_problem(anybody: httpx.Client) -> None:
    assert pointers_of(anybody.get("/v1/changes?q=-video")) == ["?q"]


# Never missed, doubled or out of order


def test_a_follower_of_eight_writers_sees_each_line_once_and_in_order(
    register: Register, anybody: httpx.Client
) -> None:
    """The writers are as many processes', with connections of their own and slow commits."""
    curator = register.client(register.key("RJ1", Scope.CURATE))
    head = head_of(anybody)
    each = 12

    def write(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        tags = [f"writer-{seed}"]
        entry = InnovationCreate.model_validate(
            {**WARD_ROUNDS, "organisation": "R0A", "tags": tags}
        )

        def slowly(session: Session) -> None:
            time.sleep(chance.uniform(0, 0.005))
            innovations.add(session, entry, by=OPERATOR)
            session.flush()
            time.sleep(chance.uniform(0, 0.015))

        with Database(register.settings) as database:
            for _ in range(each):
                time.sleep(chance.uniform(0, 0.01))
                database.transaction(slowly)

    def poll(limit: int) -> list[Entry]:
        client, after = register.client(), head
        lines: list[Entry] = []
        while len(lines) < 8 * each:
            query = {"after": after, "wait": 20, "limit": limit}
            page = client.get("/v1/changes", params=query).json()
            lines += page["items"]
            after = page["page"]["next"]
        return lines

    def stream() -> list[Entry]:
        with streaming(register.client(), params={"after": head}) as events:
            return [next(events)[1] for _ in range(8 * each)]

    with ThreadPoolExecutor(11) as pool:
        followers = [pool.submit(poll, 3), pool.submit(poll, 100), pool.submit(stream)]
        for writer in [pool.submit(write, seed) for seed in range(8)]:
            writer.result(60)
        followed = [follower.result(60) for follower in followers]
    whole = all_lines(curator, after=head)
    assert [line["sequence"] for line in whole] == list(range(head + 1, head + 1 + 8 * each))
    for lines in followed:
        assert lines == whole
