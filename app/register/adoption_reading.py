"""Reading adoptions: those of an innovation, and those of an organisation."""

from __future__ import annotations

from functools import lru_cache

from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, String, bindparam, func, select
from sqlmodel import col

from app.dialects import Reader, Statement
from app.errors import NotFound, Withdrawn
from app.models.adoptions import Adoption, AdoptionsQuery
from app.models.changes import Change, Kind
from app.models.innovations import Innovation, Visibility
from app.models.organisations import Organisation, OrganisationKind
from app.register import changes, entries, reading
from app.register.access import Caller
from app.register.adoptions import GONE, NO_SUCH, was_of
from app.register.identifiers import reference
from app.register.lists import cursors
from app.register.lists.walks import names, one_of
from app.register.stored import Listed, Stored, etag

_ONE = select(
    col(Adoption.document), col(Adoption.version), col(Adoption.sequence), col(Adoption.number)
).where(col(Adoption.id) == bindparam("id"))


async def get(reader: Reader, name: str, identity: str, caller: Caller) -> Stored:
    """One adoption of an innovation; also where it was before that was merged.

    Raises:
        NotFound
        Withdrawn: when it, or its innovation, was withdrawn, or the one that it is with now.
    """
    entry = await reading.visible(reader, name, caller)
    rows = await reader.rows(_ONE, {"id": identity.lower()})
    document, version, sequence, number = rows[0] if rows else ("", 0, 0, 0)
    if number != entry.number:
        if not await _was_there(reader, entry, identity):
            raise NotFound(NO_SUCH)
        if not rows:
            raise Withdrawn(GONE)
        await reading.visible(reader, reference(number), caller)
    return Stored(document, etag(version, sequence), entry.head)


async def page(
    reader: Reader, name: str, caller: Caller, *, limit: int, cursor: str | None
) -> Listed:
    """An innovation's adoptions, in the order in which they came."""
    entry = await reading.visible(reader, name, caller)
    return await reading.belonging(reader, "adoptions", entry, limit, cursor)


async def history(
    reader: Reader, name: str, identity: str, caller: Caller, *, limit: int, cursor: str | None
) -> Listed:
    """The versions of an adoption, a withdrawn one's, too."""
    entry = await reading.find(reader, name)
    covered = entry and caller.covers(entry.organisation, entry.icb, entry.region)
    if entry is None or not (entry.public or covered):
        raise NotFound(entries.NO_SUCH)
    if not await _was_there(reader, entry, identity):
        raise NotFound(NO_SUCH)
    values: dict[str, object] = {"thing": identity.lower(), "kind": Kind.ADOPTION.value}
    values["covered"] = False  # what there is of adoptions is public
    return await reading.lines_of(reader, values, entry.head, limit=limit, cursor=cursor)


async def _was_there(reader: Reader, entry: reading.Entry, identity: str) -> bool:
    rows = await reader.rows(_VERSIONS, {"thing": identity.lower(), "kind": Kind.ADOPTION.value})
    return any(document is None or was_of(document, entry.id) for (document,) in rows)


_VERSIONS = select(col(Change.document)).where(
    col(Change.thing) == bindparam("thing"), col(Change.kind) == bindparam("kind")
)


# Those of an organisation


_KIND = select(col(Organisation.kind)).where(col(Organisation.code) == bindparam("code"))


async def kind_of(reader: Reader, code: str) -> OrganisationKind:
    """What an organisation is.

    Raises:
        NotFound
    """
    rows = await reader.rows(_KIND, {"code": code})
    if not rows:
        raise NotFound("There is no organisation with this ODS code.")
    return OrganisationKind(rows[0][0])


def place_below(kind: OrganisationKind) -> str:
    """In which column those below an organisation have its code, and itself, too."""
    above = (OrganisationKind.ICB, OrganisationKind.REGION)
    return kind.value if kind in above else "organisation"


async def of_organisation(reader: Reader, code: str, query: AdoptionsQuery) -> Listed:
    """An organisation's adoptions of what is published, the newest first, with what they are of.

    Raises:
        NotFound, InvalidCursor
    """
    kind = await kind_of(reader, code)
    place = place_below(kind) if query.below else "organisation"
    stages = [stage.value for stage in dict.fromkeys(query.stage)]
    name = to_json(["adoptions", code, place, stages]).decode()
    values: dict[str, object] = {"code": code, "limit": query.limit + 1}
    values |= zip(names("stage", len(stages)), stages, strict=True)
    if query.cursor:
        (values["last"],) = cursors.decode(name, query.cursor, (str,))
    head = await changes.head(reader)
    rows = await reader.rows(_page(place, len(stages), after=bool(query.cursor)), values)
    total = await reader.rows(_total(place, len(stages)), values)
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    following = cursors.encode(name, [rows[-1][2]]) if more else None
    items = [_with_innovation(adoption, innovation) for adoption, innovation, _ in rows]
    return Listed(items, query.limit, total[0][0], following, head)


def _with_innovation(adoption: str, innovation: str) -> str:
    said = from_json(innovation)
    whose = said["organisation"]
    about = {
        "title": said["title"],
        "theme": said["theme"]["slug"],
        "status": said["status"],
        "organisation": {"code": whose["code"], "name": whose["name"]},
    }
    return f'{adoption[:-1]},"about":{to_json(about).decode()}}}'


def _conditions(place: str, stages: int) -> list[ColumnElement[bool]]:
    asked = [
        col(getattr(Adoption, place)) == bindparam("code"),
        col(Innovation.visibility) == Visibility.PUBLISHED.value,
    ]
    return [*asked, one_of(col(Adoption.stage), "stage", stages)] if stages else asked


_SAME = col(Innovation.number) == col(Adoption.number)


@lru_cache(64)
def _page(place: str, stages: int, *, after: bool) -> Statement:
    key = col(Adoption.id)
    rows: Statement = select(col(Adoption.document), col(Innovation.document), key)
    rows = rows.join_from(Adoption, Innovation, _SAME).where(*_conditions(place, stages))
    if after:
        rows = rows.where(key < bindparam("last", type_=String))
    return rows.order_by(key.desc()).limit(bindparam("limit"))


@lru_cache(64)
def _total(place: str, stages: int) -> Statement:
    counted = select(func.count()).select_from(Adoption).join(Innovation, _SAME)
    return counted.where(*_conditions(place, stages))
