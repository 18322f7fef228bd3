"""What the process that writes an export is told; it needs nothing else of the register."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

TEMPORARY = 75
"""How the process ends when the database does not answer (EX_TEMPFAIL)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the file."""

    name: str
    type: str
    """A :class:`app.models.tables.ColumnType`."""
    path: tuple[str, ...]
    of_innovation: bool


@dataclass(frozen=True, slots=True)
class Job:
    """An export."""

    url: str
    """The database's."""
    sql: str
    """Each row is a document; where it belongs to an innovation, with that one's id and number."""
    values: dict[str, Any]
    table: str
    format: str
    fields: tuple[Field, ...]
    byte_order_mark: bool = False

    def as_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of_json(cls, text: bytes) -> Job:
        said = json.loads(text)
        fields = tuple(
            Field(each["name"], each["type"], tuple(each["path"]), each["of_innovation"])
            for each in said.pop("fields")
        )
        return cls(**said, fields=fields)
