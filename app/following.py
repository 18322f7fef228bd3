"""Following the log: a page of it, if need be when there is one, and a stream without an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from app.database import Database
from app.models.feed import ChangesQuery, LineFilters
from app.news import Growing
from app.register import feed
from app.register.access import Caller
from app.register.feed import Line, Lines
from app.register.lists import wanted

LOOKS = 20
"""How often a page with filters goes on looking; then it is given as it is, with where it ended."""

STREAMED = 100
"""Lines of a stream that are read at once."""

SILENCE = 15.0
"""Seconds after which a stream that has nothing to tell says at least that it is still there."""

LONGEST_STREAM = 300.0
"""Seconds. Then the client comes again, and its key is looked at anew."""


async def must_exist(database: Database, filters: LineFilters, *, at: str) -> None:
    """Refuses filters that name something that there is not: nothing would ever come.

    Raises:
        UnknownTheme, UnknownOrganisation
    """
    if filters.model_fields_set & wanted.NAMING:
        await database.read(wanted.must_exist, filters, database.memory, at=at)


async def page(database: Database, query: ChangesQuery, caller: Caller, news: Growing) -> Lines:
    """The next lines; waited for, if there are none and the query says so.

    ``news`` is where to wait: at the log, or at what is judged of it.

    Raises:
        ValidationFailed: when ``after`` is past the head.
    """
    until = time.monotonic() + query.wait
    found: list[Line] = []
    after, looks = query.after, LOOKS
    while True:
        left = query.limit - len(found)
        lines = await database.read(feed.lines, query, caller, after=after, limit=left)
        found += lines.items
        after = lines.next
        if len(lines.items) == left:
            break
        if after < lines.to:
            looks -= 1
            if looks == 0:
                break
            await asyncio.sleep(0)  # others have their turn
        elif found or not await news.after(lines.to, until - time.monotonic()):
            break
    return Lines(found, after, lines.to, lines.head)


async def stream(
    database: Database, query: ChangesQuery, caller: Caller, news: Growing
) -> AsyncIterator[Lines]:
    """All lines from a place on, as they come; at first and now and then none, as a sign of life.

    Raises:
        ValidationFailed: when ``after`` is past the head.
    """
    until = time.monotonic() + LONGEST_STREAM
    after, silent = query.after, True
    while time.monotonic() < until:
        lines = await database.read(feed.lines, query, caller, after=after, limit=STREAMED)
        after = lines.next
        if lines.items or silent:
            yield lines
        silent = after >= lines.to and not await news.after(lines.to, SILENCE)
        await asyncio.sleep(0)
