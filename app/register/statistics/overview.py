"""The published register at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import reduce

from pydantic_core import from_json

from app.dialects import Reader
from app.models.decisions import Status
from app.models.finding import InnovationFilters, InnovationQuery
from app.models.statistics import Dimension
from app.models.story_finding import StoryFilters
from app.register import changes, finding, story_finding
from app.register.access import ANYBODY
from app.register.lists import counts
from app.register.lists.memory import NOTHING, Measures, Memory, Values, together
from app.register.lists.wanted import wanted_by
from app.register.statistics import groups, stories
from app.register.statistics.innovations import at_one_moment, measured
from app.register.statistics.tables import Told

NEWEST = 5
"""Innovations that are shown."""


async def overview(reader: Reader, *, memory: Memory) -> Told:
    """What a landing page needs, of what is published."""
    now = datetime.now(UTC)
    day = now.date()
    everything = wanted_by(reader, InnovationFilters(), ANYBODY)
    due = wanted_by(reader, InnovationFilters(review_due_before=day), ANYBODY)
    month_ago = datetime.combine(day - timedelta(days=30), time(), UTC)
    recent = wanted_by(reader, InnovationFilters(created_from=month_ago), ANYBODY)
    every_story = await story_finding.wanted_stories(reader, StoryFilters(), ANYBODY, memory=memory)
    each = ((), ("status",), ("organisation",), ("theme", "status"), ("region",))
    for _ in range(counts.TRIES):
        counted, head = await at_one_moment(reader, everything, each, memory)
        due_now = await counts.of(reader, due, (), memory, at=head)
        lately = await counts.of(reader, recent, (), memory, at=head)
        newest = await finding.page(reader, InnovationQuery(limit=NEWEST), ANYBODY, memory=memory)
        told = await story_finding.counts(reader, every_story, (), memory, at=head)
        at = await changes.latest(reader)
        if {due_now.head, lately.head, newest.head, told.head} == {head}:
            break
    total, by_status, by_organisation, by_theme, by_region = (one.cells for one in counted)
    names = await groups.names(reader, day)

    def number(cells: Mapping[Values, Measures], *values: str | None) -> int:
        return cells.get(values, NOTHING)[0]

    story_measures = stories.measured(told.cells.get((), NOTHING))
    content = {
        "totals": {
            **measured(total.get((), NOTHING)),
            "retired": number(by_status, Status.RETIRE),
            "under_review": number(by_status, Status.UNDER_REVIEW),
            "organisations": len(by_organisation),
            "review_due": number(due_now.cells),
            "submitted_last_30_days": number(lately.cells),
            "stories": story_measures["stories"],
            "never_again": story_measures["never_again"],
        },
        "themes": [
            {
                "theme": slug,
                "theme_name": theme["name"],
                "group": theme["group"],
                **measured(_of_first(by_theme, slug)),
                "retired": number(by_theme, slug, Status.RETIRE),
            }
            for slug, theme in names.themes.items()
        ],
        "regions": [
            {
                "region": code,
                "region_name": names.name(code),
                **measured(by_region.get((code,), NOTHING)),
            }
            for code in names.all_of(Dimension.REGION, ())
        ],
        "newest": [from_json(text) for text in newest.items],
        "as_of": at,
    }
    return Told(content, head, day)


def _of_first(cells: Mapping[Values, Measures], value: str) -> Measures:
    """All cells together whose first value is this one."""
    return reduce(together, (cell for of, cell in cells.items() if of[0] == value), NOTHING)
