"""Delivering: which subscriptions are due, who works on each, and what came of it.

A subscription is worked on by one process at a time, its owner, for as long as a lease lasts; each
step renews it. A process that dies leaves its lease to run out, and the cursor at the last line
that was noted as delivered.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, delete, func, select, update
from sqlmodel import Session, col

from app.dialects import Reader
from app.errors import NotFound
from app.models.changes import LogHead
from app.models.clients import Client, Scope
from app.models.feed import LineFilters
from app.models.retired_elsewhere import LinesJudged
from app.models.subscriptions import (
    Delivery,
    DeliveryPublic,
    Outcome,
    State,
    Subscription,
)
from app.register import changes, subscriptions
from app.register.access import Caller

KEPT = 200
"""Deliveries of a subscription that are kept."""

BACK_OFF = (5, 30, 120, 600, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600)
"""Seconds from one failure of a line to the next; after one more, the subscription is paused."""

JITTER = 0.1
"""By so much of it, more or less: what failed together does not all come back at once."""

GONE = 410


@dataclass(frozen=True, slots=True)
class Pace:
    """Who works here, for how long without a sign of life, and how patient it is."""

    owner: str
    lease: timedelta
    first_retry: timedelta
    token_clients: Mapping[str, Caller] = field(default_factory=dict)
    """Those whose tokens the settings let in, by name; the database does not know them."""

    def back_off(self, failures: int) -> timedelta | None:
        """How long to wait after so many failures in a row; None when it is enough."""
        if failures > len(BACK_OFF):
            return None
        stretch = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
        return self.first_retry * (BACK_OFF[failures - 1] / BACK_OFF[0]) * stretch


@dataclass(frozen=True, slots=True)
class Claimed:
    """A subscription in the hands of this process."""

    id: str
    version: int
    url: str
    secrets: tuple[str, ...]
    filters: LineFilters
    caller: Caller
    cursor: int
    failures: int


@dataclass(frozen=True, slots=True)
class Step:
    """What was done for a subscription, and how far it gets by that."""

    of: Claimed
    reached: int
    deliveries: tuple[DeliveryPublic, ...] = ()
    """None where lines were only passed over; only the last can have failed."""
    release: bool = False


_HEAD = select(col(LogHead.sequence)).scalar_subquery()
_JUDGED = select(col(LinesJudged.sequence)).scalar_subquery()
_BEHIND = col(Subscription.cursor) < case(
    (col(Subscription.retired_elsewhere).is_(True), _JUDGED), else_=_HEAD
)
"""That there are lines which it has not seen, and which can be told."""


def claim(session: Session, pace: Pace, *, healthy: int, failing: int) -> list[Claimed]:
    """Takes up so many of those that are due: of such as work, and of such as failed."""
    now = changes.now(session)
    due = select(Subscription).where(
        col(Subscription.state) == State.ACTIVE.value,
        col(Subscription.due_at) <= now,
        _BEHIND,
    )
    claimed = []
    for kind, limit in (
        (col(Subscription.failures) == 0, healthy),
        (col(Subscription.failures) > 0, failing),
    ):
        rows = session.execute(
            due.where(kind).order_by(col(Subscription.due_at)).limit(limit)
        ).scalars()
        for row in rows.all():
            row.owner, row.due_at = pace.owner, now + pace.lease
            work = _claimed(session, row, pace, now)
            if work is not None:
                claimed.append(work)
    return claimed


def _claimed(session: Session, row: Subscription, pace: Pace, now: datetime) -> Claimed | None:
    """The subscription as it is to be worked on; None when it has to stop."""
    caller = _caller(session, row, pace, now)
    if isinstance(caller, str):
        pause(row, caller)
    if row.state != State.ACTIVE or isinstance(caller, str):
        row.owner, row.due_at = None, now
        return None
    return Claimed(
        row.id,
        row.version,
        row.url,
        subscriptions.signing(row, now),
        subscriptions.filters_of(row),
        caller,
        row.cursor,
        row.failures,
    )


def _caller(session: Session, row: Subscription, pace: Pace, now: datetime) -> Caller | str:
    """The client that made it, as it stands now; or why it is sent nothing any more."""
    client = session.get(Client, row.client)
    if client is None:
        known = pace.token_clients.get(row.client)
        if known is None or known.organisation != row.organisation:
            return "The client that made it has no access any more."
        scopes = set(known.scopes)
    elif client.revoked_at is not None:
        return "The client that made it was revoked."
    elif client.expires_at is not None and client.expires_at <= now:
        return "The client that made it has expired."
    else:
        scopes = {Scope(scope) for scope in client.scopes.split()}
    if not scopes & {Scope.CONTRIBUTE, Scope.CURATE}:
        return "The client that made it may not contribute any more."
    if not row.curates:  # for what it was not made to see, others may have given its address
        scopes.discard(Scope.CURATE)
    return Caller(row.client, row.organisation, frozenset(scopes))


def pause(row: Subscription, reason: str) -> None:
    row.state, row.paused_reason = State.PAUSED.value, reason


def note(session: Session, pace: Pace, steps: Iterable[Step]) -> list[Claimed | None]:
    """Notes what was done; returns each subscription as it is now to be worked on.

    That is None for what was released, has to wait, or is in others' hands.
    """
    return [_note(session, pace, step) for step in steps]


def _note(session: Session, pace: Pace, step: Step) -> Claimed | None:
    row = session.get(Subscription, step.of.id)
    if row is None:
        return None
    now = changes.now(session)
    keep(session, row, step.deliveries)
    if row.owner != pace.owner:
        return None
    row.due_at = now + pace.lease
    # What was changed in between, or is to be sent again, is not held to what came of it before.
    if (row.version, row.cursor) != (step.of.version, step.of.cursor):
        return _claimed(session, row, pace, now)
    if step.reached > row.cursor:
        row.cursor = step.reached
        if step.deliveries:
            row.failures = 0
    last = step.deliveries[-1] if step.deliveries else None
    if last is not None and last.outcome is Outcome.FAILED:
        row.owner = None
        _failed(row, last, pace, now)
        return None
    if step.release:
        row.owner, row.due_at = None, now
        return None
    return _claimed(session, row, pace, now)


def _failed(row: Subscription, delivery: DeliveryPublic, pace: Pace, now: datetime) -> None:
    row.failures += 1
    wait = pace.back_off(row.failures)
    if delivery.status == GONE:
        pause(row, "The receiver answered 410: it is gone.")
    elif wait is None:
        pause(row, f"Line {delivery.sequence} failed {row.failures} times: {delivery.error}")
    else:
        row.due_at = now + wait


def keep(session: Session, row: Subscription, tried: Sequence[DeliveryPublic]) -> None:
    """Keeps what became of messages, and forgets the oldest."""
    for delivery in tried:
        row.tried += 1
        session.add(Delivery(subscription=row.id, number=row.tried, **delivery.model_dump()))
    if tried and row.tried > KEPT:
        session.execute(
            delete(Delivery).where(
                col(Delivery.subscription) == row.id, col(Delivery.number) <= row.tried - KEPT
            )
        )


def keep_test(session: Session, subscription: str, delivery: DeliveryPublic) -> None:
    """Keeps what became of a test.

    Raises:
        NotFound: when the subscription was deleted meanwhile.
    """
    row = session.get(Subscription, subscription)
    if row is None:
        raise NotFound(subscriptions.NO_SUCH)
    keep(session, row, [delivery])


def give_back(session: Session, owner: str) -> None:
    """Leaves all that this process works on to others, at once."""
    session.execute(
        update(Subscription)
        .where(col(Subscription.owner) == owner)
        .values(owner=None, due_at=changes.now(session))
    )


# Reading


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether there is something to do, and from when on."""

    head: int
    any_active: bool
    due_at: str | None
    """When the first of those that are behind is due; None when none is."""
    unjudged: bool = False
    """Whether one waits for lines to be judged."""


_ACTIVE = col(Subscription.state) == bindparam("active")
_ANY = select(col(Subscription.id)).where(_ACTIVE).limit(1)
_DUE = select(func.min(col(Subscription.due_at))).where(_ACTIVE, _BEHIND)
_WAITING = (
    select(col(Subscription.id))
    .where(_ACTIVE, col(Subscription.retired_elsewhere).is_(True), _JUDGED < _HEAD)
    .limit(1)
)


async def outlook(reader: Reader) -> Outlook:
    """What there is to do for subscriptions."""
    head = await changes.head(reader)
    active = {"active": State.ACTIVE.value}
    if not await reader.rows(_ANY, active):
        return Outlook(head, any_active=False, due_at=None)
    rows = await reader.rows(_DUE, active)
    waiting = await reader.rows(_WAITING, active)
    return Outlook(head, any_active=True, due_at=rows[0][0], unjudged=bool(waiting))
