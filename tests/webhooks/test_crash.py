"""At least once, in order: the service is killed in the middle of its deliveries."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from itertools import pairwise

import httpx

from app.database import Database
from app.models.clients import Scope
from app.register import clients
from app.webhooks.dispatch import LINES_READ
from tests.conftest import WARD_ROUNDS, settings_for
from tests.processes import free_port, service
from tests.webhooks.receiver import Receiver, until

ENTRIES, KILLS = 60, 2
SETTINGS = {"webhook_allow": "127.0.0.0/8", "webhook_timeout_seconds": "1"}


def new_key(url: str) -> str:
    with Database(settings_for(url)) as database:
        _, key = database.transaction(
            clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="crash"
        )
    return key


def submit_all(base: str, headers: dict[str, str], submitted: list[int]) -> None:
    """Submits entries while their lines are being delivered, until all are or it is killed."""
    with httpx.Client(base_url=base, headers=headers) as client:
        while len(submitted) < ENTRIES:
            try:
                answer = client.post("/v1/innovations", json=WARD_ROUNDS)
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            submitted.append(int(answer.headers["register-sequence"]))


def test_kill_9_in_mid_delivery_loses_nothing(database_url: str, receiver: Receiver) -> None:
    port = free_port()
    base, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {new_key(database_url)}"}
    submitted: list[int] = []
    with service(database_url, port, workers=2, **SETTINGS) as process:
        fields = {"name": "receiver", "url": receiver.url, "filters": {"kind": ["innovation"]}}
        answer = httpx.post(f"{base}/v1/subscriptions", json=fields, headers=headers)
        assert answer.status_code == 201, answer.text
        kill_in_mid_delivery(process, receiver, base, headers, submitted)
    with service(database_url, port, workers=2, **SETTINGS) as process:
        kill_in_mid_delivery(process, receiver, base, headers, submitted)
    assert len(submitted) < ENTRIES, "it was not killed in mid-delivery"

    with service(database_url, port, workers=2, **SETTINGS):
        submit_all(base, headers, submitted)
        # A write that was under way at a kill may be in the log, though nobody was told.
        page = httpx.get(f"{base}/v1/changes?kind=innovation&limit=100").json()
        lines = [line["sequence"] for line in page["items"]]
        assert set(submitted) <= set(lines)
        until(lambda: receiver.sequences and receiver.sequences[-1] == lines[-1])
    came = receiver.sequences
    assert list(dict.fromkeys(came)) == lines, "each line came, and in order"
    again = [after for before, after in pairwise(came) if after <= before]
    assert len(again) <= KILLS, "only a kill goes back"
    assert len(came) - len(lines) <= KILLS * LINES_READ, "and not by more than was not noted yet"


def kill_in_mid_delivery(
    process: subprocess.Popen[bytes],
    receiver: Receiver,
    base: str,
    headers: dict[str, str],
    submitted: list[int],
) -> None:
    writer = threading.Thread(target=submit_all, args=(base, headers, submitted))
    writer.start()
    before = len(receiver.received)
    until(lambda: len(receiver.received) > before + 5)
    os.killpg(process.pid, signal.SIGKILL)
    writer.join()
