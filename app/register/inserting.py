"""Inserting many rows at a time, as they are.

The ORM would spend most of an import on making an object of each row, and SQLAlchemy's own
statements still a tenth on making parameters of it one by one. Here a table's statement is written
once, and values are taken from all rows at once, column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table
from sqlmodel import Session, SQLModel


def insert_all(session: Session, model: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, each with a value for every column of the model's table."""
    if rows:
        connection = session.connection()
        insertion = _insertion(model, connection.dialect)
        connection.exec_driver_sql(insertion.statement, insertion.parameters(rows))


class _Insertion:
    """What the driver is told, and how its parameters are made of rows."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        names = [column.name for column in table.columns]
        quoted = map(dialect.identifier_preparer.quote, names)
        marks = ["?" if dialect.paramstyle == "qmark" else "%s"] * len(names)
        self.statement = (
            f"INSERT INTO {dialect.identifier_preparer.format_table(table)} "  # noqa: S608
            f"({', '.join(quoted)}) VALUES ({', '.join(marks)})"
        )
        self._values = itemgetter(*names)
        self._converters: dict[int, Callable[[Any], Any]] = {}
        for at, column in enumerate(table.columns):
            converter = column.type.dialect_impl(dialect).bind_processor(dialect)
            if converter is not None:
                self._converters[at] = converter

    def parameters(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        columns: list[Sequence[Any]] = list(zip(*map(self._values, rows), strict=True))
        for at, converter in self._converters.items():
            columns[at] = list(map(converter, columns[at]))
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=64)
def _insertion(model: type[SQLModel], dialect: Dialect) -> _Insertion:
    return _Insertion(model.__table__, dialect)  # type: ignore[attr-defined]
