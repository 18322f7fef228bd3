"""Stories as evidence: a published story is a piece of evidence for each innovation it tells of.

The piece names the story and has none of its words. An innovation's documents stay in the log, and
in other people's copies, for good; a story may be taken back. So its words stand in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.errors import Forbidden
from app.models.changes import Action
from app.models.evidence import EvidenceKind, EvidencePublic, EvidenceStrength
from app.models.innovations import Innovation, Visibility
from app.models.merging import InnovationRef
from app.models.stories import StoryPublic, StoryVisibility
from app.register import changes, entries, evidence
from app.register.access import Caller
from app.register.identifiers import identifier, new_id

MOST = 50
"""Stories that are evidence for one innovation; more may be linked to it, and are counted."""

_STATEMENTS = {
    EvidenceKind.STAFF_VOICE: "A member of staff tells of it in {reference}.",
    EvidenceKind.PATIENT_VOICE: "A patient, a carer or a neighbour tells of it in {reference}.",
}

Changed = tuple[StoryPublic | None, StoryPublic]
"""A story before and after a write."""


def linkable(
    session: Session, name: str, pointer: str, linked: Sequence[InnovationRef], *, by: Caller
) -> InnovationRef:
    """An innovation for which the caller may give evidence, or that is linked already.

    In the place of one that was merged into another stands that one: a survey's file still names
    the first, and whoever may give evidence for that gives it.

    Raises:
        UnknownInnovation, Forbidden
    """
    row = entries.named(session, name, pointer, by=by)
    now = entries.current(session, row)
    ref = entries.ref(now)
    if ref not in linked:
        if now.visibility == Visibility.WITHDRAWN:
            raise entries.unknown_as_withdrawn(pointer)
        try:
            by.must_cover(row.organisation, row.icb, row.region)
        except Forbidden as error:
            raise Forbidden.at(pointer, "forbidden", error.detail) from None
    return ref


def settle(session: Session, stories: Sequence[Changed], *, by: Caller) -> None:
    """Makes the evidence for innovations be what stories now say, in one version of each."""
    # The words of a story, flagged or not, do not come here.
    by = replace(by, accepts_flagged=False)
    wanted: dict[str, dict[str, StoryPublic | None]] = {}
    for before, after in stories:
        is_evidence = after.visibility is StoryVisibility.PUBLISHED and after.role is not None
        for ref in before.innovations if before else []:
            wanted.setdefault(ref.reference, {})[after.id] = None
        for ref in after.innovations if is_evidence else []:
            wanted.setdefault(ref.reference, {})[after.id] = after
    for name, by_story in wanted.items():
        row = session.get(Innovation, identifier(name))
        # What was withdrawn shows to nobody, and does not change any more.
        if row is not None and row.visibility != Visibility.WITHDRAWN:
            _settle(session, row, by_story, by)


def _settle(
    session: Session, row: Innovation, by_story: dict[str, StoryPublic | None], by: Caller
) -> None:
    document = entries.document_of(row)
    now = changes.now(session)
    left = dict(by_story)
    pieces: list[EvidencePublic] = []
    for piece in document.evidence:
        story = left.pop(piece.story) if piece.story in left else None
        if piece.story not in by_story:
            pieces.append(piece)
        elif story is not None:
            pieces.append(_said(story, now, piece))
    room = MOST - sum(piece.story is not None for piece in pieces)
    new = [_said(story, now) for story in left.values() if story is not None]
    pieces += new[: max(room, 0)]
    if pieces != document.evidence:
        after = document.model_copy(update={"evidence": pieces})
        entries.store(session, row, after, Action.EVIDENCED, by=by)
        evidence.replace(session, row.number, pieces)


def _said(story: StoryPublic, now: datetime, piece: EvidencePublic | None = None) -> EvidencePublic:
    """The piece of evidence that a story is; the one that it was, if it is the same."""
    assert story.role is not None, "without a role it is nobody's voice"
    kind = story.role.voice
    if piece is not None and piece.kind == kind:
        return piece
    known: dict[str, Any] = (
        {"id": piece.id, "version": piece.version + 1, "created_at": piece.created_at}
        if piece
        else {"id": new_id(), "version": 1, "created_at": now}
    )
    return EvidencePublic(
        **known,
        kind=kind,
        statement=_STATEMENTS[kind].format(reference=story.reference),
        strength=EvidenceStrength.SUGGESTIVE,
        url=None,
        measure=None,
        story=story.id,
        updated_at=now,
    )
