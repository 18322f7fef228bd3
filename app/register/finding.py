"""Finding innovations: what a query asks for, its pages, totals and facets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Select, bindparam, select
from sqlmodel import col

from app.dialects import Reader, rfc3339
from app.errors import Fault, Unauthenticated, UnknownOrganisation, UnknownTheme, ValidationFailed
from app.models.finding import Facet, InnovationFilters, InnovationQuery, InnovationSort
from app.models.innovations import Visibility
from app.models.organisations import Organisation, OrganisationKind
from app.models.themes import Theme
from app.register import changes, cursors, search, shapes, walks
from app.register.access import Caller
from app.register.memory import Memory
from app.register.stored import Listed
from app.register.walks import ORDERS, Shape

Counts = dict[str, list[tuple[str, int]]]

TRIES = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query's shape and its values, and a name for what it asks for."""

    shape: Shape
    values: dict[str, object]
    name: str


@dataclass(frozen=True, slots=True)
class Found(Listed):
    """A page of innovations, with the counts that were asked for."""

    facets: Counts = field(default_factory=dict)


async def page(reader: Reader, query: InnovationQuery, caller: Caller, *, memory: Memory) -> Found:
    """The page of innovations that the query asks for.

    Raises:
        InvalidCursor, UnknownTheme, UnknownOrganisation, ValidationFailed
        Unauthenticated: when what is not published is asked for without a key.
    """
    wanted = _wanted(reader, query, caller)
    await _must_exist(reader, query, memory)
    facets = _facets(query.facets)
    sort = _sort(query)
    # A cursor belongs to the filters and the order; what is counted is the same in any order.
    ordered = f"{sort} {wanted.name}"
    values = {**wanted.values, "limit": query.limit + 1}
    if query.cursor:
        key = cursors.decode(ordered, query.cursor, ORDERS[sort].kinds)
        values |= zip(ORDERS[sort].names, key, strict=True)
    statement = shapes.page(wanted.shape, sort, after=bool(query.cursor))
    # Each statement sees the register at one head. When a write came between two of them, all is
    # read again, so that an answer is of one moment; a write takes longer than that.
    for _ in range(TRIES):
        rows = await reader.rows(statement, values)
        if not rows:
            # No row tells the head. It is asked for before the page, so that an empty answer is
            # never older than its ETag says.
            head = await changes.head(reader)
            rows = await reader.rows(statement, values)
        if rows:
            head = rows[0][0]
        more = len(rows) > query.limit
        whole = None if more or query.cursor else len(rows)
        known = memory.totals.get(wanted.name, head) if whole is None else whole
        total = await _total(reader, wanted, memory) if known is None else known
        counts = await _count(reader, wanted, facets)
        if (known is not None and not facets) or await changes.head(reader) == head:
            break
    rows = rows[: query.limit]
    following = cursors.encode(ordered, rows[-1][2:]) if more else None
    return Found([row[1] for row in rows], query.limit, total, following, head, facets=counts)


def _sort(query: InnovationQuery) -> InnovationSort:
    if query.sort is InnovationSort.RELEVANCE and not query.q:
        raise ValidationFailed(
            "Only a search has a best match.",
            faults=(Fault("?sort", "no_relevance", "Sort by `relevance` goes with `q`."),),
        )
    return query.sort or (InnovationSort.RELEVANCE if query.q else InnovationSort.NEWEST)


def _wanted(reader: Reader, query: InnovationFilters, caller: Caller) -> Wanted:
    filters: list[tuple[str, int]] = []
    values: dict[str, object] = {}
    asked = query.model_fields_set | {"visibility"}
    for name in (*walks.COLUMNS, *walks.KEYS):
        if name in asked and (given := list(dict.fromkeys(getattr(query, name)))):
            filters.append((name, len(given)))
            values |= zip(walks.names(name, len(given)), map(str, given), strict=True)
    for name in ("created_from", "created_to", "updated_since"):
        moment = getattr(query, name)
        if moment is not None:
            filters.append((name, 1))
            values[name] = rfc3339(moment)
    if query.review_due_before is not None:
        filters.append(("review_due_before", 1))
        values["review_due_before"] = query.review_due_before.isoformat()
    if query.q:
        filters.append(("q", 1))
        values |= reader.dialect.text_query(search.alternatives(query.q))
    own_only = not caller.curates and set(query.visibility) != {Visibility.PUBLISHED}
    if own_only:
        if caller.organisation is None:
            raise Unauthenticated(
                "Drafts and what was withdrawn show to their own organisation: send its key."
            )
        values["own"] = caller.organisation
    shape = Shape(reader.dialect, tuple(filters), own_only)
    return Wanted(shape, values, to_json(values).decode())


async def _total(reader: Reader, wanted: Wanted, memory: Memory) -> int:
    counted_at, total = (await reader.rows(shapes.counting(wanted.shape), wanted.values))[0]
    memory.totals.put(wanted.name, counted_at, total)
    return int(total)


async def _count(reader: Reader, wanted: Wanted, facets: Sequence[Facet]) -> Counts:
    counts = {}
    for facet in facets:
        rows = await reader.rows(shapes.faceting(wanted.shape, facet), wanted.values)
        counts[facet.value] = [(value, count) for value, count in rows]
    return counts


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


@cache
def _themes(count: int) -> Select[str]:
    return select(col(Theme.slug)).where(walks.one_of(col(Theme.slug), "name", count))


@cache
def _organisations(count: int, kind: OrganisationKind | None) -> Select[str]:
    code = col(Organisation.code)
    known = select(code).where(walks.one_of(code, "name", count))
    return known.where(col(Organisation.kind) == bindparam("kind", kind.value)) if kind else known


async def _must_exist(reader: Reader, query: InnovationFilters, memory: Memory) -> None:
    """Refuses filters that name something that there is not.

    Raises:
        UnknownTheme, UnknownOrganisation
    """
    checks: tuple[tuple[str, OrganisationKind | None, str], ...] = (
        ("theme", None, "No theme has this slug."),
        ("organisation", None, "No organisation has this ODS code."),
        ("icb", OrganisationKind.ICB, "No ICB has this ODS code."),
        ("region", OrganisationKind.REGION, "No region has this ODS code."),
    )
    for name, kind, detail in checks:
        given = {value for value in getattr(query, name) if (name, value) not in memory.known}
        if not given:
            continue
        count = len(given)
        known: Select[Any] = _themes(count) if name == "theme" else _organisations(count, kind)
        values = dict(zip(walks.names("name", count), given, strict=True))
        found = {row[0] for row in await reader.rows(known, values)}
        memory.known |= {(name, value) for value in found}
        if given - found:
            error = UnknownTheme if name == "theme" else UnknownOrganisation
            raise error.at(f"?{name}", f"unknown_{name}", detail)
