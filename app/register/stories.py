"""Stories: submitting, changing and withdrawing them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlmodel import Session

from app.errors import (
    DuplicateSource,
    Forbidden,
    PreconditionFailed,
    UnknownOrganisation,
    ValidationFailed,
)
from app.models.changes import Action
from app.models.innovations import Source, Withdrawal
from app.models.merging import InnovationRef
from app.models.organisations import Organisation, OrganisationKind, OrganisationRef, Place
from app.models.stories import (
    MOST_THEMES,
    Story,
    StoryCreate,
    StoryFields,
    StoryLinks,
    StoryPublic,
    StoryUpdate,
    StoryVisibility,
)
from app.register import changes, held, organisations, story_entries, story_evidence, themes
from app.register.access import Caller
from app.register.identifiers import STORY, new_id, reference
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match
from app.register.story_entries import NewStory, document_of

_FIELD_NAMES = set(StoryFields.model_fields)
_FOUND_LATER = {"themes", "innovations"}


def add(session: Session, entry: StoryCreate, *, by: Caller) -> Stored:
    """Adds a story; if it is published, it is evidence for the innovations that it tells of.

    Raises:
        DuplicateSource: when the caller's organisation has submitted this source id before.
        And what :func:`made` raises.
    """
    new = could_add(session, entry, story_entries.next_number(session), by=by)
    (stored,) = add_all(session, [new])
    return stored


def could_add(session: Session, entry: StoryCreate, number: int, *, by: Caller) -> NewStory:
    """What :func:`add` adds; it raises what that does, and writes nothing."""
    new = made(session, entry, number, by=by)
    if new.source and story_entries.of_sources(session, [(new.submitter, *new.source)]):
        detail = "Your organisation has a story with this source."
        raise DuplicateSource.at("#/source", "taken", detail)
    return new


def made(session: Session, entry: StoryCreate, number: int, *, by: Caller) -> NewStory:
    """What an entry makes of a story, with the next number, when it is added.

    Raises:
        UnknownTheme, UnknownOrganisation, OrganisationClosed, UnknownInnovation, Forbidden
        ValidationFailed
    """
    submitter = submitter_of(entry, by)
    identity = new_id()
    described, owner = _described(session, entry, submitter, by=by)
    now = changes.now(session)
    document = StoryPublic(
        id=identity,
        reference=reference(number, STORY),
        version=1,
        **described,
        withdrawal=None,
        created_at=now,
        updated_at=now,
        links=_links(identity),
    )
    source = (entry.source.system, entry.source.id) if entry.source else None
    return NewStory(number, document, owner, submitter, source, by)


def add_all(session: Session, new: Sequence[NewStory]) -> list[Stored]:
    """Adds stories as they were made."""
    stored = story_entries.create(session, new)
    if new:
        changed = [(None, each.document) for each in new]
        story_evidence.settle(session, changed, by=new[0].by)
    return stored


def change(
    session: Session,
    name: str,
    patch: StoryUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes what is said of a story; a merge patch.

    Raises:
        NotFound, Withdrawn, Forbidden, PreconditionRequired, PreconditionFailed, ValidationFailed
        UnknownTheme, UnknownOrganisation, OrganisationClosed, UnknownInnovation
    """
    row = story_entries.to_write(session, name, by=by)
    must_match(precondition, etag(row.version, row.sequence))
    return _changed(session, row, patched(_fields(document_of(row)), patch), by=by)


def put_under(
    session: Session, rows: Iterable[Story], theme: str, *, by: Caller
) -> Iterator[Story]:
    """Adds a theme to stories; gives those that have it then.

    One with as many as it may have stays as it is.

    Raises:
        UnknownTheme
    """
    for row in rows:
        fields = _fields(document_of(row))
        if theme in fields.themes:
            yield row
        elif len(fields.themes) < MOST_THEMES:
            wanted = patched(fields, StoryUpdate(themes=[*fields.themes, theme]))
            _changed(session, row, wanted, by=by)
            yield row


def put_by_source(
    session: Session,
    source: Source,
    entry: StoryCreate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> tuple[Stored, bool]:
    """Makes the story with the sender's own id be as it is sent; True when it is new.

    Raises:
        PreconditionRequired, PreconditionFailed: when the story exists.
        And what :func:`add` and :func:`change` raise.
    """
    if entry.source is not None and entry.source != source:
        detail = "The body names another source than the address: leave it out."
        raise ValidationFailed.at("#/source", "not_the_address", detail)
    entry = entry.model_copy(update={"source": source})
    key = (submitter_of(entry, by), source.system, source.id)
    row = story_entries.of_sources(session, [key]).get(key)
    if row is None:
        if precondition is not None:  # RFC 9110: even `*` asks for something to be there
            raise PreconditionFailed("You have no story with this id yet; leave `If-Match` out.")
        return add(session, entry, by=by), True
    story_entries.must_be_writable(row, by=by)
    must_match(precondition, etag(row.version, row.sequence))
    return replaced(session, row, entry, by=by), False


def replaced(session: Session, row: Story, entry: StoryCreate, *, by: Caller) -> Stored:
    """Makes a story that may be changed be as it is sent; see :func:`put_by_source`.

    Themes and innovations that are not named stay: a survey seldom asks for them, and what was
    found for a story since is not to be lost when its file is sent again.
    """
    kept = _FOUND_LATER - entry.model_fields_set
    said = _fields(document_of(row)).model_dump(include=kept)
    wanted = StoryFields.model_validate(entry.model_dump(include=_FIELD_NAMES - kept) | said)
    return _changed(session, row, wanted, by=by)


def withdraw(
    session: Session, name: str, reason: str, *, by: Caller, precondition: Precondition | None
) -> Stored:
    """Withdraws a story, and with it what evidence it was; a tombstone with the reason stays.

    Raises:
        NotFound, Withdrawn, Forbidden, PreconditionRequired, PreconditionFailed
    """
    row = story_entries.to_write(session, name, by=by)
    must_match(precondition, etag(row.version, row.sequence))
    before = document_of(row)
    withdrawal = Withdrawal(reason=reason, withdrawn_at=changes.now(session))
    gone = before.model_copy(
        update={"visibility": StoryVisibility.WITHDRAWN, "withdrawal": withdrawal}
    )
    stored = story_entries.store(session, row, gone, Action.WITHDRAWN, by=by)
    story_evidence.settle(session, [(before, gone)], by=by)
    return stored


def _changed(session: Session, row: Story, wanted: StoryFields, *, by: Caller) -> Stored:
    before = document_of(row)
    if wanted == _fields(before):
        return story_entries.answer(row)
    described, owner = _described(session, wanted, row.submitter, before=before, by=by)
    after = StoryPublic.model_validate({**dict(before), **described})
    if after == before:
        return story_entries.answer(row)
    stored = story_entries.store(session, row, after, Action.UPDATED, owner=owner, by=by)
    story_evidence.settle(session, [(before, after)], by=by)
    return stored


# What a document is made of


def _described(
    session: Session,
    entry: StoryFields,
    submitter: str,
    *,
    before: StoryPublic | None = None,
    by: Caller,
) -> tuple[dict[str, Any], Place]:
    """The parts of a document that an entry's fields decide, and whose the story then is.

    All that is ever said of a story passes here, by whichever way it came: a POST, a PUT, a PATCH,
    a row of a file. What has to be known of a text before it is taken belongs here.
    """
    pointers = [f"#/themes/{i}" for i in range(len(entry.themes))]
    place, owner = _places(session, entry, submitter, before, by)
    visibility = StoryVisibility.PUBLISHED if entry.consent_to_publish else StoryVisibility.PRIVATE
    linked = before.innovations if before else []
    described = {name: getattr(entry, name) for name in _FIELD_NAMES} | {
        "themes": themes.refs(session, entry.themes, pointers=pointers),
        "organisation": place,
        "region": _region(session, entry, place),
        "innovations": _innovations(session, entry.innovations, linked, by),
        "visibility": visibility,
    }
    return described, owner


def _places(
    session: Session, entry: StoryFields, submitter: str, before: StoryPublic | None, by: Caller
) -> tuple[Place | None, Place]:
    """The organisation that is told, and whose the story is: that one's, or the submitter's."""
    if entry.organisation is None:
        owner = organisations.place(session, submitter)
        if owner is None or before is None:
            owner = organisations.place_to_write(
                session, submitter, by=by, pointer="#/organisation"
            )
        return None, owner
    if before and before.organisation and before.organisation.code == entry.organisation:
        # It may have closed since; that is no reason to refuse a correction.
        return before.organisation, before.organisation
    place = organisations.place_to_write(
        session, entry.organisation, by=by, pointer="#/organisation"
    )
    return place, place


def _region(session: Session, entry: StoryFields, place: Place | None) -> OrganisationRef | None:
    if place is not None:
        if entry.region is not None and (place.region is None or place.region.code != entry.region):
            detail = "The organisation is in another region; leave this out."
            raise ValidationFailed.at("#/region", "another_region", detail)
        return place.region
    if entry.region is None:
        return None
    row = held.get(session, Organisation, entry.region)
    if row is None or row.kind != OrganisationKind.REGION:
        detail = "No region has this ODS code."
        raise UnknownOrganisation.at("#/region", "unknown_region", detail)
    return OrganisationRef(code=row.code, name=row.name)


def _innovations(
    session: Session, names: Sequence[str], linked: Sequence[InnovationRef], by: Caller
) -> list[InnovationRef]:
    known = {name.upper(): ref for ref in linked for name in (ref.id, ref.reference)}
    found = []
    for i, name in enumerate(names):
        ref = known.get(name.upper())
        at = f"#/innovations/{i}"
        found.append(ref or story_evidence.linkable(session, name, at, linked, by=by))
    return list({ref.id: ref for ref in found}.values())


def _fields(document: StoryPublic) -> StoryFields:
    """What a sender would send to say what the document says."""
    place = document.organisation
    return StoryFields.model_validate(
        document.model_dump(include=_FIELD_NAMES)
        | {
            "themes": [theme.slug for theme in document.themes],
            "organisation": place.code if place else None,
            "region": document.region.code if document.region and not place else None,
            "innovations": [innovation.reference for innovation in document.innovations],
        }
    )


def _links(identity: str) -> StoryLinks:
    at = f"/v1/stories/{identity}"
    return StoryLinks(self=at, history=f"{at}/history")


def submitter_of(entry: StoryFields, by: Caller) -> str:
    """Whose own ids a story's source is one of: the client's organisation's.

    Raises:
        Forbidden
    """
    submitter = by.organisation or entry.organisation
    if submitter is None:
        raise Forbidden("A story needs an organisation, or a key of one.")
    return submitter
