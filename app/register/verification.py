"""Checking the log: whether any line was changed, left out or slipped in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from app.models.changes import Change, LogHead
from app.register import changes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked, and the first line that does not hold, if there is one."""

    lines: int
    broken_at: int | None = None
    why: str | None = None


def verify(session: Session) -> Verdict:
    """Follows the chain of digests from the first line to the head."""
    previous, expected = changes.GENESIS, 1
    lines = session.execute(
        select(Change).order_by(col(Change.sequence)).execution_options(yield_per=500)
    ).scalars()
    for line in lines:
        fields = line.model_dump()
        if line.sequence != expected:
            return Verdict(expected - 1, expected, "the line is missing")
        if line.document is not None and (
            changes.document_digest(line.document) != line.document_digest
        ):
            return Verdict(expected - 1, expected, "its document is not what was written")
        if changes.line_digest(previous, fields) != line.digest:
            return Verdict(
                expected - 1, expected, "it is not what was written, or not in its place"
            )
        previous, expected = line.digest, expected + 1
        session.expunge(line)
    head = session.execute(select(LogHead)).scalar_one()
    if (head.sequence, head.digest) != (expected - 1, previous):
        return Verdict(expected - 1, expected, "lines are missing at the end")
    return Verdict(expected - 1)
