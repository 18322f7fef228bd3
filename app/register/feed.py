"""The change feed: the log's lines as others read them.

A filter is asked of a line's document, and of the one before it: who follows only some of the
register is told of an entry that leaves it, too, and can take it out of its copy. That is done line
by line, over a bounded number of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum, auto
from functools import cache
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Select, String, bindparam, or_, select
from sqlmodel import col

from app.dialects import Reader, Statement, TextIn
from app.errors import Fault, ValidationFailed
from app.models.changes import Change, Kind
from app.models.feed import LineFilters
from app.models.organisations import Organisation
from app.register import changes, search
from app.register.access import Caller
from app.register.fitting import fitting

LOOKED_AT = 200
"""Lines that a filter is asked of at once: some milliseconds' worth."""


class Line(NamedTuple):
    """A line as JSON, and what is to be known of it without reading that."""

    sequence: int
    at: str
    event: str
    """What happened to which kind of thing, like ``innovation.created``."""
    text: str


class Lines(NamedTuple):
    """Lines of the log, and where the reader then stands."""

    items: list[Line]
    next: int
    head: int


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
    col(Change.accepted_flagged),
    col(Change.redacted),
    col(Change.document),
)
"""What :func:`as_json` makes a line of."""


def as_json(row: Sequence[Any]) -> str:
    """A line as JSON; its document goes in as it is stored.

    In none of the other texts is there anything that JSON would write in another way: they are
    words of ours, ids, codes, times and digests.
    """
    sequence, at, by, action, kind, thing, version, document_digest, digest = row[:9]
    flagged, redacted, document = row[9:_WIDTH]
    return (
        f'{{"sequence":{sequence},"at":"{at}","by":{_quoted(by)},"action":"{action}",'
        f'"kind":"{kind}","id":"{thing}","version":{version},'
        f'"accepted_flagged":{_TRUTH[bool(flagged)]},"redacted":{_TRUTH[bool(redacted)]},'
        f'"document":{"null" if document is None else document},'
        f'"document_digest":"{document_digest}","digest":"{digest}"}}'
    )


_WIDTH = len(COLUMNS)
_TRUTH = {True: "true", False: "false"}


def _quoted(code: str | None) -> str:
    return "null" if code is None else f'"{code}"'


def _covered() -> Select[str]:
    """The organisations that the caller's own one covers; see :meth:`Caller.covers`."""
    place = (Organisation.code, Organisation.icb, Organisation.region)
    return select(col(Organisation.code)).where(
        or_(*(col(column) == bindparam("own", type_=String) for column in place))
    )


class _Seen(Enum):
    """Which lines the caller may see."""

    EVERYTHING = auto()
    PUBLISHED = auto()
    OWN = auto()
    """What is published, and what is the caller's own."""


@cache
def _lines(seen: _Seen, words_in: TextIn | None, *, before: bool) -> Statement:
    """The lines after one; if asked for, each with the document before it, and whether each of the
    two has the words."""
    lines = select(*COLUMNS).where(col(Change.sequence) > bindparam("after"))
    if seen is not _Seen.EVERYTHING:
        published = col(Change.public).is_(True)
        own = col(Change.organisation).in_(_covered())
        lines = lines.where(or_(published, own) if seen is _Seen.OWN else published)
    lines = lines.order_by(col(Change.sequence)).limit(bindparam("limit"))
    if not before:
        return lines
    earlier = Change.__table__.alias("earlier")  # type: ignore[attr-defined]
    previous = select(earlier.c.document).where(
        earlier.c.thing == col(Change.thing),
        earlier.c.kind == col(Change.kind),
        earlier.c.version == col(Change.version) - 1,
    )
    documents: tuple[ColumnElement[Any], ...] = (
        Change.__table__.c.document,  # type: ignore[attr-defined]
        previous.scalar_subquery(),
    )
    lines = lines.add_columns(documents[1])
    return lines.add_columns(*map(words_in, documents)) if words_in else lines


async def lines(
    reader: Reader, filters: LineFilters, caller: Caller, *, after: int, limit: int
) -> Lines:
    """The next lines after one that the caller may see and that fit; ``limit`` at most.

    With filters there may be fewer though more follow: ``next`` tells how far they were looked at.

    Raises:
        ValidationFailed: when ``after`` is past the head, as after a restored backup.
    """
    newest = await changes.head(reader)
    if after > newest:
        raise _past_the_head(newest)
    fits = _fitting(filters)
    values: dict[str, object] = {"after": after, "limit": LOOKED_AT if fits else limit}
    if filters.q:
        values |= reader.dialect.text_query(search.alternatives(filters.q))
    seen_by = _Seen.EVERYTHING
    if not caller.curates and caller.organisation is None:
        seen_by = _Seen.PUBLISHED
    elif not caller.curates:
        seen_by, values["own"] = _Seen.OWN, caller.organisation
    words_in = reader.dialect.text_in if filters.q else None
    rows = await reader.rows(_lines(seen_by, words_in, before=fits is not None), values)
    # A page that is not full has seen all there was, hidden lines at the end included.
    seen = (
        rows[-1][0] if len(rows) == values["limit"] else max(newest, *(row[0] for row in rows), 0)
    )
    if fits is not None:
        fitting = [row for row in rows if fits(row)]
        if len(fitting) > limit or (len(fitting) == limit and fitting[-1][0] < seen):
            fitting = fitting[:limit]
            seen = fitting[-1][0]
        rows = fitting
    found = [Line(row[0], row[1], f"{row[4]}.{row[3]}", as_json(row)) for row in rows]
    return Lines(found, seen, max(newest, seen))


def _past_the_head(newest: int) -> ValidationFailed:
    fault = Fault(
        "?after",
        "after_the_head",
        f"The newest line is {newest}. If you have seen later ones, the register was restored from "
        "a backup: start again from 0.",
    )
    return ValidationFailed("`after` is past the newest line of the log.", faults=(fault,))


# What fits


def _fitting(filters: LineFilters) -> Callable[[Sequence[Any]], bool] | None:
    """Whether a line fits the filters; None where there are none."""
    kinds = set(filters.kind)
    entry_fits = fitting(filters)
    if not kinds and entry_fits is None and not filters.q:
        return None

    def fits(row: Sequence[Any]) -> bool:
        kind, documents, found = row[4], row[_WIDTH - 1 : _WIDTH + 1], row[_WIDTH + 1 :]
        if kinds and kind not in kinds:
            return False
        if entry_fits is None and not filters.q:
            return True
        if kind != Kind.INNOVATION:
            return False
        # What was redacted may have fitted; who follows has to know.
        return documents[0] is None or any(
            text and has_words and (entry_fits is None or entry_fits(from_json(text)))
            for text, has_words in zip(documents, found or (True, True), strict=True)
        )

    return fits
