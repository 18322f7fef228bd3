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
from sqlalchemy import ColumnElement, FromClause, Table, bindparam, or_, select

from app.dialects import Reader, Statement, TextIn
from app.errors import Fault, ValidationFailed
from app.models.changes import Action, Change, Kind
from app.models.feed import LineFilters
from app.models.finding import EntryFilters
from app.models.story_finding import StoryFilters
from app.register import changes, judged, retired_elsewhere, told
from app.register.access import Caller
from app.register.lists import search
from app.register.lists.fitting import Fits, fitting, story_fitting

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
    to: int
    """The newest line that there is by now for such a reader: the head, or the last one judged."""
    head: int


_LINE: Table = Change.__table__  # type: ignore[attr-defined]

COLUMNS: Sequence[ColumnElement[Any]] = [
    _LINE.c[name]
    for name in (
        *("sequence", "at", "by", "action", "kind", "thing", "version"),
        *("document_digest", "digest", "accepted_flagged", "redacted", "document"),
    )
]
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


def tag_of(row: Sequence[Any]) -> str:
    """What names a line as it now is: a redacted one keeps its digest, and its readers are to see
    that it is another."""
    digest, redacted, document = row[8], row[10], row[11]
    if not redacted or document is None:
        return str(digest)
    return f"{digest}-{changes.document_digest(document)[:12]}"


_WIDTH = len(COLUMNS)
_TRUTH = {True: "true", False: "false"}


def _quoted(code: str | None) -> str:
    return "null" if code is None else f'"{code}"'


def told_columns(own: ColumnElement[bool] | None) -> Sequence[ColumnElement[Any]]:
    """:data:`COLUMNS` for others than those to whom everything is told."""
    instead = {"by": told.author(_LINE, own), "document": told.document(_LINE, own)}
    return [instead.get(str(column.key), column) for column in COLUMNS]


def _own(line: FromClause) -> ColumnElement[bool]:
    return line.c.organisation.in_(told.covered())


class _Seen(Enum):
    """Which lines the caller may see."""

    EVERYTHING = auto()
    PUBLISHED = auto()
    OWN = auto()
    """What is published, and what is the caller's own."""


@cache
def _lines(seen: _Seen, words_in: TextIn | None, *, before: bool, retired: bool) -> Statement:
    """The lines after one; if asked for, only those that submit what is retired elsewhere, and each
    with the document before it, and whether each of the two has the words."""
    line = _LINE
    earlier = line.alias("earlier")
    previous = select(earlier.c.document).where(
        earlier.c.thing == line.c.thing,
        earlier.c.kind == line.c.kind,
        earlier.c.version == line.c.version - 1,
    )
    columns = COLUMNS
    document: ColumnElement[Any] = line.c.document
    if seen is not _Seen.EVERYTHING:
        own = _own(line) if seen is _Seen.OWN else None
        document = told.document(line, own)
        columns = told_columns(own)
        previous = previous.where(
            told.earlier(earlier, _own(earlier) if seen is _Seen.OWN else None)
        )
    lines = select(*columns).where(line.c.sequence > bindparam("after"))
    if seen is not _Seen.EVERYTHING:
        lines = lines.where(told.to_all(line) if own is None else or_(told.to_all(line), own))
    if retired:
        lines = lines.where(retired_elsewhere.is_told(line))
    lines = lines.order_by(line.c.sequence).limit(bindparam("limit"))
    if not before:
        return lines
    documents: tuple[ColumnElement[Any], ...] = (document, previous.scalar_subquery())
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
    to, newest = await _reach(reader, filters)
    if after > newest:
        raise _past_the_head(newest)
    fits = _fitting(filters)
    seen_by, values = _seen_by(caller)
    values |= {"after": after, "to": to, "limit": LOOKED_AT if fits else limit}
    if filters.q:
        values |= reader.dialect.text_query(search.alternatives(filters.q))
    words_in = reader.dialect.text_in if filters.q else None
    statement = _lines(
        seen_by, words_in, before=fits is not None, retired=filters.retired_elsewhere
    )
    rows = await reader.rows(statement, values)
    # A page that is not full has seen all there was, hidden lines at the end included.
    seen = (
        rows[-1][0] if len(rows) == values["limit"] else max(to, after, *(row[0] for row in rows))
    )
    if fits is not None:
        fitting = [row for row in rows if fits(row)]
        if len(fitting) > limit or (len(fitting) == limit and fitting[-1][0] < seen):
            fitting = fitting[:limit]
            seen = fitting[-1][0]
        rows = fitting
    found = [Line(row[0], row[1], f"{row[4]}.{row[3]}", as_json(row)) for row in rows]
    if filters.retired_elsewhere:
        found = await _with_practices(reader, found)
    return Lines(found, seen, max(to, seen), max(newest, seen))


async def _reach(reader: Reader, filters: LineFilters) -> tuple[int, int]:
    """The newest line that may be told with these filters, and the newest that there is."""
    if not filters.retired_elsewhere:
        head = await changes.head(reader)
        return head, head
    reach = await judged.reach(reader)
    return reach.judged, reach.head


def _seen_by(caller: Caller) -> tuple[_Seen, dict[str, object]]:
    if caller.curates:
        return _Seen.EVERYTHING, {}
    if caller.organisation is None:
        return _Seen.PUBLISHED, {}
    return _Seen.OWN, {"own": caller.organisation}


async def _with_practices(reader: Reader, found: Sequence[Line]) -> list[Line]:
    """The lines with what they are like; what is like nothing any more is left out."""
    practices = await retired_elsewhere.told(reader, [line.sequence for line in found])
    return [
        line._replace(text=f'{line.text[:-1]},"retired_elsewhere":{practices[line.sequence]}}}')
        for line in found
        if line.sequence in practices
    ]


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
    asked = LineFilters.model_fields.keys() - {"kind", "retired_elsewhere"}
    given = {name for name in asked if getattr(filters, name) not in ((), None)}
    kinds = set(filters.kind)
    if not kinds and not given:
        return None
    # A filter that a kind of thing knows nothing of leaves none of its lines.
    ways: dict[str, Fits | None] = {}
    if given <= EntryFilters.model_fields.keys() | {"visibility"}:
        ways[Kind.INNOVATION] = fitting(filters)
    if given <= StoryFilters.model_fields.keys() and (kinds or not ways):
        ways[Kind.STORY] = story_fitting(filters)

    def fits(row: Sequence[Any]) -> bool:
        kind, documents, found = row[4], row[_WIDTH - 1 : _WIDTH + 1], row[_WIDTH + 1 :]
        if kinds and kind not in kinds:
            return False
        if not given:
            return True
        if kind not in ways:
            return False
        thing_fits = ways[kind]
        # What was redacted may have fitted, or had the words; who follows has to know.
        if row[3] == Action.REDACTED:
            found = ()
        return documents[0] is None or any(
            text and has_words and (thing_fits is None or thing_fits(from_json(text)))
            for text, has_words in zip(documents, found or (True, True), strict=True)
        )

    return fits
