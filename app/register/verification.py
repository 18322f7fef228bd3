"""Checking the log: whether any line was changed, left out or slipped in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.dialects import Reader
from app.models.changes import Change, Kind, LogHead
from app.models.redactions import RedactionDocument
from app.register import changes

_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many lines hold; and the first that does not, if there is one."""

    lines: int
    broken_at: int | None = None
    why: str | None = None


async def verify(reader: Reader) -> Verdict:
    """Follows the chain of digests from the first line to the head.

    What is written meanwhile comes after the head, and waits for nothing.
    """
    newest, head_digest = (await reader.rows(_HEAD, {}))[0]
    redacted = await _redacted(reader, newest)
    previous, expected = changes.GENESIS, 1
    async for line in _lines(reader, newest):
        why = _fault(previous, expected, line, redacted)
        if why is not None:
            return Verdict(expected - 1, expected, why)
        previous, expected = line["digest"], expected + 1
    if expected <= newest:
        return Verdict(expected - 1, expected, "the line is missing")
    if previous != head_digest:
        return Verdict(expected - 1, newest, "the head of the log names another digest")
    return Verdict(expected - 1)


def _fault(
    previous: str, expected: int, line: dict[str, Any], redacted: Mapping[int, str]
) -> str | None:
    if line["sequence"] != expected:
        return "the line is missing"
    document = line["document"]
    written = redacted.get(expected, line["document_digest"])
    if document is not None and changes.document_digest(document) != written:
        return "its document is not what was written"
    if changes.line_digest(previous, line) != line["digest"]:
        return "it is not what was written, or not in its place"
    return None


_REDACTIONS = (
    select(col(Change.document))
    .where(col(Change.kind) == Kind.REDACTION.value, col(Change.sequence) <= bindparam("newest"))
    .order_by(col(Change.sequence))
)


async def _redacted(reader: Reader, newest: int) -> dict[int, str]:
    """What stands in the lines that were redacted, by its digest, as the newest redaction says.

    A redaction is a line itself, so that it is found out if it is not what was written.
    """
    found: dict[int, str] = {}
    for (document,) in await reader.rows(_REDACTIONS, {"newest": newest}):
        if document is not None:
            lines = RedactionDocument.model_validate_json(document).lines
            found |= {line.sequence: line.document_digest for line in lines}
    return found


_COLUMNS = tuple(Change.model_fields)
_HEAD = select(col(LogHead.sequence), col(LogHead.digest))
_LINES = (
    select(*(col(getattr(Change, name)) for name in _COLUMNS))
    .where(col(Change.sequence) > bindparam("after"), col(Change.sequence) <= bindparam("newest"))
    .order_by(col(Change.sequence))
    .limit(bindparam("limit"))
)


async def _lines(reader: Reader, newest: int) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while True:
        values = {"after": after, "newest": newest, "limit": _AT_A_TIME}
        rows = await reader.rows(_LINES, values)
        for row in rows:
            line = dict(zip(_COLUMNS, row, strict=True))
            yield {**line, "at": datetime.fromisoformat(line["at"])}
        if len(rows) < _AT_A_TIME:
            return
        after = rows[-1][0]
