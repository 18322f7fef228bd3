"""Rows of a table: what a stored document has in each of its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pydantic_core import from_json
from sqlalchemy import Table

from app.models.decisions import Decision
from app.models.evidence import Evidence
from app.models.tables import DECISIONS, EVIDENCE
from app.register.identifiers import reference

BELONGING: dict[str, Table] = {
    DECISIONS.name: Decision.__table__,  # type: ignore[attr-defined]
    EVIDENCE.name: Evidence.__table__,  # type: ignore[attr-defined]
}
"""Where the rows of a table are whose things belong to an innovation."""

_OF_INNOVATION: dict[tuple[str, ...], int] = {("id",): 1, ("reference",): 2}
"""Where in a row what is the innovation's stands, beside the thing's own document."""


class Place(Protocol):
    """Where a column's values stand; see :class:`app.models.tables.Column`."""

    @property
    def path(self) -> tuple[str, ...]: ...

    @property
    def of_innovation(self) -> bool: ...


Cells = Callable[[Sequence[Any]], list[Any]]


def cells_of(columns: Sequence[Place]) -> Cells:
    """What makes the cells of a row: of a document, and behind it the id and the number of the
    innovation that it belongs to."""
    places = [(column.path, column.of_innovation) for column in columns]

    def cells(row: Sequence[Any]) -> list[Any]:
        document = from_json(row[0])
        return [
            _of_innovation(row, path) if of_innovation else _at(document, path)
            for path, of_innovation in places
        ]

    return cells


def _of_innovation(row: Sequence[Any], path: tuple[str, ...]) -> Any:
    value = row[_OF_INNOVATION[path]]
    return reference(value) if path == ("reference",) else value


def _at(document: Any, path: Sequence[str]) -> Any:
    here = document
    for part in path:
        if here is None:
            return None
        here = [each[part] for each in here] if isinstance(here, list) else here[part]
    return here
