"""The change log: one line for each write, in the write's own transaction.

The newest line is named by one row, the head. Each unit of work locks it before anything else, so
writes follow one another on every database, and ``sequence`` is in the order of their commits: who
has seen N has seen everything up to N. Each line's digest covers the digest of the line before it,
so that no line can be changed, left out or slipped in without a trace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, or_, select, update
from sqlmodel import Session, col

from app.dialects import Dialect, Prepared, Reader, rfc3339
from app.errors import Fault, ValidationFailed
from app.models.changes import Action, Change, ChangesQuery, Kind, LogHead
from app.models.organisations import Organisation
from app.register.access import OPERATOR, Caller

GENESIS = "0" * 64
"""What the first line's digest follows."""

_LOG = "log"


@dataclass
class _Log:
    """The log within one unit of work: the locked head, and the lines that are to follow it."""

    sequence: int
    digest: str
    now: datetime
    lines: list[dict[str, Any]] = field(default_factory=list)


def begin(session: Session) -> None:
    """Locks the head until the transaction ends; the first thing in every unit of work."""
    head = session.execute(select(LogHead).with_for_update()).scalar_one()
    # Clocks may be set back, and differ from machine to machine; the log's never runs backwards.
    session.info[_LOG] = _Log(head.sequence, head.digest, max(datetime.now(UTC), head.at))


def finish(session: Session) -> int:
    """Writes the lines, and the new head; the last thing before the commit."""
    log: _Log = session.info.pop(_LOG)
    if log.lines:
        session.flush()
        session.execute(insert(Change), log.lines)
        session.execute(
            update(LogHead).values(sequence=log.sequence, digest=log.digest, at=log.now)
        )
    return log.sequence


def now(session: Session) -> datetime:
    """The time of this unit of work; all its lines have it."""
    log: _Log = session.info[_LOG]
    return log.now


def next_sequence(session: Session) -> int:
    """The number of the line that would be appended now."""
    log: _Log = session.info[_LOG]
    return log.sequence + 1


def append(
    session: Session,
    action: Action,
    kind: Kind,
    thing: str,
    version: int,
    document: str,
    *,
    by: Caller = OPERATOR,
    public: bool = True,
    organisation: str | None = None,
) -> int:
    """Appends a line; returns its sequence number.

    A line that is not public shows only to those who cover ``organisation``.
    """
    log: _Log = session.info[_LOG]
    log.sequence += 1
    line = {
        "sequence": log.sequence,
        "at": log.now,
        "client": by.client,
        "by": by.organisation,
        "action": action.value,
        "kind": kind.value,
        "thing": thing,
        "version": version,
        "public": public,
        "organisation": organisation,
        "document_digest": document_digest(document),
    }
    log.digest = line_digest(log.digest, line)
    log.lines.append({**line, "document": document, "digest": log.digest})
    return log.sequence


def document_digest(document: str) -> str:
    """SHA-256 of the document's UTF-8 bytes, in hex."""
    return hashlib.sha256(document.encode()).hexdigest()


def line_digest(previous: str, line: dict[str, Any]) -> str:
    """SHA-256, in hex, over the previous line's digest and this line as a JSON array.

    The document takes part by its own digest, so that a redacted line can still be verified.
    """
    fields = [
        line["sequence"],
        rfc3339(line["at"]),
        *(line[name] for name in ("client", "by", "action", "kind", "thing", "version")),
        bool(line["public"]),
        line["organisation"],
        line["document_digest"],
    ]
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


# Reading


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the log as JSON texts, and where the reader then stands."""

    items: list[str]
    limit: int
    total: int
    next: int
    head: int


@cache
def _head(dialect: Dialect) -> Prepared:
    return dialect.prepare(select(LogHead.sequence))


async def head(reader: Reader) -> int:
    """The newest line's sequence: the name of the register's state."""
    rows = await reader.rows(_head(reader.dialect), {})
    return int(rows[0][0])


COLUMNS = (
    Change.sequence,
    Change.at,
    Change.by,
    Change.action,
    Change.kind,
    Change.thing,
    Change.version,
    Change.document_digest,
    Change.digest,
    Change.document,
)
"""What :func:`as_json` makes a line of."""


def as_json(row: Sequence[Any]) -> str:
    """A line as JSON; its document goes in as it is stored."""
    names = ("sequence", "at", "by", "action", "kind", "id", "version", "document_digest", "digest")
    meta = json.dumps(
        dict(zip(names, row, strict=False)), ensure_ascii=False, separators=(",", ":")
    )
    return f'{meta[:-1]},"document":{"null" if row[9] is None else row[9]}}}'


@cache
def _after(dialect: Dialect, *, everything: bool) -> Prepared:
    lines = select(*COLUMNS).where(col(Change.sequence) > bindparam("after"))
    if not everything:
        lines = lines.where(_visible())
    return dialect.prepare(lines.order_by(col(Change.sequence)).limit(bindparam("limit")))


@cache
def _hidden(dialect: Dialect) -> Prepared:
    """How many lines are not the caller's to see; there are few, and they have an index."""
    return dialect.prepare(
        select(func.count())
        .select_from(Change)
        .where(
            col(Change.public).is_(False),
            col(Change.sequence) > bindparam("after"),
            or_(col(Change.organisation).is_(None), col(Change.organisation).not_in(_covered())),
        )
    )


def _visible() -> ColumnElement[bool]:
    return or_(col(Change.public).is_(True), col(Change.organisation).in_(_covered()))


def _covered() -> Select[tuple[str]]:
    """The organisations that the caller's own one covers; see :meth:`Caller.covers`."""
    place = (Organisation.code, Organisation.icb, Organisation.region)
    return select(col(Organisation.code)).where(
        or_(*(col(column) == bindparam("own") for column in place))
    )


async def page(reader: Reader, query: ChangesQuery, caller: Caller) -> Lines:
    """The lines after ``query.after`` that the caller may see.

    Raises:
        ValidationFailed: when ``after`` is past the head, as after a restored backup.
    """
    newest = await head(reader)
    if query.after > newest:
        raise ValidationFailed(
            "`after` is past the newest line of the log.",
            faults=(
                Fault(
                    "?after",
                    "after_the_head",
                    f"The newest line is {newest}. If you have seen later ones, the register was "
                    "restored from a backup: start again from 0.",
                ),
            ),
        )
    values = {"after": query.after, "own": caller.organisation or "", "limit": query.limit}
    total = newest - query.after
    if not caller.curates:
        total -= (await reader.rows(_hidden(reader.dialect), values))[0][0]
    rows = await reader.rows(_after(reader.dialect, everything=caller.curates), values)
    # A page that is not full has seen all there was, hidden lines at the end included.
    seen = rows[-1][0] if len(rows) == query.limit else max(newest, rows[-1][0] if rows else 0)
    return Lines([as_json(row) for row in rows], query.limit, total, seen, newest)
