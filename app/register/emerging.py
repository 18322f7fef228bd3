"""Emerging themes: what there is to be grouped, and what came since.

As with all likeness, only what is published is among it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Select, bindparam, delete, literal_column, select
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from app.dialects import Reader
from app.likeness import texts
from app.models.changes import Action, Change, Kind
from app.models.emerging import MemberKind
from app.models.innovations import Innovation, Visibility
from app.models.likeness import StoryVector
from app.models.stories import Story, StoryVisibility
from app.register import changes
from app.register.inserting import insert_all

AT_ONCE = 200


class Published(NamedTuple):
    """An innovation or a story that is published, and the vector of a story if one is stored."""

    kind: MemberKind
    number: int
    document: str
    published_at: str
    model: str | None = None
    digest: str | None = None
    vector: bytes | None = None


def _first_published(kind: Kind, thing: Mapped[str]) -> ColumnElement[Any]:
    """When a thing was first published: the log's first line of it that all could see."""
    return (
        select(col(Change.at))
        .where(
            col(Change.thing) == thing, col(Change.kind) == kind.value, col(Change.public).is_(True)
        )
        .order_by(col(Change.version))
        .limit(literal_column("1"))
        .scalar_subquery()
    )


_INNOVATIONS: Select[*tuple[Any, ...]] = (
    select(
        col(Innovation.number),
        col(Innovation.document),
        _first_published(Kind.INNOVATION, col(Innovation.id)),
    )
    .where(
        col(Innovation.visibility) == bindparam("visibility"),
        col(Innovation.number) < bindparam("before"),
    )
    .order_by(col(Innovation.number).desc())
    .limit(bindparam("limit"))
)

_STORIES: Select[*tuple[Any, ...]] = (
    select(
        col(Story.number),
        col(Story.document),
        _first_published(Kind.STORY, col(Story.id)),
        col(StoryVector.model),
        col(StoryVector.digest),
        col(StoryVector.vector),
    )
    .outerjoin(StoryVector, col(StoryVector.number) == col(Story.number))
    .where(
        col(Story.visibility) == bindparam("visibility"),
        col(Story.number) < bindparam("before"),
    )
    .order_by(col(Story.number).desc())
    .limit(bindparam("limit"))
)


async def newest_innovations(reader: Reader, before: int) -> list[Published]:
    """The next published innovations before a number, the newest first."""
    values = {"visibility": Visibility.PUBLISHED.value, "before": before, "limit": AT_ONCE}
    rows = await reader.rows(_INNOVATIONS, values)
    return [Published(MemberKind.INNOVATION, *row) for row in rows]


async def newest_stories(reader: Reader, before: int) -> list[Published]:
    """The next published stories before a number, the newest first."""
    values = {"visibility": StoryVisibility.PUBLISHED.value, "before": before, "limit": AT_ONCE}
    rows = await reader.rows(_STORIES, values)
    return [Published(MemberKind.STORY, *row) for row in rows]


Name = tuple[MemberKind, str]
"""A kind and an id."""


class Since(NamedTuple):
    """What lines of the log say of innovations, stories and themes."""

    changed: set[Name]
    """What the groups may depend on."""
    rewritten: set[Name]
    """What does not say any more what it said, or says it to nobody."""
    themes: bool
    """Whether a theme is among it."""
    to: int


_MATTERS = (Action.CREATED, Action.DECIDED)
_REWRITES = (Action.UPDATED, Action.UNPUBLISHED, Action.WITHDRAWN, Action.REDACTED)
_OF = {Kind.INNOVATION.value: MemberKind.INNOVATION, Kind.STORY.value: MemberKind.STORY}

_LINES = (
    select(col(Change.sequence), col(Change.kind), col(Change.thing), col(Change.action))
    .where(col(Change.sequence) > bindparam("after"), col(Change.public).is_(True))
    .order_by(col(Change.sequence))
    .limit(bindparam("limit"))
)


async def since(reader: Reader, after: int) -> Since:
    """What the next lines after one say."""
    head = await changes.head(reader)
    rows = await reader.rows(_LINES, {"after": after, "limit": AT_ONCE})
    changed, rewritten = set(), set()
    for _, kind, thing, action in rows:
        if kind in _OF and action in _REWRITES:
            rewritten.add((_OF[kind], thing))
        if kind in _OF and action in (*_MATTERS, *_REWRITES):
            changed.add((_OF[kind], thing))
    to = rows[-1][0] if len(rows) == AT_ONCE else max(head, after, *(row[0] for row in rows))
    return Since(changed, rewritten, any(row[1] == Kind.THEME for row in rows), to)


# Writing


def keep(session: Session, vectors: Sequence[StoryVector]) -> None:
    """Stores what was made of stories' texts, as far as these are published and stand there still;
    it is no line of the log."""
    numbers = [vector.number for vector in vectors]
    session.execute(delete(StoryVector).where(col(StoryVector.number).in_(numbers)))
    rows = session.execute(
        select(col(Story.number), col(Story.document)).where(
            col(Story.number).in_(numbers),
            col(Story.visibility) == StoryVisibility.PUBLISHED.value,
        )
    )
    now = {row.number: texts.digest(from_json(row.document)["text"]) for row in rows}
    current = [vector for vector in vectors if now.get(vector.number) == vector.digest]
    insert_all(session, StoryVector, [vector.model_dump() for vector in current])
