"""A process that has imported all that the ``register`` command needs, and is forked to run it.

To import it takes longer than most commands do. This is run as a program of its own, by
``processes.py``, so that what is forked has one thread and nothing of any test. It ends with the
socket that it has for its standard input.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import socket
import struct
import sys
from typing import Any

from tests.orphans import end_with_parent

FILES = 4
"""A command is sent with where its end is to be told, its input, its output and its errors."""

TOLD = struct.Struct("<i")
"""A number that is told there: the process, and then how it ended, as ``subprocess`` says it."""

_LONGEST = 1 << 20


def main() -> None:
    """Runs commands: only a process that is forked for one gets to the end, as any program does."""
    _import_all()
    _become(_next_command())
    from app.cli import main

    main()


def _import_all() -> None:
    import uvicorn._subprocess

    import app.cli
    import app.main  # noqa: F401

    # Each worker of a service is forked, too; installed, it is an interpreter of its own.
    uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]
    # What is imported anew reads the environment anew.
    for name in [name for name in sys.modules if f"{name}.".startswith("app.cli.")]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()  # what is shared is looked through by none of those that share it


def _next_command() -> dict[str, Any]:
    """What a command is told; it comes back in a process of the command's own."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that guard
    with socket.socket(fileno=os.dup(sys.stdin.fileno())) as asked:
        while True:
            said, files, _, _ = socket.recv_fds(asked, _LONGEST, FILES)
            while said and not said.endswith(b"\n"):
                said += asked.recv(_LONGEST)
            if not said:
                os._exit(0)
            if os.fork() == 0:
                break
            for file in files:
                os.close(file)
    _guard(*files)
    command: dict[str, Any] = json.loads(said)
    return command


def _guard(telling: int, *streams: int) -> None:
    """Forks once more; only the new process goes on, and this one tells of it."""
    end_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        end_with_parent()
        os.register_at_fork(after_in_child=end_with_parent)  # and so do the workers of a service
        os.setsid()
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
    for stream in streams:
        os.close(stream)
    if process == 0:
        os.close(telling)
        return
    os.write(telling, TOLD.pack(process))
    _, status = os.waitpid(process, 0)
    os.write(telling, TOLD.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _become(command: dict[str, Any]) -> None:
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = ["register", *command["words"]]
