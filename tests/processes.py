"""The ``register`` command as a process of its own, as whoever runs the register starts it.

It is forked from one that has imported all of it (see ``commands.py``); ``tests/test_cli.py`` and
``tests/register/test_redaction.py`` start it truly, too, and see that it is the same.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO

import httpx

from tests import commands
from tests.serving import PLAIN

PATIENCE = 60
"""Seconds for a service to start, on a machine that has much else to do."""

COMMAND = (sys.executable, "-c", "from app.cli import main; main()")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Running:
    """A command that was started: what ``subprocess.Popen`` would be, had it started it."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], *streams: int):
        told, telling = os.pipe()
        self._told = os.fdopen(told, "rb", 0)
        try:
            _commands().start(words, environment, telling, *streams)
        finally:
            os.close(telling)
        self.pid = self._number()
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int | None:
        """How it ended, or None if it has not within this many seconds."""
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            self.returncode = self._number()
            self._told.close()
        return self.returncode

    def poll(self) -> int | None:
        return self.wait(0)

    def send_signal(self, which: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, which)

    def kill_all(self) -> None:
        """Ends it and all that it has started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def _number(self) -> int:
        told = self._told.read(commands.TOLD.size)
        assert told, "what commands are forked from has ended"
        number: int
        (number,) = commands.TOLD.unpack(told)
        return number


class _Commands:
    """The process that commands are forked from."""

    def __init__(self) -> None:
        self._asking, asked = socket.socketpair()
        self._turn = Lock()
        with asked:
            self._process = subprocess.Popen(
                (sys.executable, "-c", "from tests.commands import main; main()"),
                stdin=asked.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=Path(__file__).parents[1],
                start_new_session=True,  # an interrupt from the keyboard is for the tests alone
            )

    def start(self, words: tuple[str, ...], environment: Mapping[str, str], *files: int) -> None:
        command = {"words": words, "environment": dict(environment), "folder": str(Path.cwd())}
        with self._turn:
            socket.send_fds(self._asking, [f"{json.dumps(command)}\n".encode()], files)

    def end(self) -> None:
        self._asking.close()
        self._process.wait()


@cache
def _commands() -> _Commands:
    made = _Commands()
    atexit.register(made.end)
    return made


def run(url: str, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """A command that ends by itself; it reads what is said."""
    environment = {**os.environ, "REGISTER_DATABASE_URL": url, "COLUMNS": "200"}
    with (
        tempfile.TemporaryFile("w+") as read,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        read.write(said)
        read.seek(0)
        running = Running(words, environment, read.fileno(), out.fileno(), err.fileno())
        if running.wait(PATIENCE) is None:
            running.kill_all()
            raise subprocess.TimeoutExpired(words, PATIENCE)
        assert running.returncode is not None
        return subprocess.CompletedProcess(words, running.returncode, _whole(out), _whole(err))


def _whole(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@contextmanager
def service(
    url: str, port: int, *, workers: int = 1, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """``register serve``, until the end of the block; it has no time to tidy up."""
    changed = {f"REGISTER_{name.upper()}": value for name, value in (settings or {}).items()}
    environment = {**os.environ, "REGISTER_DATABASE_URL": url, **changed}
    words = ("serve", "--port", str(port), "--workers", str(workers))
    with Path(os.devnull).open("r+b") as nothing:
        running = Running(words, environment, *[nothing.fileno()] * 3)
    try:
        ready(port, running)
        yield running
    finally:
        running.kill_all()  # and its workers with it


def ready(port: int, running: Running | subprocess.Popen[bytes]) -> None:
    """Returns once the service answers."""
    end = time.monotonic() + PATIENCE
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=PLAIN) as client:
        while True:
            with suppress(httpx.TransportError):
                if client.get("/readyz").status_code == 200:
                    return
            assert running.poll() is None, "the service ended at its start"
            assert time.monotonic() < end, "the service did not start"
            time.sleep(0.02)
