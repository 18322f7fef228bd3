"""Innovations: submitting, changing and withdrawing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlmodel import Session

from app.errors import DuplicateSource, Fault, Forbidden, PreconditionFailed, ValidationFailed
from app.models.changes import Action
from app.models.decisions import Status
from app.models.innovations import (
    MOST_FURTHER_THEMES,
    Innovation,
    InnovationCounts,
    InnovationCreate,
    InnovationFields,
    InnovationLinks,
    InnovationPublic,
    InnovationUpdate,
    OwnVisibility,
    Source,
    Visibility,
    Withdrawal,
)
from app.models.organisations import Place
from app.register import changes, decisions, entries, evidence, organisations, themes
from app.register.access import Caller
from app.register.entries import New, document_of
from app.register.identifiers import new_id, reference
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match

_FIELD_NAMES = set(InnovationFields.model_fields)


def add(session: Session, entry: InnovationCreate, *, by: Caller) -> Stored:
    """Adds an innovation, with its first decision and its evidence.

    Raises:
        DuplicateSource: when the caller's organisation has submitted this source id before.
        And what :func:`made` raises.
    """
    new = could_add(session, entry, entries.next_number(session), by=by)
    (stored,) = add_all(session, [new])
    return stored


def could_add(session: Session, entry: InnovationCreate, number: int, *, by: Caller) -> New:
    """What :func:`add` adds; it raises what that does, and writes nothing."""
    new = made(session, entry, number, by=by)
    if entry.source and entries.of_source(session, new.submitter, entry.source) is not None:
        raise _source_taken()
    return new


def made(session: Session, entry: InnovationCreate, number: int, *, by: Caller) -> New:
    """What an entry makes of an innovation, with the next number, when it is added.

    Raises:
        UnknownTheme, UnknownOrganisation, OrganisationClosed, Forbidden, ValidationFailed
    """
    submitter = submitter_of(entry, by)
    place = _place(session, entry, by)
    now = changes.now(session)
    identity = new_id()
    decided = decisions.made(entry.decision, now) if entry.decision else None
    pieces = [evidence.made(piece, now) for piece in entry.evidence]
    document = InnovationPublic(
        id=identity,
        reference=reference(number),
        version=1,
        **_described(session, entry, place),
        status=decided.status if decided else Status.UNDER_REVIEW,
        decision=decided,
        evidence=pieces,
        adoptions=[],
        counts=InnovationCounts(
            decisions=int(decided is not None), evidence=len(pieces), adoptions=0
        ),
        withdrawal=None,
        superseded_by=None,
        supersedes=[],
        created_at=now,
        updated_at=now,
        links=_links(identity),
    )
    return New(number, document, submitter, by)


def add_all(session: Session, new: Sequence[New]) -> list[Stored]:
    """Adds innovations as they were made."""
    stored = entries.create(session, new)
    documents = [(each.number, each.document) for each in new]
    decisions.store(session, ((n, each.decision) for n, each in documents if each.decision))
    evidence.store(session, ((n, piece) for n, each in documents for piece in each.evidence))
    return stored


def change(
    session: Session,
    name: str,
    patch: InnovationUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes what is said of an innovation; a merge patch.

    Raises:
        NotFound, Withdrawn, Forbidden, PreconditionRequired, PreconditionFailed, ValidationFailed
        UnknownTheme, UnknownOrganisation, OrganisationClosed, DuplicateSource
    """
    row = entries.to_describe(session, name, by=by)
    must_match(precondition, etag(row.version, row.sequence))
    before = document_of(row)
    fields = _fields(before)
    wanted = patched(fields, patch)
    if wanted == fields:
        return entries.answer(row)
    after = _redescribed(session, row, before, wanted, by=by)
    return entries.store(session, row, after, Action.UPDATED, by=by)


def put_under(
    session: Session, rows: Iterable[Innovation], theme: str, *, by: Caller
) -> Iterator[Innovation]:
    """Adds a theme to the further themes of innovations; gives those that have it then.

    One with as many as it may have stays as it is.

    Raises:
        UnknownTheme
    """
    for row in rows:
        before = document_of(row)
        fields = _fields(before)
        if theme in (fields.theme, *fields.further_themes):
            yield row
        elif len(fields.further_themes) < MOST_FURTHER_THEMES:
            wanted = patched(
                fields, InnovationUpdate(further_themes=[*fields.further_themes, theme])
            )
            after = _redescribed(session, row, before, wanted, by=by)
            entries.store(session, row, after, Action.UPDATED, by=by)
            yield row


def put_by_source(
    session: Session,
    source: Source,
    entry: InnovationCreate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> tuple[Stored, bool]:
    """Makes the entry with the sender's own id be as it is sent; True when it is new.

    What is left out goes back to its default, evidence that is not sent is removed, and a decision
    is added unless it is known. Sending the same again changes nothing.

    Raises:
        PreconditionRequired, PreconditionFailed: when the entry exists.
        And what :func:`add` and :func:`change` raise.
    """
    if entry.source is not None and entry.source != source:
        raise ValidationFailed(
            "The body names another source than the address.",
            faults=(Fault("#/source", "not_the_address", "Leave it out, or name the same one."),),
        )
    entry = entry.model_copy(update={"source": source})
    row = entries.of_source(session, submitter_of(entry, by), source)
    if row is None:
        if precondition is not None:  # RFC 9110: even `*` asks for something to be there
            raise PreconditionFailed("You have no entry with this id yet; leave `If-Match` out.")
        return add(session, entry, by=by), True
    entries.must_be_writable(row, by=by)
    must_match(precondition, etag(row.version, row.sequence))
    return replaced(session, row, entry, by=by), False


def replaced(session: Session, row: Innovation, entry: InnovationCreate, *, by: Caller) -> Stored:
    """Makes an entry that may be changed be as it is sent; see :func:`put_by_source`.

    Merging is no matter of its sender's: what came with others stays, and what went with this one
    does not come back with each night's file.
    """
    before = document_of(row)
    after = before
    done: list[Action] = []
    wanted = InnovationFields.model_validate(entry.model_dump(include=_FIELD_NAMES))
    if wanted.organisation is None:
        wanted = wanted.model_copy(update={"organisation": before.organisation.code})
    if wanted != _fields(before):
        after = _redescribed(session, row, before, wanted, by=by)
        done.append(Action.UPDATED)
    now = changes.now(session)
    successor = entries.current(session, row)
    there = before if successor is row else document_of(successor)
    came = {id for merged in there.supersedes for id in merged.evidence}
    elsewhere = () if there is before else there.evidence
    pieces = evidence.merged(before.evidence, entry.evidence, now, came=came, elsewhere=elsewhere)
    if pieces != before.evidence:
        after = after.model_copy(update={"evidence": pieces})
        evidence.replace(session, row.number, pieces)
        done.append(Action.EVIDENCED)
    if entry.decision and not decisions.is_known(session, row.number, entry.decision):
        decided = decisions.made(entry.decision, now)
        after = decisions.decided(after, decided)
        decisions.store(session, [(row.number, decided)])
        done.append(Action.DECIDED)
    if not done:
        return entries.answer(row)
    action = done[0] if len(done) == 1 else Action.UPDATED
    return entries.store(session, row, after, action, by=by)


def withdraw(
    session: Session, name: str, reason: str, *, by: Caller, precondition: Precondition | None
) -> Stored:
    """Withdraws an innovation; a tombstone with the reason stays.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed
    """
    row = entries.to_write(session, name, by=by)
    must_match(precondition, etag(row.version, row.sequence))
    withdrawal = Withdrawal(reason=reason, withdrawn_at=changes.now(session))
    gone = document_of(row).model_copy(
        update={"visibility": Visibility.WITHDRAWN, "withdrawal": withdrawal}
    )
    return entries.store(session, row, gone, Action.WITHDRAWN, by=by)


# What a document is made of


def _described(session: Session, entry: InnovationFields, place: Place) -> dict[str, Any]:
    """The parts of a document that an entry's fields decide."""
    if entry.theme in entry.further_themes:
        raise ValidationFailed(
            "A further theme is another than the main one.",
            faults=(Fault("#/further_themes", "theme_named_twice", "It is the main theme."),),
        )
    pointers = ["#/theme", *(f"#/further_themes/{i}" for i in range(len(entry.further_themes)))]
    theme, *further = themes.refs(session, [entry.theme, *entry.further_themes], pointers=pointers)
    said = {name: getattr(entry, name) for name in _FIELD_NAMES}
    source = entry.source and entry.source.model_dump()
    return said | {
        "theme": theme,
        "further_themes": further,
        "organisation": place,
        "source": source,
    }


def _redescribed(
    session: Session,
    row: Innovation,
    before: InnovationPublic,
    wanted: InnovationFields,
    *,
    by: Caller,
) -> InnovationPublic:
    if before.visibility is not Visibility.DRAFT and wanted.visibility is OwnVisibility.DRAFT:
        raise ValidationFailed(
            "What was published stays published, or is withdrawn.",
            faults=(Fault("#/visibility", "published_already", "DELETE withdraws it."),),
        )
    if wanted.source:
        other = entries.of_source(session, row.submitter, wanted.source)
        if other is not None and other.number != row.number:
            raise _source_taken()
    # Its own organisation may have closed since; that is no reason to refuse a correction.
    same_place = wanted.organisation == before.organisation.code
    place = before.organisation if same_place else _place(session, wanted, by)
    described = _described(session, wanted, place)
    if before.visibility is Visibility.SUPERSEDED:
        described["visibility"] = before.visibility
    return InnovationPublic.model_validate({**dict(before), **described})


def _place(session: Session, entry: InnovationFields, by: Caller) -> Place:
    code = entry.organisation or by.organisation or ""
    return organisations.place_to_write(session, code, by=by, pointer="#/organisation")


def _fields(document: InnovationPublic) -> InnovationFields:
    """What a sender would send to say what the document says."""
    return InnovationFields.model_validate(
        document.model_dump(include=_FIELD_NAMES)
        | {
            "theme": document.theme.slug,
            "further_themes": [theme.slug for theme in document.further_themes],
            "organisation": document.organisation.code,
            "visibility": OwnVisibility.DRAFT
            if document.visibility is Visibility.DRAFT
            else OwnVisibility.PUBLISHED,
        }
    )


def _links(identity: str) -> InnovationLinks:
    at = entries.address(identity)
    return InnovationLinks(
        self=at,
        decisions=f"{at}/decisions",
        evidence=f"{at}/evidence",
        adoptions=f"{at}/adoptions",
        history=f"{at}/history",
    )


def submitter_of(entry: InnovationFields, by: Caller) -> str:
    """Whose own ids an entry's source is one of: the client's organisation's.

    Raises:
        Forbidden
    """
    submitter = by.organisation or entry.organisation
    if submitter is None:
        raise Forbidden("An entry needs an organisation, or a key of one.")
    return submitter


def _source_taken() -> DuplicateSource:
    detail = "Your organisation has an entry with this source."
    return DuplicateSource(detail, faults=(Fault("#/source", "taken", detail),))
