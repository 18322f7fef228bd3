"""Equal requests at once, over two processes: one entry, and one answer for all."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from app.database import Database
from app.models.clients import Scope
from app.register import clients
from tests.conftest import WARD_ROUNDS, settings_for
from tests.processes import free_port, run, service
from tests.serving import PLAIN

WORKERS = 2
CONNECTIONS = 50
RACES = 200


def new_key(url: str) -> str:
    with Database(settings_for(url)) as database:
        _, key = database.transaction(
            clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="races"
        )
    return key


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def replayed(self) -> bool:
        return "idempotency-replayed" in self.headers


class Connection:
    """A connection that is kept. An HTTP client would send the fifty too slowly for a race."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int) -> Connection:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, request: bytes) -> None:
        self._writer.write(request)

    async def answer(self) -> Answer:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.splitlines()
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split()[1]), headers, json.loads(body))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def request(method: str, path: str, body: Any = None, **headers: str) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
    if content:
        lines.append("Content-Type: application/json")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def submission(key: str, name: str) -> bytes:
    """A POST that races; each race has a name of its own."""
    entry = {**WARD_ROUNDS, "title": f"Race {name}"}
    headers = {"Authorization": f"Bearer {key}", "Idempotency_Key": name}
    return request("POST", "/v1/innovations", entry, **headers)


async def over_both_workers(port: int, key: str) -> list[Connection]:
    """Connections, half of them to one worker and half to the other.

    A worker that has not read since a write still names an older line of the log.
    """
    sides: tuple[list[Connection], list[Connection]] = ([], [])
    half = CONNECTIONS // WORKERS
    end = time.monotonic() + 30
    writer = await Connection.to(port)
    while min(len(side) for side in sides) < half:
        assert time.monotonic() < end, "one worker takes all connections"
        fresh = [await Connection.to(port) for _ in range(10)]
        writer.send(submission(key, f"warm-up-{time.monotonic_ns()}"))
        newest = int((await writer.answer()).headers["register-sequence"])
        for connection in fresh:
            connection.send(request("GET", "/livez"))
            seen = int((await connection.answer()).headers["register-sequence"])
            side = sides[seen < newest]
            if len(side) < half:
                side.append(connection)
            else:
                await connection.close()
    await writer.close()
    return [connection for pair in zip(*sides, strict=True) for connection in pair]


async def race(connections: list[Connection], sent: bytes) -> list[Answer]:
    for connection in connections:
        connection.send(sent)
    return await asyncio.gather(*(connection.answer() for connection in connections))


async def races(port: int, key: str, names: list[str]) -> list[list[Answer]]:
    """Races of these names, one after another; what each connection was answered in each."""
    connections = await over_both_workers(port, key)
    answers = [await race(connections, submission(key, name)) for name in names]
    for connection in connections:
        await connection.close()
    return answers


def entries(port: int) -> Counter[str]:
    """How many entries there are of each title."""
    titles: Counter[str] = Counter()
    query: dict[str, str | int] = {"limit": 100}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=PLAIN) as client:
        while True:
            page = client.get("/v1/innovations", params=query).json()
            titles.update(entry["title"] for entry in page["items"])
            if page["page"]["next"] is None:
                return titles
            query["cursor"] = page["page"]["next"]


def check(answers: list[Answer]) -> None:
    """One of them did it; the others tell what the one did, or ask to come again."""
    first, *others = sorted(
        (answer for answer in answers if answer.status == HTTPStatus.CREATED),
        key=lambda answer: answer.replayed,
    )
    assert not first.replayed
    for other in others:
        assert other.replayed
        assert other.body == first.body
    for answer in answers:
        if answer.status != HTTPStatus.CREATED:
            assert answer.status == HTTPStatus.CONFLICT, answer
            assert answer.body["type"] == "/problems/still-running"


def test_fifty_equal_requests_over_two_processes_leave_one_entry(database_url: str) -> None:
    key, port = new_key(database_url), free_port()
    names = [f"race-{number}" for number in range(RACES)]
    with service(database_url, port, workers=WORKERS):
        answers = asyncio.run(races(port, key, names))
        left = entries(port)
    for of_race in answers:
        check(of_race)
    assert [left[f"Race {name}"] for name in names] == [1] * RACES
    told = [answer for of_race in answers for answer in of_race]
    assert any(answer.replayed for answer in told), "no worker waited for the other"
    assert run(database_url, "verify").returncode == 0
