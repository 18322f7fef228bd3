"""Where the rows of an entity set come from, and where each of its properties is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Integer,
    String,
    Table,
    cast,
    func,
    literal_column,
)

from app.dialects import Dialect
from app.models.innovations import NO_REVIEW, Visibility
from app.models.organisations import Organisation
from app.models.tables import (
    INNOVATIONS,
    ORGANISATIONS,
    STORIES,
    THEMES,
    Column,
    ColumnType,
)
from app.models.themes import Theme
from app.odata.sets import EntitySet
from app.register.lists.walks import ENTRIES
from app.register.told import STORIES as STORY_ROWS

_ORGANISATIONS: Table = Organisation.__table__  # type: ignore[attr-defined]
_THEMES: Table = Theme.__table__  # type: ignore[attr-defined]

_IS_PUBLISHED: ColumnElement[str] = literal_column(f"'{Visibility.PUBLISHED.value}'")
_PUBLISHED = ENTRIES.c.visibility == _IS_PUBLISHED

_STORED = (
    *("id", "version", "status", "theme", "organisation", "icb", "region", "care_setting"),
    *("created_at", "updated_at", "visibility", "kind", "strength", "code", "name", "parent"),
    *("slug", "number", "stage", "since", "adopted_on", "adoption_count", "verdict", "role"),
)
"""Properties that a table has a column of the same name for, if it has one."""


class Source(NamedTuple):
    """The rows of a set: where they are, and which of them are anybody's to see."""

    rows: FromClause
    things: Table
    row: tuple[ColumnElement[Any], ...]
    """A thing's document; and the id and the number of the innovation that it belongs to."""
    conditions: tuple[ColumnElement[bool], ...]
    key: ColumnElement[Any]
    """What they are in the order of, if nothing else is asked for."""
    key_kind: type[str | int]
    few: bool = False
    """Whether there are so few of them that looking into each one's document is nothing."""


def source_of(of: EntitySet, *, innovation_first: bool = False) -> Source:
    """Where a set's rows come from; from their innovation, where that is what is known of them."""
    table = of.table
    if table is INNOVATIONS:
        row = (ENTRIES.c.document, ENTRIES.c.id, ENTRIES.c.number)
        return Source(ENTRIES, ENTRIES, row, (_PUBLISHED,), ENTRIES.c.number, int)
    if table is STORIES:
        published = STORY_ROWS.c.visibility == _IS_PUBLISHED
        documents = (STORY_ROWS.c.document,)
        return Source(STORY_ROWS, STORY_ROWS, documents, (published,), STORY_ROWS.c.number, int)
    if table is ORGANISATIONS:
        return _few(_ORGANISATIONS, _ORGANISATIONS.c.code, str)
    if table is THEMES:
        return _few(_THEMES, _THEMES.c.number, int)
    things: Table = table.stored.__table__  # type: ignore[attr-defined]
    sides = (ENTRIES, things) if innovation_first else (things, ENTRIES)
    rows = sides[0].join(sides[1], ENTRIES.c.number == things.c.number)
    row = (things.c.document, ENTRIES.c.id, ENTRIES.c.number)
    return Source(rows, things, row, (_PUBLISHED,), things.c.id, str)


def _few(things: Table, key: ColumnElement[Any], kind: type[str | int]) -> Source:
    return Source(things, things, (things.c.document,), (), key, kind, few=True)


def stored(source: Source, column: Column) -> ColumnElement[Any] | None:
    """A property where a table has it; None where only a document says it."""
    if column.of_innovation:
        return ENTRIES.c.id if column.path == ("id",) else None
    if source.things is ENTRIES and column.name == "review_on":
        return func.nullif(ENTRIES.c.review_on, literal_column(f"'{NO_REVIEW}'"), type_=String)
    if column.name in _STORED and column.name in source.things.c:
        return source.things.c[column.name]
    return None


def said(dialect: Dialect, source: Source, column: Column) -> ColumnElement[Any]:
    """A property as the document says it."""
    document = ENTRIES.c.document if column.of_innovation else source.things.c.document
    text = dialect.text_at(dialect.parsed(document), *column.path)
    kind = _NUMBERS.get(column.type)
    return cast(text, kind) if kind is not None else text


_NUMBERS: Mapping[ColumnType, Any] = {ColumnType.INTEGER: Integer, ColumnType.NUMBER: Double}
