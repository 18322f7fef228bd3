"""The columns of a table of entries: an entry's fields, with a point between a part and its own.

``source.id`` is the field ``id`` of ``source``; ``evidence.1.kind`` that of the first piece of
evidence. Tags and further themes share a cell, with semicolons between them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from app.errors import Fault, ValidationFailed
from app.models.decisions import DecisionCreate
from app.models.evidence import EvidenceCreate, Measure
from app.models.innovations import MOST_EVIDENCE, InnovationCreate, InnovationFields, Source

_PARTS = ("source", "decision", "evidence")

LISTS = frozenset({"tags", "further_themes"})
NUMBERS = frozenset({"baseline", "result"})
REQUIRED = tuple(
    name for name, field in InnovationCreate.model_fields.items() if field.is_required()
)
MOST_COLUMNS = 1000

_NUMBER = re.compile(r"[+-]?\d{1,17}(\.\d{1,17})?", re.ASCII)
_SHOWN = 60
_TOLD = 100
_NO_HEADER = f"The first row has to name the columns: {', '.join(REQUIRED)} at least."


def names(pieces: int = 1) -> list[str]:
    """All columns that there are, with those for so many pieces of evidence."""
    plain = [name for name in InnovationFields.model_fields if name not in _PARTS]
    source = [f"source.{name}" for name in Source.model_fields]
    decision = [f"decision.{name}" for name in DecisionCreate.model_fields]
    piece = [name for name in EvidenceCreate.model_fields if name != "measure"]
    piece += [f"measure.{name}" for name in Measure.model_fields]
    evidence = [f"evidence.{i}.{name}" for i in range(1, pieces + 1) for name in piece]
    return [*plain, *source, *decision, *evidence]


def _bare(name: str) -> str:
    """A name as people vary it: `Decided on` is `decided_on`."""
    return re.sub(r"[\W_]", "", name).lower()


_KNOWN = {_bare(name): name for name in names(MOST_EVIDENCE)}


class Header:
    """The first row of a table: what each of its cells below is of an entry."""

    def __init__(self, cells: Sequence[str]) -> None:
        """Understands a header.

        Raises:
            ValidationFailed: with the nearest right name of each wrong one.
        """
        if len(cells) > MOST_COLUMNS:
            fault = Fault("column:", "too_many", f"A table has {MOST_COLUMNS:,} columns at most.")
            raise _wrong(fault)
        found = [_KNOWN.get(_bare(cell)) for cell in cells]
        # What is near is costly to find, and nobody reads of a hundred columns.
        near = {cell: _near(cell) for cell in _unknown(cells, found)[:_TOLD]}
        if not any(found) and not any(near.values()):
            # Perhaps it is an entry already, and what is in that is not repeated.
            raise _wrong(Fault("column:", "no_header", _NO_HEADER))
        faults = [_fault(cell, name) for cell, name in near.items()]
        faults += [
            Fault(f"column:{name}", "repeated", "This column is there twice.")
            for at, name in enumerate(found)
            if name is not None and name in found[:at]
        ]
        faults += [
            Fault(f"column:{name}", "missing", "This column is required.")
            for name in REQUIRED
            if name not in found
        ]
        if faults:
            raise _wrong(*faults[:_TOLD])
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
                _set(entry, path, text)
        pieces = entry.get("evidence")
        if pieces:
            entry["evidence"] = [pieces[at] for at in sorted(pieces)]
        return entry or None


def _path(name: str) -> tuple[str | int, ...]:
    return tuple(int(part) if part.isdigit() else part for part in name.split("."))


def _set(entry: dict[str, Any], path: tuple[str | int, ...], text: str) -> None:
    here: Any = entry
    for part in path[:-1]:
        here = here.setdefault(part, {})
    name = path[-1]
    if name in LISTS:
        here[name] = [part.strip() for part in text.split(";") if part.strip()]
    elif name in NUMBERS and _NUMBER.fullmatch(text):
        here[name] = float(text) if "." in text else int(text)
    else:
        here[name] = text


def _unknown(cells: Sequence[str], found: Sequence[str | None]) -> list[str]:
    return [cell for cell, name in zip(cells, found, strict=True) if name is None and cell.strip()]


def _near(cell: str) -> str | None:
    near = difflib.get_close_matches(_bare(cell[:_SHOWN]), _KNOWN, 1)
    return _KNOWN[near[0]] if near else None


def _fault(cell: str, near: str | None) -> Fault:
    shown = re.sub(r"[^\w .-]", "", cell)[:_SHOWN].strip()
    hint = f" Did you mean `{near}`?" if near else ""
    return Fault(f"column:{shown}", "unknown_column", f"There is no such column.{hint}")


def _wrong(*faults: Fault) -> ValidationFailed:
    return ValidationFailed("The table's header is not right; nothing was written.", faults=faults)


_POINTER = re.compile(r"#/evidence/(\d+)")


def column_of(pointer: str) -> str | None:
    """The column that a pointer into an entry (``#/evidence/0/kind``) means; none for a row's."""
    if pointer == "#":
        return None
    counted = _POINTER.sub(lambda match: f"#/evidence/{int(match[1]) + 1}", pointer)
    path = counted.removeprefix("#/").split("/")
    if path[0] in LISTS:
        del path[1:]
    return ".".join(path)
