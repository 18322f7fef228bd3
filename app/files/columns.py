"""The columns of a table of entries: an entry's fields, with a point between a part and its own.

``source.id`` is the field ``id`` of ``source``; ``evidence.1.kind`` that of the first piece of
evidence. What there are several of, like tags, shares a cell, with semicolons in between.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.errors import Fault, ValidationFailed
from app.models.decisions import DecisionCreate
from app.models.evidence import EvidenceCreate, Measure
from app.models.innovations import MOST_EVIDENCE, InnovationCreate, InnovationFields, Source
from app.models.stories import StoryCreate, StoryFields

NUMBERS = frozenset({"baseline", "result"})
MOST_COLUMNS = 1000

_NUMBER = re.compile(r"[+-]?\d{1,17}(\.\d{1,17})?", re.ASCII)
_SHOWN = 60
_TOLD = 100


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns that a table of one kind of entry has."""

    sheet: str
    """The sheet of a workbook that is looked for, and the name of a template's file."""
    entry: type[BaseModel]
    names: tuple[str, ...]
    """All of them; of what is counted, those of the first one."""
    known: Mapping[str, str]
    """All that there can be, as people may vary them."""
    lists: frozenset[str]
    """Those that hold several values."""

    @property
    def required(self) -> tuple[str, ...]:
        fields = self.entry.model_fields.items()
        return tuple(name for name, field in fields if field.is_required())

    def of_pointer(self, pointer: str) -> str | None:
        """The column that a pointer into an entry (``#/evidence/0/kind``) means.

        There is none for what is wrong with the row as a whole.
        """
        if pointer == "#":
            return None
        counted = _POINTER.sub(lambda match: f"#/evidence/{int(match[1]) + 1}", pointer)
        path = counted.removeprefix("#/").split("/")
        if path[0] in self.lists:
            del path[1:]
        return ".".join(path)


_POINTER = re.compile(r"#/evidence/(\d+)")


def _bare(name: str) -> str:
    """A name as people vary it: `Decided on` is `decided_on`."""
    return re.sub(r"[\W_]", "", name).lower()


def _known(names: Iterable[str]) -> Mapping[str, str]:
    return {_bare(name): name for name in names}


def _of_innovations(pieces: int = 1) -> tuple[str, ...]:
    """All columns of innovations, with those for so many pieces of evidence."""
    parts = ("source", "decision", "evidence")
    plain = [name for name in InnovationFields.model_fields if name not in parts]
    source = [f"source.{name}" for name in Source.model_fields]
    decision = [f"decision.{name}" for name in DecisionCreate.model_fields]
    piece = [name for name in EvidenceCreate.model_fields if name != "measure"]
    piece += [f"measure.{name}" for name in Measure.model_fields]
    evidence = [f"evidence.{i}.{name}" for i in range(1, pieces + 1) for name in piece]
    return (*plain, *source, *decision, *evidence)


_OF_STORIES = (*StoryFields.model_fields, *(f"source.{name}" for name in Source.model_fields))

INNOVATIONS = Columns(
    "innovations",
    InnovationCreate,
    _of_innovations(),
    _known(_of_innovations(MOST_EVIDENCE)),
    frozenset({"tags", "further_themes"}),
)
STORIES = Columns(
    "stories", StoryCreate, _OF_STORIES, _known(_OF_STORIES), frozenset({"themes", "innovations"})
)


class Header:
    """The first row of a table: what each of its cells below is of an entry."""

    def __init__(self, cells: Sequence[str], columns: Columns) -> None:
        """Understands a header.

        Raises:
            ValidationFailed: with the nearest right name of each wrong one.
        """
        if len(cells) > MOST_COLUMNS:
            fault = Fault("column:", "too_many", f"A table has {MOST_COLUMNS:,} columns at most.")
            raise _wrong(fault)
        found = [columns.known.get(_bare(cell)) for cell in cells]
        # What is near is costly to find, and nobody reads of a hundred columns.
        near = {cell: _near(cell, columns) for cell in _unknown(cells, found)[:_TOLD]}
        if not any(found) and not any(near.values()):
            # Perhaps it is an entry already, and what is in that is not repeated.
            least = ", ".join(columns.required)
            words = f"The first row has to name the columns: {least} at least."
            raise _wrong(Fault("column:", "no_header", words))
        faults = [_fault(cell, name) for cell, name in near.items()]
        faults += [
            Fault(f"column:{name}", "repeated", "This column is there twice.")
            for at, name in enumerate(found)
            if name is not None and name in found[:at]
        ]
        faults += [
            Fault(f"column:{name}", "missing", "This column is required.")
            for name in columns.required
            if name not in found
        ]
        if faults:
            raise _wrong(*faults[:_TOLD])
        self._lists = columns.lists
        self._paths = [_path(name) if name else None for name in found]

    def entry(self, cells: Sequence[str]) -> dict[str, Any] | None:
        """An entry's fields; None if all cells are empty.

        Raises:
            ValueError: when there are more cells than columns, or one under no name.
        """
        entry: dict[str, Any] = {}
        for at, cell in enumerate(cells):
            text = cell.strip()
            if text:
                path = self._paths[at] if at < len(self._paths) else None
                if path is None:
                    raise ValueError("There is something in a column without a name.")
                _set(entry, path, text, self._lists)
        pieces = entry.get("evidence")
        if pieces:
            entry["evidence"] = [pieces[at] for at in sorted(pieces)]
        return entry or None


def _path(name: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in name.split("."))


def _set(
    entry: dict[str, Any], path: tuple[str | int, ...], text: str, lists: frozenset[str]
) -> None:
    here: Any = entry
    for part in path[:-1]:
        here = here.setdefault(part, {})
    name = path[-1]
    if name in lists:
        here[name] = [part.strip() for part in text.split(";") if part.strip()]
    elif name in NUMBERS and _NUMBER.fullmatch(text):
        here[name] = float(text) if "." in text else int(text)
    else:
        here[name] = text


def _unknown(cells: Sequence[str], found: Sequence[str | None]) -> list[str]:
    return [cell for cell, name in zip(cells, found, strict=True) if name is None and cell.strip()]


def _near(cell: str, columns: Columns) -> str | None:
    near = difflib.get_close_matches(_bare(cell[:_SHOWN]), columns.known, 1)
    return columns.known[near[0]] if near else None


def _fault(cell: str, near: str | None) -> Fault:
    shown = re.sub(r"[^\w .-]", "", cell)[:_SHOWN].strip()
    hint = f" Did you mean `{near}`?" if near else ""
    return Fault(f"column:{shown}", "unknown_column", f"There is no such column.{hint}")


def _wrong(*faults: Fault) -> ValidationFailed:
    return ValidationFailed("The table's header is not right; nothing was written.", faults=faults)
