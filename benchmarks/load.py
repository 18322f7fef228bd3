"""The load generator: so many connections, each with one request under way at any time.

It runs in a process of its own, and does as little as can be for an answer: it reads the status,
the length and the first bytes, and counts the rest.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import uvloop

DRAIN = 60.0
"""Seconds that answers may take to come after the time is up."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_KEPT = 1500
"""Bytes of an answer that are looked at; its head is shorter."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to send, and what is to come back."""

    port: int
    connections: int
    seconds: float
    requests: Sequence[bytes]
    """Each is sent once at most; when none is left, the job ends early."""
    status: int
    start: bytes
    """How the body of each answer starts."""


@dataclass(slots=True)
class Result:
    """What came back."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from a request to the last byte of its answer."""
    elapsed: float = 0.0
    """Seconds from the first request to the last answer."""
    body_bytes: int = 0
    busy: float = 0.0
    """The share of the time that the load generator itself was at work."""
    wrong: int = 0
    example: str = ""
    """The first answer that was not as it should be."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.elapsed


def run(job: Job) -> Result:
    """Sends what the job says, and waits for all answers.

    Raises:
        TimeoutError: when an answer does not come within :data:`DRAIN`.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(job))


async def _run(job: Job) -> Result:
    loop = asyncio.get_running_loop()
    result = Result()
    waiting = iter(job.requests)
    connections: list[_Connection] = []
    for _ in range(job.connections):
        _, connection = await loop.create_connection(
            lambda: _Connection(job, result, waiting), "127.0.0.1", job.port
        )
        connections.append(connection)
    cpu, start = time.process_time(), time.perf_counter()
    for connection in connections:
        connection.begin(start, start + job.seconds)
    async with asyncio.timeout(job.seconds + DRAIN):
        await asyncio.gather(*(connection.done for connection in connections))
    result.elapsed = max(connection.answered for connection in connections) - start
    result.busy = (time.process_time() - cpu) / result.elapsed
    for connection in connections:
        connection.transport.close()
    return result


class _Connection(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last one is whole."""

    transport: asyncio.Transport

    def __init__(self, job: Job, result: Result, waiting: Iterator[bytes]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answered = 0.0
        self._job = job
        self._result = result
        self._waiting = waiting
        self._end = self._sent = 0.0
        self._seen = bytearray()
        self._body_at = 0
        self._missing: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("The service hung up."))

    def begin(self, start: float, end: float) -> None:
        self.answered, self._end = start, end
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        request = next(self._waiting, None) if self._sent < self._end else None
        if request is None:
            self.done.set_result(None)
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if len(self._seen) < _KEPT:
            self._seen += data
        if self._missing is None:
            end = self._seen.find(b"\r\n\r\n")
            if end < 0:
                return
            self._body_at = end + 4
            length = _LENGTH.search(self._seen, 0, self._body_at)
            size = int(length[1]) if length else 0  # a 304 has none
            self._result.body_bytes += size
            self._missing = self._body_at + size - len(self._seen)
        else:
            self._missing -= len(data)
        if self._missing == 0:
            self._whole()

    def _whole(self) -> None:
        self.answered = time.perf_counter()
        result, job = self._result, self._job
        result.latencies.append(self.answered - self._sent)
        status = int(self._seen[9:12])
        if status != job.status or not self._seen.startswith(job.start, self._body_at):
            result.wrong += 1
            result.example = result.example or self._seen[:_KEPT].decode(errors="replace")
        self._seen.clear()
        self._missing = None
        self._send()
