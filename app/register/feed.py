"""The change feed: the log's lines as others read them.

A filter is asked of a line's document, and of the one before it: who follows only some of the
register is told of an entry that leaves it, too, and can take it out of its copy. That is done line
by line, over a bounded number of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import Select, String, bindparam, or_, select
from sqlmodel import col

from app.dialects import Reader, Statement, rfc3339
from app.errors import Fault, ValidationFailed
from app.models.changes import Change, Kind
from app.models.feed import LineFilters
from app.models.innovations import NO_REVIEW
from app.models.organisations import Organisation
from app.register import changes
from app.register.access import Caller

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
    col(Change.document),
)
"""What :func:`as_json` makes a line of."""


def as_json(row: Sequence[Any]) -> str:
    """A line as JSON; its document goes in as it is stored.

    In none of the other texts is there anything that JSON would write in another way: they are
    words of ours, ids, codes, times and digests.
    """
    sequence, at, by, action, kind, thing, version, document_digest, digest, document = row[:10]
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


def _lines(*visible: Any) -> tuple[Statement, Statement]:
    """The lines after one, bare and each with the document before it."""
    lines = select(*COLUMNS).where(col(Change.sequence) > bindparam("after"), *visible)
    lines = lines.order_by(col(Change.sequence)).limit(bindparam("limit"))
    earlier = Change.__table__.alias("earlier")  # type: ignore[attr-defined]
    before = select(earlier.c.document).where(
        earlier.c.thing == col(Change.thing),
        earlier.c.kind == col(Change.kind),
        earlier.c.version == col(Change.version) - 1,
    )
    return lines, lines.add_columns(before.scalar_subquery())


_EVERYTHING = _lines()
_PUBLISHED = _lines(col(Change.public).is_(True))
_VISIBLE = _lines(or_(col(Change.public).is_(True), col(Change.organisation).in_(_covered())))


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
    if caller.curates:
        statements = _EVERYTHING
    elif caller.organisation is None:
        statements = _PUBLISHED
    else:
        statements, values["own"] = _VISIBLE, caller.organisation
    rows = await reader.rows(statements[fits is not None], values)
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


Values = Mapping[str, Callable[[Mapping[str, Any]], Sequence[str | None]]]


def _code(of: Mapping[str, Any] | None) -> list[str | None]:
    return [of["code"] if of else None]


_VALUES: Values = {
    "theme": lambda entry: [entry["theme"]["slug"]],
    "status": lambda entry: [entry["status"]],
    "organisation": lambda entry: _code(entry["organisation"]),
    "icb": lambda entry: _code(entry["organisation"]["icb"]),
    "region": lambda entry: _code(entry["organisation"]["region"]),
    "care_setting": lambda entry: [entry["care_setting"]],
    "visibility": lambda entry: [entry["visibility"]],
    "tag": lambda entry: entry["tags"],
    "evidence_kind": lambda entry: [piece["kind"] for piece in entry["evidence"]],
    "evidence_strength": lambda entry: [piece["strength"] for piece in entry["evidence"]],
}
"""What an innovation's document says of each filter."""


def _fitting(filters: LineFilters) -> Callable[[Sequence[Any]], bool] | None:
    """Whether a line fits the filters; None where there are none."""
    kinds = set(filters.kind)
    wanted = {name: set(given) for name in _VALUES if (given := getattr(filters, name))}
    bounds = _bounds(filters)
    if not kinds and not wanted and not bounds:
        return None

    def entry_fits(document: str) -> bool:
        entry = from_json(document)
        return all(
            not values.isdisjoint(_VALUES[name](entry)) for name, values in wanted.items()
        ) and all(within(entry) for within in bounds)

    def fits(row: Sequence[Any]) -> bool:
        kind, document, before = row[4], row[9], row[10]
        if kinds and kind not in kinds:
            return False
        if not wanted and not bounds:
            return True
        if kind != Kind.INNOVATION:
            return False
        # What was redacted may have fitted; who follows has to know.
        return document is None or any(entry_fits(text) for text in (document, before) if text)

    return fits


def _bounds(filters: LineFilters) -> list[Callable[[Mapping[str, Any]], bool]]:
    """The filters by time; all times of a document are written alike, and so compare as texts."""
    bounds: list[Callable[[Mapping[str, Any]], bool]] = []
    if filters.created_from is not None:
        since = rfc3339(filters.created_from)
        bounds.append(lambda entry: entry["created_at"] >= since)
    if filters.created_to is not None:
        until = rfc3339(filters.created_to)
        bounds.append(lambda entry: entry["created_at"] < until)
    if filters.updated_since is not None:
        changed = rfc3339(filters.updated_since)
        bounds.append(lambda entry: entry["updated_at"] >= changed)
    if filters.review_due_before is not None:
        due = filters.review_due_before.isoformat()
        bounds.append(lambda entry: (_review_on(entry) or NO_REVIEW) < due)
    return bounds


def _review_on(entry: Mapping[str, Any]) -> str | None:
    return entry["decision"]["review_on"] if entry["decision"] else None
