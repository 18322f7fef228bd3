"""At least once, in order: the service is killed in the middle of its deliveries."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from itertools import pairwise

import httpx

from app.database import Database
from app.models.clients import Scope
from app.register import clients
from app.webhooks.dispatch import LINES_READ
from tests.conftest import WARD_ROUNDS, settings_for
from tests.processes import Running, free_port, service
from tests.serving import PLAIN
from tests.webhooks.receiver import Received, Receiver, answering, until

SETTINGS = {"webhook_allow": "127.0.0.0/8", "webhook_timeout_seconds": "1"}


def new_key(url: str, organisation: str = "R0A") -> str:
    with Database(settings_for(url)) as database:
        _, key = database.transaction(
            clients.add, organisation=organisation, scopes=[Scope.CONTRIBUTE], name="crash"
        )
    return key


def slowly(handler: BaseHTTPRequestHandler, received: Received) -> None:
    """So that more is submitted meanwhile, and a kill comes while something is under way."""
    time.sleep(0.03)
    answering(200)(handler, received)


def submit_until_killed(base: str, headers: dict[str, str], submitted: list[int]) -> None:
    with httpx.Client(base_url=base, headers=headers, verify=PLAIN) as client:
        while True:
            try:
                answer = client.post("/v1/innovations", json=WARD_ROUNDS)
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            submitted.append(int(answer.headers["register-sequence"]))


def subscribe(base: str, headers: dict[str, str], receiver: Receiver) -> None:
    fields = {"name": "receiver", "url": receiver.url, "filters": {"kind": ["innovation"]}}
    answer = httpx.post(f"{base}/v1/subscriptions", json=fields, headers=headers, verify=PLAIN)
    assert answer.status_code == 201, answer.text


def kill_in_mid_delivery(
    process: Running,
    receiver: Receiver,
    base: str,
    headers: dict[str, str],
    submitted: list[int],
) -> None:
    writer = threading.Thread(target=submit_until_killed, args=(base, headers, submitted))
    writer.start()
    before = len(receiver.received)
    until(lambda: len(receiver.received) > before + 5)
    os.killpg(process.pid, signal.SIGKILL)
    writer.join()


def lines_of(base: str) -> list[int]:
    """All lines about innovations."""
    found: list[int] = []
    after = 0
    while True:
        query: dict[str, str | int] = {"kind": "innovation", "after": after, "limit": 100}
        page = httpx.get(f"{base}/v1/changes", params=query, verify=PLAIN).json()
        found += [line["sequence"] for line in page["items"]]
        after = page["page"]["next"]
        if after >= page["page"]["head"]:
            return found


def test_kill_9_in_mid_delivery_loses_nothing(database_url: str, receiver: Receiver) -> None:
    receiver.always = slowly
    port = free_port()
    base, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {new_key(database_url)}"}
    submitted: list[int] = []
    with service(database_url, port, settings=SETTINGS) as process:
        subscribe(base, headers, receiver)
        kill_in_mid_delivery(process, receiver, base, headers, submitted)
    before = len(receiver.received)

    receiver.always = answering(200)
    with service(database_url, port, settings=SETTINGS):
        # A write that was under way at a kill may be in the log, though nobody was told.
        lines = lines_of(base)
        assert set(submitted) <= set(lines)
        until(lambda: receiver.sequences[-1] == lines[-1])
    came = receiver.sequences
    assert len(came) > before, "some were still to come when it was killed"
    assert list(dict.fromkeys(came)) == lines, "each line came, and in order"
    again = [after for earlier, after in pairwise(came) if after <= earlier]
    assert len(again) <= 1, "only the kill goes back"
    assert len(came) - len(lines) <= LINES_READ, "and not by more than was not noted yet"


def test_of_two_processes_one_makes_each_delivery_and_the_other_takes_over(
    database_url: str, receiver: Receiver
) -> None:
    headers = {"Authorization": f"Bearer {new_key(database_url)}"}
    submitted: list[int] = []

    def submit(base: str, count: int) -> None:
        with httpx.Client(base_url=base, headers=headers, verify=PLAIN) as client:
            for _ in range(count):
                answer = client.post("/v1/innovations", json=WARD_ROUNDS)
                submitted.append(int(answer.headers["register-sequence"]))

    with ExitStack() as stack:

        def start() -> tuple[str, Running]:
            port = free_port()
            process = stack.enter_context(service(database_url, port, settings=SETTINGS))
            return f"http://127.0.0.1:{port}", process

        base, first = start()
        subscribe(base, headers, receiver)
        other_base, second = start()
        for _ in range(6):
            submit(base, 2)
            submit(other_base, 2)
        until(lambda: receiver.sequences[-1:] == submitted[-1:])
        assert receiver.sequences == submitted, "each came once, whichever process sent it"

        os.killpg(first.pid, signal.SIGKILL)
        submit(other_base, 4)
        until(lambda: receiver.sequences[-1] == submitted[-1])
        base, _ = start()
        os.killpg(second.pid, signal.SIGKILL)
        submit(base, 4)
        until(lambda: receiver.sequences[-1] == submitted[-1])
    assert list(dict.fromkeys(receiver.sequences)) == submitted, "each came, and in order"
