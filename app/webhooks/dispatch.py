"""Who delivers what, and when: one task that looks what is due, and one for each at work.

However many processes there are, each subscription is worked on by one of them at a time (see
:mod:`app.register.deliveries`), and its lines go out one after another. None waits for another's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pydantic_core import to_json

from app.database import Database
from app.dialects import rfc3339
from app.errors import Fault, Unavailable, ValidationFailed
from app.models.subscriptions import DeliveryPublic, Outcome
from app.register import deliveries, feed
from app.register.access import Caller
from app.register.deliveries import Claimed, Outlook, Pace, Step
from app.register.identifiers import new_id
from app.settings import Settings
from app.webhooks import sending
from app.webhooks.addresses import Addresses, Refused
from app.webhooks.sending import Message, Sender

AT_ONCE, FAILING_AT_ONCE = 200, 50
"""Subscriptions that one process works on at once; and of these, such as failed the last time."""

LINES_READ, LINES_A_TURN = 10, 50
"""Lines of a subscription that are read at once, and sent before others have their turn."""

NOTED_EVERY = 0.2
"""Seconds of deliveries that are noted together, and that come again after a kill."""

LOOK_EVERY = 10.0
"""Seconds after which a look is due, whatever there was to hear: another process may have taken a
subscription, and be gone."""

CHECK_TIMEOUT = 5.0
"""Seconds for an address to be resolved when somebody gives it."""

GRACE = 3.0
"""Seconds that what is under way may take when the service stops."""

_log = logging.getLogger("register")


class Judge(Protocol):
    """Who judges lines, for those subscriptions that need it (see :mod:`app.register.judging`)."""

    def wake(self, told: Callable[[], None]) -> None:
        """Has lines judged; ``told`` is called as it goes on."""
        ...


class Webhooks:
    """The webhooks of one process."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        token_clients: Iterable[Caller] = (),
        judge: Judge | None = None,
    ) -> None:
        self._database = database
        self._judge = judge
        self._timeout = settings.webhook_timeout_seconds
        self._pace = Pace(
            owner=new_id(),
            # Longer than a message and the note of it can take.
            lease=timedelta(seconds=2 * self._timeout),
            first_retry=timedelta(seconds=settings.webhook_first_retry_seconds),
            token_clients={str(caller.client): caller for caller in token_clients},
        )
        self._allowed = settings.webhook_allow
        self._addresses = Addresses(self._allowed)
        self._notes = _Notes(database, self._pace)
        self._something_to_do = asyncio.Event()
        self._stopping = False
        self._looking: asyncio.Task[None] | None = None
        self._working: dict[asyncio.Task[None], bool] = {}

    def start(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Lets what is under way come to its end, and leaves the rest to others."""
        self._stopping = True
        self.wake()
        if self._looking is not None:
            # Not cancelled: a read that PostgreSQL is at takes long to call back.
            await asyncio.wait([self._looking])
        if self._working:
            await asyncio.wait(self._working, timeout=GRACE)
            await _end(list(self._working))
        if self._notes.used:
            with suppress(Unavailable):
                await self._database.write(deliveries.give_back, self._pace.owner)
        self._addresses.close()

    def wake(self) -> None:
        """Looks at once: a subscription was changed, or there is more to tell."""
        self._something_to_do.set()

    async def check(self, url: str) -> None:
        """Refuses an address that webhooks may not go to.

        Raises:
            ValidationFailed
        """
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await self._addresses.judge(url)
        except Refused as refused:
            why = str(refused)
        except TimeoutError:
            why = "The address could not be resolved in time."
        else:
            return
        raise ValidationFailed(why, faults=(Fault("#/url", "address_refused", why),))

    async def test(self, subscription: str, url: str, secrets: tuple[str, ...]) -> DeliveryPublic:
        """Sends a message of type `ping`; what became of it."""
        now = rfc3339(datetime.now(UTC))
        content = {"type": "ping", "timestamp": now, "data": {"subscription": subscription}}
        ping = Message(f"msg_{new_id().replace('-', '')}", to_json(content))
        sender = Sender(self._addresses, self._timeout)
        try:
            return await sender.send(url, ping, secrets)
        finally:
            await sender.close()

    # Looking

    async def _look(self) -> None:
        troubled = False
        while not self._stopping:
            self._something_to_do.clear()
            try:
                outlook = await self._database.read(deliveries.outlook)
                if outlook.unjudged and self._judge is not None:
                    self._judge.wake(self.wake)
                if outlook.due_at is not None and outlook.due_at <= rfc3339(datetime.now(UTC)):
                    await self._take_up()
                troubled = False
                await self._wait(outlook)
            except Exception as error:
                # The database is out of reach, or has no schema yet: it may come back.
                if not troubled and not isinstance(error, Unavailable):
                    _log.exception("webhooks cannot be looked at; they will be again")
                troubled = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._something_to_do.wait(), 1)

    async def _take_up(self) -> None:
        failing = sum(self._working.values())
        healthy = AT_ONCE - FAILING_AT_ONCE - (len(self._working) - failing)
        self._notes.used = True
        claimed = await self._database.write(
            deliveries.claim,
            self._pace,
            healthy=max(healthy, 0),
            failing=max(FAILING_AT_ONCE - failing, 0),
        )
        for each in claimed:
            task = asyncio.create_task(self._work(each))
            self._working[task] = each.failures > 0
            task.add_done_callback(self._worked)

    def _worked(self, task: asyncio.Task[None]) -> None:
        del self._working[task]
        self._something_to_do.set()  # it may be due again, or have made room
        error = None if task.cancelled() else task.exception()
        # Its lease runs out, and then it is taken up again.
        if error is not None and not isinstance(error, Unavailable):
            _log.error("a webhook broke off; it will be taken up again", exc_info=error)

    async def _wait(self, outlook: Outlook) -> None:
        """Until there may be something to do: news, a change, or a moment that comes."""
        seconds = LOOK_EVERY
        if outlook.due_at is not None:
            due = datetime.fromisoformat(outlook.due_at) - datetime.now(UTC)
            # What was due already is at work now, or finds no room.
            seconds = min(seconds, max(due.total_seconds(), 0.01) if due > timedelta() else 1.0)
        waiting: list[Coroutine[Any, Any, Any]] = [self._something_to_do.wait()]
        if outlook.any_active:
            waiting.append(self._database.news.after(outlook.head, seconds))
        tasks = [asyncio.create_task(each) for each in waiting]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(tasks)

    # Working

    async def _work(self, claimed: Claimed) -> None:
        """Sends a subscription's lines, one after another, until there is none, or one fails."""
        sender = Sender(self._addresses, self._timeout)
        work: Claimed | None = claimed
        try:
            turn = 0
            while work is not None:
                work, sent = await self._some(work, sender, turn)
                turn += sent
        finally:
            await sender.close()

    async def _some(self, work: Claimed, sender: Sender, turn: int) -> tuple[Claimed | None, int]:
        """Sends a few lines; what is to be worked on then, and how many lines were sent."""
        lines = await self._database.read(
            feed.lines, work.filters, work.caller, after=work.cursor, limit=LINES_READ
        )
        tried: list[DeliveryPublic] = []
        reached = work.cursor
        until = time.monotonic() + NOTED_EVERY
        for line in lines.items:
            message = sending.message(work.id, line)
            attempt = 1 if tried else work.failures + 1
            tried.append(await sender.send(work.url, message, work.secrets, attempt=attempt))
            if tried[-1].outcome is Outcome.FAILED:
                break
            reached = line.sequence
            if self._stopping or time.monotonic() > until:
                break
        if len(tried) == len(lines.items) and (not tried or reached == lines.items[-1].sequence):
            reached = lines.next  # past those that were not for it, too
        over = reached >= lines.to or turn + len(tried) >= LINES_A_TURN or self._stopping
        after = await self._notes.add(Step(work, reached, tuple(tried), release=over))
        return after, len(tried)


class _Notes:
    """Notes what was done; steps that come while others are written go into one transaction."""

    def __init__(self, database: Database, pace: Pace) -> None:
        self._database = database
        self._pace = pace
        self._waiting: list[tuple[Step, asyncio.Future[Claimed | None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self.used = False

    async def add(self, step: Step) -> Claimed | None:
        """Returns when it is on disk; see :func:`app.register.deliveries.note`."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((step, future))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        result: Claimed | None = await future
        return result

    async def _write(self) -> None:
        while self._waiting:
            noted, self._waiting = self._waiting, []
            steps = [step for step, _ in noted]
            try:
                after = await self._written(steps)
            except Exception as error:
                for _, future in noted:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), each in zip(noted, after, strict=True):
                    if not future.done():
                        future.set_result(each)

    async def _written(self, steps: list[Step]) -> list[Claimed | None]:
        # What was delivered and cannot be noted is delivered again, so it is worth some patience.
        for pause in (0.2, 1.0):
            with suppress(Unavailable):
                return await self._database.write(deliveries.note, self._pace, steps)
            await asyncio.sleep(pause)
        return await self._database.write(deliveries.note, self._pace, steps)


async def _end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels tasks and waits for their end; whoever waits here can be cancelled, too."""
    for task in tasks:
        task.cancel()
    if tasks:
        # Not by awaiting each: its being cancelled could not be told from our own.
        ended, _ = await asyncio.wait(tasks)
        for task in ended:
            if not task.cancelled():
                task.exception()  # what went wrong at the end is of no use any more
