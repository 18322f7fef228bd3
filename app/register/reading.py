"""Reading one innovation, and what belongs to it: decisions, evidence, history."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import Boolean, bindparam, func, or_, select, tuple_
from sqlmodel import col

from app.dialects import Reader, Statement
from app.errors import NotFound, Withdrawn
from app.models.adoptions import Adoption
from app.models.changes import Change, Kind, LogHead
from app.models.decisions import Decision
from app.models.evidence import Evidence
from app.models.fields import AsOf
from app.models.innovations import Innovation, InnovationPublic, Source, Visibility
from app.models.merging import InnovationRef
from app.register import changes, feed
from app.register.access import Caller
from app.register.entries import NO_SUCH, address
from app.register.identifiers import identifier, reference
from app.register.lists import cursors, past
from app.register.stored import Listed, Stored, etag


class Entry(NamedTuple):
    """An innovation as it was found, seen by the caller or not."""

    document: str
    version: int
    sequence: int
    visibility: str
    public: bool
    organisation: str
    icb: str | None
    region: str | None
    id: str
    number: int
    head: int

    @property
    def ref(self) -> InnovationRef:
        return InnovationRef(id=self.id, reference=reference(self.number))

    @property
    def successor(self) -> InnovationRef | None:
        """What it was merged into."""
        if self.visibility != Visibility.SUPERSEDED:
            return None
        gone = from_json(self.document)["superseded_by"]
        return InnovationRef(id=gone["id"], reference=gone["reference"])


async def get(reader: Reader, name: str, caller: Caller) -> Stored:
    """The innovation of this id or reference.

    Raises:
        NotFound: also for another organisation's draft.
        Withdrawn: when only its tombstone is left.
    """
    return _stored(await visible(reader, name, caller))


async def get_as_of(reader: Reader, name: str, caller: Caller, as_of: AsOf) -> Stored:
    """The innovation of this id or reference, as it was.

    Raises:
        NotFound: also when it was not there yet.
        Withdrawn, ValidationFailed
    """
    line = await past.line_of(reader, as_of)
    entry = await find(reader, name)
    found = entry and await past.version(reader, Kind.INNOVATION, entry.id, line)
    if not entry or not found or found[0] is None:
        raise NotFound(NO_SUCH)
    document, number, public, _, redacted = found
    then = entry._replace(
        document=(await past.named(reader, [document], line))[0],
        public=bool(public),
        visibility=from_json(document)["visibility"],
    )
    mark = f"-{changes.document_digest(document)[:12]}" if redacted else ""
    return replace(_stored(_visible(then, caller)), etag=f'"{number}-as-of-{line}{mark}"')


async def visible(reader: Reader, name: str, caller: Caller) -> Entry:
    """The innovation of this id or reference, if it shows to the caller.

    Raises:
        NotFound, Withdrawn
    """
    return _visible(await find(reader, name), caller)


async def get_by_source(reader: Reader, source: Source, caller: Caller) -> Stored:
    """The entry that the caller's organisation submitted under its own id.

    Raises:
        NotFound, Withdrawn
    """
    values = {
        "submitter": caller.organisation,
        "source_system": source.system,
        "source_id": source.id,
    }
    rows = await reader.rows(_OF_SOURCE, values)
    return _stored(_visible(Entry(*rows[0]) if rows else None, caller))


def _stored(entry: Entry) -> Stored:
    successor = entry.successor
    return Stored(
        entry.document,
        etag(entry.version, entry.sequence),
        entry.head,
        location=address(entry.id),
        successor=address(successor.id) if successor else None,
    )


async def find(reader: Reader, name: str) -> Entry | None:
    """The innovation of this id or reference, whoever may see it."""
    key = identifier(name)
    if key is None:
        return None
    statement = _BY_NUMBER if isinstance(key, int) else _BY_ID
    rows = await reader.rows(statement, {"key": key})
    return Entry(*rows[0]) if rows else None


def _visible(entry: Entry | None, caller: Caller) -> Entry:
    if entry is None or (
        not entry.public and not caller.covers(entry.organisation, entry.icb, entry.region)
    ):
        raise NotFound(NO_SUCH)
    if entry.visibility == Visibility.WITHDRAWN:
        gone = InnovationPublic.model_validate_json(entry.document).withdrawal
        assert gone is not None, "what is withdrawn says why"
        raise Withdrawn(f"It was withdrawn on {gone.withdrawn_at:%Y-%m-%d}: {gone.reason}")
    return entry


_ONE: Statement = select(
    *(col(getattr(Innovation, name)) for name in Entry._fields[:-1]),
    select(col(LogHead.sequence)).scalar_subquery(),
)
_BY_ID = _ONE.where(col(Innovation.id) == bindparam("key"))
_BY_NUMBER = _ONE.where(col(Innovation.number) == bindparam("key"))
_OF_SOURCE = _ONE.where(
    *(
        col(getattr(Innovation, name)) == bindparam(name)
        for name in ("submitter", "source_system", "source_id")
    )
)


# What belongs to an innovation


async def decision(reader: Reader, name: str, identity: str, caller: Caller) -> Stored:
    """One decision of an innovation; it never changes."""
    entry = await visible(reader, name, caller)
    values = {"id": identity.lower(), "number": entry.number}
    rows = await reader.rows(_DECISION, values)
    if not rows:
        raise NotFound("This innovation has no such decision.")
    return Stored(rows[0][0], etag(1, entry.number), entry.head)


async def piece_of_evidence(reader: Reader, name: str, identity: str, caller: Caller) -> Stored:
    """One piece of evidence of an innovation; also where it was before that was merged.

    Raises:
        NotFound
        Withdrawn: when the innovation was withdrawn, or the one that the piece is with now.
    """
    entry = await visible(reader, name, caller)
    rows = await reader.rows(_PIECE, {"id": identity.lower()})
    now = await _one_with(reader, entry, rows[0][2]) if rows else None
    if now is None:
        raise NotFound("This innovation has no such evidence.")
    _visible(now, caller)
    document, version, number = rows[0]
    return Stored(document, etag(version, number), entry.head)


async def _one_with(reader: Reader, entry: Entry, number: int) -> Entry | None:
    """The innovation of this number, if it is one with another: that one itself, what that was
    merged into, or what was merged into the same."""
    if number == entry.number:
        return entry
    successor = entry.successor
    other = await find(reader, reference(number)) if successor else None
    return other if other and successor in (other.ref, other.successor) else None


async def decisions(
    reader: Reader, name: str, caller: Caller, *, limit: int, cursor: str | None
) -> Listed:
    """An innovation's decisions, the newest first by the day they were decided on."""
    entry = await visible(reader, name, caller)
    return await belonging(reader, "decisions", entry, limit, cursor)


async def evidence(
    reader: Reader, name: str, caller: Caller, *, limit: int, cursor: str | None
) -> Listed:
    """An innovation's evidence, in the order in which it came."""
    entry = await visible(reader, name, caller)
    return await belonging(reader, "evidence", entry, limit, cursor)


async def history(
    reader: Reader, name: str, caller: Caller, *, limit: int, cursor: str | None
) -> Listed:
    """The versions of an innovation that the caller may see, a withdrawn one's, too."""
    entry = await find(reader, name)
    if entry is None:
        raise NotFound(NO_SUCH)
    values = _history_values(entry, caller)
    found = await lines_of(reader, values, entry.head, limit=limit, cursor=cursor)
    if not found.total:
        raise NotFound(NO_SUCH)
    return found


async def lines_of(
    reader: Reader, values: dict[str, object], head: int, *, limit: int, cursor: str | None
) -> Listed:
    """The lines of the log about one thing; ``values`` say which, and who asks."""
    query = f"history {values['thing']} {values['covered']}"
    values |= {"limit": limit + 1, "after": 0}
    if cursor:
        (values["after"],) = cursors.decode(query, cursor, (int,))
    counted = await reader.rows(_HISTORY_TOTAL, values)
    rows = await reader.rows(_HISTORY, values)
    following = cursors.encode(query, [rows[limit - 1][6]]) if len(rows) > limit else None
    lines = [feed.as_json(row) for row in rows[:limit]]
    return Listed(lines, limit, counted[0][0], following, head)


async def version(reader: Reader, name: str, number: int, caller: Caller) -> Stored:
    """An innovation as it was at a version, as the log's line of that version."""
    entry = await find(reader, name)
    if entry is None:
        raise NotFound(NO_SUCH)
    values = _history_values(entry, caller) | {"limit": 1, "after": number - 1}
    rows = await reader.rows(_HISTORY, values)
    if not rows or rows[0][6] != number:
        raise NotFound("This innovation has no such version.")
    return Stored(feed.as_json(rows[0]), f'"{feed.tag_of(rows[0])}"', entry.head)


# How lists of them are read


class _Belonging(NamedTuple):
    """A table of what belongs to innovations, and its total order."""

    table: Any
    order: tuple[Any, ...]
    backwards: bool


_BELONGING = {
    "decisions": _Belonging(Decision, (Decision.decided_on, Decision.id), backwards=True),
    "evidence": _Belonging(Evidence, (Evidence.id,), backwards=False),
    "adoptions": _Belonging(Adoption, (Adoption.id,), backwards=False),
}


async def belonging(
    reader: Reader, what: str, entry: Entry, limit: int, cursor: str | None
) -> Listed:
    """A page of what belongs to an innovation."""
    query = f"{what} {entry.id}"
    order = _BELONGING[what].order
    values: dict[str, object] = {"number": entry.number, "limit": limit + 1}
    if cursor:
        last = cursors.decode(query, cursor, (str,) * len(order))
        values |= {f"last_{i}": key for i, key in enumerate(last)}
    rows = await reader.rows(_listing(what, after=bool(cursor)), values)
    total = await reader.rows(_counting(what), values)
    more = len(rows) > limit
    rows = rows[:limit]
    following = cursors.encode(query, [str(key) for key in rows[-1][1:]]) if more else None
    return Listed([row[0] for row in rows], limit, total[0][0], following, entry.head)


@cache
def _listing(what: str, *, after: bool) -> Statement:
    table, order, backwards = _BELONGING[what]
    columns = [col(column) for column in order]
    statement = select(col(table.document), *columns)
    statement = statement.where(col(table.number) == bindparam("number"))
    if after:
        keys = tuple_(*columns)
        last = tuple_(*(bindparam(f"last_{i}") for i in range(len(columns))))
        statement = statement.where(keys < last if backwards else keys > last)
    ordered = statement.order_by(*(key.desc() if backwards else key.asc() for key in columns))
    return ordered.limit(bindparam("limit"))


@cache
def _counting(what: str) -> Statement:
    table = _BELONGING[what].table
    counted = select(func.count()).select_from(table)
    return counted.where(col(table.number) == bindparam("number"))


_DECISION = select(col(Decision.document)).where(
    col(Decision.id) == bindparam("id"), col(Decision.number) == bindparam("number")
)
_PIECE = select(col(Evidence.document), col(Evidence.version), col(Evidence.number)).where(
    col(Evidence.id) == bindparam("id")
)

_LINES = (
    col(Change.thing) == bindparam("thing"),
    col(Change.kind) == bindparam("kind"),
    or_(col(Change.public).is_(True), bindparam("covered", type_=Boolean).is_(True)),
)
_HISTORY = (
    select(*feed.COLUMNS)
    .where(*_LINES, col(Change.version) > bindparam("after"))
    .order_by(col(Change.version))
    .limit(bindparam("limit"))
)
_HISTORY_TOTAL = select(func.count()).select_from(Change).where(*_LINES)


def _history_values(entry: Entry, caller: Caller) -> dict[str, object]:
    covered = caller.covers(entry.organisation, entry.icb, entry.region)
    return {"thing": entry.id, "kind": Kind.INNOVATION.value, "covered": covered}
