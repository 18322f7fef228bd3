"""Redaction: taking out of the register, and of its log, what should never have come in.

A line of the log keeps the digest of what was written, so that the chain still holds. What is left
of its document is vouched for by the redaction, a later line, which names each line that it touched
with the digest of what then stands there (see `app/register/verification.py`). So nobody can put
another text into a line and call it redacted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import select, update
from sqlmodel import Session, col

from app import screening
from app.errors import Fault, NotFound, ValidationFailed
from app.models.changes import Action, Change, Kind
from app.models.decisions import Decision
from app.models.evidence import Evidence
from app.models.idempotency import IdempotentAnswer
from app.models.innovations import Innovation, InnovationPublic
from app.models.redactions import (
    FEWEST,
    MARKER,
    SHORT_MARKER,
    RedactedLine,
    RedactionDocument,
)
from app.register import changes, entries
from app.register.access import OPERATOR, Caller
from app.register.identifiers import identifier, new_id, reference

Edit = Callable[[Any], Any]
"""What is left of a JSON value."""

_WHOLE = {"tags": "redacted", "url": "https://redacted.invalid/"}
"""Where only some texts are valid: what stands there in the place of the whole text."""

_OURS = frozenset(
    {"id", "reference", "links", "theme", "further_themes", "organisation", "status", "visibility"}
    | {"kind", "strength", "care_setting", "period"}
)
"""What nobody writes in words of their own; no text is looked for there."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was done."""

    reference: str
    lines: int
    texts: int
    """Different texts that were taken out."""


def redact(
    session: Session,
    name: str,
    reason: str,
    texts: Iterable[str] = (),
    *,
    found: bool = False,
    by: Caller = OPERATOR,
) -> Redacted:
    """Takes texts out of an innovation: out of all its versions, and of all that was kept of it.

    With ``found``, that is also whatever :mod:`app.screening` finds in any of its versions. The
    database then has to forget what it overwrote: see ``Database.forget``.

    Raises:
        NotFound: when there is no such innovation, or none of the texts is in it.
        ValidationFailed: when a text is so short that it would hit others.
    """
    row = _row(session, name)
    secrets = {text for text in texts if text}
    if any(len(text) < FEWEST for text in secrets):
        fault = Fault("#/texts", "too_short", f"Give at least {FEWEST} characters of each text.")
        raise ValidationFailed("A text is too short to take it out.", faults=(fault,))
    lines = session.execute(
        select(Change)
        .where(col(Change.thing) == row.id, col(Change.kind) == Kind.INNOVATION.value)
        .order_by(col(Change.sequence))
    ).scalars()
    documents = {line.sequence: json.loads(line.document) for line in lines if line.document}
    if found:
        for document in documents.values():
            secrets |= set(_findings(document))
    edit = _editor(secrets)
    touched = _edit_lines(session, documents, edit)
    if not touched:
        raise NotFound("None of this is in any version of that innovation.")
    _edit_parts(session, row, edit)
    _edit_answers(session, edit)
    _log(session, row, reason, touched, edit=edit, by=by)
    return Redacted(reference(row.number), len(touched), len(secrets))


def _row(session: Session, name: str) -> Innovation:
    key = identifier(name)
    row: Innovation | None = None
    if key is not None:
        column = col(Innovation.number) if isinstance(key, int) else col(Innovation.id)
        row = session.execute(select(Innovation).where(column == key)).scalar_one_or_none()
    if row is None:
        raise NotFound(entries.NO_SUCH)
    return row


def _edit_lines(session: Session, documents: dict[int, Any], edit: Edit) -> list[RedactedLine]:
    touched = []
    for sequence, document in documents.items():
        edited = edit(document)
        if edited != document:
            text = to_json(edited).decode()
            session.execute(
                update(Change)
                .where(col(Change.sequence) == sequence)
                .values(document=text, redacted=True)
            )
            digest = changes.document_digest(text)
            touched.append(RedactedLine(sequence=sequence, document_digest=digest))
    return touched


def _edit_parts(session: Session, row: Innovation, edit: Edit) -> None:
    """Decisions and evidence have tables of their own."""
    for model in (Decision, Evidence):
        parts = session.execute(select(model).where(col(model.number) == row.number)).scalars()
        for part in parts:
            part.document = _edited(part.document, edit)


def _edit_answers(session: Session, edit: Edit) -> None:
    """Answers that are kept for those who send a request again."""
    for answer in session.execute(select(IdempotentAnswer)).scalars():
        answer.body = _edited(answer.body, edit)


def _log(
    session: Session,
    row: Innovation,
    reason: str,
    touched: list[RedactedLine],
    *,
    edit: Edit,
    by: Caller,
) -> None:
    """The redaction's own line, and the innovation's next version."""
    document = RedactionDocument(
        id=new_id(),
        innovation=row.id,
        reference=reference(row.number),
        reason=reason,
        lines=touched,
        created_at=changes.now(session),
    )
    thing = changes.Thing(
        Kind.REDACTION,
        document.id,
        1,
        document.model_dump_json(),
        row.public,
        row.organisation,
    )
    changes.append(session, Action.CREATED, thing, by=by)
    current = InnovationPublic.model_validate(edit(json.loads(row.document)))
    entries.store(session, row, current, Action.REDACTED, by=by)


# What is taken out


def _edited(document: str, edit: Edit) -> str:
    parsed = json.loads(document)
    edited = edit(parsed)
    return document if edited == parsed else to_json(edited).decode()


def _editor(secrets: Iterable[str]) -> Edit:
    """What puts markers in the place of these texts; the longest first, as one may hold another."""
    marked = [
        (secret, MARKER if len(secret) >= len(MARKER) else SHORT_MARKER)
        for secret in sorted(secrets, key=len, reverse=True)
    ]

    def edit(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            if name == "source":  # an id with a marker in it would be nobody's
                return value if _same(value, edit) else None
            return {
                part: inside if part in _OURS else edit(inside, part)
                for part, inside in value.items()
            }
        if isinstance(value, list):
            return [edit(part, name) for part in value]
        if not isinstance(value, str) or not any(secret in value for secret, _ in marked):
            return value
        if name in _WHOLE:
            return _WHOLE[name]
        for secret, marker in marked:
            value = value.replace(secret, marker)
        return value

    return edit


def _same(source: dict[str, str], edit: Edit) -> bool:
    return all(edit(text) == text for text in source.values())


def _findings(value: Any, name: str = "") -> Iterable[str]:
    """What screening finds in a document."""
    if isinstance(value, str):
        for finding in screening.findings(value):
            yield value[finding.start : finding.end]
    elif isinstance(value, dict):
        for part, inside in value.items():
            if part not in _OURS and not part.endswith(("_at", "_on")) and part != "source":
                yield from _findings(inside, part)
    elif isinstance(value, list):
        for inside in value:
            yield from _findings(inside, name)
