"""A 201 means that it is on disk: the service is killed in the middle of writing."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx
import pytest

from app.database import Database
from app.models.clients import Scope
from app.register import clients
from tests.conftest import WARD_ROUNDS, settings_for

WRITERS = 4
COMMAND = (sys.executable, "-c", "from app.cli import main; main()")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def run(command: str, url: str) -> subprocess.CompletedProcess[bytes]:
    """A ``register`` command that ends by itself."""
    environment = {**os.environ, "REGISTER_DATABASE_URL": url}
    return subprocess.run([*COMMAND, command], env=environment, timeout=60, check=False)


@contextmanager
def service(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """``register serve`` as a process of its own."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)],
        env={**os.environ, "REGISTER_DATABASE_URL": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None, "the service ended at its start"
            assert time.monotonic() < end, "the service did not start"
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.wait()


def write_until_killed(base: str, key: str, sent: Iterator[int], acknowledged: list[str]) -> None:
    """Submits entries, each with an id of its own, until the service is gone."""
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {key}"}) as client:
        while True:
            source = {"system": "crash", "id": str(next(sent))}
            try:
                answer = client.post("/v1/innovations", json={**WARD_ROUNDS, "source": source})
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            acknowledged.append(source["id"])


def kill_while_writing(url: str, key: str, sent: Iterator[int], *, after: float) -> list[str]:
    """What was acknowledged before the service was killed."""
    port = free_port()
    acknowledged: list[str] = []
    with service(url, port) as process:
        job = (f"http://127.0.0.1:{port}", key, sent, acknowledged)
        writers = [threading.Thread(target=write_until_killed, args=job) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for writer in writers:
            writer.join()
    return acknowledged


def all_sources(url: str) -> list[str]:
    """The sender's ids of all entries, from a service that was started anew."""
    port = free_port()
    found: list[str] = []
    query: dict[str, str | int] = {"limit": 100, "organisation": "R0A"}
    with service(url, port), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            page = client.get("/v1/innovations", params=query).json()
            found += [entry["source"]["id"] for entry in page["items"]]
            if page["page"]["next"] is None:
                return found
            query["cursor"] = page["page"]["next"]


def new_key(url: str) -> str:
    with Database(settings_for(url)) as database:
        _, key = database.transaction(
            clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="crash"
        )
    return key


@pytest.mark.parametrize("after", [0.7, 1.1])
def test_what_was_acknowledged_survives_kill_9(database_url: str, after: float) -> None:
    acknowledged = kill_while_writing(database_url, new_key(database_url), count(), after=after)
    assert len(acknowledged) > WRITERS, "nothing was written before the kill"

    found = all_sources(database_url)
    assert len(found) == len(set(found)), "an entry is there twice"
    assert set(acknowledged) <= set(found)
    assert run("verify", database_url).returncode == 0


@pytest.mark.torture
def test_killed_again_and_again_it_loses_nothing(database_url: str) -> None:
    key, sent, acknowledged = new_key(database_url), count(), set[str]()
    moments = random.Random(9)  # noqa: S311
    for _ in range(20):
        after = moments.uniform(0.05, 2)
        acknowledged.update(kill_while_writing(database_url, key, sent, after=after))
        assert run("verify", database_url).returncode == 0
    found = all_sources(database_url)
    assert len(found) == len(set(found)), "an entry is there twice"
    assert acknowledged <= set(found)
