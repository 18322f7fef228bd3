"""What all statistics are told as: groups in their order, each with its names and its measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import product

from app.register.lists.memory import NOTHING, Counts, Measures, Values, together
from app.register.statistics.groups import Names, Row


@dataclass(frozen=True, slots=True)
class Told:
    """Statistics, and what they were made from."""

    content: Row
    head: int
    day: date | None = None
    """The day that they hold for, where the answer depends on the day, too."""


def table(
    names: Names,
    group_by: Sequence[StrEnum],
    rows: dict[Values, Measures],
    total: Counts,
    measured: Callable[[Measures], Row],
    *,
    empty: bool,
) -> Row:
    """Groups in their order, each with its names and its measures, and the total."""
    if empty:
        for values in product(*(names.all_of(each, rows) for each in group_by)):
            rows.setdefault(values, NOTHING)
    items = [
        names.named(group_by, values) | measured(rows[values])
        for values in sorted(rows, key=names.order(group_by))
    ]
    return {
        "group_by": list(group_by),
        "items": items if group_by else [],
        "total": measured(total.cells.get((), NOTHING)),
    }


def rolled_up(
    cells: Mapping[Values, Measures],
    by: tuple[str, ...],
    group_by: Sequence[StrEnum],
    names: Names,
) -> dict[Values, Measures]:
    """Counts by what was asked for, from counts by what documents say."""
    rows: dict[Values, Measures] = {}
    for values, measures in cells.items():
        said = dict(zip(by, values, strict=True))
        key = tuple(names.group_of(each, said) for each in group_by)
        rows[key] = together(rows.get(key, NOTHING), measures)
    return rows
