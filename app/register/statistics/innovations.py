"""Statistics: innovations in groups, counted and measured."""

from __future__ import annotations

from collections.abc import Iterable

from app.dialects import Reader
from app.models.statistics import Dimension, StatisticsQuery
from app.register import changes
from app.register.access import Caller
from app.register.lists import counts, past
from app.register.lists.memory import Counts, Measures, Memory
from app.register.lists.wanted import Wanted, must_exist, wanted_by
from app.register.statistics import groups
from app.register.statistics.groups import Row
from app.register.statistics.tables import Told, rolled_up, table


async def grouped(
    reader: Reader, query: StatisticsQuery, caller: Caller, *, memory: Memory
) -> Told:
    """Innovations in groups.

    Raises:
        UnknownTheme, UnknownOrganisation, ValidationFailed, Unauthenticated
    """
    line, day = await past.asked_for(reader, query.as_of)
    wanted = wanted_by(reader, query, caller, as_of=line)
    await must_exist(reader, query, memory)
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
