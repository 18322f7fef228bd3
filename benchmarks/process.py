"""The service as a process of its own, and the commands beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from benchmarks import service
from tests.processes import free_port

PATIENCE = 30.0
"""Seconds that the service may take to start, and to stop."""

_NO_SETTINGS: Mapping[str, str] = {}
_PROJECT = Path(__file__).parents[1]


@contextmanager
def served(url: str, folder: Path, **settings: str) -> Iterator[int]:
    """Serves the register at this database URL on loopback, with these settings; the port."""
    port = free_port()
    log = folder / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", service.__name__, str(port)],
            env=_environment(url, settings),
            cwd=_PROJECT,
            stdout=output,
            stderr=output,
        )
    try:
        _await(process, port, log)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def verify(url: str) -> str:
    """What ``register verify`` says of the log.

    Raises:
        CalledProcessError: when it does not hold.
    """
    command = [sys.executable, "-c", "from app.cli import main; main()", "verify"]
    done = subprocess.run(
        command, env=_environment(url), cwd=_PROJECT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _environment(url: str, settings: Mapping[str, str] = _NO_SETTINGS) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGISTER_")}
    ours = {f"REGISTER_{name.upper()}": value for name, value in settings.items()}
    return {**kept, **ours, "REGISTER_DATABASE_URL": url}


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz").is_success:
                return
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"The service did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
