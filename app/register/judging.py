"""Judging the log: for each line, in order, what retired practices its submission is like.

It is done once, by one process at a time, and what was found is written together with how far it
got. Whoever writes names the line that it started from; so what two processes did at the same time
counts once, and of what one was at when it was killed nothing counts. The lease only saves them
from doing it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, and_, bindparam, select
from sqlmodel import Session, col

from app.dialects import Reader
from app.models.changes import Change, Kind
from app.models.decisions import Status
from app.models.innovations import Innovation, Visibility
from app.models.likeness import InnovationVector
from app.models.retired_elsewhere import LineLikeness, LinesJudged
from app.register import changes, likeness
from app.register.inserting import insert_all

AT_ONCE = 200
"""Lines that are read, judged and noted together."""

_LINES: Table = Change.__table__  # type: ignore[attr-defined]
_LINE, _EARLIER = _LINES.alias("line"), _LINES.alias("earlier")
_INNOVATION = Kind.INNOVATION.value


class Version(NamedTuple):
    """An innovation as it was at a line, with the vector that is stored for it."""

    sequence: int
    number: int
    document: str | None
    before: str | None
    """The document of the version before it."""
    model: str | None
    digest: str | None
    vector: bytes | None


_VECTOR = (
    col(InnovationVector.model),
    col(InnovationVector.digest),
    col(InnovationVector.vector),
)
_WITH_VECTOR = col(InnovationVector.number) == col(Innovation.number)
_BEFORE = and_(
    _EARLIER.c.thing == _LINE.c.thing,
    _EARLIER.c.kind == _LINE.c.kind,
    _EARLIER.c.version == _LINE.c.version - 1,
)

_VERSIONS: Select[*tuple[Any, ...]] = (
    select(
        _LINE.c.sequence, col(Innovation.number), _LINE.c.document, _EARLIER.c.document, *_VECTOR
    )
    .select_from(_LINE)
    .join(Innovation, col(Innovation.id) == _LINE.c.thing)
    .outerjoin(_EARLIER, _BEFORE)
    .outerjoin(InnovationVector, _WITH_VECTOR)
    .where(
        _LINE.c.sequence > bindparam("after"),
        _LINE.c.sequence <= bindparam("to"),
        _LINE.c.kind == _INNOVATION,
        _LINE.c.public.is_(True),
    )
    .order_by(_LINE.c.sequence)
    .limit(bindparam("limit"))
)


async def versions(reader: Reader, after: int, to: int) -> tuple[list[Version], int]:
    """The next versions that others may see, from one line to another; and how far they reach."""
    values = {"after": after, "to": to, "limit": AT_ONCE}
    found = [Version(*row) for row in await reader.rows(_VERSIONS, values)]
    return found, found[-1].sequence if len(found) == AT_ONCE else to


# What stood as retired at a line: what is retired now and has not changed since, and what has
# changed, as it was before its first change.

_STANDING: Select[*tuple[Any, ...]] = (
    select(_LINE.c.sequence, col(Innovation.number), _LINE.c.document, _LINE.c.document, *_VECTOR)
    .select_from(Innovation)
    .join(
        _LINE,
        and_(
            _LINE.c.thing == col(Innovation.id),
            _LINE.c.kind == _INNOVATION,
            _LINE.c.version == col(Innovation.version),
        ),
    )
    .outerjoin(InnovationVector, _WITH_VECTOR)
    .where(
        col(Innovation.visibility) == bindparam("visibility", Visibility.PUBLISHED.value),
        col(Innovation.status) == bindparam("status", Status.RETIRE.value),
        col(Innovation.number) > bindparam("after"),
        _LINE.c.sequence <= bindparam("as_of"),
    )
    .order_by(col(Innovation.number))
    .limit(bindparam("limit"))
)
_CHANGED: Select[*tuple[Any, ...]] = (
    select(
        _LINE.c.sequence, col(Innovation.number), _EARLIER.c.document, _LINE.c.document, *_VECTOR
    )
    .select_from(_LINE)
    .join(_EARLIER, _BEFORE)
    .join(Innovation, col(Innovation.id) == _LINE.c.thing)
    .outerjoin(InnovationVector, _WITH_VECTOR)
    .where(
        _LINE.c.sequence > bindparam("after"),
        _LINE.c.kind == _INNOVATION,
        _EARLIER.c.public.is_(True),
        _EARLIER.c.sequence <= bindparam("as_of"),
    )
    .order_by(_LINE.c.sequence)
    .limit(bindparam("limit"))
)


async def standing(reader: Reader, as_of: int, after: int) -> list[Version]:
    """The next innovations after a number that are retired now as they were at a line."""
    values = {"as_of": as_of, "after": after, "limit": AT_ONCE}
    return [Version(*row) for row in await reader.rows(_STANDING, values)]


async def changed(reader: Reader, as_of: int, after: int) -> list[Version]:
    """What the next lines after one changed first since another, as it was at that one.

    ``sequence`` is the line of the change. It has to be read after :func:`standing`, so that
    nothing is in neither.
    """
    values = {"as_of": as_of, "after": after, "limit": AT_ONCE}
    return [Version(*row) for row in await reader.rows(_CHANGED, values)]


# Writing


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found from one line to another."""

    after: int
    to: int
    alike: Sequence[LineLikeness]
    vectors: Sequence[InnovationVector]
    """Those that had to be made."""
    model: str
    usual: bytes
    """What the texts up to there have in common."""


class Claimed(NamedTuple):
    """From where to go on."""

    judged: int
    model: str | None
    usual: bytes | None


def claim(session: Session, owner: str, lease: timedelta) -> Claimed | None:
    """Takes judging up; None where it is in other hands."""
    row = _row(session)
    now = changes.now(session)
    if row.owner not in {None, owner} and row.due_at > now:
        return None
    row.owner, row.due_at = owner, now + lease
    return Claimed(row.sequence, row.model, row.usual)


def note(session: Session, owner: str, judged: Judged, lease: timedelta) -> bool:
    """Notes what was found; returns whether it counts, as nobody else was there first."""
    row = _row(session)
    if row.sequence != judged.after:
        return False
    row.sequence = judged.to
    row.owner, row.due_at = owner, changes.now(session) + lease
    row.model, row.usual = judged.model, judged.usual
    insert_all(session, LineLikeness, [found.model_dump() for found in judged.alike])
    if judged.vectors:
        likeness.keep(session, judged.vectors)
    return True


def give_back(session: Session, owner: str) -> None:
    """Leaves judging to others, at once."""
    row = _row(session)
    if row.owner == owner:
        row.owner, row.due_at = None, changes.now(session)


def _row(session: Session) -> LinesJudged:
    row: LinesJudged = session.execute(select(LinesJudged)).scalar_one()
    return row
