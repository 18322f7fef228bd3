"""What emerges from the register, as one process knows it: grouped when somebody asks, and again
when enough has come since."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from app.database import Database
from app.errors import Unavailable
from app.likeness import model
from app.likening.asking import MADE_AT_ONCE, PATIENCE, STORED_AT_ONCE, Likening, noted
from app.likening.gathered import Gathering, Group, Groups, Text
from app.likening.held import told_of_themes
from app.models.likeness import StoryVector
from app.models.themes import ThemeDocument
from app.register import emerging, likeness
from app.register.emerging import Published

if TYPE_CHECKING:
    from app.likeness.emerging import Known

T = TypeVar("T")

MOST = 5_000
"""Innovations and stories that are grouped: the newest."""

SHARE = 100
"""When more than one in so many has changed, they are grouped anew; of fewer, at every change."""

SLICE = 0.02
"""Seconds of work, after which others have as long a turn."""

_ALL = 2**31 - 1

Newest = Callable[[Any, int], Coroutine[Any, Any, list[Published]]]


class Emerging:
    """The groups that there are, as of some line of the log."""

    def __init__(self, likening: Likening, database: Database) -> None:
        self._likening = likening
        self._database = database
        self._groups: Groups | None = None
        self._making: asyncio.Task[None] | None = None
        self._stopping = False
        self._known: tuple[list[ThemeDocument], Known] | None = None
        """What is told of the themes, as they stood then."""

    @property
    def model(self) -> str:
        """The model of language that groups rest on."""
        return model.NAME

    async def stop(self) -> None:
        self._stopping = True
        if self._making is not None:
            await asyncio.wait([self._making])

    # Asking

    async def groups(self, *, exactly: bool = False) -> Groups:
        """The groups that there are, without what has gone since they were made; `exactly` as of
        now, if anything has changed.

        Raises:
            NotInstalled: without the extra `semantic`.
            Unavailable: while what there is is still being read and grouped.
        """
        # Where there is no model, this says so.
        await self._likening.compared(PATIENCE)
        until = time.monotonic() + PATIENCE
        while True:
            groups = self._groups
            if groups is not None:
                await self._follow(groups)
                if not (groups.changed if exactly else self._are_old(groups)):
                    return groups
            if self._stopping:
                raise Unavailable("The service is stopping.")
            making = asyncio.shield(self._make_anew())
            try:
                await asyncio.wait_for(making, until - time.monotonic())
            except TimeoutError:
                raise Unavailable(
                    "What the register holds is still being grouped; after a start, that takes a "
                    "while."
                ) from None

    async def group_to_make(self, name: str) -> Group | None:
        """The group of which an innovation or a story with this id or reference is a member; also
        one that came a moment ago, as another process may have shown it."""
        group = (await self.groups()).of(name)
        return group or (await self.groups(exactly=True)).of(name)

    def _are_old(self, groups: Groups) -> bool:
        return groups.themes_changed or len(groups.changed) > groups.looked_at // SHARE

    async def _follow(self, groups: Groups) -> None:
        """Reads what came since, as far as it matters whether that is much."""
        head = await self._database.head()
        while groups.followed < head and not self._are_old(groups):
            groups.note(await self._database.read(emerging.since, groups.followed))

    # Grouping

    def _make_anew(self) -> asyncio.Task[None]:
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(noted)
        return self._making

    async def _make(self) -> None:
        line = await self._database.head()
        held = await self._likening.compared(PATIENCE)
        comparing = held.comparing
        assert comparing is not None, "there is a model"
        documents = [
            ThemeDocument.model_validate_json(document)
            for document in await self._database.read(likeness.themes)
        ]
        if self._known is None or self._known[0] != documents:
            known = await self._likening.run(comparing.known, told_of_themes(documents))
            self._known = documents, known
        gathering = Gathering(comparing, self._known[1], documents, MOST)
        for newest in (emerging.newest_innovations, emerging.newest_stories):
            async for rows in self._read(newest):
                await self._make_vectors(gathering, await self._likening.run(gathering.take, rows))
        if not self._stopping:
            self._groups = await self._in_slices(gathering.groups(line))

    async def _read(self, newest: Newest) -> AsyncIterator[list[Published]]:
        """The newest of a kind, as many as are grouped at most."""
        before, left = _ALL, MOST
        while left > 0 and not self._stopping:
            rows = (await self._database.read(newest, before))[:left]
            if not rows:
                return
            yield rows
            before, left = rows[-1].number, left - len(rows)

    async def _make_vectors(self, gathering: Gathering, stories: list[Text]) -> None:
        unstored: list[StoryVector] = []
        for start in range(0, len(stories), MADE_AT_ONCE):
            if self._stopping:
                return
            began = time.perf_counter()
            unstored += await self._likening.run(
                gathering.make, stories[start : start + MADE_AT_ONCE]
            )
            await asyncio.sleep(time.perf_counter() - began)
            if len(unstored) >= STORED_AT_ONCE:
                await self._database.write(emerging.keep, unstored)
                unstored = []
        if unstored:
            await self._database.write(emerging.keep, unstored)

    async def _in_slices(self, work: Generator[None, None, T]) -> T:
        """Does some work a slice at a time, so that others have a turn."""
        while True:
            began = time.perf_counter()
            done = await self._likening.run(_slice, work)
            if done:
                return done[0]
            await asyncio.sleep(time.perf_counter() - began)


def _slice(work: Generator[None, None, T]) -> tuple[T] | None:
    until = time.perf_counter() + SLICE
    while time.perf_counter() < until:
        try:
            next(work)
        except StopIteration as end:
            return (end.value,)
    return None
