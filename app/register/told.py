"""Which lines of the log are told to whom, and what of them; as SQL.

A line that is public stays public, but for a story's: when the consent to publish it is taken back,
or it is withdrawn, others are told so by one line without a document, and its earlier lines do not
show to them any more. They come back if consent is given again. Nor do others see which
organisation's client wrote a story's lines, for its teller may not want that known.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    null,
    or_,
    select,
)
from sqlmodel import col

from app.models.changes import Action, Kind
from app.models.organisations import Organisation
from app.models.stories import Story, StoryVisibility

STORIES: Table = Story.__table__  # type: ignore[attr-defined]


def _constant(word: str) -> ColumnElement[str]:
    return literal_column(f"'{word}'")


_STORY = _constant(Kind.STORY.value)
_UNPUBLISHED, _WITHDRAWN = (_constant(each) for each in (Action.UNPUBLISHED, Action.WITHDRAWN))
_PUBLISHED = _constant(StoryVisibility.PUBLISHED.value)


def covered() -> Select[str]:
    """The organisations that the caller's own one covers; see :meth:`Caller.covers`."""
    place = (Organisation.code, Organisation.icb, Organisation.region)
    return select(col(Organisation.code)).where(
        or_(*(col(column) == bindparam("own", type_=String) for column in place))
    )


def to_all(line: FromClause) -> ColumnElement[bool]:
    """That everybody is told of a line."""
    published = exists().where(STORIES.c.id == line.c.thing, STORIES.c.visibility == _PUBLISHED)
    shows = or_(line.c.kind != _STORY, _is_end(line), published)
    return and_(line.c.public.is_(True), shows)


def _is_end(line: FromClause) -> ColumnElement[bool]:
    """That a story goes by this line."""
    return or_(line.c.action == _UNPUBLISHED, line.c.action == _WITHDRAWN)


def author(line: FromClause, own: ColumnElement[bool] | None) -> ColumnElement[Any]:
    """The organisation whose client wrote the line, where that is told."""
    return case((_hidden(line.c.kind == _STORY, own), null()), else_=line.c.by)


def document(line: FromClause, own: ColumnElement[bool] | None) -> ColumnElement[Any]:
    """The document of a line, where that is told."""
    gone = and_(line.c.kind == _STORY, _is_end(line))
    return case((_hidden(gone, own), null()), else_=line.c.document)


def earlier(line: FromClause, own: ColumnElement[bool] | None) -> ColumnElement[bool]:
    """That an earlier line may be looked into, to tell whether a thing fitted before."""
    secret = and_(line.c.kind == _STORY, line.c.public.is_not(True))
    return ~_hidden(secret, own)


def _hidden(what: ColumnElement[bool], own: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return what if own is None else and_(what, ~own)
