"""The change log: one line for each write, in the write's own transaction.

The newest line is named by one row, the head. Each unit of work locks it before anything else, so
writes follow one another on every database, and ``sequence`` is in the order of their commits: a
reader at line N will never find a new line before it. The digests form a chain, each made over the
one before, so that no line can be changed, left out or slipped in without a trace.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, String, bindparam, insert, or_, select, update
from sqlmodel import Session, col

from app.dialects import Reader, rfc3339
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


@dataclass(frozen=True, slots=True)
class Thing:
    """What a line is about: a version of something, and who may see it.

    A line that is not public shows only to those who cover ``organisation``.
    """

    kind: Kind
    id: str
    version: int
    document: str
    public: bool = True
    organisation: str | None = None


def append(session: Session, action: Action, thing: Thing, *, by: Caller = OPERATOR) -> int:
    """Appends a line; returns its sequence number."""
    log: _Log = session.info[_LOG]
    log.sequence += 1
    line = {
        "sequence": log.sequence,
        "at": log.now,
        "client": by.client,
        "by": by.organisation,
        "action": action.value,
        "kind": thing.kind.value,
        "thing": thing.id,
        "version": thing.version,
        "public": thing.public,
        "organisation": thing.organisation,
        "document_digest": document_digest(thing.document),
    }
    log.digest = line_digest(log.digest, line)
    log.lines.append({**line, "document": thing.document, "digest": log.digest})
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


_HEAD = select(col(LogHead.sequence))


async def head(reader: Reader) -> int:
    """The newest line's sequence: the name of the register's state."""
    rows = await reader.rows(_HEAD, {})
    return int(rows[0][0])


COLUMNS = (
    col(Change.sequence),
    col(Change.at),
    col(Change.by),
    col(Change.action),
    col(Change.kind),
    col(Change.thing),
    col(Change.version),
    col(Change.document_digest),
    col(Change.digest),
    col(Change.document),
)
"""What :func:`as_json` makes a line of."""


def as_json(row: Sequence[Any]) -> str:
    """A line as JSON; its document goes in as it is stored.

    In none of the other texts is there anything that JSON would write in another way: they are
    words of ours, ids, codes, times and digests.
    """
    sequence, at, by, action, kind, thing, version, document_digest, digest, document = row
    return (
        f'{{"sequence":{sequence},"at":"{at}","by":{_quoted(by)},"action":"{action}",'
        f'"kind":"{kind}","id":"{thing}","version":{version},'
        f'"document":{"null" if document is None else document},'
        f'"document_digest":"{document_digest}","digest":"{digest}"}}'
    )


def _quoted(code: str | None) -> str:
    return "null" if code is None else f'"{code}"'


def _covered() -> Select[str]:
    """The organisations that the caller's own one covers; see :meth:`Caller.covers`."""
    place = (Organisation.code, Organisation.icb, Organisation.region)
    return select(col(Organisation.code)).where(
        or_(*(col(column) == bindparam("own", type_=String) for column in place))
    )


_EVERYTHING = (
    select(*COLUMNS)
    .where(col(Change.sequence) > bindparam("after"))
    .order_by(col(Change.sequence))
    .limit(bindparam("limit"))
)
_PUBLISHED = _EVERYTHING.where(col(Change.public).is_(True))
_VISIBLE = _EVERYTHING.where(
    or_(col(Change.public).is_(True), col(Change.organisation).in_(_covered()))
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
    values: dict[str, object] = {"after": query.after, "limit": query.limit}
    if caller.curates:
        statement = _EVERYTHING
    elif caller.organisation is None:
        statement = _PUBLISHED
    else:
        statement, values["own"] = _VISIBLE, caller.organisation
    rows = await reader.rows(statement, values)
    # A page that is not full has seen all there was, hidden lines at the end included.
    seen = rows[-1][0] if len(rows) == query.limit else max(newest, rows[-1][0] if rows else 0)
    items = [as_json(row) for row in rows]
    return Lines(items, query.limit, newest - query.after, seen, newest)
