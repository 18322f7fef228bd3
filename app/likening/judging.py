"""Who judges the log, and when: only while somebody is to be told, and one process at a time.

Whoever judged last has the model loaded, and what was retired at hand; so the others give it a
moment before one of them steps in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from app.database import Database
from app.errors import NotInstalled, Unavailable
from app.likeness import model
from app.likening.asking import MADE_AT_ONCE, NO_MODEL, Likening, noted
from app.likening.retired import Retired
from app.models.retired_elsewhere import LineLikeness
from app.register import judged, judging, likeness
from app.register.identifiers import new_id
from app.register.judging import Claimed, Judged, Version

NOTED_EVERY = 1.0
"""Seconds of judging that are noted together, and that are done again after a kill."""

LEASE = timedelta(seconds=5)
"""For how long judging is in one process's hands without a note. While what was retired is read
after a start, it may run out; what two then do at once counts once all the same."""

COURTESY = 0.5
"""Seconds that whoever judged last has to go on, before another does."""

MANY, LONGEST_IMPORT = 100, 300.0
"""Lines that come while others are judged, by which an import shows; and seconds for which judging
lets it go first."""

PATIENCE = 5.0
"""Seconds that who asks waits for lines to be judged; then what is judged by then is told."""


class Judging:
    """The judging of one process; for who follows with the filter, it is what there is to hear."""

    def __init__(self, database: Database, likening: Likening) -> None:
        self._database = database
        self._likening = likening
        self._owner = new_id()
        self._retired: tuple[int, Retired] | None = None
        """A line, and what stood as retired there."""
        self._task: asyncio.Task[None] | None = None
        self._told: set[Callable[[], None]] = set()
        self._progress = asyncio.Event()
        self._wanted = False
        """Whether somebody asked since the last look at how far it got."""
        self._claimed = False
        self._stopping = False

    async def stop(self) -> None:
        self._stopping = True
        if self._task is not None:
            await asyncio.wait([self._task])
        if self._claimed:
            with suppress(Unavailable):
                await self._database.write(judging.give_back, self._owner)

    # Asking

    def must_be_possible(self) -> None:
        """Refuses what needs lines to be judged where they cannot be.

        Raises:
            NotInstalled
        """
        if not model.installed():
            raise NotInstalled(NO_MODEL)

    def wake(self, told: Callable[[], None] | None = None) -> None:
        """Has the log judged up to its head, if it can be and is not; ``told`` is called as it
        goes on."""
        if told is not None:
            self._told.add(told)
        self._wanted = True
        if self._stopping or not model.installed():
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._judge())
            self._task.add_done_callback(noted)

    async def after(self, sequence: int, seconds: float) -> bool:
        """Waits until the log is judged past this line, but no longer than so many seconds.

        Returns:
            Whether it is.
        """
        until = time.monotonic() + seconds
        while True:
            reach = await self._database.read(judged.reach)
            if reach.judged > sequence:
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            if reach.judged < reach.head:
                await self._some_progress(min(left, 1.0))
            elif not await self._database.news.after(reach.head, left):
                return False

    async def catch_up(self) -> None:
        """Waits for what is in the log by now to be judged, as far as patience goes."""
        await self.after(await self._database.head() - 1, PATIENCE)

    async def _some_progress(self, seconds: float) -> None:
        progress = self._progress
        self.wake()
        with suppress(TimeoutError):
            await asyncio.wait_for(progress.wait(), seconds)

    def _tell(self) -> None:
        self._progress.set()
        self._progress = asyncio.Event()
        for told in self._told:
            told()

    # Judging

    async def _judge(self) -> None:
        """Goes on up to the head, or sees another do so."""
        left_at: int | None = None
        while not self._stopping:
            self._wanted = False
            reach = await self._database.read(judged.reach)
            if left_at not in (None, reach.judged):
                self._tell()
            if reach.judged >= reach.head:
                if self._wanted:
                    continue
                return
            if reach.owner in (None, self._owner) or left_at == reach.judged:
                claimed = await self._database.write(judging.claim, self._owner, LEASE)
                if claimed is not None:
                    self._claimed = True
                    await self._go_on(claimed)
                    left_at = None
                    continue
            left_at = reach.judged
            await asyncio.sleep(COURTESY)

    async def _go_on(self, claimed: Claimed) -> None:
        """Judges from a line on, until there is none, or another was faster."""
        after = claimed.judged
        retired = await self._as_of(after)
        retired.restore(claimed.model, claimed.usual)
        head = await self._database.head()
        while after < head and not self._stopping:
            versions, to = await self._database.read(judging.versions, after, head)
            self._retired = None  # until it is noted; or it is read again
            found = await self._judged(retired, versions, after, to)
            if found is None:
                return
            lease = LEASE if found.to < head else timedelta()
            if not await self._database.write(judging.note, self._owner, found, lease):
                return
            after = found.to
            self._retired = (after, retired)
            self._tell()
            head = await self._calm(head)

    async def _judged(
        self, retired: Retired, versions: list[Version], after: int, to: int
    ) -> Judged | None:
        """What was found from one line to another, or as far as it is time to note it; None when
        the service stops meanwhile."""
        found: list[LineLikeness] = []
        until = time.monotonic() + NOTED_EVERY
        for start in range(0, len(versions), MADE_AT_ONCE):
            began = time.perf_counter()
            some = versions[start : start + MADE_AT_ONCE]
            found += await self._likening.run(retired.judge, some)
            if len(versions) > MADE_AT_ONCE:
                # Python runs one thread at a time; the others have as long.
                await asyncio.sleep(time.perf_counter() - began)
            if self._stopping:
                return None
            if time.monotonic() > until and start + MADE_AT_ONCE < len(versions):
                to = some[-1].sequence
                break
        return Judged(after, to, found, retired.made(), retired.model, retired.usual())

    async def _calm(self, seen: int) -> int:
        """The newest line, once they do not come by the hundred any more: an import goes first."""
        until = time.monotonic() + LONGEST_IMPORT
        while True:
            head = await self._database.head()
            if head - seen < MANY or self._stopping or time.monotonic() > until:
                return head
            seen = head
            await asyncio.sleep(COURTESY)

    # What stood as retired

    async def _as_of(self, line: int) -> Retired:
        if self._retired is not None and self._retired[0] <= line:
            after, retired = self._retired
            self._retired = None
            while after < line and not self._stopping:
                versions, after = await self._database.read(judging.versions, after, line)
                await self._follow(retired, versions)
            return retired
        retired = Retired(await self._likening.comparing())
        after = 0
        while standing := await self._database.read(judging.standing, line, after):
            await self._follow(retired, standing)
            if self._stopping:
                return retired
            after = standing[-1].number
        after = line
        while changed := await self._database.read(judging.changed, line, after):
            await self._follow(retired, changed)
            if self._stopping:
                return retired
            after = changed[-1].sequence
        return retired

    async def _follow(self, retired: Retired, versions: list[Version]) -> None:
        for start in range(0, len(versions), MADE_AT_ONCE):
            began = time.perf_counter()
            some = versions[start : start + MADE_AT_ONCE]
            await self._likening.run(retired.follow, some)
            if made := retired.made():
                await self._database.write(likeness.keep, made)
                await asyncio.sleep(time.perf_counter() - began)
