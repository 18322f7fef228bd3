"""What a query of innovations asks for: the shape of its SQL, its values, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Select, bindparam, select
from sqlmodel import col

from app.dialects import Reader, rfc3339
from app.errors import Unauthenticated, UnknownOrganisation, UnknownTheme
from app.models.finding import EntryFilters, InnovationFilters
from app.models.innovations import PLACES, Visibility
from app.models.organisations import Organisation, OrganisationKind
from app.models.story_finding import StoryFilters
from app.models.themes import Theme
from app.register.access import Caller
from app.register.lists import search, walks
from app.register.lists.fitting import VALUES, Entry, Fits, fitting
from app.register.lists.memory import Memory
from app.register.lists.walks import Shape


@dataclass(frozen=True, slots=True)
class Wanted:
    """A query's shape and its values, and a name for what it asks for."""

    shape: Shape
    values: dict[str, object]
    name: str
    fitting: Callable[[], Fits | None]
    """Makes what tells whether a document is among what is asked for, if it has the words that are
    searched for; None where all are. It is seldom needed, and takes longer than all else here."""


def wanted_by(
    reader: Reader, query: InnovationFilters, caller: Caller, *, as_of: int | None = None
) -> Wanted:
    """What a query asks for, as far as the caller may see it; of the past, as of a line.

    Raises:
        Unauthenticated, ValidationFailed
    """
    filters: list[tuple[str, int]] = []
    values: dict[str, object] = {}
    asked = query.model_fields_set | {"visibility"}
    for name in (*walks.COLUMNS, *walks.KEYS, "not_adopted_by"):
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
    own = None
    if not caller.curates and set(query.visibility) != {Visibility.PUBLISHED}:
        if caller.organisation is None:
            raise Unauthenticated(
                "What is not published shows to its own organisation: send its key."
            )
        own = values["own"] = caller.organisation
    past = as_of is not None
    if past:
        values["as_of"] = as_of
    shape = Shape(reader.dialect, tuple(filters), own is not None, past)
    return Wanted(shape, values, to_json(values).decode(), partial(_fits, query, own))


def _fits(query: InnovationFilters, own: str | None) -> Fits | None:
    """As :func:`wanted_by` says it to the database."""
    fits = fitting(query)
    if own is None or fits is None:
        return fits
    places = [VALUES[place] for place in PLACES]

    def own_only(entry: Entry) -> bool:
        published = entry["visibility"] == Visibility.PUBLISHED
        return fits(entry) and (published or any(own in place(entry) for place in places))

    return own_only


@cache
def _themes(count: int) -> Select[str]:
    return select(col(Theme.slug)).where(walks.one_of(col(Theme.slug), "name", count))


@cache
def _organisations(count: int, kind: OrganisationKind | None) -> Select[str]:
    code = col(Organisation.code)
    known = select(code).where(walks.one_of(code, "name", count))
    return known.where(col(Organisation.kind) == bindparam("kind", kind.value)) if kind else known


_NOBODY = "No organisation has this ODS code."

_CHECKS: tuple[tuple[str, OrganisationKind | None, str], ...] = (
    ("theme", None, "No theme has this slug."),
    *((name, None, _NOBODY) for name in ("organisation", "adopted_by", "not_adopted_by")),
    ("icb", OrganisationKind.ICB, "No ICB has this ODS code."),
    ("region", OrganisationKind.REGION, "No region has this ODS code."),
)

NAMING = frozenset(name for name, _, _ in _CHECKS)
"""Filters that name something, which there may not be."""


async def must_exist(
    reader: Reader, query: EntryFilters | StoryFilters, memory: Memory, *, at: str = "?"
) -> None:
    """Refuses filters that name something that there is not; ``at`` is where they stand.

    Raises:
        UnknownTheme, UnknownOrganisation
    """
    for name, kind, detail in _CHECKS:
        given = {value for value in getattr(query, name, ()) if (name, value) not in memory.known}
        if not given:
            continue
        count = len(given)
        known: Select[Any] = _themes(count) if name == "theme" else _organisations(count, kind)
        values = dict(zip(walks.names("name", count), given, strict=True))
        found = {row[0] for row in await reader.rows(known, values)}
        memory.known |= {(name, value) for value in found}
        if given - found:
            error = UnknownTheme if name == "theme" else UnknownOrganisation
            of = "organisation" if name.endswith("adopted_by") else name
            raise error.at(f"{at}{name}", f"unknown_{of}", detail)
