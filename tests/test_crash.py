"""A 201 means that it is on disk: the service is killed in the middle of writing."""

from __future__ import annotations

import os
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

ROUNDS = 2
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


@pytest.mark.parametrize("after", [0.7, 1.1][:ROUNDS])
def test_what_was_acknowledged_survives_kill_9(database_url: str, after: float) -> None:
    settings = settings_for(database_url)
    with Database(settings) as database:
        _, key = database.transaction(
            clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="crash"
        )
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    acknowledged: list[str] = []
    sent = count()
    with service(database_url, port) as process:
        writers = [
            threading.Thread(target=write_until_killed, args=(base, key, sent, acknowledged))
            for _ in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for writer in writers:
            writer.join()
    assert len(acknowledged) > WRITERS, "nothing was written before the kill"

    port = free_port()
    with (
        service(database_url, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        found = []
        query: dict[str, str | int] = {"limit": 100, "organisation": "R0A"}
        while True:
            page = client.get("/v1/innovations", params=query).json()
            found += [entry["source"]["id"] for entry in page["items"]]
            if page["page"]["next"] is None:
                break
            query["cursor"] = page["page"]["next"]
    assert len(found) == len(set(found)), "an entry is there twice"
    assert set(acknowledged) <= set(found)
    assert run("verify", database_url).returncode == 0
