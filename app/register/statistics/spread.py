"""Spread: counting the positions that organisations take on innovations of others.

All is counted from one count that is carried on along the log (:mod:`app.register.lists.counts`):
who, at which stage, and in which month it was adopted first. By innovation, documents tell it
themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pydantic_core import from_json

from app.dialects import Reader
from app.errors import Fault, ValidationFailed
from app.models.adoptions import TAKEN, AdoptionStage
from app.models.finding import InnovationQuery, InnovationSort
from app.models.spread import SpreadBy, SpreadQuery
from app.models.statistics import Dimension, Period
from app.register import changes, finding
from app.register.access import Caller
from app.register.lists import counts, past
from app.register.lists.memory import Memory, Values
from app.register.lists.wanted import must_exist, wanted_by
from app.register.statistics import groups
from app.register.statistics.groups import Names, Row
from app.register.statistics.steps import called, steps
from app.register.statistics.tables import Told

TENTH = 10


class _Position(NamedTuple):
    """Positions of one organisation that are alike, and how many innovations they are on."""

    organisation: str
    stage: str
    month: str | None
    """When they were adopted first."""
    times: int = 1


async def spread(reader: Reader, query: SpreadQuery, caller: Caller, *, memory: Memory) -> Told:
    """How far the innovations that fit have spread.

    Raises:
        UnknownTheme, UnknownOrganisation, ValidationFailed, InvalidCursor, Unauthenticated
    """
    _must_be_paged(query)
    line, day = await past.asked_for(reader, query.as_of)
    wanted = wanted_by(reader, query, caller, as_of=line)
    await must_exist(reader, query, memory)
    for _ in range(counts.TRIES):
        head = await changes.head(reader)
        counted = await counts.of(reader, wanted, ("position",), memory, at=head)
        found = await _page(reader, query, caller, memory)
        if counted.head == head and (found is None or found.head == head):
            break
    names = await groups.names(reader, day, line)
    positions = list(_positions(counted.cells))
    page: Row | None = None
    if found is not None:
        items = [_of_innovation(from_json(text), names) for text in found.items]
        page = {"limit": found.limit, "total": found.total, "next": found.next}
    elif query.by is SpreadBy.MONTH:
        items = _by_month(positions, names)
    else:
        items = _by_place(Dimension(query.by), positions, names)
    trusts = names.open_trusts()
    total = _figures(positions, names) | _reach(_adopters(positions, names), trusts)
    content = {"by": query.by, "items": items, "total": total, "page": page}
    # Which trusts are open depends on the day.
    return Told(content, head, day if line is None else None)


def _must_be_paged(query: SpreadQuery) -> None:
    if query.by is SpreadBy.INNOVATION:
        return
    given = [name for name in ("limit", "cursor") if name in query.model_fields_set]
    if given:
        detail = "Only `by=innovation` comes in pages; all else is told at once."
        faults = tuple(Fault(f"?{name}", "not_in_pages", detail) for name in given)
        raise ValidationFailed("This has no pages.", faults=faults)


async def _page(
    reader: Reader, query: SpreadQuery, caller: Caller, memory: Memory
) -> finding.Found | None:
    """The innovations on which somebody has a position, those that most have adopted first."""
    if query.by is not SpreadBy.INNOVATION:
        return None
    # What was validated is not validated again: a line of the log is a number by now.
    asked = {name: getattr(query, name) for name in query.model_fields_set - {"by"}}
    asked["adoption_stage"] = query.adoption_stage or tuple(AdoptionStage)
    listed = InnovationQuery.model_construct(**asked, sort=InnovationSort.MOST_ADOPTED)
    return await finding.page(reader, listed, caller, memory=memory)


def _positions(cells: Mapping[Values, Any]) -> Iterable[_Position]:
    for (value,), cell in cells.items():
        if value is not None:
            organisation, stage, month = value.split(" ")
            yield _Position(organisation, stage, None if month == "-" else month, cell[0])


# Figures


def _figures(positions: Sequence[_Position], names: Names) -> Row:
    stages: Counter[str] = Counter()
    for position in positions:
        stages[position.stage] += position.times
    return {
        **{stage.value: stages[stage] for stage in AdoptionStage},
        "adoptions": sum(stages[stage] for stage in TAKEN),
        "adopters": len(_adopters(positions, names)),
    }


def _adopters(positions: Iterable[_Position], names: Names) -> set[str]:
    """Who has adopted some. What was a trust's that merged is that of the one which took over."""
    taken = (position for position in positions if position.stage in TAKEN)
    return {names.successor(position.organisation) for position in taken}


def _reach(adopters: Iterable[str], trusts: Iterable[str]) -> Row:
    there = set(trusts)
    reached = len(there.intersection(adopters))
    share = round(reached / len(there), 4) if there else None
    return {"trusts_adopted": reached, "share_of_trusts": share}


def _by_place(by: Dimension, positions: Sequence[_Position], names: Names) -> list[Row]:
    """By the adopters' ICBs or regions: all that are open, and others from which there are some."""
    here: dict[str | None, list[_Position]] = {code: [] for code in names.all_of(by, ())}
    for position in positions:
        here.setdefault(names.place(position.organisation, by), []).append(position)
    trusts: dict[str | None, list[str]] = {}
    for trust in names.open_trusts():
        trusts.setdefault(names.place(trust, by), []).append(trust)
    order = names.order((by,))
    adopters = _adopters(positions, names)
    return [
        names.named((by,), (code,))
        | _figures(here[code], names)
        | _reach(adopters, trusts.get(code, ()))
        for code in sorted(here, key=lambda code: order((code,)))
    ]


def _by_month(positions: Iterable[_Position], names: Names) -> list[Row]:
    """By the months in which adoptions began; those in which none did are there, too."""
    began: Counter[str] = Counter()
    adopters: dict[str, set[str]] = {}
    for position in positions:
        if position.month is not None:
            began[position.month] += position.times
            who = names.successor(position.organisation)
            adopters.setdefault(position.month, set()).add(who)
    if not began:
        return []
    first, last = (date.fromisoformat(f"{month}-01") for month in (min(began), max(began)))
    trusts = names.open_trusts()
    items, in_all, so_far = [], 0, set[str]()
    for step in steps(Period.MONTH, first, last):
        month = called(Period.MONTH, step)
        in_all += began[month]
        so_far |= adopters.get(month, set())
        row = {"month": month, "began": began[month], "in_all": in_all}
        items.append(row | _reach(so_far, trusts))
    return items


def _of_innovation(document: Mapping[str, Any], names: Names) -> Row:
    said = document["adoptions"]
    positions = [_Position(each["organisation"], each["stage"], None) for each in said]
    days = sorted(date.fromisoformat(each["adopted_on"]) for each in said if each["adopted_on"])
    first = days[0] if days else None
    tenth = days[TENTH - 1] if len(days) >= TENTH else None
    return {
        "innovation": document["id"],
        "reference": document["reference"],
        "title": document["title"],
        **_figures(positions, names),
        **_reach(_adopters(positions, names), names.open_trusts()),
        "first_adopted_on": first,
        "tenth_adopted_on": tenth,
        "days_to_tenth": (tenth - first).days if first and tenth else None,
    }
