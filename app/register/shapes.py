"""The SQL of a list of innovations, by the shape of its query.

It depends on which filters there are, with how many values, and on the order; so it is made once
for a shape, and then run with each query's values. Whatever is paged through, a page costs the
same: its cursor holds the last entry's sort key, and an index leads straight to it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
)
from sqlmodel import col

from app.dialects import Dialect, Statement
from app.models.changes import LogHead
from app.models.finding import Facet, InnovationSort
from app.models.innovations import Innovation, InnovationKey, Visibility
from app.register import cursors

ENTRIES: Table = Innovation.__table__  # type: ignore[attr-defined]
_KEYS: Table = InnovationKey.__table__  # type: ignore[attr-defined]

COLUMNS = ("theme", "status", "organisation", "icb", "region", "care_setting", "visibility")
"""Filters by what an innovation has one of."""

KEYS = ("tag", "evidence_kind", "evidence_strength")
"""Filters by what an innovation may have several of."""

MOST_FACET_VALUES = 100


class Shape(NamedTuple):
    """All of a query that its SQL depends on."""

    dialect: Dialect
    filters: tuple[tuple[str, int], ...]
    """Each filter that is given, and its number of values."""
    own_only: bool
    """Whether what is not published shows for one organisation only."""


_HEAD = select(col(LogHead.sequence)).scalar_subquery()


class Order(NamedTuple):
    """A total order: by a key if there is one, and by number."""

    key: str | None
    backwards: bool
    kinds: tuple[type[cursors.Key], ...]


ORDERS = {
    InnovationSort.RELEVANCE: Order(None, backwards=True, kinds=(float, int)),
    InnovationSort.CREATED_AT: Order(None, backwards=False, kinds=(int,)),
    InnovationSort.NEWEST: Order(None, backwards=True, kinds=(int,)),
    InnovationSort.UPDATED_AT: Order("updated_at", backwards=False, kinds=(str, int)),
    InnovationSort.LATEST_UPDATED: Order("updated_at", backwards=True, kinds=(str, int)),
    InnovationSort.TITLE: Order("title_key", backwards=False, kinds=(str, int)),
    InnovationSort.TITLE_BACKWARDS: Order("title_key", backwards=True, kinds=(str, int)),
    InnovationSort.REVIEW_ON: Order("review_on", backwards=False, kinds=(str, int)),
}


class _Base(NamedTuple):
    """FROM and WHERE of a shape."""

    source: Any
    conditions: list[ColumnElement[bool]]
    number: ColumnElement[int]
    """The number, from whichever table leads to the entries in their order."""
    score: ColumnElement[float] | None


@lru_cache(1024)
def page(shape: Shape, sort: InnovationSort, *, after: bool) -> Statement:
    base = _base(shape)
    order = ORDERS[sort]
    if sort is InnovationSort.RELEVANCE:
        return _ranked(base, after=after)
    keys: list[ColumnElement[Any]] = [base.number]
    if order.key is not None:
        keys.insert(0, ENTRIES.c[order.key])
    statement = select(_HEAD, col(Innovation.document), *keys)
    statement = statement.select_from(base.source).where(*base.conditions)
    if after:
        names = ("key", "after")[-len(keys) :]
        last = tuple_(*(bindparam(name) for name in names))
        beyond = tuple_(*keys) < last if order.backwards else tuple_(*keys) > last
        statement = statement.where(beyond)
    ordered = statement.order_by(*(key.desc() if order.backwards else key.asc() for key in keys))
    return ordered.limit(bindparam("limit"))


def _ranked(base: _Base, *, after: bool) -> Statement:
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
        score, number = bindparam("key", type_=Double), bindparam("after", type_=Integer)
        best = best.where(
            or_(
                scored.c.score > score,
                and_(scored.c.score == score, scored.c.number < number),
            )
        )
    best_first = (scored.c.score.asc(), scored.c.number.desc())
    top = best.order_by(*best_first).limit(bindparam("limit")).subquery("top")
    return (
        select(_HEAD, col(Innovation.document), top.c.score, top.c.number)
        .join(top, col(Innovation.number) == top.c.number)
        .order_by(top.c.score.asc(), top.c.number.desc())
    )


@lru_cache(1024)
def counting(shape: Shape) -> Statement:
    base = _base(shape)
    counted = select(_HEAD, func.count()).select_from(base.source)
    return counted.where(*base.conditions)


@lru_cache(1024)
def faceting(shape: Shape, facet: Facet) -> Statement:
    base = _base(shape)
    source: FromClause = base.source
    conditions = list(base.conditions)
    if facet.value in KEYS:
        key = _KEYS.alias("counted")
        source = source.join(key, and_(key.c.number == base.number, key.c.name == facet.value))
        value: ColumnElement[str] = key.c.value
    else:
        value = ENTRIES.c[facet.value]
        conditions.append(value.is_not(None))
    count = func.count()
    return (
        select(value, count)
        .select_from(source)
        .where(*conditions)
        .group_by(value)
        .order_by(count.desc(), value)
        .limit(MOST_FACET_VALUES)
    )


def _base(shape: Shape) -> _Base:
    source: FromClause = ENTRIES
    number: ColumnElement[int] = ENTRIES.c.number
    score = None
    conditions: list[ColumnElement[bool]] = []
    for name, count in shape.filters:
        if name == "q":
            text = shape.dialect.text_search()
            if text.source is not None:
                source = text.source.join(source, text.number == col(Innovation.number))
            conditions.append(text.condition)
            number, score = text.number, text.score
        elif name in KEYS and count == 1:
            # Joined, not IN: the key's index is walked in the order of creation.
            key = _KEYS.alias(name)
            source = source.join(key, key.c.number == number)
            conditions += [key.c.name == name, key.c.value == bound(name, 1)[0]]
        elif name in KEYS:
            having = select(col(InnovationKey.number)).where(
                col(InnovationKey.name) == name,
                col(InnovationKey.value).in_(bound(name, count)),
            )
            conditions.append(number.in_(having))
        elif name in COLUMNS:
            conditions.append(_one_of(ENTRIES.c[name], bound(name, count)))
        else:
            conditions.append(_RANGES[name]())
    if shape.own_only:
        own = bindparam("own", type_=String)
        place = (Innovation.organisation, Innovation.icb, Innovation.region)
        conditions.append(
            or_(
                col(Innovation.visibility) == Visibility.PUBLISHED.value,
                *(col(column) == own for column in place),
            )
        )
    return _Base(source, conditions, number, score)


def names(of: str, count: int) -> list[str]:
    """The parameters of a filter's values; SQLAlchemy never makes up such names by itself."""
    return [f"{of}_is_{i}" for i in range(count)]


def bound(of: str, count: int) -> list[Any]:
    return [bindparam(name) for name in names(of, count)]


def _one_of(column: ColumnElement[Any], values: list[Any]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def _created(name: str) -> Any:
    """The first number created at or after a moment; the next one to come, if none was."""
    column = col(Innovation.created_at)
    numbers = select(func.min(Innovation.number)).where(column >= bindparam(name))
    following = select(func.coalesce(func.max(Innovation.number), 0) + 1)
    return func.coalesce(numbers.scalar_subquery(), following.scalar_subquery())


_RANGES: dict[str, Callable[[], ColumnElement[bool]]] = {
    # Numbers are in the order of creation, so a time is a number, and the index by number serves.
    "created_from": lambda: col(Innovation.number) >= _created("created_from"),
    "created_to": lambda: col(Innovation.number) < _created("created_to"),
    "updated_since": lambda: col(Innovation.updated_at) >= bindparam("updated_since"),
    "review_due_before": lambda: col(Innovation.review_on) < bindparam("review_due_before"),
}
