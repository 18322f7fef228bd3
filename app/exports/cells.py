"""Cells: what a document has for each column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pydantic_core import from_json

from app.exports.job import OF_INNOVATION, Field
from app.register.identifiers import reference

BETWEEN = "; "
"""Between several texts in one cell, as imports take them."""

_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a text begins that a spreadsheet might take for a formula."""

Cells = Callable[[Sequence[Any]], list[Any]]


def cells_of(fields: Sequence[Field]) -> Cells:
    """What makes the cells of a row."""
    named = list(fields)

    def cells(row: Sequence[Any]) -> list[Any]:
        document = from_json(row[0])
        return [
            _of_innovation(row, field) if field.of_innovation else _at(document, field.path)
            for field in named
        ]

    return cells


def _of_innovation(row: Sequence[Any], field: Field) -> Any:
    value = row[OF_INNOVATION[field.path]]
    return reference(value) if field.path == ("reference",) else value


def _at(document: Any, path: Sequence[str]) -> Any:
    here = document
    for part in path:
        if here is None:
            return None
        here = [each[part] for each in here] if isinstance(here, list) else here[part]
    return here


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before it says that it is one.

    See OWASP, CSV injection.
    """
    return f"'{text}" if _FORMULA.match(text) else text
