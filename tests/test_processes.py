"""The tests' own processes: none is left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import free_port

KILLED_WHILE_IT_SERVES = """
import os, signal, sys
from tests.processes import service
with service(sys.argv[1], int(sys.argv[2]), workers=2):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process that its parent ended")
def test_a_service_ends_with_a_run_that_is_killed(tmp_path: Path) -> None:
    port = free_port()
    url = f"sqlite:///{tmp_path / 'register.db'}"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_IT_SERVES, url, str(port)],
        cwd=Path(__file__).parents[1],
        check=False,
        timeout=120,
    )
    assert killed.returncode == -9

    end = time.monotonic() + 10
    while serves(port):
        assert time.monotonic() < end, "its workers are still there"
        time.sleep(0.02)


def serves(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
