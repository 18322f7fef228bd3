"""The SQL of a query, by its shape: made once, and then run with each query's values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import UnionType
from typing import Any, NamedTuple, get_args

from sqlalchemy import (
    ColumnElement,
    Double,
    Integer,
    String,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)

from app.dialects import Dialect, Prepared, Statement
from app.models.tables import Column
from app.odata.expressions import Expression, Kind, Ordering
from app.odata.sets import EntitySet
from app.register.lists.walks import names
from app.register.odata.conditions import Conditions, may_be_null
from app.register.odata.sources import Source, source_of

KEPT = 256
"""Statements that are kept of each kind."""

ASKED_AT_ONCE = (1, 8, 64, 512)
"""For how many entities at once it is asked what belongs to them."""


class Shape(NamedTuple):
    """All of a query that its SQL depends on."""

    dialect: Dialect
    of: EntitySet
    where: Expression | None
    order: tuple[Ordering, ...]
    by: Column | None = None
    """The property by which they belong to one entity, or are one."""


class Made(NamedTuple):
    """A statement, and what is to be known of it."""

    sql: Prepared
    long: bool
    """Whether it looks at more than indexes and a page's rows."""


@lru_cache(KEPT)
def page(shape: Shape, after: tuple[bool, ...] | None, *, skips: bool) -> Made:
    """The rows of a page, each with its keys; of a later page, which keys before it are null."""
    source, conditions, where = _found(shape)
    keys = _keys(conditions, source, shape.order)
    labelled = [key.value.label(f"key_{i}") for i, key in enumerate(keys)]
    statement = select(*source.row, *labelled).select_from(source.rows).where(*where)
    if after is not None:
        statement = statement.where(_beyond(keys, kinds(shape), after))
    statement = statement.order_by(*(key.ordered for key in keys))
    statement = statement.limit(bindparam("limit", type_=Integer))
    if skips:
        statement = statement.offset(bindparam("skip", type_=Integer))
    return _made(shape.dialect, statement, conditions)


@lru_cache(KEPT)
def counting(shape: Shape) -> Made:
    """How many there are."""
    source, conditions, where = _found(shape)
    statement = select(func.count()).select_from(source.rows).where(*where)
    return _made(shape.dialect, statement, conditions)


@lru_cache(KEPT)
def related(shape: Shape, count: int, *, many: bool) -> Made:
    """What belongs to so many entities, by what: that, and the row; of many, the first ones."""
    source, conditions, where = _found(shape, of=count)
    assert shape.by is not None
    by = conditions.column(shape.by)
    found = select(by.label("of"), *source.row).select_from(source.rows).where(*where)
    if not many:
        return _made(shape.dialect, found, conditions)
    order = [key.ordered for key in _keys(conditions, source, shape.order)]
    place = func.row_number().over(partition_by=by, order_by=order).label("place")
    each = found.add_columns(place).subquery("each")
    first: Statement = select(*list(each.c)[:-1]).where(
        each.c.place <= bindparam("most", type_=Integer)
    )
    return _made(shape.dialect, first.order_by(each.c.of, each.c.place), conditions)


def _made(dialect: Dialect, statement: Statement, conditions: Conditions) -> Made:
    return Made(dialect.prepare_once(statement), conditions.looks_into_documents)


def _found(shape: Shape, of: int = 1) -> tuple[Source, Conditions, list[ColumnElement[bool]]]:
    by = shape.by
    source = source_of(shape.of, innovation_first=by is not None and by.of_innovation)
    conditions = Conditions(shape.dialect, source)
    where = list(source.conditions)
    if by is not None:
        named = [bindparam(name, type_=String) for name in names("by", of)]
        where.append(conditions.column(by).in_(named))
    if shape.where is not None:
        where.append(conditions.of(shape.where))
    return source, conditions, where


class _Key(NamedTuple):
    """What rows are in the order of."""

    value: ColumnElement[Any]
    nullable: bool
    backwards: bool

    @property
    def ordered(self) -> ColumnElement[Any]:
        # Null comes before everything else (part 1, section 11.2.5.2).
        if self.backwards:
            return self.value.desc().nulls_last() if self.nullable else self.value.desc()
        return self.value.asc().nulls_first() if self.nullable else self.value.asc()

    def beyond(self, last: ColumnElement[Any] | None) -> ColumnElement[bool]:
        """That it comes after the last one, which is None where that was null."""
        if last is None:
            return false() if self.backwards else self.value.is_not(None)
        if not self.backwards:
            return self.value > last
        return or_(self.value < last, self.value.is_(None)) if self.nullable else self.value < last

    def same(self, last: ColumnElement[Any] | None) -> ColumnElement[bool]:
        return self.value.is_(None) if last is None else self.value == last


def _keys(conditions: Conditions, source: Source, order: Sequence[Ordering]) -> list[_Key]:
    keys = [
        _Key(conditions.ordered(each.by), may_be_null(each.by), each.backwards) for each in order
    ]
    return [*keys, _Key(source.key, nullable=False, backwards=False)]


def _beyond(
    keys: Sequence[_Key], of: Sequence[type | UnionType], nulls: Sequence[bool]
) -> ColumnElement[bool]:
    """That a row comes after the one with the keys ``last_0``, ``last_1`` and so on."""
    lasts: list[ColumnElement[Any] | None] = [
        None if null else bindparam(f"last_{i}", type_=_type(kind))
        for i, (kind, null) in enumerate(zip(of, nulls, strict=True))
    ]
    ways = []
    for i, (key, last) in enumerate(zip(keys, lasts, strict=True)):
        same = [other.same(at) for other, at in zip(keys[:i], lasts[:i], strict=True)]
        ways.append(and_(*same, key.beyond(last)))
    return or_(*ways)


def _type(kind: type | UnionType) -> Any:
    kinds = get_args(kind) or (kind,)
    return String if str in kinds else Double if float in kinds else Integer


def kinds(shape: Shape) -> list[type[str | int | float] | UnionType]:
    """What the keys of a row are."""
    found: list[type[str | int | float] | UnionType] = []
    for order in shape.order:
        kind: Any = int | float if order.by.kind is Kind.NUMBER else str
        found.append(kind | None if may_be_null(order.by) else kind)
    return [*found, source_of(shape.of).key_kind]
