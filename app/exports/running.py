"""The processes that write exports, as the service sees them: a head, and chunks of a file."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from app.errors import InternalError, Unavailable
from app.exports import child
from app.exports.job import TEMPORARY, Job

AT_ONCE = 4
"""Exports that a process of the service writes at once."""

PATIENCE = 10.0
"""Seconds that an export waits for its turn."""

CHUNK = 1 << 16

_PACKAGE = str(Path(__file__).parents[2])


class Export:
    """An export that is being written."""

    def __init__(self, process: asyncio.subprocess.Process, turns: asyncio.Semaphore) -> None:
        self._process = process
        self._turns: asyncio.Semaphore | None = turns
        self.head = 0

    async def start(self, job: Job) -> None:
        """Has it begin; from then on, ``head`` is the line of the log as of which it is.

        Raises:
            Unavailable: when the database does not answer.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError, ConnectionResetError):  # its end tells more
            self._process.stdin.write(job.as_json())
            self._process.stdin.write_eof()
        head = await self._process.stdout.readline()
        if not head.endswith(b"\n"):
            if await self._process.wait() == TEMPORARY:
                raise Unavailable("The database does not answer.")
            raise InternalError("The export could not be written.")
        self.head = int(head)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file; it is written as fast as these are taken.

        Raises:
            InternalError: when it breaks off.
        """
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(CHUNK):
            yield chunk
        if await self._process.wait() != 0:
            raise InternalError("The export broke off.")

    async def close(self) -> None:
        """Ends it, wherever it is, and frees all that it holds."""
        if self._turns is None:
            return
        turns, self._turns = self._turns, None
        with suppress(ProcessLookupError):
            self._process.kill()
        try:
            # What it had written goes nowhere; until it is read, the process is not over for us.
            assert self._process.stdout is not None
            while await self._process.stdout.read(CHUNK):
                pass
            await self._process.wait()
        finally:
            turns.release()


class Exports:
    """The exports of one process of the service."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def open(self, job: Job) -> Export:
        """Begins an export, which is to be closed.

        Raises:
            Unavailable: when too many are being written, or the database does not answer.
        """
        try:
            await asyncio.wait_for(self._turns.acquire(), PATIENCE)
        except TimeoutError:
            raise Unavailable("Too many exports are being written.") from None
        export: Export | None = None
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", child.__name__),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": _PACKAGE},
            )
            export = Export(process, self._turns)
            await export.start(job)
        except BaseException:
            if export is None:
                self._turns.release()
            else:
                await export.close()
            raise
        return export
