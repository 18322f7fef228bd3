"""Evidence: adding, changing and removing what supports a judgement.

A piece of evidence stands in its innovation's document, so each of these is a new version of the
innovation; the piece has a version of its own, too, for those who change it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col

from app.errors import NotFound, TooMany, ValidationFailed
from app.models.changes import Action
from app.models.evidence import Evidence, EvidenceCreate, EvidencePublic, EvidenceUpdate
from app.models.innovations import MOST_EVIDENCE, Innovation
from app.register import changes, entries
from app.register.access import Caller
from app.register.identifiers import new_id
from app.register.inserting import insert_all
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match

_NO_SUCH = "This innovation has no such evidence."
_IS_A_STORY = "This evidence is a story: change that, or take the innovation out of it."


def made(piece: EvidenceCreate, now: datetime) -> EvidencePublic:
    """The piece of evidence as a document."""
    return EvidencePublic.model_validate(
        {
            **piece.model_dump(),
            "id": new_id(),
            "version": 1,
            "story": None,
            "created_at": now,
            "updated_at": now,
        }
    )


def merged(
    known: Sequence[EvidencePublic],
    sent: Sequence[EvidenceCreate],
    now: datetime,
    *,
    came: Collection[str] = (),
    elsewhere: Sequence[EvidencePublic] = (),
) -> list[EvidencePublic]:
    """The evidence as it was sent, with what was known already as it was.

    Stories are not sent with an innovation, and stay; and so does what ``came`` with one that was
    merged into it. That is not said again, and neither is what stands ``elsewhere``, with the
    innovation that this one was merged into.
    """
    stays = [piece for piece in known if piece.story is not None or piece.id in came]
    left = [(said(piece), piece) for piece in known if piece not in stays]
    there = [said(piece) for piece in (*stays, *elsewhere) if piece.story is None]
    pieces = []
    for piece in sent:
        match = next((old for old in left if old[0] == piece), None)
        if match is not None:
            left.remove(match)
            pieces.append(match[1])
        elif piece not in there:
            pieces.append(made(piece, now))
    return [*pieces, *stays]


def add(session: Session, name: str, piece: EvidenceCreate, *, by: Caller) -> Stored:
    """Adds a piece of evidence to an innovation.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, TooMany
    """
    row = entries.to_write(session, name, by=by)
    document = entries.document_of(row)
    if sum(known.story is None for known in document.evidence) >= MOST_EVIDENCE:
        raise TooMany(f"An innovation has {MOST_EVIDENCE} pieces of evidence at most.")
    new = made(piece, changes.now(session))
    document = document.model_copy(update={"evidence": [*document.evidence, new]})
    stored = entries.store(session, row, document, Action.EVIDENCED, by=by)
    store(session, [(row.number, new)])
    return _answer(new, row, stored.head)


def change(
    session: Session,
    name: str,
    identity: str,
    patch: EvidenceUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes a piece of evidence; a merge patch.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed
        ValidationFailed
    """
    row, piece = _to_write(session, name, identity, by, precondition)
    before = said(piece)
    wanted = patched(before, patch)
    if wanted == before:
        return _answer(piece, row, None)
    after = EvidencePublic.model_validate(
        {
            **dict(piece),
            **wanted.model_dump(),
            "version": piece.version + 1,
            "updated_at": changes.now(session),
        }
    )
    document = entries.document_of(row)
    pieces = [after if other.id == piece.id else other for other in document.evidence]
    document = document.model_copy(update={"evidence": pieces})
    stored = entries.store(session, row, document, Action.EVIDENCED, by=by)
    replace(session, row.number, pieces)
    return _answer(after, row, stored.head)


def remove(
    session: Session,
    name: str,
    identity: str,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Removes a piece of evidence; the innovation's history keeps it.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed
    """
    row, piece = _to_write(session, name, identity, by, precondition)
    document = entries.document_of(row)
    pieces = [other for other in document.evidence if other.id != piece.id]
    document = document.model_copy(update={"evidence": pieces})
    stored = entries.store(session, row, document, Action.EVIDENCED, by=by)
    session.execute(delete(Evidence).where(col(Evidence.id) == piece.id))
    return stored


def store(session: Session, pieces: Iterable[tuple[int, EvidencePublic]]) -> None:
    """Keeps pieces of evidence beside their innovations, which are named by their numbers."""
    rows = [
        {
            "id": piece.id,
            "number": number,
            "version": piece.version,
            "kind": piece.kind.value,
            "strength": piece.strength.value,
            "document": piece.model_dump_json(),
        }
        for number, piece in pieces
    ]
    insert_all(session, Evidence, rows)


def replace(session: Session, number: int, pieces: Sequence[EvidencePublic]) -> None:
    """Keeps just these pieces beside their innovation."""
    session.execute(delete(Evidence).where(col(Evidence.number) == number))
    store(session, [(number, piece) for piece in pieces])


def _to_write(
    session: Session,
    name: str,
    identity: str,
    by: Caller,
    precondition: Precondition | None,
) -> tuple[Innovation, EvidencePublic]:
    row = entries.to_write(session, name, by=by)
    evidence = entries.document_of(row).evidence
    piece = next((piece for piece in evidence if piece.id == identity.lower()), None)
    if piece is None:
        raise NotFound(_NO_SUCH)
    must_match(precondition, etag(piece.version, row.number))
    if piece.story is not None:
        raise ValidationFailed.at("{evidence}", "is_a_story", _IS_A_STORY)
    return row, piece


def said(piece: EvidencePublic) -> EvidenceCreate:
    """What a sender would send to say what the piece says."""
    return EvidenceCreate.model_validate(piece.model_dump(include=set(EvidenceCreate.model_fields)))


def _answer(piece: EvidencePublic, row: Innovation, head: int | None) -> Stored:
    return Stored(
        piece.model_dump_json(),
        etag(piece.version, row.number),
        head,
        location=f"/v1/innovations/{row.id}/evidence/{piece.id}",
    )
