"""A story's entry: its document, the keys by which it is found, and its line in the log.

As with innovations, all that writes a story does it through :func:`create` and :func:`store`. What
others may see of a story can be taken back at any time, and so a line's ``public`` means less than
elsewhere: that the story was published at this version, or goes by it. Whether others still see
the line is asked when it is read (see :mod:`app.register.told`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from app.errors import NotFound, Withdrawn
from app.models.changes import Action, Kind
from app.models.likeness import StoryVector
from app.models.organisations import Place
from app.models.stories import KEYS, Story, StoryKey, StoryPublic, StoryVisibility
from app.register import changes
from app.register.access import Caller
from app.register.entries import submitted
from app.register.identifiers import STORY, identifier
from app.register.inserting import insert_all
from app.register.stored import Stored, etag

NO_SUCH = "There is no story with this id or reference."

_PUBLISHED = StoryVisibility.PUBLISHED


class NewStory(NamedTuple):
    """The first version of a story, whose it is, whose own id its source is, and who adds it."""

    number: int
    document: StoryPublic
    owner: Place
    submitter: str
    source: tuple[str, str] | None
    by: Caller


def next_number(session: Session) -> int:
    """The number of the next story; nobody else can take it before the transaction ends."""
    return (session.execute(select(func.max(Story.number))).scalar_one() or 0) + 1


def create(session: Session, new: Iterable[NewStory]) -> list[Stored]:
    """Stores the first versions of stories."""
    rows: list[dict[str, Any]] = []
    keys: list[dict[str, Any]] = []
    stored: list[Stored] = []
    for number, document, owner, submitter, source, by in new:
        text = document.model_dump_json()
        public = document.visibility is _PUBLISHED
        thing = _thing(document, text, owner.code, public=public)
        sequence = changes.append(session, Action.CREATED, thing, by=by)
        system, id = source or (None, None)
        rows.append(
            {
                "number": number,
                "id": document.id,
                "created_at": document.created_at,
                "submitter": submitter,
                "source_system": system,
                "source_id": id,
                "public": public,
                "sequence": sequence,
                "document": text,
                **_columns(document),
                **owned_by(owner),
            }
        )
        keys += _keys(number, document)
        stored.append(_answer(document.id, text, document.version, sequence))
    insert_all(session, Story, rows)
    insert_all(session, StoryKey, keys)
    return stored


def store(
    session: Session,
    row: Story,
    document: StoryPublic,
    action: Action,
    *,
    owner: Place | None = None,
    by: Caller,
) -> Stored:
    """Stores a changed document as the next version; with the owner, if that changes, too."""
    was_published = row.visibility == _PUBLISHED
    is_published = document.visibility is _PUBLISHED
    if was_published and not is_published and action is not Action.WITHDRAWN:
        action = Action.UNPUBLISHED
    document = document.model_copy(
        update={"version": row.version + 1, "updated_at": changes.now(session)}
    )
    text = document.model_dump_json()
    for name, value in (owned_by(owner) if owner else {}).items():
        setattr(row, name, value)
    told = is_published or was_published
    thing = _thing(document, text, row.owner, public=told)
    row.sequence = changes.append(session, action, thing, by=by)
    # The tombstone of what others saw shows to them, whatever becomes of it.
    row.public = is_published or (row.public and document.visibility is StoryVisibility.WITHDRAWN)
    row.document = text
    for name, value in _columns(document).items():
        setattr(row, name, value)
    session.execute(delete(StoryKey).where(col(StoryKey.number) == row.number))
    insert_all(session, StoryKey, _keys(row.number, document))
    if action is Action.REDACTED or (was_published and not is_published):
        # What was made of its text goes with that.
        session.execute(delete(StoryVector).where(col(StoryVector.number) == row.number))
    return answer(row)


def document_of(row: Story) -> StoryPublic:
    return StoryPublic.model_validate_json(row.document)


def answer(row: Story) -> Stored:
    """The entry as it stands, for an answer."""
    return _answer(row.id, row.document, row.version, row.sequence)


def _answer(identity: str, document: str, version: int, sequence: int) -> Stored:
    return Stored(document, etag(version, sequence), sequence, f"/v1/stories/{identity}")


def to_write(session: Session, name: str, *, by: Caller) -> Story:
    """The story of this id or reference, if the caller may change it.

    Raises:
        NotFound, Withdrawn, Forbidden
    """
    key = identifier(name, STORY)
    row: Story | None = None
    if key is not None:
        column = col(Story.number) if isinstance(key, int) else col(Story.id)
        row = session.execute(select(Story).where(column == key)).scalar_one_or_none()
    if row is None:
        raise NotFound(NO_SUCH)
    must_be_writable(row, by=by)
    return row


def must_be_writable(row: Story, *, by: Caller) -> None:
    """Refuses a change of what is not the caller's to change, or is no more.

    Raises:
        NotFound: for another's that is not published, which must not show by being refused.
        Withdrawn, Forbidden
    """
    owners = (row.owner, row.owner_icb, row.owner_region)
    if not row.public and not by.covers(*owners):
        raise NotFound(NO_SUCH)
    if row.visibility == StoryVisibility.WITHDRAWN:
        raise Withdrawn("This story was withdrawn; it cannot change any more.")
    by.must_cover(*owners)


of_sources = submitted(Story)


def owned_by(owner: Place) -> dict[str, str | None]:
    """The columns that say whose a story is."""
    return {
        "owner": owner.code,
        "owner_icb": owner.icb.code if owner.icb else None,
        "owner_region": owner.region.code if owner.region else None,
    }


def _thing(document: StoryPublic, text: str, owner: str, *, public: bool) -> changes.Thing:
    return changes.Thing(Kind.STORY, document.id, document.version, text, public, owner)


def _columns(document: StoryPublic) -> dict[str, Any]:
    """The columns by which a document is found, and in what order."""
    place = document.organisation
    return {
        "version": document.version,
        "visibility": document.visibility.value,
        "verdict": document.verdict.value,
        "role": document.role.value if document.role else None,
        "care_setting": document.care_setting.value if document.care_setting else None,
        "organisation": place.code if place else None,
        "icb": place.icb.code if place and place.icb else None,
        "region": document.region.code if document.region else None,
        "updated_at": document.updated_at,
    }


def _keys(number: int, document: StoryPublic) -> list[dict[str, Any]]:
    values = [
        [theme.slug for theme in document.themes],
        [innovation.id for innovation in document.innovations],
    ]
    return [
        {"name": name, "value": value, "number": number}
        for name, each in zip(KEYS, values, strict=True)
        for value in each
    ]
