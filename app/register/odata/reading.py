"""Reading entities: a page of a set, one of it, and what belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from app.dialects import Reader
from app.models.tables import Column
from app.odata.options import Asked, Expanded
from app.register import changes, cursors
from app.register.counts import TRIES
from app.register.odata import statements
from app.register.odata.conditions import values_of
from app.register.odata.statements import ASKED_AT_ONCE, Made, Shape
from app.register.rows import cells_of
from app.register.walks import names

Row = Sequence[Any]

Related = Mapping[str, Sequence[Row]]
"""Rows of what belongs to entities, by what those call it."""


@dataclass(frozen=True, slots=True)
class Below:
    """The one entity that others belong to: the property that names it, and its name."""

    column: Column
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """Entities, as rows for :func:`app.register.rows.cells_of`."""

    rows: Sequence[Row]
    head: int
    total: int | None = None
    """How many there are, if that was asked for."""
    next: str | None = None
    """Where the next page goes on; None of the last one."""
    related: Mapping[str, Related] = field(default_factory=dict)
    """What was asked for of what belongs to them, by the name of the way there."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which of what is asked for."""

    limit: int
    skip: int = 0
    after: str | None = None
    """Where the page before ended."""
    counted: bool = False


async def page(reader: Reader, asked: Asked, part: Part, below: Below | None = None) -> Found:
    """A page of a set, or of what belongs to one entity.

    Raises:
        InvalidCursor: when the page is of another query.
    """
    shape = _shape(reader, asked, below)
    values = _values(asked, below)
    query = to_json([asked.name, below and [below.column.name, below.name]]).decode()
    values["limit"] = part.limit + 1
    if part.skip:
        values["skip"] = part.skip
    nulls = None
    if part.after is not None:
        last = cursors.decode(query, part.after, statements.kinds(shape))
        values |= {f"last_{i}": key for i, key in enumerate(last)}
        nulls = tuple(key is None for key in last)
    made = statements.page(shape, nulls, skips=bool(part.skip))
    for _ in range(TRIES):
        head = await changes.head(reader)
        rows = await _rows(reader, made, values)
        total = await _count(reader, shape, values) if part.counted else None
        related = await _related(reader, asked.expand, rows[: part.limit], asked)
        if await changes.head(reader) == head:
            break
    more = len(rows) > part.limit
    rows = rows[: part.limit]
    following = None
    if more and rows:
        following = cursors.encode(query, rows[-1][-len(statements.kinds(shape)) :])
    return Found(rows, head, total, following, related)


async def count(reader: Reader, asked: Asked, below: Below | None = None) -> tuple[int, int]:
    """The head of the log, and how many there are."""
    head = await changes.head(reader)
    return head, await _count(reader, _shape(reader, asked, below), _values(asked, below))


def _shape(reader: Reader, asked: Asked, below: Below | None) -> Shape:
    by = below.column if below else None
    return Shape(reader.dialect, asked.of.name, asked.where, asked.order, by)


def _values(asked: Asked, below: Below | None) -> dict[str, object]:
    values = values_of(asked.values)
    return {**values, "below": below.name} if below else values


async def _count(reader: Reader, shape: Shape, values: Mapping[str, object]) -> int:
    counting = statements.counting(shape._replace(order=()))
    return int((await _rows(reader, counting, values))[0][0])


async def _rows(reader: Reader, made: Made, values: Mapping[str, object]) -> Sequence[Row]:
    if made.long:
        reader.takes_long()
    return await reader.rows(made.statement, values)


async def _related(
    reader: Reader, expand: Sequence[Expanded], rows: Sequence[Row], asked: Asked
) -> dict[str, Related]:
    found: dict[str, Related] = {}
    for expanded in expand:
        here = asked.of.column(expanded.navigation.here)
        assert here is not None
        cells = cells_of((here,))
        keys = list(dict.fromkeys(key for row in rows if (key := cells(row)[0]) is not None))
        things: dict[str, list[Row]] = {}
        for some in _portions(keys):
            statement = statements.related(reader.dialect, expanded.navigation, len(some))
            values = dict(zip(names("of", len(some)), some, strict=True))
            for of, *row in await reader.rows(statement, values):
                things.setdefault(of, []).append(row)
        found[expanded.navigation.name] = things
    return found


def _portions(keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys in portions of a few sizes, so that there are few statements; the last is filled."""
    most = ASKED_AT_ONCE[-1]
    for start in range(0, len(keys), most):
        portion = list(keys[start : start + most])
        size = next(size for size in ASKED_AT_ONCE if size >= len(portion))
        yield portion + portion[-1:] * (size - len(portion))
