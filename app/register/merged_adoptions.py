"""Where organisations stand with two innovations that become one."""

from __future__ import annotations

from datetime import UTC
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from app.errors import TooMany
from app.models.adoptions import (
    MOST_ADOPTIONS,
    TAKEN,
    AdoptedInnovation,
    Adoption,
    AdoptionPublic,
    AdoptionStage,
    Position,
)
from app.models.changes import Action
from app.models.decisions import Status
from app.models.innovations import Innovation
from app.register import adoptions, changes, entries
from app.register.access import Caller
from app.register.entries import document_of
from app.register.identifiers import new_id

_HAD = (*TAKEN, AdoptionStage.STOPPED)
_FAR = {AdoptionStage.CONSIDERING: 0, AdoptionStage.PILOTING: 1} | dict.fromkeys(_HAD, 2)
"""How far a stage is: who has it, or had it, has come further than who tries it."""


class Positions(NamedTuple):
    """The positions on two innovations, once one is merged into the other."""

    stay: list[Position]
    there: list[Position]


def move(session: Session, gone: Innovation, kept: Innovation, *, by: Caller) -> Positions:
    """Moves the adoptions of the one to the other, and returns where they then stand in short.

    An organisation has one position on an innovation, and none on its own. So what it said of the
    one stays there if it has a position on the other, which then says the further of both; or if
    the other is its own.

    Raises:
        TooMany
    """
    stay: list[Position] = []
    there = {position.organisation: position for position in document_of(kept).adoptions}
    for row in _of(session, gone):
        document = AdoptionPublic.model_validate_json(row.document)
        if row.organisation == kept.organisation:
            stay.append(document.in_short())
        elif row.organisation in there:
            stay.append(document.in_short())
            there[row.organisation] = _put_further(session, kept, document, by=by)
        else:
            row.number = kept.number
            moved = document.model_copy(
                update={
                    "innovation": _adopted(kept),
                    "links": adoptions.links(kept.id, document.id),
                }
            )
            moved = adoptions.store(session, row, moved, Action.UPDATED, by=by)
            there[row.organisation] = moved.in_short()
    own = _own(session, gone, kept)
    if own is not None and own.organisation.code not in there:
        adoptions.create(session, kept.number, own, by=by)
        there[own.organisation.code] = own.in_short()
    if len(there) > MOST_ADOPTIONS:
        raise TooMany(
            f"Together they would have {len(there)} adoptions; {MOST_ADOPTIONS} is the most."
        )
    return Positions(stay, list(there.values()))


def _of(session: Session, row: Innovation) -> list[Adoption]:
    its = select(Adoption).where(col(Adoption.number) == row.number).order_by(col(Adoption.id))
    return list(session.execute(its).scalars())


def _adopted(row: Innovation) -> AdoptedInnovation:
    return AdoptedInnovation(**entries.ref(row).model_dump())


def _put_further(
    session: Session, kept: Innovation, other: AdoptionPublic, *, by: Caller
) -> Position:
    """Where an organisation stands that has a position on both."""
    its = select(Adoption).where(
        col(Adoption.number) == kept.number,
        col(Adoption.organisation) == other.organisation.code,
    )
    row = session.execute(its).scalar_one()
    here = AdoptionPublic.model_validate_json(row.document)
    after = further(here, other)
    if after != here:
        after = adoptions.store(session, row, after, Action.UPDATED, by=by)
    return after.in_short()


def further(here: AdoptionPublic, other: AdoptionPublic) -> AdoptionPublic:
    """A position that says the further of two; of two as far, the later, and else its own.

    It was adopted when the first of them was.
    """
    one = max((here, other), key=lambda said: (_FAR[said.stage], said.since))
    days = [said.adopted_on for said in (here, other) if said.adopted_on is not None]
    said = {name: getattr(one, name) for name in ("stage", "since", "outcome", "learnt")}
    first = min(days) if days and one.stage in _HAD else None
    return here.model_copy(update={**said, "adopted_on": first})


def _own(session: Session, gone: Innovation, kept: Innovation) -> AdoptionPublic | None:
    """What the organisation of the one is to the other: it has it, too, if it keeps what it did.

    Only since a day that it has told; no other is known.
    """
    document, now = document_of(gone), changes.now(session)
    since = document.started_on
    if (
        gone.organisation == kept.organisation
        or document.status is not Status.KEEP
        or since is None
        or since > now.astimezone(UTC).date()
    ):
        return None
    identity = new_id()
    return AdoptionPublic(
        id=identity,
        version=1,
        innovation=_adopted(kept),
        organisation=document.organisation,
        stage=AdoptionStage.ADOPTED,
        since=since,
        adopted_on=since,
        outcome=None,
        learnt=f"It had an entry of its own on this, {document.reference}, which tells more.",
        created_at=now,
        updated_at=now,
        links=adoptions.links(kept.id, identity),
    )
