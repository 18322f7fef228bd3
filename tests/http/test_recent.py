"""Answers that a process keeps: never older than what was written before they were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import httpx
import pytest

from app.database import Database
from app.http.collections import Recent
from app.models.clients import Scope
from app.register import clients
from tests.conftest import WARD_ROUNDS, Register, settings_for
from tests.http.speaking import Submit
from tests.processes import free_port, service
from tests.serving import PLAIN

LISTS = [
    "/v1/innovations",
    "/v1/innovations?theme=21st-century-tools&limit=2&facets=status",
    "/v1/innovations?q=rounds",
    "/v1/themes",
    "/v1/statistics?group_by=theme&group_by=status",
    "/v1/statistics/timeline?by=week",
    "/v1/statistics/overview",
    "/v1/organisations?open=true&limit=1",
    "/v1/changes?limit=3",
    "/v1",
]


@pytest.mark.parametrize("path", LISTS)
def test_the_second_answer_is_the_first_until_something_is_written(
    anybody: httpx.Client, submit: Submit, path: str
) -> None:
    submit()
    first, second = anybody.get(path), anybody.get(path)
    varying = {"x-request-id", "date"}
    kept = {name: value for name, value in first.headers.items() if name not in varying}
    assert second.content == first.content
    assert kept.items() <= second.headers.items()
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert len(second.headers.get_list("x-request-id")) == 1
    assert anybody.head(path).headers["content-length"] == first.headers["content-length"]

    submit()

    third = anybody.get(path)
    assert third.headers["etag"] != first.headers["etag"]
    assert int(third.headers["register-sequence"]) == int(first.headers["register-sequence"]) + 1


def test_each_sees_what_is_for_them(
    anybody: httpx.Client, trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    submit(visibility="draft")
    path = "/v1/innovations?visibility=draft"
    for _ in range(2):
        assert trust.get(path).json()["page"]["total"] == 1
        assert other_trust.get(path).json()["page"]["total"] == 0
        assert anybody.get(path).status_code == 401


def test_a_stream_is_not_answered_with_a_page(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    assert anybody.get("/v1/changes").status_code == 200
    headers = {"Accept": "text/event-stream"}
    with anybody.stream("GET", "/v1/changes", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")


def test_what_is_kept_is_bounded(serve: Callable[..., Register]) -> None:
    register = serve()
    client = register.client()
    recent = Recent(most=60_000)
    register.app.state.recent = recent
    for limit in range(1, 60):
        assert client.get(f"/v1/organisations?limit={limit}").status_code == 200
    assert 0 < recent.size <= 60_000


def test_no_answer_is_older_than_a_write_acknowledged_before_it_was_asked_for(
    database_url: str,
) -> None:
    """Two processes; each has kept the list when the other writes."""
    with Database(settings_for(database_url)) as database:
        _, key = database.transaction(
            clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="writer"
        )
    port, rounds, readers = free_port(), 50, 6
    url = f"http://127.0.0.1:{port}"
    acknowledged = [0]
    asked = count()

    async def write() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, verify=PLAIN) as client:
            for _ in range(rounds):
                answer = await client.post("/v1/innovations", json=WARD_ROUNDS)
                acknowledged[0] = int(answer.headers["register-sequence"])

    async def read(writing: asyncio.Task[None]) -> None:
        while not writing.done():
            # A connection of its own each time, so that either process may take it.
            async with httpx.AsyncClient(base_url=url, verify=PLAIN) as client:
                for _ in range(4):
                    least = acknowledged[0]
                    answer = await client.get("/v1/innovations?limit=1")
                    next(asked)
                    assert int(answer.headers["register-sequence"]) >= least
                    newest = answer.json()["items"]
                    total = answer.json()["page"]["total"]
                    assert not newest or newest[0]["reference"] == f"INN-{total:06}"

    async def both() -> None:
        writing = asyncio.create_task(write())
        await asyncio.gather(writing, *(read(writing) for _ in range(readers)))

    with service(database_url, port, workers=2):
        asyncio.run(both())
    assert next(asked) > rounds, "hardly anybody read"
