"""Reading one story, and its history."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, bindparam, func, literal_column, select
from sqlmodel import col

from app.dialects import Reader, Statement
from app.errors import NotFound, Withdrawn
from app.models.changes import Change, Kind, LogHead
from app.models.innovations import Source
from app.models.stories import Story, StoryPublic, StoryVisibility
from app.register import feed, told
from app.register.access import Caller
from app.register.identifiers import STORY, identifier
from app.register.lists import cursors
from app.register.stored import Listed, Stored, etag
from app.register.story_entries import NO_SUCH


class _Entry(NamedTuple):
    """A story as it was found, seen by the caller or not."""

    document: str
    version: int
    sequence: int
    visibility: str
    public: bool
    owner: str
    owner_icb: str | None
    owner_region: str | None
    id: str
    head: int

    def is_own(self, caller: Caller) -> bool:
        return caller.covers(self.owner, self.owner_icb, self.owner_region)


_ONE: Statement = select(
    *(col(getattr(Story, name)) for name in _Entry._fields[:-1]),
    select(col(LogHead.sequence)).scalar_subquery(),
)
_BY_ID = _ONE.where(col(Story.id) == bindparam("key"))
_BY_NUMBER = _ONE.where(col(Story.number) == bindparam("key"))
_OF_SOURCE = _ONE.where(
    *(
        col(getattr(Story, name)) == bindparam(name)
        for name in ("submitter", "source_system", "source_id")
    )
)


async def get(reader: Reader, name: str, caller: Caller) -> Stored:
    """The story of this id or reference.

    Raises:
        NotFound: also for another organisation's that is not published.
        Withdrawn: when only its tombstone is left.
    """
    return _stored(await _find(reader, name), caller)


async def get_by_source(reader: Reader, source: Source, caller: Caller) -> Stored:
    """The story that the caller's organisation submitted under its own id.

    Raises:
        NotFound, Withdrawn
    """
    values = {
        "submitter": caller.organisation,
        "source_system": source.system,
        "source_id": source.id,
    }
    rows = await reader.rows(_OF_SOURCE, values)
    return _stored(_Entry(*rows[0]) if rows else None, caller)


async def _find(reader: Reader, name: str) -> _Entry | None:
    key = identifier(name, STORY)
    if key is None:
        return None
    rows = await reader.rows(_BY_NUMBER if isinstance(key, int) else _BY_ID, {"key": key})
    return _Entry(*rows[0]) if rows else None


def _stored(entry: _Entry | None, caller: Caller) -> Stored:
    if entry is None or not (entry.public or entry.is_own(caller)):
        raise NotFound(NO_SUCH)
    if entry.visibility == StoryVisibility.WITHDRAWN:
        gone = StoryPublic.model_validate_json(entry.document).withdrawal
        assert gone is not None, "what is withdrawn says why"
        raise Withdrawn(f"It was withdrawn on {gone.withdrawn_at:%Y-%m-%d}: {gone.reason}")
    return Stored(
        entry.document,
        etag(entry.version, entry.sequence),
        entry.head,
        location=f"/v1/stories/{entry.id}",
    )


# Its history

_LINE: Table = Change.__table__  # type: ignore[attr-defined]


def _lines(columns: Any, *, own: bool) -> Statement:
    lines: Statement = select(*columns).where(
        _LINE.c.thing == bindparam("thing"),
        _LINE.c.kind == literal_column(f"'{Kind.STORY.value}'"),
    )
    return lines if own else lines.where(told.to_all(_LINE))


@cache
def _history(*, own: bool) -> Statement:
    columns: Any = feed.COLUMNS if own else feed.told_columns(None)
    version: ColumnElement[int] = _LINE.c.version
    lines = _lines(columns, own=own).where(version > bindparam("after"))
    return lines.order_by(version).limit(bindparam("limit"))


@cache
def _history_total(*, own: bool) -> Statement:
    return _lines([func.count()], own=own)


async def history(
    reader: Reader, name: str, caller: Caller, *, limit: int, cursor: str | None
) -> Listed:
    """The versions of a story that the caller may see.

    Raises:
        NotFound, InvalidCursor
    """
    entry = await _find(reader, name)
    if entry is None:
        raise NotFound(NO_SUCH)
    own = entry.is_own(caller)
    query = f"history {entry.id} {own}"
    values: dict[str, object] = {"thing": entry.id, "limit": limit + 1, "after": 0}
    if cursor:
        (values["after"],) = cursors.decode(query, cursor, (int,))
    total = (await reader.rows(_history_total(own=own), values))[0][0]
    if not total:
        raise NotFound(NO_SUCH)
    rows = await reader.rows(_history(own=own), values)
    following = cursors.encode(query, [rows[limit - 1][6]]) if len(rows) > limit else None
    lines = [feed.as_json(row) for row in rows[:limit]]
    return Listed(lines, limit, total, following, entry.head)


async def version(reader: Reader, name: str, number: int, caller: Caller) -> Stored:
    """A story as it was at a version, as the log's line of that version.

    Raises:
        NotFound
    """
    entry = await _find(reader, name)
    if entry is None:
        raise NotFound(NO_SUCH)
    own = entry.is_own(caller)
    values = {"thing": entry.id, "limit": 1, "after": number - 1}
    rows = await reader.rows(_history(own=own), values)
    if not rows or rows[0][6] != number:
        raise NotFound("This story has no such version.")
    tag = f"{feed.tag_of(rows[0])}{'' if own else '-told'}"
    return Stored(feed.as_json(rows[0]), f'"{tag}"', entry.head)
