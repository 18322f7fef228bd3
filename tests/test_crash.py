"""A 201 means that it is on disk: the service is killed in the middle of writing."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from itertools import count

import httpx
import pytest

from app.database import Database
from app.models.clients import Scope
from app.register import clients
from tests.conftest import WARD_ROUNDS, settings_for
from tests.processes import free_port, run, service
from tests.serving import PLAIN

WRITERS = 4


def let_write(written: list[str], more: float) -> None:
    """Returns so many seconds after the writers got going, however slow the machine is."""
    end = time.monotonic() + 30
    while len(written) <= 2 * WRITERS and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(more)


def client_of(port: int, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, verify=PLAIN)


def write_until_killed(port: int, key: str, sent: Iterator[int], acknowledged: list[str]) -> None:
    """Submits entries, each with an id of its own, until the service is gone."""
    with client_of(port, key) as client:
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
        job = (port, key, sent, acknowledged)
        writers = [threading.Thread(target=write_until_killed, args=job) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        let_write(acknowledged, after)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for writer in writers:
            writer.join()
    return acknowledged


def write_keyed_until_killed(port: int, key: str, sent: Iterator[int], names: list[str]) -> None:
    """Submits entries, each with an Idempotency-Key and no other id, until the service is gone."""
    with client_of(port, key) as client:
        while True:
            names.append(f"crash-{next(sent)}")
            try:
                submit_once(client, names[-1])
            except httpx.TransportError:
                return


def submit_once(client: httpx.Client, name: str) -> httpx.Response:
    entry = {**WARD_ROUNDS, "title": name}
    answer = client.post("/v1/innovations", json=entry, headers={"Idempotency-Key": name})
    assert answer.status_code == 201
    return answer


def all_sources(url: str) -> list[str]:
    """The sender's ids of all entries, from a service that was started anew."""
    port = free_port()
    found: list[str] = []
    query: dict[str, str | int] = {"limit": 100, "organisation": "R0A"}
    with (
        service(url, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=PLAIN) as client,
    ):
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


def test_what_was_acknowledged_survives_kill_9(database_url: str) -> None:
    acknowledged = kill_while_writing(database_url, new_key(database_url), count(), after=0.5)
    assert len(acknowledged) > WRITERS, "nothing was written before the kill"

    found = all_sources(database_url)
    assert len(found) == len(set(found)), "an entry is there twice"
    assert set(acknowledged) <= set(found)
    assert run(database_url, "verify").returncode == 0


def test_what_was_cut_off_can_be_sent_again_after_kill_9(database_url: str) -> None:
    key, port, sent, names = new_key(database_url), free_port(), count(), list[str]()
    with service(database_url, port) as process:
        job = (port, key, sent, names)
        writers = [
            threading.Thread(target=write_keyed_until_killed, args=job) for _ in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        let_write(names, 0.5)
        process.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join()

    with service(database_url, port), client_of(port, key) as client:
        ids = {submit_once(client, name).json()["id"] for name in names}
        page = client.get("/v1/innovations", params={"organisation": "R0A"}).json()["page"]
    assert len(names) > WRITERS, "nothing was written before the kill"
    assert page["total"] == len(names) == len(ids)


@pytest.mark.torture
def test_killed_again_and_again_it_loses_nothing(database_url: str) -> None:
    key, sent, acknowledged = new_key(database_url), count(), set[str]()
    moments = random.Random(9)  # noqa: S311
    for _ in range(20):
        after = moments.uniform(0.05, 2)
        acknowledged.update(kill_while_writing(database_url, key, sent, after=after))
        assert run(database_url, "verify").returncode == 0
    found = all_sources(database_url)
    assert len(found) == len(set(found)), "an entry is there twice"
    assert acknowledged <= set(found)
