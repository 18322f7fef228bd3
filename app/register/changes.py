"""The change log: one line for each write, in the write's own transaction.

The newest line is named by one row, the head. Each unit of work locks it before anything else, so
writes follow one another on every database, and ``sequence`` is in the order of their commits: a
reader at line N will never find a new line before it. The digests form a chain, each made over the
one before, so that no line can be changed, left out or slipped in without a trace.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import select, update
from sqlmodel import Session, col

from app.dialects import Reader, rfc3339
from app.models.changes import Action, Change, Kind, LogHead
from app.register.access import OPERATOR, Caller
from app.register.inserting import insert_all

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
    grew: bool = False


def begin(session: Session) -> None:
    """Locks the head until the transaction ends; the first thing in every unit of work."""
    head = session.execute(select(LogHead).with_for_update()).scalar_one()
    # Clocks may be set back, and differ from machine to machine; the log's never runs backwards.
    session.info[_LOG] = _Log(head.sequence, head.digest, max(datetime.now(UTC), head.at))


def finish(session: Session) -> int:
    """Writes what is left of the lines, and the new head; the last thing before the commit."""
    write_out(session)
    log: _Log = session.info.pop(_LOG)
    if log.grew:
        session.execute(
            update(LogHead).values(sequence=log.sequence, digest=log.digest, at=log.now)
        )
    return log.sequence


def write_out(session: Session) -> None:
    """Writes the lines so far, so that a long unit of work need not keep them all."""
    log: _Log = session.info[_LOG]
    if log.lines:
        session.flush()
        insert_all(session, Change, log.lines)
        log.lines.clear()
        log.grew = True


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
        "accepted_flagged": by.accepts_flagged,
    }
    log.digest = line_digest(log.digest, line)
    line |= {"document": thing.document, "redacted": False, "digest": log.digest}
    log.lines.append(line)
    return log.sequence


def document_digest(document: str) -> str:
    """SHA-256 of the document's UTF-8 bytes, in hex."""
    return hashlib.sha256(document.encode()).hexdigest()


def line_digest(previous: str, line: dict[str, Any]) -> str:
    """SHA-256, in hex, over the previous line's digest and this line as a JSON array.

    The document takes part by its own digest, so that a redacted line can still be verified. That
    flagged text was accepted takes part only where it was: older lines know nothing of it.
    """
    fields = [
        line["sequence"],
        rfc3339(line["at"]),
        *(line[name] for name in ("client", "by", "action", "kind", "thing", "version")),
        bool(line["public"]),
        line["organisation"],
        line["document_digest"],
    ]
    if line["accepted_flagged"]:
        fields.append("accepted_flagged")
    return hashlib.sha256(previous.encode() + b"\n" + to_json(fields)).hexdigest()


# Reading


_HEAD = select(col(LogHead.sequence))


async def head(reader: Reader) -> int:
    """The newest line's sequence: the name of the register's state."""
    rows = await reader.rows(_HEAD, {})
    return int(rows[0][0])


_LATEST = select(col(LogHead.at))


async def latest(reader: Reader) -> str:
    """When the newest line was written."""
    rows = await reader.rows(_LATEST, {})
    return str(rows[0][0])
