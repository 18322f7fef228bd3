"""The SQL of a list of innovations, by the shape of its query.

It depends on which filters there are, with how many values, and on the order; so it is made once
for a shape, and then run with each query's values.

A page takes two steps. First its entries' numbers are walked to in their order, over an index that
also holds what the other filters ask for, from the sort key that the cursor names: so a page in
the middle costs what the first one does. Then the documents of just these are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    GenerativeSelect,
    Integer,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlmodel import col

from app.dialects import Statement
from app.models.adoptions import Adoption
from app.models.changes import LogHead
from app.models.decisions import Decision, Status
from app.models.evidence import Evidence
from app.models.finding import InnovationSort
from app.models.innovations import Visibility
from app.register.lists import past
from app.register.lists.past import told_of_position
from app.register.lists.walks import (
    ENTRIES,
    KEY_VALUES,
    KEYS,
    ORDERS,
    Order,
    Shape,
    Walk,
    document_of,
    walk,
    walks,
)

ADOPTIONS: Table = Adoption.__table__  # type: ignore[attr-defined]

_HEAD = select(col(LogHead.sequence)).scalar_subquery()
_LIMIT = bindparam("limit", type_=Integer)
_ANY_NUMBER = 2**31


@lru_cache(1024)
def page(shape: Shape, sort: InnovationSort, *, after: bool) -> Statement:
    """The log's head, and each entry's document and sort key; ``limit`` of them."""
    order = ORDERS[sort]
    steps = [past.walk(shape)] if shape.past else list(walks(shape, order))
    if sort is InnovationSort.RELEVANCE:
        top: GenerativeSelect = _best([_next_best(step, order, after=after) for step in steps])
    else:
        each = [_beyond(step, order, after=after) for step in steps]
        top = _next(each, order, merges=shape.dialect.merges_ordered_walks)
    document = steps[0].document
    if isinstance(top, Select) and len(steps) == 1 and document is not None:
        return top.with_only_columns(_HEAD, document, *top.selected_columns)
    found = top.subquery()
    keys = [found.c[name] for name in order.names]
    return select(_HEAD, document_of(found.c.number), *keys).order_by(*order.by(keys))


def _beyond(step: Walk, order: Order, *, after: bool) -> Statement:
    """The keys of one walk's entries, from the cursor on."""
    keys: list[ColumnElement[Any]] = [step.number]
    if order.column is not None:
        keys.insert(0, step.entry.c[order.column])
    labelled = (key.label(name) for key, name in zip(keys, order.names, strict=True))
    statement = step.where(select(*labelled))
    if after:
        here, last = tuple_(*keys), tuple_(*map(bindparam, order.names))
        statement = statement.where(here < last if order.backwards[0] else here > last)
    return statement


def _next(each: Sequence[Statement], order: Order, *, merges: bool) -> GenerativeSelect:
    """The keys of the next entries of some walks; each entry once, as it may have two tags."""
    if len(each) == 1 or merges:
        return _first(union(*each) if len(each) > 1 else each[0], order)
    parts = (_first(statement, order).subquery() for statement in each)
    return _first(union(*(select(*part.c) for part in parts)), order)


def _first(statement: GenerativeSelect, order: Order) -> GenerativeSelect:
    keys = [statement.selected_columns[name] for name in order.names]
    return statement.order_by(*order.by(keys)).limit(_LIMIT)


def _next_best(step: Walk, order: Order, *, after: bool) -> Statement:
    """The keys of the next entries of one walk of a search."""
    last_score = bindparam("key", type_=Double)
    last_number = bindparam("number", type_=Integer)
    if isinstance(step.score, float):
        # All of the walk are equally good. So it starts behind the last entry, or at its own
        # start, or is over; and its order is that of the numbers, which needs no sorting.
        score: ColumnElement[float] = literal(step.score)
        start = case((last_score < score, _ANY_NUMBER), (last_score == score, last_number), else_=0)
        beyond = step.number < start
        ordered: list[ColumnElement[Any]] = [step.number.desc()]
    else:
        assert step.score is not None
        score = step.score
        beyond = or_(score > last_score, and_(score == last_score, step.number < last_number))
        ordered = order.by([score, step.number])
    statement = step.where(select(score.label("key"), step.number.label("number")))
    return (statement.where(beyond) if after else statement).order_by(*ordered).limit(_LIMIT)


def _best(each: Sequence[Statement]) -> Statement:
    """The better ones are walked first, and the others only if these do not fill the page."""
    if len(each) == 1:
        return each[0]
    found = union_all(*(select(*statement.subquery().c) for statement in each)).subquery()
    return select(*found.c).limit(_LIMIT)


@lru_cache(1024)
def counting(shape: Shape, by: tuple[str, ...] = (), *, measured: bool = False) -> Statement:
    """The log's head, values of what is counted by, and the number of entries that have them.

    What is measured has three more: how many of them are kept, how much evidence there is for them,
    and how many other organisations have them.
    """
    entries = past.walk(shape) if shape.past else walk(shape)
    values: list[ColumnElement[Any]] = []
    for name in by:
        if name in KEYS or name == "position":
            key = _having(shape, entries, name)
            on = key.c.number == entries.number
            entries = entries._replace(source=entries.source.join(key, on, isouter=True))
            values.append(key.c.value)
        elif name in _OF_CREATION:
            made: FromClause = ENTRIES
            if entries.row is not ENTRIES:
                made = ENTRIES.alias("made")
                on = made.c.number == entries.number
                entries = entries._replace(source=entries.source.join(made, on))
            values.append(start_of(made.c.created_at, _OF_CREATION[name]))
        else:
            values.append(entries.row.c[name])
    measures: list[ColumnElement[int]] = [func.count()]
    if measured:
        measures += [_sum(case((entries.row.c.status == Status.KEEP.value, 1), else_=0))]
        pieces = entries.row.c.pieces if shape.past else _pieces(entries.number)
        measures += [_sum(pieces)]
        knows = shape.past or entries.row is ENTRIES
        count = entries.row.c.adoption_count if knows else _adoption_count(entries.number)
        measures += [_sum(count)]
    found = shape.dialect.text_search.published
    alone = shape.filters == _WORDS_ALONE and not shape.past
    if found is not None and not by and not measured and alone:
        # The one number that would need a look at each entry that is found.
        published = bindparam("visibility_is_0") == Visibility.PUBLISHED.value
        one_by_one = entries.where(select(func.count())).scalar_subquery()
        return select(_HEAD, case((published, found), else_=one_by_one))
    return entries.where(select(_HEAD, *values, *measures)).group_by(*values)


_WORDS_ALONE = (("visibility", 1), ("q", 1))


def _having(shape: Shape, entries: Walk, name: str) -> FromClause:
    """The numbers of entries and each value that they have of this, once."""
    if name == "position":
        return past.positions(shape.dialect, entries) if shape.past else _positions()
    if shape.past:
        each = past.texts(shape.dialect, entries.row, name)
        pairs = select(entries.number, each.text.label("value"))
        return pairs.select_from(entries.row, each.source).distinct().subquery(f"by_{name}")
    key = KEY_VALUES.alias(f"by_{name}")
    return select(key.c.number, key.c.value).where(key.c.name == name).subquery()


_OF_CREATION = {"month": 7, "day": 10}
"""What of the moment of its creation an entry is counted by: so many letters."""


def start_of(moment: ColumnElement[Any], letters: int) -> ColumnElement[str]:
    """The first letters of a moment: its month, or its day."""
    # Not with parameters: PostgreSQL could not tell that it is grouped by what is selected.
    return func.substr(moment, literal_column("1"), literal_column(str(letters)), type_=String)


def _sum(of: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(cast(func.sum(of), BigInteger), literal_column("0"))


def _pieces(number: ColumnElement[int]) -> ColumnElement[int]:
    """How many pieces of evidence the entry with this number has."""
    pieces = select(func.count()).select_from(Evidence).where(col(Evidence.number) == number)
    return pieces.scalar_subquery()


def _adoption_count(number: ColumnElement[int]) -> ColumnElement[int]:
    entry = ENTRIES.alias("adopted")
    return select(entry.c.adoption_count).where(entry.c.number == number).scalar_subquery()


def _positions() -> FromClause:
    """The numbers of entries, and what spread is counted by of each position on them."""
    month = func.coalesce(start_of(ADOPTIONS.c.adopted_on, 7), literal_column("'-'"))
    value = told_of_position(ADOPTIONS.c.organisation, ADOPTIONS.c.stage, month)
    return select(ADOPTIONS.c.number, value.label("value")).subquery("by_position")


@lru_cache(1024)
def adopted(shape: Shape) -> Statement:
    """The log's head, days, and how many adoptions of entries began then."""
    entries = walk(shape)
    of = and_(ADOPTIONS.c.number == entries.number, ADOPTIONS.c.adopted_on.is_not(None))
    entries = entries._replace(source=entries.source.join(ADOPTIONS, of))
    on = ADOPTIONS.c.adopted_on
    return entries.where(select(_HEAD, on, func.count())).group_by(on)


@lru_cache(1024)
def decided(shape: Shape) -> Statement:
    """The log's head, days and statuses, and how many decisions entries got then that say so."""
    entries = walk(shape)
    made: Any = Decision.__table__  # type: ignore[attr-defined]
    of = made.c.number == entries.number
    entries = entries._replace(source=entries.source.join(made, of))
    what = (made.c.decided_on, made.c.status)
    return entries.where(select(_HEAD, *what, func.count())).group_by(*what)
