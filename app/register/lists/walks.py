"""Walks: over which index a list's entries are come to, in their order.

One filter leads: the one that usually finds the fewest. What it finds is walked in the order of
the list, and the same index tells whether an entry fits the other filters, too. A lead with several
values is as many walks, and so is a list of what is published and what is not: within one walk the
order is the index's own, so that a page ends it after a page's worth of steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Table,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from app.dialects import Dialect, Statement, TextMatch
from app.models.finding import InnovationSort
from app.models.innovations import FILTERS, PLACES, Innovation, InnovationKey, Visibility

ENTRIES: Table = Innovation.__table__  # type: ignore[attr-defined]
KEY_VALUES: Table = InnovationKey.__table__  # type: ignore[attr-defined]

COLUMNS = (*FILTERS, "visibility")
"""Filters by what an innovation has one of."""

KEYS = ("tag", "evidence_kind", "evidence_strength", "adopted_by", "adoption_stage")
"""Filters by what an innovation may have several of."""

_RANGES = {"updated_since": "updated_at", "review_due_before": "review_on"}

_LEADS = (
    *("q", "organisation", "tag", "adopted_by", "icb", *_RANGES, "adoption_stage", "care_setting"),
    *("theme", "region", "evidence_kind", "status", "evidence_strength"),
)
"""What may lead: the filter first whose one value usually finds the fewest."""


_LEADS_IN_OTHER_ORDERS = ("q", "organisation", "tag", "adopted_by", "icb", "adoption_stage")


class Shape(NamedTuple):
    """All of a query that its SQL depends on."""

    dialect: Dialect
    filters: tuple[tuple[str, int], ...]
    """Each filter that is given, and its number of values."""
    own_only: bool
    """Whether what is not published shows for one organisation only."""
    past: bool = False
    """Whether it is asked of the register as it was; see :mod:`app.register.lists.past`."""

    @property
    def searched(self) -> bool:
        """Whether words are looked for."""
        return any(name == "q" for name, _ in self.filters)


class Order(NamedTuple):
    """A total order: by a key if there is one, and by number."""

    column: str | None
    """The key's column; none for the score of a search, which is no column."""
    kinds: tuple[type[str | int | float], ...]
    backwards: tuple[bool, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return ("key", "number")[-len(self.kinds) :]

    def by(self, keys: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        each = zip(keys, self.backwards, strict=True)
        return [key.desc() if backwards else key.asc() for key, backwards in each]


_TEXT = (str, int)

ORDERS = {
    InnovationSort.RELEVANCE: Order(None, (float, int), (False, True)),
    InnovationSort.CREATED_AT: Order(None, (int,), (False,)),
    InnovationSort.NEWEST: Order(None, (int,), (True,)),
    InnovationSort.UPDATED_AT: Order("updated_at", _TEXT, (False, False)),
    InnovationSort.LATEST_UPDATED: Order("updated_at", _TEXT, (True, True)),
    InnovationSort.TITLE: Order("title_key", _TEXT, (False, False)),
    InnovationSort.TITLE_BACKWARDS: Order("title_key", _TEXT, (True, True)),
    InnovationSort.REVIEW_ON: Order("review_on", _TEXT, (False, False)),
    InnovationSort.ADOPTION_COUNT: Order("adoption_count", (int, int), (False, False)),
    InnovationSort.MOST_ADOPTED: Order("adoption_count", (int, int), (True, True)),
}


class Walk(NamedTuple):
    """FROM and WHERE of a walk, and what it comes to."""

    source: FromClause
    row: FromClause
    """Its table with the columns that are filtered and counted by."""
    number: ColumnElement[int]
    conditions: list[ColumnElement[bool]]
    way: str | None
    """The index of the entries; none where they are looked up by their number."""
    document: ColumnElement[str] | None
    """Each entry's document, if it can be taken along: where nothing has to be sorted."""
    entry: FromClause = ENTRIES
    """Its table with the keys that lists are ordered by."""
    score: float | ColumnElement[float] | None = None
    """How well what it comes to fits a search; the best is the least."""

    def where(self, statement: Statement) -> Statement:
        statement = statement.select_from(self.source).where(*self.conditions)
        return statement.with_hint(ENTRIES, self.way) if self.way else statement


def walks(shape: Shape, order: Order) -> Iterator[Walk]:
    """Walks in this order, which together come to all entries of the shape."""
    given = dict(shape.filters)
    lead = _lead(given, order)
    if order is ORDERS[InnovationSort.RELEVANCE]:
        for match in shape.dialect.text_search.best_first:
            found = _walk(shape, lead, order, {}, match)
            yield found._replace(score=match.score, document=None)
        return
    split = [lead] if lead in (*FILTERS, *KEYS) else []
    if lead not in (*KEYS, "q"):
        split.append("visibility")
    for chosen in product(*(names(name, given[name]) for name in split)):
        yield _walk(shape, lead, order, dict(zip(split, chosen, strict=True)))


def walk(shape: Shape) -> Walk:
    """All entries of the shape, each once, in whatever order."""
    order = ORDERS[InnovationSort.NEWEST]
    return _walk(shape, _lead(dict(shape.filters), order), order, {})


def _lead(given: Mapping[str, int], order: Order) -> str | None:
    # In another order than by number, few have an index, or usually find few enough to be sorted.
    leads = _LEADS if order.column is None else _LEADS_IN_OTHER_ORDERS
    return next((name for name in leads if name in given), None)


def _walk(
    shape: Shape,
    lead: str | None,
    order: Order,
    chosen: Mapping[str, str],
    match: TextMatch | None = None,
) -> Walk:
    given = dict(shape.filters)
    way = _index(lead, order)
    # The table whose rows tell what an entry has one of.
    row: FromClause = ENTRIES
    source: FromClause = ENTRIES
    number: ColumnElement[int] = ENTRIES.c.number
    conditions: list[ColumnElement[bool]] = []
    if lead == "q":
        text = shape.dialect.text_search
        conditions.append((match or text.anywhere).condition)
        number = text.number
        source = text.source.join(ENTRIES, _same(number))
    elif lead in KEYS:
        row = source = _having(lead, given[lead], chosen)
        number = row.c.number
        if order.column is not None or not given.keys().isdisjoint(_RANGES):
            source = row.join(ENTRIES, _same(number))
    conditions += _fitting(shape, lead, row, number, chosen)
    document: ColumnElement[str] | None = None
    if lead not in ((*KEYS, "q") if order.column else _RANGES):
        document = (
            document_of(number) if row is not ENTRIES and row is source else ENTRIES.c.document
        )
    return Walk(source, row, number, conditions, way, document)


def _fitting(
    shape: Shape,
    lead: str | None,
    row: FromClause,
    number: ColumnElement[int],
    chosen: Mapping[str, str],
) -> Iterator[ColumnElement[bool]]:
    """What the filters ask for of the rows of a walk."""
    for name, count in shape.filters:
        if name in COLUMNS:
            yield _is(row.c[name], name, count, chosen)
        elif name == "not_adopted_by":
            yield from _not_theirs(row, number, count)
        elif name in KEYS and name != lead:
            yield _has(number, name, count)
        elif name != lead or name in _RANGES:
            yield _in_range(name, number)
    if shape.own_only:
        own = bindparam("own", type_=String)
        published = row.c.visibility == Visibility.PUBLISHED.value
        yield or_(published, *(row.c[place] == own for place in PLACES))


def _index(lead: str | None, order: Order) -> str | None:
    """See ``Innovation.__table_args__``; none where entries are looked up by their number."""
    if lead in KEYS or (lead == "q" and order.column is not None):
        return None
    if order.column is not None:
        by = f"{lead}_{order.column}" if lead else order.column
    elif lead is None or lead == "q":
        by = "number"  # which holds all that the filters ask for
    else:
        by = _RANGES.get(lead, lead)
    return f"ix_innovation_{by}"


def _having(name: str, count: int, chosen: Mapping[str, str]) -> FromClause:
    """The entries that have a key with one of these values, each once."""
    columns = (KEY_VALUES.c[column] for column in ("number", *COLUMNS))
    entries = select(*columns).where(
        KEY_VALUES.c.name == name, _is(KEY_VALUES.c.value, name, count, chosen)
    )
    several = count > 1 and name not in chosen
    return (entries.distinct() if several else entries).subquery(f"with_{name}")


def document_of(number: ColumnElement[int]) -> ColumnElement[str]:
    """The document of the entry with this number."""
    entry = ENTRIES.alias("entry")
    return select(entry.c.document).where(entry.c.number == number).scalar_subquery()


def _same(number: ColumnElement[int]) -> ColumnElement[bool]:
    # Nothing is added, so that a cursor's bound on the one number does not carry over to the other:
    # SQLite would look that up by its bound, and no longer by the number itself.
    return ENTRIES.c.number == number + 0


def _is(
    column: ColumnElement[Any], name: str, count: int, chosen: Mapping[str, str]
) -> ColumnElement[bool]:
    if name in chosen:
        return column == bindparam(chosen[name])
    return one_of(column, name, count)


def _not_theirs(
    row: FromClause, number: ColumnElement[int], count: int
) -> Iterator[ColumnElement[bool]]:
    """That it is neither an organisation's own, nor adopted by it; nor by those below it."""
    key = KEY_VALUES.alias("theirs")
    adopted = (
        key.c.name == "adopted_by",
        one_of(key.c.value, "not_adopted_by", count),
        key.c.number == number,
    )
    yield ~exists().where(*adopted)
    yield from not_in(row, count)


def not_in(row: FromClause, count: int) -> Iterator[ColumnElement[bool]]:
    """That it is none of some organisations' own, nor of one below them."""
    for place in PLACES:
        elsewhere = ~one_of(row.c[place], "not_adopted_by", count)
        yield elsewhere if place == "organisation" else or_(row.c[place].is_(None), elsewhere)


def _has(number: ColumnElement[int], name: str, count: int) -> ColumnElement[bool]:
    key = KEY_VALUES.alias(name)
    return exists().where(
        key.c.name == name, one_of(key.c.value, name, count), key.c.number == number
    )


def _in_range(name: str, number: ColumnElement[int]) -> ColumnElement[bool]:
    if name not in _RANGES:
        return created_in(name, number)
    column = ENTRIES.c[_RANGES[name]]
    value: ColumnElement[str] = bindparam(name)
    return column >= value if name == "updated_since" else column < value


def created_in(name: str, number: ColumnElement[int]) -> ColumnElement[bool]:
    """That an entry was created from a moment on, or before one."""
    # Numbers are in the order of creation, so a time is a number, and every index has that.
    return (
        number >= _first_created(name) if name == "created_from" else number < _first_created(name)
    )


def _first_created(since: str) -> ColumnElement[int]:
    """The first number created at or after a moment; the next one to come, if none was."""
    entry = ENTRIES.alias()
    later = select(entry.c.number).where(entry.c.created_at >= bindparam(since))
    first = later.order_by(entry.c.created_at, entry.c.number).limit(literal_column("1"))
    following = select(func.coalesce(func.max(entry.c.number), 0) + 1)
    return func.coalesce(first.scalar_subquery(), following.scalar_subquery())


def names(of: str, count: int) -> list[str]:
    """The parameters of a filter's values; SQLAlchemy never makes up such names by itself."""
    return [f"{of}_is_{i}" for i in range(count)]


def one_of(column: Any, name: str, count: int) -> ColumnElement[bool]:
    """That a column has one of a filter's values."""
    values: list[ColumnElement[str]] = [bindparam(each) for each in names(name, count)]
    fits: ColumnElement[bool] = column == values[0] if count == 1 else column.in_(values)
    return fits
