"""Organisations: looking them up, adding and changing them, and their place in the hierarchy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, String, bindparam, func, or_, select, tuple_
from sqlmodel import Session, col

from app.dialects import Reader, Statement
from app.errors import Fault, NotFound, OrganisationClosed, UnknownOrganisation
from app.models.changes import Action, Kind, LogHead
from app.models.organisations import (
    Organisation,
    OrganisationFilters,
    OrganisationKind,
    OrganisationPublic,
    OrganisationQuery,
    OrganisationRef,
    Place,
    Succession,
    SuccessionRef,
)
from app.register import changes, documents, held
from app.register.access import Caller
from app.register.lists import cursors
from app.register.lists.search import fold, sort_key
from app.register.stored import Listed, Stored, etag


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source says of an organisation."""

    code: str
    name: str
    kind: OrganisationKind
    parent: str | None = None
    opened: date | None = None
    closed: date | None = None


def put(session: Session, facts: Facts, *, by: Caller) -> Action | None:
    """Adds an organisation, or changes it to these facts; None when they were known.

    Those below it, and the innovations in whose documents it stands, follow.
    """
    row = session.get(Organisation, facts.code)
    if row is None:
        _store(session, None, facts, by)
        return Action.CREATED
    if _facts(row) == facts:
        return None
    _store(session, row, facts, by)
    _follow(session, facts.code, by)
    return Action.UPDATED


def put_succession(
    session: Session, predecessor: str, successor: str, since: date, *, by: Caller
) -> bool:
    """Notes who took over from whom; False when it was known."""
    if session.get(Succession, (predecessor, successor)) is not None:
        return False
    session.add(Succession(predecessor=predecessor, successor=successor, date=since))
    session.flush()
    for code in (predecessor, successor):
        row = session.get_one(Organisation, code)
        _store(session, row, _facts(row), by)
    return True


def _facts(row: Organisation) -> Facts:
    kind = OrganisationKind(row.kind)
    return Facts(row.code, row.name, kind, row.parent, row.opened, row.closed)


def _follow(session: Session, code: str, by: Caller) -> None:
    """Re-makes what names it: its innovations and adoptions, and the bodies below and beside."""
    row = session.get_one(Organisation, code)
    place = _place(row.document)
    documents.move_organisation(session, place)
    documents.move_adopter(session, place)
    below = session.execute(select(col(Organisation.code)).where(col(Organisation.parent) == code))
    for child in below.scalars().all():
        child_row = session.get_one(Organisation, child)
        _store(session, child_row, _facts(child_row), by)
        _follow(session, child, by)
    beside = select(Succession).where(
        or_(col(Succession.predecessor) == code, col(Succession.successor) == code)
    )
    for link in session.execute(beside).scalars().all():
        other = link.successor if link.predecessor == code else link.predecessor
        other_row = session.get_one(Organisation, other)
        _store(session, other_row, _facts(other_row), by)


def _store(session: Session, row: Organisation | None, facts: Facts, by: Caller) -> None:
    now = changes.now(session)
    parent = session.get(Organisation, facts.parent) if facts.parent else None
    if facts.parent and parent is None:
        raise UnknownOrganisation.at("#/parent", "unknown_organisation", "The parent is not known.")
    own = OrganisationRef(code=facts.code, name=facts.name)
    above = _place(parent.document) if parent else None
    is_icb, is_region = (facts.kind == kind for kind in ("icb", "region"))
    before = OrganisationPublic.model_validate_json(row.document) if row else None
    document = OrganisationPublic(
        code=facts.code,
        name=facts.name,
        kind=facts.kind,
        parent=OrganisationRef(code=parent.code, name=parent.name) if parent else None,
        icb=own if is_icb else above.icb if above else None,
        region=own if is_region else above.region if above else None,
        opened=facts.opened,
        closed=facts.closed,
        successors=_linked(session, Succession.predecessor, Succession.successor, facts.code),
        predecessors=_linked(session, Succession.successor, Succession.predecessor, facts.code),
        version=before.version + 1 if before else 1,
        created_at=before.created_at if before else now,
        updated_at=now,
    )
    text = document.model_dump_json()
    action = Action.UPDATED if before else Action.CREATED
    thing = changes.Thing(Kind.ORGANISATION, facts.code, document.version, text)
    sequence = changes.append(session, action, thing, by=by)
    keys: dict[str, Any] = {
        "kind": facts.kind.value,
        "name": facts.name,
        "name_key": sort_key(facts.name),
        "parent": facts.parent,
        "icb": document.icb.code if document.icb else None,
        "region": document.region.code if document.region else None,
        "opened": facts.opened,
        "closed": facts.closed,
        "version": document.version,
        "sequence": sequence,
        "document": text,
    }
    if row is None:
        session.add(Organisation(code=facts.code, **keys))
    else:
        for name, value in keys.items():
            setattr(row, name, value)
    session.flush()


def _linked(session: Session, here: Any, there: Any, code: str) -> list[SuccessionRef]:
    rows = session.execute(
        select(col(Organisation.code), col(Organisation.name), col(Succession.date))
        .join(Succession, col(Organisation.code) == col(there))
        .where(col(here) == code)
        .order_by(col(Succession.date), col(Organisation.code))
    )
    return [SuccessionRef(code=code, name=name, date=since) for code, name, since in rows]


@lru_cache(1024)
def _place(document: str) -> Place:
    parts = json.loads(document)
    return Place.model_validate({name: parts[name] for name in Place.model_fields})


def place_to_write(session: Session, code: str, *, by: Caller, pointer: str) -> Place:
    """An open organisation that the caller may write for, and its place.

    Raises:
        UnknownOrganisation, Forbidden, OrganisationClosed
    """
    row = held.get(session, Organisation, code)
    if row is None:
        raise UnknownOrganisation.at(
            pointer, "unknown_organisation", "No organisation has this ODS code."
        )
    by.must_cover(row.code, row.icb, row.region)
    if row.closed is not None and row.closed < datetime.now(UTC).date():
        raise _closed(OrganisationPublic.model_validate_json(row.document), pointer)
    return _place(row.document)


def place(session: Session, code: str) -> Place | None:
    """An organisation and its place in the hierarchy, open or not."""
    row = held.get(session, Organisation, code)
    return _place(row.document) if row else None


def unknown(session: Session, codes: Iterable[str]) -> list[str]:
    """Those of the codes that no organisation has, in order."""
    return [code for code in sorted(codes) if session.get(Organisation, code) is None]


def _closed(organisation: OrganisationPublic, pointer: str) -> OrganisationClosed:
    after = [f"{successor.name} ({successor.code})" for successor in organisation.successors]
    detail = f"{organisation.name} closed on {organisation.closed}."
    if after:
        detail += f" It was succeeded by {' and '.join(after)}."
    return OrganisationClosed(detail, faults=(Fault(pointer, "organisation_closed", detail),))


# Reading


_ONE = select(
    col(Organisation.document),
    col(Organisation.version),
    col(Organisation.sequence),
    select(col(LogHead.sequence)).scalar_subquery(),
).where(col(Organisation.code) == bindparam("code"))


async def get(reader: Reader, code: str) -> Stored:
    """One organisation, with its ICB, its region and its successors."""
    rows = await reader.rows(_ONE, {"code": code})
    if not rows:
        raise NotFound("There is no organisation with this ODS code.")
    document, version, sequence, head = rows[0]
    return Stored(document, etag(version, sequence), head)


async def page(reader: Reader, query: OrganisationQuery) -> Listed:
    """Organisations in the order of their names.

    Raises:
        UnknownOrganisation, InvalidCursor
    """
    await must_exist(reader, query)
    words = query.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_defaults=True)
    name = to_json(["organisations", words]).decode()
    values = {**values_of(query), "limit": query.limit + 1}
    day = datetime.now(UTC).date() if query.open is not None else None
    if query.cursor:
        values["key"], values["after"] = cursors.decode(name, query.cursor, (str, str))
    head = await changes.head(reader)
    rows = await reader.rows(_page(tuple(values), query.open), values)
    total = await reader.rows(_total(tuple(values), query.open), values)
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    following = cursors.encode(name, rows[-1][1:]) if more else None
    return Listed([row[0] for row in rows], query.limit, total[0][0], following, head, day)


async def must_exist(reader: Reader, query: OrganisationFilters) -> None:
    """Refuses a parent that there is not.

    Raises:
        UnknownOrganisation
    """
    if not query.parent:
        return
    given = dict.fromkeys(query.parent)
    values = {f"code_{i}": code for i, code in enumerate(given)}
    if len(await reader.rows(_known(len(given)), values)) < len(given):
        raise UnknownOrganisation.at(
            "?parent", "unknown_parent", "No organisation has this ODS code."
        )


@lru_cache(20)
def _known(count: int) -> Statement:
    codes = [bindparam(f"code_{i}", type_=String) for i in range(count)]
    return select(col(Organisation.code)).where(col(Organisation.code).in_(codes))


def values_of(query: OrganisationFilters) -> dict[str, object]:
    """The values of a query's filters, by the names that :func:`conditions` has for them."""
    values: dict[str, object] = {}
    if query.q:
        values |= {"q": f"%{_escaped(fold(query.q))}%", "code": query.q.strip().upper()}
    for key in ("kind", "parent"):
        values |= {f"{key}_{i}": str(value) for i, value in enumerate(getattr(query, key))}
    if query.open is not None:
        values["today"] = datetime.now(UTC).date().isoformat()
    return values


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


@lru_cache(256)
def _page(given: tuple[str, ...], is_open: bool | None) -> Statement:
    order = (col(Organisation.name_key), col(Organisation.code))
    statement: Statement = select(col(Organisation.document), *order).where(
        *conditions(given, is_open)
    )
    if "after" in given:
        last = tuple_(bindparam("key", type_=String), bindparam("after", type_=String))
        statement = statement.where(tuple_(*order) > last)
    return statement.order_by(*order).limit(bindparam("limit"))


@lru_cache(256)
def _total(given: tuple[str, ...], is_open: bool | None) -> Statement:
    statement = select(func.count()).select_from(Organisation)
    return statement.where(*conditions(given, is_open))


def conditions(given: tuple[str, ...], is_open: bool | None) -> list[ColumnElement[bool]]:
    """What filters ask for, of which these values are given."""
    asked: list[ColumnElement[bool]] = []
    if "q" in given:
        named = col(Organisation.name_key).like(bindparam("q"), escape="\\")
        asked.append(or_(named, col(Organisation.code) == bindparam("code")))
    for key, column in (("kind", Organisation.kind), ("parent", Organisation.parent)):
        names = [bindparam(name, type_=String) for name in given if name.startswith(f"{key}_")]
        if names:
            asked.append(col(column).in_(names))
    if is_open is not None:
        still = or_(
            col(Organisation.closed).is_(None), col(Organisation.closed) >= bindparam("today")
        )
        asked.append(still if is_open else ~still)
    return asked
