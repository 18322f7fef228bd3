"""Statistics of stories: in groups, counted."""

from __future__ import annotations

from datetime import UTC, datetime

from app.dialects import Reader
from app.models.story_statistics import StoryDimension, StoryStatisticsQuery
from app.register import changes, story_finding
from app.register.access import Caller
from app.register.lists.counts import TRIES
from app.register.lists.memory import Measures, Memory
from app.register.statistics import groups
from app.register.statistics.groups import Row
from app.register.statistics.tables import Told, rolled_up, table


async def grouped(
    reader: Reader, query: StoryStatisticsQuery, caller: Caller, *, memory: Memory
) -> Told:
    """Stories in groups.

    Raises:
        UnknownTheme, UnknownOrganisation, UnknownInnovation, ValidationFailed, Unauthenticated
    """
    wanted = await story_finding.wanted_stories(reader, query, caller, memory=memory)
    named = ("theme" if each is StoryDimension.GROUP else each.value for each in query.group_by)
    by = tuple(dict.fromkeys(named))
    for _ in range(TRIES):
        head = await changes.head(reader)
        total, cells = [
            await story_finding.counts(reader, wanted, each, memory, at=head) for each in ((), by)
        ]
        if total.head == cells.head == head:
            break
    day = datetime.now(UTC).date()
    names = await groups.names(reader, day)
    rows = rolled_up(cells.cells, by, query.group_by, names)
    content = table(names, query.group_by, rows, total, measured, empty=query.empty)
    by_day = query.empty or StoryDimension.ICB in query.group_by
    return Told(content, head, day if by_day else None)


def measured(measures: Measures) -> Row:
    stories, kept, *_ = measures
    return {"stories": stories, "keep": kept, "never_again": stories - kept}
