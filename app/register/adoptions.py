"""Adoptions: taking a position on another organisation's innovation, changing and withdrawing it.

A position stands in short in its innovation's document, so each of these is a new version of the
innovation, with a line of its own; the adoption itself has another, with all that it says. So its
history is in the log, and what is counted follows from the innovations' documents.
"""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from app.errors import Fault, NotFound, PositionTaken, TooMany, ValidationFailed, Withdrawn
from app.models.adoptions import (
    MOST_ADOPTIONS,
    TAKEN,
    AdoptedInnovation,
    Adoption,
    AdoptionCreate,
    AdoptionFields,
    AdoptionLinks,
    AdoptionPublic,
    AdoptionStage,
    AdoptionUpdate,
    Position,
)
from app.models.changes import Action, Change, Kind
from app.models.innovations import Innovation, InnovationPublic, Visibility
from app.register import changes, entries, organisations
from app.register.access import Caller
from app.register.identifiers import new_id, reference
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match

_FIELD_NAMES = set(AdoptionFields.model_fields)

NO_SUCH = "This innovation has no such adoption."
GONE = "This adoption was withdrawn; its history tells what it was."


def add(session: Session, name: str, adoption: AdoptionCreate, *, by: Caller) -> Stored:
    """Adds an organisation's position on an innovation of another one.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, ValidationFailed
        UnknownOrganisation, OrganisationClosed, PositionTaken, TooMany
    """
    row = entries.there(session, name, by=by)
    code = adoption.organisation or by.organisation or ""
    place = organisations.place_to_write(session, code, by=by, pointer="#/organisation")
    _must_be_adoptable(row, place.code)
    known = select(col(Adoption.id)).where(
        col(Adoption.number) == row.number, col(Adoption.organisation) == place.code
    )
    taken = session.execute(known).scalar_one_or_none()
    if taken is not None:
        raise PositionTaken(f"The organisation's position is {_address(row.id, taken)}.")
    before = entries.document_of(row)
    if len(before.adoptions) >= MOST_ADOPTIONS:
        raise TooMany(f"An innovation has {MOST_ADOPTIONS} adoptions at most.")
    now = changes.now(session)
    since = adoption.since or now.astimezone(UTC).date()
    identity = new_id()
    document = AdoptionPublic(
        id=identity,
        version=1,
        innovation=AdoptedInnovation(id=row.id, reference=reference(row.number)),
        organisation=place,
        stage=adoption.stage,
        since=since,
        adopted_on=since if adoption.stage in TAKEN else None,
        outcome=adoption.outcome,
        learnt=adoption.learnt,
        created_at=now,
        updated_at=now,
        links=links(row.id, identity),
    )
    sequence = create(session, row.number, document, by=by)
    positions = [*before.adoptions, document.in_short()]
    head = _store_positions(session, row, before, positions, by=by)
    return _answer(document, sequence, head)


def change(
    session: Session,
    name: str,
    identity: str,
    patch: AdoptionUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes an adoption; a merge patch. Another stage without a day has been since today.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed
        ValidationFailed
    """
    entry, row, before = _to_write(session, name, identity, by, precondition)
    said = AdoptionFields.model_validate(before.model_dump(include=_FIELD_NAMES))
    wanted = patched(said, patch)
    now = changes.now(session)
    moved_on = wanted.stage is not said.stage and "since" not in patch.model_fields_set
    since = None if moved_on else wanted.since
    since = since or now.astimezone(UTC).date()
    if wanted.model_copy(update={"since": since}) == said:
        return _answer(before, row.sequence, None)
    after = AdoptionPublic.model_validate(
        {
            **dict(before),
            **wanted.model_dump(),
            "since": since,
            "adopted_on": _adopted_on(before, wanted.stage, since),
        }
    )
    after = store(session, row, after, Action.UPDATED, by=by)
    document = entries.document_of(entry)
    positions = [
        after.in_short() if other.organisation == after.organisation.code else other
        for other in document.adoptions
    ]
    head = _store_positions(session, entry, document, positions, by=by)
    return _answer(after, row.sequence, head)


def remove(
    session: Session,
    name: str,
    identity: str,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Withdraws an adoption that was entered in error; its history stays.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed
    """
    entry, row, before = _to_write(session, name, identity, by, precondition)
    last = before.model_copy(
        update={"version": before.version + 1, "updated_at": changes.now(session)}
    )
    sequence = _append(session, Action.WITHDRAWN, last, by=by)
    document = entries.document_of(entry)
    code = before.organisation.code
    positions = [other for other in document.adoptions if other.organisation != code]
    head = _store_positions(session, entry, document, positions, by=by)
    session.execute(delete(Adoption).where(col(Adoption.id) == row.id))
    return _answer(last, sequence, head)


# The rules


def _must_be_adoptable(row: Innovation, organisation: str) -> None:
    if row.visibility == Visibility.DRAFT:
        raise ValidationFailed("This is a draft: it can be adopted once it is published.")
    if row.organisation == organisation:
        detail = "It is this organisation's own innovation; its judgement is a decision."
        fault = Fault("#/organisation", "own_innovation", detail)
        raise ValidationFailed("Nobody adopts what is its own.", faults=(fault,))


def _adopted_on(before: AdoptionPublic, stage: AdoptionStage, since: date) -> date | None:
    """Since when the organisation first had it: that stays when it stops, or adapts it later."""
    first = before.adopted_on
    if stage is AdoptionStage.STOPPED:
        if first is not None and since < first:
            detail = f"It was adopted on {first}, and cannot have stopped before."
            fault = Fault("#/since", "dates_out_of_order", detail)
            raise ValidationFailed("The days are out of order.", faults=(fault,))
        return first
    if stage not in TAKEN:
        return None
    corrected = stage is before.stage and first == before.since
    return since if first is None or corrected else min(first, since)


# How it is stored


def create(session: Session, number: int, document: AdoptionPublic, *, by: Caller) -> int:
    """Stores an adoption's first version; returns its line. Where the position stands in short, in
    the innovation of this number, is for the caller to change."""
    sequence = _append(session, Action.CREATED, document, by=by)
    session.add(Adoption(number=number, sequence=sequence, **_columns(document)))
    return sequence


def store(
    session: Session, row: Adoption, document: AdoptionPublic, action: Action, *, by: Caller
) -> AdoptionPublic:
    """Stores a changed document as the adoption's next version, with a line of its own.

    Where the position stands in short, in the innovation, is for the caller to change.
    """
    document = document.model_copy(
        update={"version": row.version + 1, "updated_at": changes.now(session)}
    )
    sequence = _append(session, action, document, by=by)
    for column, value in {"sequence": sequence, **_columns(document)}.items():
        setattr(row, column, value)
    return document


def _to_write(
    session: Session,
    name: str,
    identity: str,
    by: Caller,
    precondition: Precondition | None,
) -> tuple[Innovation, Adoption, AdoptionPublic]:
    entry = entries.there(session, name, by=by)
    id = identity.lower()
    its = select(Adoption).where(col(Adoption.id) == id, col(Adoption.number) == entry.number)
    row = session.execute(its).scalar_one_or_none()
    if row is None:
        _must_have_been_there(session, entry.id, id)
        raise NotFound(NO_SUCH)
    by.must_cover(row.organisation, row.icb, row.region)
    must_match(precondition, etag(row.version, row.sequence))
    return entry, row, AdoptionPublic.model_validate_json(row.document)


def _must_have_been_there(session: Session, innovation: str, id: str) -> None:
    """Raises Withdrawn for what was withdrawn."""
    lines = select(col(Change.document)).where(
        col(Change.thing) == id, col(Change.kind) == Kind.ADOPTION.value
    )
    for document in session.execute(lines).scalars():
        if document is None or was_of(document, innovation):
            raise Withdrawn(GONE)


def was_of(document: str, innovation: str) -> bool:
    """Whether an adoption's document is of this innovation."""
    return AdoptionPublic.model_validate_json(document).innovation.id == innovation


def _append(session: Session, action: Action, document: AdoptionPublic, *, by: Caller) -> int:
    text = document.model_dump_json()
    code = document.organisation.code
    thing = changes.Thing(
        Kind.ADOPTION, document.id, document.version, text, public=True, organisation=code
    )
    return changes.append(session, action, thing, by=by)


def _store_positions(
    session: Session,
    row: Innovation,
    document: InnovationPublic,
    positions: list[Position],
    *,
    by: Caller,
) -> int | None:
    """The innovation's next version, with these positions; returns its line."""
    after = document.model_copy(update={"adoptions": positions})
    return entries.store(session, row, after, Action.ADOPTED, by=by).head


def _columns(document: AdoptionPublic) -> dict[str, Any]:
    position = document.in_short()
    return {
        "id": document.id,
        "organisation": position.organisation,
        "icb": position.icb,
        "region": position.region,
        "stage": position.stage.value,
        "since": position.since.isoformat(),
        "adopted_on": position.adopted_on.isoformat() if position.adopted_on else None,
        "version": document.version,
        "document": document.model_dump_json(),
    }


def _address(innovation: str, adoption: str) -> str:
    return f"/v1/innovations/{innovation}/adoptions/{adoption}"


def links(innovation: str, adoption: str) -> AdoptionLinks:
    """Where an adoption of an innovation is, and what belongs to it."""
    at = _address(innovation, adoption)
    return AdoptionLinks(
        self=at, innovation=f"/v1/innovations/{innovation}", history=f"{at}/history"
    )


def _answer(document: AdoptionPublic, sequence: int, head: int | None) -> Stored:
    return Stored(
        document.model_dump_json(),
        etag(document.version, sequence),
        head,
        location=document.links.self,
    )
