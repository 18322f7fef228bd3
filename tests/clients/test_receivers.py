"""The receivers of `docs/webhooks.md`, with messages that the register sends them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.clients.running import CLIENTS, run
from tests.conftest import Register
from tests.http.speaking import Submit
from tests.processes import free_port

PAGE = CLIENTS.parent / "webhooks.md"
LINE = "innovation.created"


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    return serve(webhook_allow="127.0.0.0/8", webhook_first_retry_seconds=0.05)


def receiver(language: str, port: int) -> str:
    """The receiver as the page has it, listening on a port of the test's."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)
    assert "9000" in found
    return str(found).replace("9000", str(port))


@contextmanager
def running(*command: str | Path, secret: str, log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env={**os.environ, "REGISTER_WEBHOOK_SECRET": secret},
            stdout=out,
            stderr=out,
        )
        try:
            yield
        finally:
            process.kill()
            process.wait()


def tell_of_an_entry(
    trust: httpx.Client, submit: Submit, port: int, log: Path, *command: str | Path
) -> None:
    """Subscribes the receiver, and looks what it says of what it is sent, and of a forgery."""
    url = f"http://127.0.0.1:{port}/hooks/register"
    made = trust.post("/v1/subscriptions", json={"name": "receiver", "url": url}).json()
    with running(*command, secret=made["secret"], log=log):
        end = time.monotonic() + 30
        while True:
            test = trust.post(f"/v1/subscriptions/{made['id']}/test").json()
            if test["outcome"] == "delivered":
                break
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        submit()
        while LINE not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        forged = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(time.time())),
            "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
        }
        for headers in (forged, {}):
            assert httpx.post(url, json={"type": LINE}, headers=headers).status_code == 401


def test_the_receiver_in_python_takes_what_is_signed(
    trust: httpx.Client, submit: Submit, tmp_path: Path
) -> None:
    port, file = free_port(), tmp_path / "receiver.py"
    file.write_text(receiver("python", port))
    tell_of_an_entry(trust, submit, port, tmp_path / "log", sys.executable, file)


def test_the_receiver_in_typescript_takes_what_is_signed(
    installed: Path, trust: httpx.Client, submit: Submit, tmp_path: Path
) -> None:
    """It is checked as strictly as our own client."""
    port, folder = free_port(), installed / "receiver"
    folder.mkdir()
    (folder / "receiver.ts").write_text(receiver("ts", port))
    own = {"extends": "../tsconfig.json", "include": ["."], "compilerOptions": {"rootDir": "."}}
    (folder / "tsconfig.json").write_text(json.dumps(own))
    run("npx", "tsc", "--project", "receiver", "--outDir", "receiver/dist", at=installed)
    tell_of_an_entry(trust, submit, port, tmp_path / "log", "node", folder / "dist" / "receiver.js")
