"""Merging: an innovation becomes superseded by another, and what belongs to it follows.

It stays at its own address, with its own text and decisions, and says what took its place. All that
others have added to it goes along: evidence, adoptions, stories. What cannot go, because the other
has it already, stays with it: so nothing is lost, and nothing is counted twice, since only what is
published is counted.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select
from sqlmodel import Session, col

from app.errors import TooMany, ValidationFailed
from app.models.changes import Action
from app.models.evidence import EvidencePublic
from app.models.innovations import MOST_EVIDENCE, Innovation, Visibility
from app.models.merging import InnovationRef, MergeCreate, MergedInnovation, Supersession
from app.models.stories import Story, StoryKey, StoryVisibility
from app.register import changes, entries, evidence, merged_adoptions, story_entries, story_evidence
from app.register.access import Caller
from app.register.entries import document_of
from app.register.identifiers import number_of
from app.register.stored import Precondition, Stored, etag, must_match

_Pieces = list[EvidencePublic]


def merge(
    session: Session,
    name: str,
    wanted: MergeCreate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Merges an innovation into another one; returns it as it then is, with what took its place.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed
        UnknownInnovation, ValidationFailed, TooMany
    """
    gone = entries.to_write(session, name, by=by)
    must_match(precondition, etag(gone.version, gone.sequence))
    if gone.visibility == Visibility.DRAFT:
        raise ValidationFailed("This is a draft, which nobody has referred to: withdraw it.")
    kept = _kept(session, gone, wanted.into, by=by)
    before, into = document_of(gone), document_of(kept)
    stays, goes = _divided(before.evidence, into.evidence)
    # The reason stands in the document of the one that goes, and no other's words are flagged.
    others = replace(by, accepts_flagged=False)
    positions = merged_adoptions.move(session, gone, kept, by=others)
    _move_stories(session, gone, kept, by=others)
    ref = entries.ref(kept)
    supersession = Supersession(
        **ref.model_dump(), reason=wanted.reason, superseded_at=changes.now(session)
    )
    after = {
        "visibility": Visibility.SUPERSEDED,
        "superseded_by": supersession,
        "supersedes": [],
        "evidence": stays,
        "adoptions": positions.stay,
    }
    for earlier in before.supersedes:
        _point(session, earlier, ref, by=others)
    stored = entries.store(session, gone, before.model_copy(update=after), Action.SUPERSEDED, by=by)
    evidence.replace(session, gone.number, stays)
    after = {
        "supersedes": [*into.supersedes, *before.supersedes, _came(gone, goes)],
        "evidence": [*into.evidence, *goes],
        "adoptions": positions.there,
    }
    merged = entries.store(session, kept, into.model_copy(update=after), Action.MERGED, by=others)
    evidence.replace(session, kept.number, [*into.evidence, *goes])
    return replace(stored, head=merged.head)


def kin(session: Session, row: Innovation) -> list[Innovation]:
    """The others that make one with an innovation: what it was merged into, and what else was."""
    root = entries.current(session, row)
    refs = document_of(root).supersedes
    merged = (session.get_one(Innovation, number_of(ref.reference)) for ref in refs)
    return [other for other in (root, *merged) if other.number != row.number]


def _came(gone: Innovation, pieces: _Pieces) -> MergedInnovation:
    own = [piece.id for piece in pieces if piece.story is None]
    return MergedInnovation(**entries.ref(gone).model_dump(), evidence=own)


def _kept(session: Session, gone: Innovation, name: str, *, by: Caller) -> Innovation:
    """The innovation that takes the other's place."""
    kept = entries.named(session, name, "#/into", by=by)
    if kept.number == gone.number:
        raise ValidationFailed.at("#/into", "into_itself", "This is the innovation itself.")
    if kept.visibility == Visibility.SUPERSEDED:
        raise entries.superseded(kept, "#/into")
    if kept.visibility == Visibility.DRAFT:
        detail = "This is a draft: it can take another's place once it is published."
        raise ValidationFailed.at("#/into", "innovation_is_draft", detail)
    return kept


def _divided(gone: _Pieces, kept: _Pieces) -> tuple[_Pieces, _Pieces]:
    """The evidence that stays, since the other says the very same, and what goes to it.

    A story is evidence for the one that it tells of, which is the other one now.
    """
    told = {piece.story for piece in kept if piece.story is not None}
    known = [evidence.said(piece) for piece in kept if piece.story is None]
    own = [piece for piece in gone if piece.story is None]
    stays = [piece for piece in own if evidence.said(piece) in known]
    goes = [piece for piece in own if piece not in stays]
    if len(known) + len(goes) > MOST_EVIDENCE:
        raise TooMany(
            f"Together they would have {len(known) + len(goes)} pieces of evidence; "
            f"{MOST_EVIDENCE} is the most."
        )
    stories = [piece for piece in gone if piece.story is not None and piece.story not in told]
    return stays, [*goes, *stories[: max(story_evidence.MOST - len(told), 0)]]


def _move_stories(session: Session, gone: Innovation, kept: Innovation, *, by: Caller) -> None:
    """Lets the stories that tell of the one tell of the other."""
    linked = (
        select(Story)
        .join(StoryKey, col(StoryKey.number) == col(Story.number))
        .where(
            col(StoryKey.name) == "innovation",
            col(StoryKey.value) == gone.id,
            # What was withdrawn shows to nobody, and does not change any more.
            col(Story.visibility) != StoryVisibility.WITHDRAWN.value,
        )
        .order_by(col(Story.number))
    )
    ref = entries.ref(kept)
    for story in session.execute(linked).scalars().all():
        document = story_entries.document_of(story)
        told = [ref if other.id == gone.id else other for other in document.innovations]
        once = list({other.id: other for other in told}.values())
        after = document.model_copy(update={"innovations": once})
        story_entries.store(session, story, after, Action.UPDATED, by=by)


def _point(session: Session, earlier: InnovationRef, ref: InnovationRef, *, by: Caller) -> None:
    """Lets what was merged into the one point to the other, so that no chain comes about."""
    row = session.get_one(Innovation, number_of(earlier.reference))
    document = document_of(row)
    assert document.superseded_by is not None, "what is superseded says by what"
    pointed = document.superseded_by.model_copy(update=dict(ref))
    after = document.model_copy(update={"superseded_by": pointed})
    entries.store(session, row, after, Action.SUPERSEDED, by=by)
