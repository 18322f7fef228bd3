"""Exports: which rows of a table go into a file, in the order in which they came."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import FromClause, literal_column, select
from sqlmodel import col

from app.dialects import Reader, Statement
from app.models.finding import InnovationFilters
from app.models.organisations import Organisation, OrganisationFilters
from app.models.story_finding import StoryFilters
from app.models.tables import INNOVATIONS, Table
from app.models.themes import Theme
from app.register import organisations, story_finding
from app.register.access import Caller
from app.register.lists.memory import Memory
from app.register.lists.walks import ENTRIES, Shape, walk
from app.register.lists.wanted import must_exist, wanted_by
from app.register.story_finding import StoryShape
from app.register.told import STORIES as STORY_ROWS

Asked = tuple[str, dict[str, Any]]
"""SQL as the database's driver takes it, and its values."""


async def of_innovations(
    reader: Reader, table: Table, query: InnovationFilters, caller: Caller, *, memory: Memory
) -> Asked:
    """What finds innovations, or what belongs to them; with each one's id and number beside it.

    Raises:
        UnknownTheme, UnknownOrganisation, ValidationFailed, Unauthenticated
    """
    wanted = wanted_by(reader, query, caller)
    await must_exist(reader, query, memory)
    return _prepared(reader, _rows(table, wanted.shape), wanted.values)


async def of_stories(
    reader: Reader, query: StoryFilters, caller: Caller, *, memory: Memory
) -> Asked:
    """What finds stories.

    Raises:
        UnknownTheme, UnknownOrganisation, UnknownInnovation, ValidationFailed, Unauthenticated
    """
    wanted = await story_finding.wanted_stories(reader, query, caller, memory=memory)
    return _prepared(reader, _stories(wanted.shape), wanted.values)


@lru_cache(1024)
def _stories(shape: StoryShape) -> Statement:
    rows = select(STORY_ROWS.c.document).where(*story_finding.conditions(shape))
    return rows.order_by(STORY_ROWS.c.number)


async def of_organisations(reader: Reader, query: OrganisationFilters) -> Asked:
    """What finds organisations, by their codes.

    Raises:
        UnknownOrganisation
    """
    await organisations.must_exist(reader, query)
    values = organisations.values_of(query)
    conditions = organisations.conditions(tuple(values), query.open)
    found = select(col(Organisation.document)).where(*conditions)
    return _prepared(reader, found.order_by(col(Organisation.code)), values)


async def of_themes(reader: Reader) -> Asked:
    """What finds the themes, by their numbers."""
    return _prepared(reader, select(col(Theme.document)).order_by(col(Theme.number)), {})


def _prepared(reader: Reader, statement: Statement, values: dict[str, Any]) -> Asked:
    prepared = reader.dialect.prepare(statement)
    return prepared.sql, dict(prepared.bound(values))


@lru_cache(1024)
def _rows(table: Table, shape: Shape) -> Statement:
    entries = walk(shape)
    numbers = entries.where(select(entries.number.label("number"))).order_by(entries.number)
    # The offset of nothing keeps it a step of its own: what is sorted is numbers, not documents.
    found = numbers.offset(literal_column("0")).subquery("found")
    entry = ENTRIES.alias("exported")
    source = found.join(entry, entry.c.number == found.c.number)
    place = (entry.c.id, entry.c.number)
    if table is INNOVATIONS:
        rows: Statement = select(entry.c.document, *place).select_from(source)
        return rows.order_by(found.c.number)
    thing: FromClause = table.stored.__table__.alias("thing")  # type: ignore[attr-defined]
    source = source.join(thing, thing.c.number == found.c.number)
    rows = select(thing.c.document, *place).select_from(source)
    return rows.order_by(found.c.number, thing.c.id)
