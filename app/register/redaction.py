"""Redaction: taking out of the register, and of its log, what should never have come in.

A line of the log keeps the digest of what was written, so that the chain still holds. What is left
of its document is vouched for by the redaction, a later line, which names each line that it touched
with the digest of what then stands there (see `app/register/verification.py`). So nobody can put
another text into a line and call it redacted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic_core import to_json
from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from app.errors import Fault, NotFound, ValidationFailed
from app.models.adoptions import Adoption, AdoptionPublic
from app.models.changes import Action, Change, Kind
from app.models.decisions import Decision
from app.models.evidence import Evidence
from app.models.idempotency import IdempotentAnswer
from app.models.innovations import Innovation, InnovationPublic
from app.models.likeness import InnovationVector
from app.models.redactions import FEWEST, RedactedLine, RedactionDocument
from app.models.stories import Story, StoryKey, StoryPublic
from app.register import adoptions, changes, entries, merging, story_entries
from app.register.access import OPERATOR, Caller
from app.register.identifiers import INNOVATION, STORY, identifier, new_id, reference
from app.register.redaction_text import Edit, edited, editor, findings

NO_SUCH = "There is no innovation or story with this id or reference."

Named = Innovation | Story
"""What a redaction is asked for by its name."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was done."""

    reference: str
    lines: int
    texts: int
    """Different texts that were taken out."""


class _Part(NamedTuple):
    """A thing that text is taken out of; without a row where only its lines are left."""

    kind: Kind
    id: str
    row: Named | Adoption | None


def redact(
    session: Session,
    name: str,
    reason: str,
    texts: Iterable[str] = (),
    *,
    found: bool = False,
    by: Caller = OPERATOR,
) -> Redacted:
    """Takes texts out of a story, or of an innovation and all that belongs to it: out of all
    versions, and of all that was kept of them.

    With ``found``, that is also whatever :mod:`app.screening` finds in any of these versions. The
    database then has to forget what it overwrote: see ``Database.forget``.

    Raises:
        NotFound: when there is no such thing, or none of the texts is in it.
        ValidationFailed: when a text is so short that it would hit others.
    """
    row = _row(session, name)
    secrets = {text for text in texts if text}
    if any(len(text) < FEWEST for text in secrets):
        fault = Fault("#/texts", "too_short", f"Give at least {FEWEST} characters of each text.")
        raise ValidationFailed("A text is too short to take it out.", faults=(fault,))
    parts = [(part, _documents(session, part)) for part in _parts(session, row)]
    if found:
        for _, documents in parts:
            for document in documents.values():
                secrets |= set(findings(document))
    edit = editor(secrets)
    touched: list[RedactedLine] = []
    changed: list[_Part] = []
    for part, documents in parts:
        lines = _edit_lines(session, documents, edit)
        if _edit_source(part.row, edit) or lines:
            changed.append(part)
        touched += lines
    if not changed:
        raise NotFound("None of this is in any version of it.")
    _edit_answers(session, edit)
    _log(session, row, reason, touched, by=by)
    for part in changed:
        _store(session, part.row, edit, by=by)
    return Redacted(_reference(row), len(touched), len(secrets))


# What is looked through


def _row(session: Session, name: str) -> Named:
    of: tuple[tuple[type[Named], str], ...] = ((Innovation, INNOVATION), (Story, STORY))
    for model, prefix in of:
        key = identifier(name, prefix)
        if key is not None:
            column = col(model.number) if isinstance(key, int) else col(model.id)
            found = session.execute(select(model).where(column == key))
            row: Named | None = found.scalar_one_or_none()
            if row is not None:
                return row
    raise NotFound(NO_SUCH)


def _reference(row: Named) -> str:
    return reference(row.number, STORY if isinstance(row, Story) else INNOVATION)


def _parts(session: Session, row: Named) -> Iterator[_Part]:
    """A thing, and what is read together with it: of an innovation, those that it is one with,
    where others stand with them, and the stories that tell of them, whose words are part of no
    other document."""
    if isinstance(row, Story):
        yield _Part(Kind.STORY, row.id, row)
        return
    parts = (
        part for each in (row, *merging.kin(session, row)) for part in _parts_of(session, each)
    )
    # An adoption that was moved is found with both.
    yield from {(part.kind, part.id): part for part in parts}.values()


def _parts_of(session: Session, row: Innovation) -> Iterator[_Part]:
    yield _Part(Kind.INNOVATION, row.id, row)
    # What was withdrawn has no row any more, but its lines.
    lines = select(col(Change.thing), col(Change.document)).where(
        col(Change.kind) == Kind.ADOPTION.value, col(Change.document).contains(row.id)
    )
    for id, document in session.execute(lines.order_by(col(Change.sequence))).all():
        if document is not None and adoptions.was_of(document, row.id):
            yield _Part(Kind.ADOPTION, id, session.get(Adoption, id))
    told = (
        select(Story)
        .join(StoryKey, col(StoryKey.number) == col(Story.number))
        .where(col(StoryKey.name) == "innovation", col(StoryKey.value) == row.id)
        .order_by(col(Story.number))
    )
    for story in session.execute(told).scalars():
        yield _Part(Kind.STORY, story.id, story)


def _documents(session: Session, part: _Part) -> dict[int, Any]:
    """The documents of all versions of a thing, by their lines."""
    lines = select(col(Change.sequence), col(Change.document)).where(
        col(Change.thing) == part.id, col(Change.kind) == part.kind.value
    )
    rows = session.execute(lines.order_by(col(Change.sequence)))
    return {sequence: json.loads(document) for sequence, document in rows if document}


# What is done to it


def _edit_lines(session: Session, documents: dict[int, Any], edit: Edit) -> list[RedactedLine]:
    touched = []
    for sequence, document in documents.items():
        left = edit(document)
        if left != document:
            text = to_json(left).decode()
            session.execute(
                update(Change)
                .where(col(Change.sequence) == sequence)
                .values(document=text, redacted=True)
            )
            digest = changes.document_digest(text)
            touched.append(RedactedLine(sequence=sequence, document_digest=digest))
    return touched


def _edit_source(row: Named | Adoption | None, edit: Edit) -> bool:
    """A story's source stands in none of its documents; returns whether it was taken out."""
    if not isinstance(row, Story) or row.source_id is None:
        return False
    source = {"system": row.source_system, "id": row.source_id}
    if edit({"source": source})["source"] is not None:
        return False
    row.source_system = row.source_id = None
    return True


def _edit_answers(session: Session, edit: Edit) -> None:
    """Answers that are kept for those who send a request again."""
    for answer in session.execute(select(IdempotentAnswer)).scalars():
        answer.body = edited(answer.body, edit)


def _log(
    session: Session,
    row: Named,
    reason: str,
    touched: list[RedactedLine],
    *,
    by: Caller,
) -> None:
    """The redaction's own line; those may see it who may see what it was asked for."""
    is_story = isinstance(row, Story)
    document = RedactionDocument(
        id=new_id(),
        innovation=None if is_story else row.id,
        story=row.id if is_story else None,
        reference=_reference(row),
        reason=reason,
        lines=sorted(touched, key=lambda line: line.sequence),
        created_at=changes.now(session),
    )
    owner = row.owner if isinstance(row, Story) else row.organisation
    text = document.model_dump_json()
    thing = changes.Thing(Kind.REDACTION, document.id, 1, text, row.public, owner)
    changes.append(session, Action.CREATED, thing, by=by)


def _store(session: Session, row: Named | Adoption | None, edit: Edit, *, by: Caller) -> None:
    """What is left of a thing, as its next version."""
    if row is None:
        return
    left = edit(json.loads(row.document))
    if isinstance(row, Story):
        story = StoryPublic.model_validate(left)
        story_entries.store(session, row, story, Action.REDACTED, by=by)
    elif isinstance(row, Adoption):
        adoption = AdoptionPublic.model_validate(left)
        adoptions.store(session, row, adoption, Action.REDACTED, by=by)
    else:
        _edit_beside(session, row, edit)
        entry = InnovationPublic.model_validate(left)
        entries.store(session, row, entry, Action.REDACTED, by=by)


def _edit_beside(session: Session, row: Innovation, edit: Edit) -> None:
    """Decisions and evidence have tables of their own, and what was made of the text has one."""
    for model in (Decision, Evidence):
        pieces = session.execute(select(model).where(col(model.number) == row.number)).scalars()
        for piece in pieces:
            piece.document = edited(piece.document, edit)
    # Whoever compares follows the log, and makes it again of what is left.
    session.execute(delete(InnovationVector).where(col(InnovationVector.number) == row.number))
