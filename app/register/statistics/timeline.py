"""What happened to innovations over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from app.dialects import Reader
from app.models.decisions import Status
from app.models.statistics import Period, TimelineQuery
from app.register import changes
from app.register.access import Caller
from app.register.lists import counts, shapes
from app.register.lists.memory import Memory
from app.register.lists.wanted import must_exist, wanted_by
from app.register.statistics.groups import Row
from app.register.statistics.steps import called, start, steps
from app.register.statistics.tables import Told


async def timeline(reader: Reader, query: TimelineQuery, caller: Caller, *, memory: Memory) -> Told:
    """What was submitted, decided and adopted, week by week or month by month.

    Raises:
        UnknownTheme, UnknownOrganisation, ValidationFailed, Unauthenticated
    """
    wanted = wanted_by(reader, query, caller)
    await must_exist(reader, query, memory)
    for _ in range(counts.TRIES):
        decided = await reader.rows(shapes.decided(wanted.shape), wanted.values)
        adopted = await reader.rows(shapes.adopted(wanted.shape), wanted.values)
        heads = {row[0] for row in (*decided[:1], *adopted[:1])} or {await changes.head(reader)}
        head = max(heads)
        submitted = await counts.of(reader, wanted, ("day",), memory, at=head)
        if {submitted.head} == heads:
            break
    happened: dict[date, Counter[str]] = {}
    for (day,), cell in submitted.cells.items():
        assert day is not None, "every innovation was created on some day"
        _step(happened, query.by, day)["submitted"] += cell[0]
    for _, day, status, count in decided:
        if status != Status.UNDER_REVIEW:
            _step(happened, query.by, day)[f"decided_{status}"] += count
    for _, day, count in adopted:
        _step(happened, query.by, day)["adopted"] += count
    content = {"by": query.by, "items": _timeline(happened, query)}
    return Told(content, head)


def _step(happened: dict[date, Counter[str]], by: Period, day: date | str) -> Counter[str]:
    return happened.setdefault(start(by, date.fromisoformat(str(day))), Counter())


_HAPPENINGS = ("submitted", "decided_keep", "decided_retire", "adopted")


def _timeline(happened: Mapping[date, Counter[str]], query: TimelineQuery) -> list[Row]:
    if not happened:
        return []
    first = start(query.by, query.since) if query.since else min(happened)
    last = start(query.by, query.until) if query.until else max(happened)
    in_all: Counter[str] = Counter()
    for step in happened:
        if step < first:
            in_all += happened[step]
    items = []
    for step in steps(query.by, first, last):
        here = happened.get(step, Counter())
        in_all += here
        items.append(
            {
                "period": called(query.by, step),
                "starts_on": step.isoformat(),
                **{what: here[what] for what in _HAPPENINGS},
                "in_all": {what: in_all[what] for what in _HAPPENINGS},
            }
        )
    return items
