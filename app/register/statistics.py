"""Statistics: innovations in groups, counted and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import product

from app.dialects import Reader
from app.models.statistics import Dimension, StatisticsQuery
from app.register import changes, groups
from app.register.access import Caller
from app.register.groups import Names, Row
from app.register.lists import counts, past
from app.register.lists.memory import NOTHING, Counts, Measures, Memory, Values, together
from app.register.lists.wanted import Wanted, must_exist, wanted_by


@dataclass(frozen=True, slots=True)
class Told:
    """Statistics, and what they were made from."""

    content: Row
    head: int
    day: date | None = None
    """The day that they hold for, where the answer depends on the day, too."""


async def grouped(
    reader: Reader, query: StatisticsQuery, caller: Caller, *, memory: Memory
) -> Told:
    """Innovations in groups.

    Raises:
        UnknownTheme, UnknownOrganisation, ValidationFailed, Unauthenticated
    """
    line = None if query.as_of is None else await past.line_of(reader, query.as_of)
    wanted = wanted_by(reader, query, caller, as_of=line)
    await must_exist(reader, query, memory)
    day = datetime.now(UTC).date()
    if query.as_of is not None and line is not None:
        day = (await past.written_on(reader, query.as_of, line)).date()
    # A theme's group is not in a document; what is counted by theme tells it.
    by = tuple("theme" if each is Dimension.GROUP else each.value for each in query.group_by)
    if len(set(by)) < len(by):
        by = ("theme",)
    (total, cells), head = await at_one_moment(reader, wanted, ((), by), memory)
    names = await groups.names(reader, day, line)
    rows = rolled_up(cells.cells, by, query.group_by, names)
    content = table(names, query.group_by, rows, total, measured, empty=query.empty)
    # An ICB's innovations are its successor's from the day after it closed.
    by_day = query.empty or Dimension.ICB in query.group_by
    return Told(content, head, day if by_day and line is None else None)


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


async def at_one_moment(
    reader: Reader, wanted: Wanted, each: Iterable[tuple[str, ...]], memory: Memory
) -> tuple[list[Counts], int]:
    """Counts as of the same head."""
    for _ in range(counts.TRIES):
        head = await changes.head(reader)
        counted = [
            await counts.of(reader, wanted, by, memory, at=head, measured=True) for by in each
        ]
        if all(one.head == head for one in counted):
            break
    return counted, head


def measured(measures: Measures) -> Row:
    innovations, kept, evidence, adoptions = measures
    return {
        "innovations": innovations,
        "evidence": evidence,
        "adoptions": adoptions,
        "kept": kept,
        "share_kept": round(kept / innovations, 4) if innovations else None,
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
