"""Reading entities: a page of a set, one of it, and what belongs to them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from pydantic_core import to_json

from app.dialects import Dialect, Reader
from app.errors import NotFound
from app.models.odata import ODataOptions
from app.models.tables import Column
from app.odata import options
from app.odata.addresses import Address
from app.odata.options import Asked, Expanded
from app.odata.sets import SETS, EntitySet
from app.register import changes
from app.register.lists import cursors
from app.register.lists.counts import TRIES
from app.register.lists.walks import names
from app.register.odata import statements
from app.register.odata.conditions import values_of
from app.register.odata.statements import ASKED_AT_ONCE, Made, Shape
from app.register.rows import cells_of

T = TypeVar("T")
Row = Sequence[Any]
Values = dict[str, object]

MOST_RELATED = 100
"""Of several things that belong to an entity, so many are sent with it."""

Related = Mapping[str, Sequence[Row]]
"""Rows of what belongs to entities, by what those call it; of several, one too many at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which of what is asked for."""

    limit: int
    skip: int = 0
    after: str | None = None
    """Where the page before ended."""
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Entities, as rows for :func:`app.register.rows.cells_of`."""

    rows: Sequence[Row]
    total: int | None = None
    """How many there are, if that was asked for."""
    next: str | None = None
    """Where the next page goes on; None of the last one."""
    related: Mapping[str, Related] = field(default_factory=dict)
    """What was asked for of what belongs to them, by the name of the way there."""


def prepare(dialect: Dialect, address: Address, asked: Asked, part: Part) -> None:
    """Makes the SQL of a first page, and of its count; they are kept, and there when it is read."""
    shape = Shape(dialect, asked.of, asked.where, asked.order, _by(address))
    statements.page(shape, None, skips=bool(part.skip))
    if part.counted:
        statements.counting(shape._replace(order=()))


async def page(reader: Reader, address: Address, asked: Asked, part: Part) -> tuple[Found, int]:
    """A page of a set, or of what belongs to one entity; and the head that it is of.

    Raises:
        NotFound: when there is no such entity.
        InvalidCursor: when the page is of another query.
    """

    async def read() -> Found:
        name = await _name(reader, address)
        return await _page(reader, asked, part, _by(address), name)

    return await _of_one_moment(reader, read)


async def one(reader: Reader, address: Address, asked: Asked) -> tuple[Found | None, int]:
    """One entity, or what belongs to one as its only; None where that has none.

    Raises:
        NotFound: when there is no such entity.
    """

    async def read() -> Found | None:
        name = await _name(reader, address)
        if name is None:
            return None
        return _there(await _page(reader, asked, Part(1), _by(address), name), address.target)

    return await _of_one_moment(reader, read)


async def value(reader: Reader, address: Address, column: Column) -> tuple[Any, int]:
    """What one entity says.

    Raises:
        NotFound: when there is no such entity.
    """
    return await _of_one_moment(reader, partial(_cell, reader, address, column.name))


async def count(reader: Reader, address: Address, asked: Asked) -> tuple[int, int]:
    """How many there are.

    Raises:
        NotFound: when there is no such entity that they could belong to.
    """

    async def read() -> int:
        name = await _name(reader, address)
        return await _count(reader, _shape(reader, asked, _by(address)), _values(asked, name))

    return await _of_one_moment(reader, read)


async def _of_one_moment(
    reader: Reader, read: Callable[[], Coroutine[Any, Any, T]]
) -> tuple[T, int]:
    """What is read in several steps, and the head that it is of; again, if there was a write."""
    for _ in range(TRIES):
        head = await changes.head(reader)
        found = await read()
        if await changes.head(reader) == head:
            break
    return found, head


def _by(address: Address) -> Column | None:
    """The property by which what is asked for is found; None for the whole set."""
    if address.navigation is not None:
        return address.target.table.column(address.navigation.there)
    return address.of.key if address.key is not None else None


async def _name(reader: Reader, address: Address) -> str | None:
    """What that property has to be."""
    if address.navigation is None:
        return address.key
    name: str | None = await _cell(reader, address, address.navigation.here)
    return name


async def _cell(reader: Reader, address: Address, name: str) -> Any:
    """What the entity says that an address names by its key."""
    of = address.of
    asked = options.read(ODataOptions(), of)
    found = _there(await _page(reader, asked, Part(1), of.key, address.key), of)
    return cells_of((of.table.column(name),))(found.rows[0])[0]


def _there(found: Found, of: EntitySet) -> Found:
    if not found.rows:
        raise NotFound(f"{of.name} has nothing with this key.")
    return found


async def _page(
    reader: Reader, asked: Asked, part: Part, by: Column | None, name: str | None
) -> Found:
    shape = _shape(reader, asked, by)
    query = to_json([asked.name, by and [by.name, name]]).decode()
    values = _values(asked, name)
    values["limit"] = part.limit + 1
    if part.skip:
        values["skip"] = part.skip
    nulls = None
    if part.after is not None:
        last = cursors.decode(query, part.after, statements.kinds(shape))
        values |= {f"last_{i}": key for i, key in enumerate(last)}
        nulls = tuple(key is None for key in last)
    rows = await _rows(reader, statements.page(shape, nulls, skips=bool(part.skip)), values)
    found = Found(rows[: part.limit])
    if len(rows) > part.limit > 0:
        last_keys = found.rows[-1][-len(statements.kinds(shape)) :]
        found = replace(found, next=cursors.encode(query, last_keys))
    if part.counted:
        found = replace(found, total=await _count(reader, shape, values))
    related = {
        each.navigation.name: await _related(reader, each, found.rows, asked)
        for each in asked.expand
    }
    return replace(found, related=related)


def _shape(reader: Reader, asked: Asked, by: Column | None) -> Shape:
    return Shape(reader.dialect, asked.of, asked.where, asked.order, by)


def _values(asked: Asked, name: str | None) -> Values:
    return {**values_of(asked.values), **_named([name or ""])}


def _named(keys: Sequence[str]) -> Values:
    return dict(zip(names("by", len(keys)), keys, strict=True))


async def _count(reader: Reader, shape: Shape, values: Values) -> int:
    rows = await _rows(reader, statements.counting(shape._replace(order=())), values)
    return int(rows[0][0])


async def _rows(reader: Reader, made: Made, values: Values) -> Sequence[Row]:
    if made.long:
        reader.takes_long()
    return await reader.rows(made.sql, values)


async def _related(
    reader: Reader, expanded: Expanded, rows: Sequence[Row], asked: Asked
) -> Related:
    """What belongs to the entities of these rows."""
    navigation, most = expanded.navigation, MOST_RELATED + 1
    values = values_of(asked.values)
    values["most"] = most if expanded.top is None else min(most, expanded.top)
    target = SETS[navigation.target]
    by = target.table.column(navigation.there)
    shape = Shape(reader.dialect, target, expanded.where, expanded.order, by)
    cells = cells_of((asked.of.table.column(navigation.here),))
    keys = dict.fromkeys(key for row in rows if (key := cells(row)[0]) is not None)
    found: dict[str, list[Row]] = {}
    for some in _portions(list(keys)):
        made = statements.related(shape, len(some), many=navigation.many)
        for of, *row in await _rows(reader, made, values | _named(some)):
            found.setdefault(of, []).append(row)
    return found


def _portions(keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys in portions of a few sizes, so that there are few statements; the last is filled."""
    most = ASKED_AT_ONCE[-1]
    for start in range(0, len(keys), most):
        portion = list(keys[start : start + most])
        size = next(size for size in ASKED_AT_ONCE if size >= len(portion))
        yield portion + portion[-1:] * (size - len(portion))
