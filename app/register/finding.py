"""Finding innovations: filters, order, pages, totals and facets.

A list is made of stored documents. Its SQL depends on the shape of the query alone (which filters
there are, with how many values, in which order), so it is made once for a shape and then run with
that query's values. Whatever is paged through, a page costs the same: its cursor holds the last
entry's sort key, and an index leads straight to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
)
from sqlmodel import col

from app.dialects import Dialect, Prepared, Reader, rfc3339
from app.errors import Fault, Unauthenticated, UnknownOrganisation, UnknownTheme, ValidationFailed
from app.models.changes import LogHead
from app.models.innovations import (
    Facet,
    Innovation,
    InnovationFilters,
    InnovationKey,
    InnovationQuery,
    InnovationSort,
    Visibility,
)
from app.models.organisations import Organisation
from app.models.themes import Theme
from app.register import changes, cursors, search
from app.register.access import Caller
from app.register.recent import Recent
from app.register.stored import Listed

COLUMNS: dict[str, Any] = {
    name: getattr(Innovation, name)
    for name in ("theme", "status", "organisation", "icb", "region", "care_setting", "visibility")
}
KEYS = ("tag", "evidence_kind", "evidence_strength")
MOST_FACET_VALUES = 100


class Shape(NamedTuple):
    """All of a query that its SQL depends on."""

    filters: tuple[tuple[str, int], ...]
    """Each filter that is given, and its number of values."""
    own_only: bool
    """Whether what is not published shows for one organisation only."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query's shape and its values, and a name for what it asks for."""

    shape: Shape
    values: dict[str, object]
    name: str


@dataclass(frozen=True, slots=True)
class Found(Listed):
    """A page of innovations, with the counts that were asked for."""

    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)


async def page(
    reader: Reader, query: InnovationQuery, caller: Caller, *, totals: Recent[int]
) -> Found:
    """The page of innovations that the query asks for.

    Raises:
        InvalidCursor, UnknownTheme, UnknownOrganisation, ValidationFailed
        Unauthenticated: when what is not published is asked for without a key.
    """
    wanted = _wanted(reader.dialect, query, caller)
    facets = _facets(query.facets)
    sort = query.sort or (InnovationSort.RELEVANCE if query.q else InnovationSort.NEWEST)
    if sort is InnovationSort.RELEVANCE and not query.q:
        raise ValidationFailed(
            "Only a search has a best match.",
            faults=(Fault("?sort", "no_relevance", "Sort by `relevance` goes with `q`."),),
        )
    order = ORDERS[sort]
    name = f"{sort} {wanted.name}"
    values = {**wanted.values, "limit": query.limit + 1}
    if query.cursor:
        key = cursors.decode(name, query.cursor, order.kinds)
        values |= zip(("key", "after")[-len(key) :], key, strict=True)
    statement = _page(reader.dialect, wanted.shape, sort, after=bool(query.cursor))
    # Each statement sees the register at one head; when a write came between two of them, the
    # page is read again, so that an answer is of one moment. Writes take longer than reads.
    for _ in range(3):
        rows = await reader.rows(statement, values)
        head = rows[0][0] if rows else await changes.head(reader)
        if not rows and not query.cursor:
            await _must_exist(reader, query)
        total = totals.get(wanted.name, head)
        if total is None:
            counted, total = await _count(reader, wanted)
            totals.put(wanted.name, counted, total)
            if counted != head:
                continue
        counts = {facet.value: await _facet(reader, wanted, facet) for facet in facets}
        if facets and await changes.head(reader) != head:
            continue
        break
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    following = cursors.encode(name, rows[-1][2:]) if more else None
    return Found([row[1] for row in rows], query.limit, total, following, head, counts)


def _wanted(dialect: Dialect, query: InnovationFilters, caller: Caller) -> Wanted:
    filters: list[tuple[str, int]] = []
    values: dict[str, object] = {}
    for name in (*COLUMNS, *KEYS):
        given = list(dict.fromkeys(getattr(query, name)))
        if given:
            filters.append((name, len(given)))
            values |= {f"{name}_{i}": str(value) for i, value in enumerate(given)}
    for name in ("created_from", "created_to", "updated_since"):
        moment = getattr(query, name)
        if moment is not None:
            filters.append((name, 1))
            values[name] = rfc3339(moment)
    if query.review_due_before is not None:
        filters.append(("review_due_before", 1))
        values["review_due_before"] = query.review_due_before.isoformat()
    if query.q:
        filters.append(("q", 1))
        values["q"] = dialect.text_query(search.alternatives(query.q))
    own_only = False
    if set(query.visibility) != {Visibility.PUBLISHED} and not caller.curates:
        if caller.organisation is None:
            raise Unauthenticated(
                "Drafts and what was withdrawn show to their own organisation: send its key."
            )
        own_only = True
        values["own"] = caller.organisation
    return Wanted(Shape(tuple(filters), own_only), values, json.dumps(values, sort_keys=True))


# Statements


class Order(NamedTuple):
    """A total order: by a key if there is one, and by number."""

    key: Any
    backwards: bool
    kinds: tuple[type[cursors.Key], ...]


ORDERS = {
    InnovationSort.RELEVANCE: Order(None, backwards=True, kinds=(float, int)),
    InnovationSort.CREATED_AT: Order(None, backwards=False, kinds=(int,)),
    InnovationSort.NEWEST: Order(None, backwards=True, kinds=(int,)),
    InnovationSort.UPDATED_AT: Order(Innovation.updated_at, backwards=False, kinds=(str, int)),
    InnovationSort.LATEST_UPDATED: Order(Innovation.updated_at, backwards=True, kinds=(str, int)),
    InnovationSort.TITLE: Order(Innovation.title_key, backwards=False, kinds=(str, int)),
    InnovationSort.TITLE_BACKWARDS: Order(Innovation.title_key, backwards=True, kinds=(str, int)),
    InnovationSort.REVIEW_ON: Order(Innovation.review_on, backwards=False, kinds=(str, int)),
}


class _Base(NamedTuple):
    """FROM and WHERE of a shape."""

    source: Any
    conditions: list[ColumnElement[bool]]
    number: ColumnElement[int]
    """The number, from whichever table leads to the entries in their order."""
    score: ColumnElement[float] | None


@lru_cache(1024)
def _page(dialect: Dialect, shape: Shape, sort: InnovationSort, *, after: bool) -> Prepared:
    base = _base(dialect, shape)
    head = select(LogHead.sequence).scalar_subquery()
    order = ORDERS[sort]
    if sort is InnovationSort.RELEVANCE:
        return dialect.prepare(_ranked(base, head, after=after))
    keys = [base.number] if order.key is None else [col(order.key), base.number]
    statement = select(head, col(Innovation.document), *keys)
    statement = statement.select_from(base.source).where(*base.conditions)
    if after:
        names = ("key", "after")[-len(keys) :]
        last = tuple_(*(bindparam(name) for name in names))
        beyond = tuple_(*keys) < last if order.backwards else tuple_(*keys) > last
        statement = statement.where(beyond)
    return dialect.prepare(
        statement.order_by(*(key.desc() if order.backwards else key.asc() for key in keys)).limit(
            bindparam("limit")
        )
    )


def _ranked(base: _Base, head: Any, *, after: bool) -> Select[Any]:
    """The best matches first; of equal ones, the newest."""
    assert base.score is not None
    # Scored by number alone, so that only a page's worth of documents is fetched.
    scored = (
        select(base.number.label("number"), base.score.label("score"))
        .select_from(base.source)
        .where(*base.conditions)
        .subquery("scored")
    )
    best = select(scored.c.number, scored.c.score)
    if after:
        score, number = bindparam("key"), bindparam("after")
        best = best.where(
            or_(
                scored.c.score > score,
                and_(scored.c.score == score, scored.c.number < number),
            )
        )
    best_first = (scored.c.score.asc(), scored.c.number.desc())
    top = best.order_by(*best_first).limit(bindparam("limit")).subquery("top")
    return (
        select(head, col(Innovation.document), top.c.score, top.c.number)
        .join(top, col(Innovation.number) == top.c.number)
        .order_by(top.c.score.asc(), top.c.number.desc())
    )


@lru_cache(1024)
def _counting(dialect: Dialect, shape: Shape) -> Prepared:
    base = _base(dialect, shape)
    return dialect.prepare(
        select(select(LogHead.sequence).scalar_subquery(), func.count())
        .select_from(base.source)
        .where(*base.conditions)
    )


@lru_cache(1024)
def _faceting(dialect: Dialect, shape: Shape, facet: Facet) -> Prepared:
    base = _base(dialect, shape)
    source: FromClause = base.source
    conditions = list(base.conditions)
    if facet.value in KEYS:
        key = InnovationKey.__table__.alias("counted")  # type: ignore[attr-defined]
        source = source.join(key, and_(key.c.number == base.number, key.c.name == facet.value))
        value = key.c.value
    else:
        value = col(COLUMNS[facet.value])
        conditions.append(value.is_not(None))
    count = func.count()
    return dialect.prepare(
        select(value, count)
        .select_from(source)
        .where(*conditions)
        .group_by(value)
        .order_by(count.desc(), value)
        .limit(MOST_FACET_VALUES)
    )


def _base(dialect: Dialect, shape: Shape) -> _Base:
    source: FromClause = Innovation.__table__  # type: ignore[attr-defined]
    number: ColumnElement[int] = col(Innovation.number)
    score = None
    conditions: list[ColumnElement[bool]] = []
    for name, count in shape.filters:
        if name == "q":
            text = dialect.text_search()
            if text.source is not None:
                source = text.source.join(source, text.number == col(Innovation.number))
            conditions.append(text.condition)
            number, score = text.number, text.score
        elif name in KEYS and count == 1:
            # Joined, not IN: the key's index is walked in the order of creation.
            key = InnovationKey.__table__.alias(name)  # type: ignore[attr-defined]
            source = source.join(key, key.c.number == number)
            conditions += [key.c.name == name, key.c.value == bindparam(f"{name}_0")]
        elif name in KEYS:
            having = select(InnovationKey.number).where(
                col(InnovationKey.name) == name,
                col(InnovationKey.value).in_(_bound(name, count)),
            )
            conditions.append(number.in_(having))
        elif name in COLUMNS:
            conditions.append(_one_of(col(COLUMNS[name]), _bound(name, count)))
        else:
            conditions.append(_RANGES[name]())
    if shape.own_only:
        own = bindparam("own")
        place = (Innovation.organisation, Innovation.icb, Innovation.region)
        conditions.append(
            or_(
                col(Innovation.visibility) == Visibility.PUBLISHED.value,
                *(col(column) == own for column in place),
            )
        )
    return _Base(source, conditions, number, score)


def _bound(name: str, count: int) -> list[Any]:
    return [bindparam(f"{name}_{i}") for i in range(count)]


def _one_of(column: ColumnElement[Any], values: list[Any]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def _created(name: str) -> Any:
    """The first number created at or after a moment; the next one to come, if none was."""
    column = col(Innovation.created_at)
    numbers = select(func.min(Innovation.number)).where(column >= bindparam(name))
    following = select(func.coalesce(func.max(Innovation.number), 0) + 1)
    return func.coalesce(numbers.scalar_subquery(), following.scalar_subquery())


_RANGES: dict[str, Any] = {
    # Numbers are in the order of creation, so a time is a number, and the index by number serves.
    "created_from": lambda: col(Innovation.number) >= _created("created_from"),
    "created_to": lambda: col(Innovation.number) < _created("created_to"),
    "updated_since": lambda: col(Innovation.updated_at) >= bindparam("updated_since"),
    "review_due_before": lambda: col(Innovation.review_on) < bindparam("review_due_before"),
}


# Running them


async def _count(reader: Reader, wanted: Wanted) -> tuple[int, int]:
    rows = await reader.rows(_counting(reader.dialect, wanted.shape), wanted.values)
    head, total = rows[0]
    return head, total


async def _facet(reader: Reader, wanted: Wanted, facet: Facet) -> list[tuple[str, int]]:
    statement = _faceting(reader.dialect, wanted.shape, facet)
    return [(value, count) for value, count in await reader.rows(statement, wanted.values)]


def _facets(names: str | None) -> list[Facet]:
    if not names:
        return []
    try:
        return [Facet(name.strip()) for name in dict.fromkeys(names.split(","))]
    except ValueError:
        known = ", ".join(facet.value for facet in Facet)
        raise ValidationFailed(
            "There is no such facet.",
            faults=(Fault("?facets", "unknown_facet", f"Give some of {known}."),),
        ) from None


@lru_cache(64)
def _known(dialect: Dialect, table: type[Theme | Organisation], count: int) -> Prepared:
    column = col(Theme.slug) if table is Theme else col(Organisation.code)
    return dialect.prepare(select(column).where(column.in_(_bound("name", count))))


async def _must_exist(reader: Reader, query: InnovationFilters) -> None:
    """Nothing was found: is it that a filter names something that there is not?"""
    checks = (
        ("theme", Theme, UnknownTheme, "No theme has this slug."),
        ("organisation", Organisation, UnknownOrganisation, "No organisation has this code."),
        ("icb", Organisation, UnknownOrganisation, "No ICB has this code."),
        ("region", Organisation, UnknownOrganisation, "No region has this code."),
    )
    for name, table, error, detail in checks:
        given = set(getattr(query, name))
        if given:
            values = {f"name_{i}": value for i, value in enumerate(given)}
            rows = await reader.rows(_known(reader.dialect, table, len(given)), values)
            if given - {row[0] for row in rows}:
                raise error.at(f"?{name}", f"unknown_{name}", detail)
