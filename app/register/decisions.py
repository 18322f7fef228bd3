"""Decisions: adding one, and which of them is an innovation's status."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from app.models.changes import Action
from app.models.decisions import Decision, DecisionCreate, DecisionPublic
from app.models.innovations import InnovationPublic
from app.register import changes, entries
from app.register.access import Caller
from app.register.identifiers import new_id
from app.register.inserting import insert_all
from app.register.stored import Stored, etag


def made(decision: DecisionCreate, now: datetime) -> DecisionPublic:
    """The decision as a document; decided today, if it does not say when."""
    return DecisionPublic(
        id=new_id(),
        **decision.model_dump(exclude={"decided_on"}),
        decided_on=decision.decided_on or now.astimezone(UTC).date(),
        created_at=now,
    )


def decided(document: InnovationPublic, decision: DecisionPublic) -> InnovationPublic:
    """The innovation's document with one more decision.

    Its status is its newest decision by the day it was decided on, so that older decisions can
    be filled in later; of two of one day, the one that came last.
    """
    counts = document.counts.model_copy(update={"decisions": document.counts.decisions + 1})
    newest = document.decision
    if newest is not None and newest.decided_on > decision.decided_on:
        return document.model_copy(update={"counts": counts})
    return document.model_copy(
        update={"counts": counts, "decision": decision, "status": decision.status}
    )


def is_known(session: Session, number: int, decision: DecisionCreate) -> bool:
    """Whether an innovation has a decision that says the same.

    One with a day may be any of its decisions: whoever sends it again each night does not answer a
    later judgement. One without a day is of today, so it is compared with the newest.
    """
    known = select(col(Decision.document)).where(col(Decision.number) == number)
    if decision.decided_on is not None:
        known = known.where(col(Decision.decided_on) == decision.decided_on)
    else:
        newest = (col(Decision.decided_on).desc(), col(Decision.id).desc())
        known = known.order_by(*newest).limit(1)
    compared = set(DecisionCreate.model_fields)
    if decision.decided_on is None:
        compared.remove("decided_on")
    said = decision.model_dump(include=compared)
    return any(
        DecisionPublic.model_validate_json(document).model_dump(include=compared) == said
        for document in session.execute(known).scalars()
    )


def add(session: Session, name: str, decision: DecisionCreate, *, by: Caller) -> Stored:
    """Adds a decision to an innovation.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden
    """
    row = entries.to_write(session, name, by=by)
    new = made(decision, changes.now(session))
    document = decided(entries.document_of(row), new)
    stored = entries.store(session, row, document, Action.DECIDED, by=by)
    store(session, [(row.number, new)])
    return Stored(
        new.model_dump_json(),
        etag(1, row.number),
        stored.head,
        location=f"{document.links.decisions}/{new.id}",
    )


def store(session: Session, made: Iterable[tuple[int, DecisionPublic]]) -> None:
    """Keeps decisions beside their innovations, which are named by their numbers."""
    rows = [
        {
            "id": decision.id,
            "number": number,
            "status": decision.status.value,
            "decided_on": decision.decided_on,
            "document": decision.model_dump_json(),
        }
        for number, decision in made
    ]
    insert_all(session, Decision, rows)
