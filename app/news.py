"""News of the log, for all in this process who wait for it.

One look at the head of the log serves them all, however many they are; where nobody waits, nobody
looks. It sees what other processes wrote, too. No thread waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from app.errors import Unavailable

LOOK_EVERY = 0.1
"""Seconds between two looks; a look takes a tenth of a millisecond or two."""


class Growing(Protocol):
    """What has a line after line, and can be waited for."""

    async def after(self, sequence: int, seconds: float) -> bool:
        """Waits until there is a line after this one, but no longer than so many seconds.

        Returns:
            Whether there is such a line.
        """
        ...


class News:
    """Who waits for the log to grow."""

    def __init__(self, head: Callable[[], Awaitable[int]]) -> None:
        self._head = head
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._looking: asyncio.Task[None] | None = None
        self._closing = False

    async def after(self, sequence: int, seconds: float) -> bool:
        """Waits until the log has a line after this one, but no longer than so many seconds.

        Returns:
            Whether there is such a line.
        """
        if seconds <= 0:
            return False
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[waiter] = sequence
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            return False
        finally:
            del self._waiting[waiter]
        return True

    async def close(self) -> None:
        """Nobody looks any more."""
        self._closing = True
        if self._looking is not None:
            # Not cancelled: a read that PostgreSQL is at takes long to call back.
            await asyncio.wait([self._looking])

    async def _look(self) -> None:
        while self._waiting and not self._closing:
            with suppress(Unavailable):  # what does not answer now has no news now
                head = await self._head()
                for waiter, sequence in self._waiting.items():
                    if sequence < head and not waiter.done():
                        waiter.set_result(None)
            await asyncio.sleep(LOOK_EVERY)
