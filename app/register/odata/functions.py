"""The functions of OData as SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, and_, cast, func, literal_column

from app.dialects import Dialect

Text = ColumnElement[str]


def _contains(dialect: Dialect, text: Text, part: Text) -> ColumnElement[bool]:
    return dialect.position(text, part) > literal_column("0")


def _index_of(dialect: Dialect, text: Text, part: Text) -> ColumnElement[int]:
    return dialect.position(text, part) - literal_column("1")


# Not with LIKE: on SQLite it takes `A` for `a`.
def _starts(_: Dialect, text: Text, part: Text) -> ColumnElement[bool]:
    start: Text = func.substr(text, literal_column("1"), func.length(part), type_=String)
    return start == part


def _ends(_: Dialect, text: Text, part: Text) -> ColumnElement[bool]:
    before = func.length(text) - func.length(part)
    ending: Text = func.substr(text, before + literal_column("1"), func.length(part), type_=String)
    return and_(before >= literal_column("0"), ending == part)


def _substring(_: Dialect, text: Text, start: ColumnElement[int], *length: Any) -> Text:
    first = cast(start, Integer) + literal_column("1")
    part: Text = func.substr(text, first, *(cast(each, Integer) for each in length), type_=String)
    return part


def _part(_: Dialect, time: Text, *, start: int, length: int) -> ColumnElement[int]:
    return cast(_letters(time, start, length), Integer)


def _date(_: Dialect, time: Text) -> Text:
    return _letters(time, 1, 10)


def _letters(text: Text, start: int, length: int) -> Text:
    first: ColumnElement[int] = literal_column(str(start))
    many: ColumnElement[int] = literal_column(str(length))
    return func.substr(text, first, many, type_=String)


FUNCTIONS: Mapping[str, Callable[..., ColumnElement[Any]]] = {
    "contains": _contains,
    "startswith": _starts,
    "endswith": _ends,
    "length": lambda _, text: func.length(text, type_=Integer),
    "indexof": _index_of,
    "substring": _substring,
    "tolower": lambda dialect, text: dialect.lower(text),
    "toupper": lambda dialect, text: dialect.upper(text),
    "trim": lambda _, text: func.trim(text, type_=String),
    "concat": lambda _, text, more: text.concat(more),
    # The parts of a time, by where they stand in its text.
    "year": partial(_part, start=1, length=4),
    "month": partial(_part, start=6, length=2),
    "day": partial(_part, start=9, length=2),
    "hour": partial(_part, start=12, length=2),
    "minute": partial(_part, start=15, length=2),
    "second": partial(_part, start=18, length=2),
    "date": _date,
}
"""What makes the SQL of each of :data:`app.odata.expressions.FUNCTIONS`."""
