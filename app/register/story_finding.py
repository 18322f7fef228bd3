"""Finding stories: what a query asks for, its pages, totals and counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    Table,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlmodel import col

from app.dialects import Dialect, Reader, Statement, rfc3339
from app.errors import Fault, Unauthenticated, UnknownInnovation, ValidationFailed
from app.models.changes import LogHead
from app.models.innovations import Innovation, Visibility
from app.models.stories import FILTERS, KEYS, OWNERS, StoryKey, StoryVisibility
from app.models.story_finding import StoryFacet, StoryFilters, StoryQuery, StorySort
from app.register import changes
from app.register.access import Caller
from app.register.finding import MOST_FACET_VALUES, Found
from app.register.identifiers import identifier
from app.register.lists import cursors, search
from app.register.lists.counts import TRIES
from app.register.lists.memory import Counts, Memory
from app.register.lists.shapes import start_of
from app.register.lists.walks import names, one_of
from app.register.lists.wanted import must_exist
from app.register.told import STORIES

_KEYS: Table = StoryKey.__table__  # type: ignore[attr-defined]
_HEAD = select(col(LogHead.sequence)).scalar_subquery()


class StoryShape(NamedTuple):
    """All of a query that its SQL depends on."""

    dialect: Dialect
    filters: tuple[tuple[str, int], ...]
    """Each filter that is given, and its number of values."""
    own_only: bool
    """Whether what is not published shows for one organisation only."""


class WantedStories(NamedTuple):
    """A query's shape and its values, and a name for what it asks for."""

    shape: StoryShape
    values: dict[str, object]
    name: str


class _Order(NamedTuple):
    column: str | None
    backwards: bool

    @property
    def keys(self) -> list[ColumnElement[Any]]:
        before = [] if self.column is None else [STORIES.c[self.column]]
        return [*before, STORIES.c.number]

    @property
    def kinds(self) -> tuple[type[str | int], ...]:
        return (int,) if self.column is None else (str, int)


_ORDERS = {
    StorySort.CREATED_AT: _Order(None, False),
    StorySort.NEWEST: _Order(None, True),
    StorySort.UPDATED_AT: _Order("updated_at", False),
    StorySort.LATEST_UPDATED: _Order("updated_at", True),
}


async def wanted_stories(
    reader: Reader, query: StoryFilters, caller: Caller, *, memory: Memory
) -> WantedStories:
    """What a query asks for, as far as the caller may see it.

    Raises:
        Unauthenticated: when what is not published is asked for without a key.
        UnknownTheme, UnknownOrganisation, UnknownInnovation, ValidationFailed
    """
    await must_exist(reader, query, memory)
    filters: list[tuple[str, int]] = []
    values: dict[str, object] = {}
    for name in (*FILTERS, "visibility", *KEYS):
        given: Sequence[Any] = list(dict.fromkeys(getattr(query, name)))
        if name == "innovation" and given:
            given = await _ids(reader, given, caller)
        if given:
            filters.append((name, len(given)))
            values |= zip(names(name, len(given)), map(str, given), strict=True)
    for name in ("created_from", "created_to", "updated_since"):
        moment = getattr(query, name)
        if moment is not None:
            filters.append((name, 1))
            values[name] = rfc3339(moment)
    if query.q:
        filters.append(("q", 1))
        values |= reader.dialect.text_query(search.alternatives(query.q))
    own_only = not caller.curates and set(query.visibility) != {StoryVisibility.PUBLISHED}
    if own_only:
        if caller.organisation is None:
            raise Unauthenticated(
                "What is not published shows to its own organisation: send its key."
            )
        values["own"] = caller.organisation
    shape = StoryShape(reader.dialect, tuple(filters), own_only)
    return WantedStories(shape, values, f"stories {to_json(values).decode()}")


_PLACED = select(
    *(
        col(getattr(Innovation, name))
        for name in ("id", "document", "visibility", "public", "organisation", "icb", "region")
    )
).where(col(Innovation.visibility) != Visibility.WITHDRAWN.value)
_BY_ID = _PLACED.where(col(Innovation.id) == bindparam("key"))
_BY_NUMBER = _PLACED.where(col(Innovation.number) == bindparam("key"))


async def _ids(reader: Reader, given: Sequence[str], caller: Caller) -> list[str]:
    """The ids of innovations that the caller may know of; of a merged one, what it is now."""
    found = []
    for name in given:
        key = identifier(name)
        rows: Sequence[Any] = ()
        if key is not None:
            rows = await reader.rows(_BY_NUMBER if isinstance(key, int) else _BY_ID, {"key": key})
        if not rows or not (rows[0][3] or caller.covers(*rows[0][4:])):
            detail = "No innovation has this id or reference."
            raise UnknownInnovation.at("?innovation", "unknown_innovation", detail)
        id, document, visibility = rows[0][:3]
        is_merged = visibility == Visibility.SUPERSEDED
        found.append(from_json(document)["superseded_by"]["id"] if is_merged else id)
    return list(dict.fromkeys(found))


def conditions(shape: StoryShape) -> list[ColumnElement[bool]]:
    """What the filters ask for."""
    asked: list[ColumnElement[bool]] = []
    for name, count in shape.filters:
        if name in KEYS:
            key = _KEYS.alias(f"of_{name}")
            numbers = select(key.c.number).where(
                key.c.name == literal_column(f"'{name}'"), one_of(key.c.value, name, count)
            )
            asked.append(STORIES.c.number.in_(numbers))
        elif name == "q":
            asked.append(shape.dialect.story_has_words)
        elif name == "created_to":
            asked.append(STORIES.c.created_at < bindparam(name, type_=String))
        elif name in ("created_from", "updated_since"):
            column = STORIES.c.updated_at if name == "updated_since" else STORIES.c.created_at
            asked.append(column >= bindparam(name, type_=String))
        else:
            asked.append(one_of(STORIES.c[name], name, count))
    if shape.own_only:
        own = bindparam("own", type_=String)
        published = STORIES.c.visibility == StoryVisibility.PUBLISHED.value
        asked.append(or_(published, *(STORIES.c[place] == own for place in OWNERS)))
    return asked


@lru_cache(1024)
def _page(shape: StoryShape, sort: StorySort, *, after: bool) -> Statement:
    """The log's head, and each story's document and sort key; ``limit`` of them."""
    order = _ORDERS[sort]
    keys = order.keys
    statement: Statement = select(_HEAD, STORIES.c.document, *keys).where(*conditions(shape))
    if after:
        here = tuple_(*keys)
        last = tuple_(*(bindparam(f"last_{i}") for i in range(len(keys))))
        statement = statement.where(here < last if order.backwards else here > last)
    ordered = (key.desc() if order.backwards else key.asc() for key in keys)
    return statement.order_by(*ordered).limit(bindparam("limit"))


async def page(reader: Reader, query: StoryQuery, caller: Caller, *, memory: Memory) -> Found:
    """The page of stories that the query asks for.

    Raises:
        InvalidCursor, and what :func:`wanted_stories` raises.
    """
    wanted = await wanted_stories(reader, query, caller, memory=memory)
    facets = _facets(query.facets)
    order = _ORDERS[query.sort]
    ordered = f"{query.sort} {wanted.name}"
    values = {**wanted.values, "limit": query.limit + 1}
    if query.cursor:
        last = cursors.decode(ordered, query.cursor, order.kinds)
        values |= {f"last_{i}": key for i, key in enumerate(last)}
    statement = _page(wanted.shape, query.sort, after=bool(query.cursor))
    # As in `finding.page`: all of an answer is of one moment.
    for _ in range(TRIES):
        head = await changes.head(reader)
        rows = await reader.rows(statement, values)
        counted = [
            await counts(reader, wanted, by, memory, at=head)
            for by in [(), *((facet.value,) for facet in facets)]
        ]
        if all(each.head == head for each in counted) and all(row[0] == head for row in rows[:1]):
            break
    total = counted[0].cells.get((), (0,))[0]
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    following = cursors.encode(ordered, rows[-1][2:]) if more else None
    found = {facet.value: _frequent(each) for facet, each in zip(facets, counted[1:], strict=True)}
    return Found([row[1] for row in rows], query.limit, total, following, head, facets=found)


def _frequent(counted: Counts) -> list[tuple[str, int]]:
    values = [(value, cell[0]) for (value,), cell in counted.cells.items() if value is not None]
    return sorted(values, key=lambda each: (-each[1], each[0]))[:MOST_FACET_VALUES]


def _facets(given: str | None) -> list[StoryFacet]:
    if not given:
        return []
    try:
        return [StoryFacet(name.strip()) for name in dict.fromkeys(given.split(","))]
    except ValueError:
        detail = f"Give some of {', '.join(StoryFacet)}."
        fault = Fault("?facets", "unknown_facet", detail)
        raise ValidationFailed("There is no such facet.", faults=(fault,)) from None


# Counting


async def counts(
    reader: Reader, wanted: WantedStories, by: tuple[str, ...], memory: Memory, *, at: int
) -> Counts:
    """The stories that fit, counted by what they say; as of a head that was seen or a newer one.

    A count is kept until something is written. There are far fewer stories than would be worth
    carrying it on along the log.
    """
    asked = f"{wanted.name} {by}"
    known = memory.counted.get(asked)
    if known is not None and known.head >= at:
        return known
    rows = await reader.rows(_counting(wanted.shape, by), wanted.values)
    if not rows and await changes.head(reader) != at:
        return Counts(-1, {})  # nothing tells of which moment it is
    n = len(by)
    cells = {tuple(row[1 : n + 1]): (row[n + 1], row[n + 2], 0, 0) for row in rows}
    counted = Counts(rows[0][0] if rows else at, cells)
    memory.counted.put(asked, counted)
    return counted


@lru_cache(1024)
def _counting(shape: StoryShape, by: tuple[str, ...]) -> Statement:
    """The log's head, values of what is counted by, how many stories have them, and of how many of
    these the verdict is to keep."""
    source: FromClause = STORIES
    values: list[ColumnElement[Any]] = []
    for name in by:
        if name == "theme":
            key = _KEYS.alias("by_theme")
            on = and_(key.c.number == STORIES.c.number, key.c.name == literal_column("'theme'"))
            source = source.join(key, on, isouter=True)
            values.append(key.c.value)
        elif name == "month":
            values.append(start_of(STORIES.c.created_at, 7))
        else:
            values.append(STORIES.c[name])
    kept = func.count().filter(STORIES.c.verdict == literal_column("'keep'"))
    statement = select(_HEAD, *values, func.count(), kept).select_from(source)
    return statement.where(*conditions(shape)).group_by(*values)
