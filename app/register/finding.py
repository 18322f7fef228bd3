"""Finding innovations: what a query asks for, its pages, totals and facets."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.dialects import Reader
from app.errors import Fault, ValidationFailed
from app.models.finding import Facet, InnovationQuery, InnovationSort
from app.register import changes
from app.register.access import Caller
from app.register.lists import counts, cursors, past, shapes
from app.register.lists.memory import Counts, Memory
from app.register.lists.walks import ORDERS
from app.register.lists.wanted import must_exist, wanted_by
from app.register.stored import Listed

MOST_FACET_VALUES = 100


@dataclass(frozen=True, slots=True)
class Found(Listed):
    """A page of innovations, with the counts that were asked for."""

    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)


async def page(reader: Reader, query: InnovationQuery, caller: Caller, *, memory: Memory) -> Found:
    """The page of innovations that the query asks for.

    Raises:
        InvalidCursor, UnknownTheme, UnknownOrganisation, ValidationFailed
        Unauthenticated: when what is not published is asked for without a key.
    """
    line = None if query.as_of is None else await past.line_of(reader, query.as_of)
    wanted = wanted_by(reader, query, caller, as_of=line)
    await must_exist(reader, query, memory)
    facets = _facets(query.facets)
    sort = _sort(query)
    # A cursor belongs to the filters and the order; what is counted is the same in any order.
    ordered = f"{sort} {wanted.name}"
    values = {**wanted.values, "limit": query.limit + 1}
    if query.cursor:
        key = cursors.decode(ordered, query.cursor, ORDERS[sort].kinds)
        values |= zip(ORDERS[sort].names, key, strict=True)
    statement = shapes.page(wanted.shape, sort, after=bool(query.cursor))
    asked = [(facet.value,) for facet in facets]
    # Each statement sees the register at one head. When a write came between two of them, all is
    # read again, so that an answer is of one moment; a write takes longer than that.
    for _ in range(counts.TRIES):
        rows = await reader.rows(statement, values)
        if not rows:
            # No row tells the head. It is asked for before the page, so that an empty answer is
            # never older than its ETag says.
            head = await changes.head(reader)
            rows = await reader.rows(statement, values)
        if rows:
            head = rows[0][0]
        more = len(rows) > query.limit
        seen_all = not more and not query.cursor
        counted = [
            await counts.of(reader, wanted, by, memory, at=head)
            for by in ([] if seen_all else [()]) + asked
        ]
        if all(each.head == head for each in counted):
            break
    total = len(rows) if seen_all else sum(cell[0] for cell in counted.pop(0).cells.values())
    rows = rows[: query.limit]
    following = cursors.encode(ordered, rows[-1][2:]) if more else None
    found = {facet.value: _frequent(each) for facet, each in zip(facets, counted, strict=True)}
    items = [row[1] for row in rows]
    if line is not None:
        items = await past.named(reader, items, line)
    return Found(items, query.limit, total, following, head, facets=found)


def _frequent(counted: Counts) -> list[tuple[str, int]]:
    """The most frequent values of a facet; to have none is no value."""
    values = ((value, cell[0]) for (value,), cell in counted.cells.items() if value is not None)
    return sorted(values, key=lambda each: (-each[1], each[0]))[:MOST_FACET_VALUES]


def _sort(query: InnovationQuery) -> InnovationSort:
    if query.sort is InnovationSort.RELEVANCE and not query.q:
        raise ValidationFailed(
            "Only a search has a best match.",
            faults=(Fault("?sort", "no_relevance", "Sort by `relevance` goes with `q`."),),
        )
    if query.as_of is not None:
        sort = query.sort or InnovationSort.NEWEST
        if ORDERS[sort].column == "title_key" or sort is InnovationSort.RELEVANCE:
            raise ValidationFailed(
                "The past is not kept in this order.",
                faults=(Fault("?sort", "not_of_the_past", _SORTS_OF_THE_PAST),),
            )
        return sort
    return query.sort or (InnovationSort.RELEVANCE if query.q else InnovationSort.NEWEST)


_SORTS_OF_THE_PAST = "With `as_of`, sort by `created_at`, `updated_at` or `review_on`."


def _facets(names: str | None) -> list[Facet]:
    if not names:
        return []
    try:
        return [Facet(name.strip()) for name in dict.fromkeys(names.split(","))]
    except ValueError:
        known = ", ".join(facet.value for facet in Facet)
        raise ValidationFailed(
            "There is no such facet.",
            faults=(Fault("?facets", "unknown_facet", f"Give some of {known}."),),
        ) from None
