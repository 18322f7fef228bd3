"""An innovation's entry: its document, the keys by which it is found, and its line in the log.

All that writes an innovation does it through :func:`create` and :func:`store`, so that these three
never part. A feature that changes the document (a decision, a piece of evidence) is built on this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from app.errors import Fault, NotFound, RegisterError, Superseded, UnknownInnovation, Withdrawn
from app.models.adoptions import TAKEN
from app.models.changes import Action, Kind
from app.models.innovations import (
    FILTERS,
    NO_REVIEW,
    Innovation,
    InnovationKey,
    InnovationPublic,
    Source,
    Visibility,
)
from app.models.merging import InnovationRef
from app.models.stories import Story
from app.register import changes
from app.register.access import Caller
from app.register.identifiers import identifier, number_of, reference
from app.register.inserting import insert_all
from app.register.lists.search import sort_key
from app.register.stored import Stored, etag

NO_SUCH = "There is no innovation with this id or reference."


SourceKey = tuple[str, str, str]
"""Who submitted an entry, from which system, and its id there."""

M = TypeVar("M", Innovation, Story)


def next_number(session: Session) -> int:
    """The number of the next innovation; nobody else can take it before the transaction ends."""
    return (session.execute(select(func.max(Innovation.number))).scalar_one() or 0) + 1


@dataclass(frozen=True, slots=True)
class New:
    """The first version of an innovation, whose own id its source is, and who adds it."""

    number: int
    document: InnovationPublic
    submitter: str
    by: Caller


def create(session: Session, new: Iterable[New]) -> list[Stored]:
    """Stores the first versions of innovations."""
    rows: list[dict[str, Any]] = []
    keys: list[dict[str, Any]] = []
    stored: list[Stored] = []
    for number, document, submitter, by in (
        (each.number, each.document, each.submitter, each.by) for each in new
    ):
        text = document.model_dump_json()
        public = document.visibility is Visibility.PUBLISHED
        columns = _columns(document)
        sequence = _append(session, Action.CREATED, document, text, public=public, by=by)
        row = {
            "number": number,
            "id": document.id,
            "created_at": document.created_at,
            "submitter": submitter,
            "public": public,
            "sequence": sequence,
            "document": text,
            **columns,
        }
        rows.append(row)
        keys += _keys(number, document, columns)
        stored.append(_answer(document.id, text, document.version, sequence))
    insert_all(session, Innovation, rows)
    insert_all(session, InnovationKey, keys)
    return stored


def store(
    session: Session,
    row: Innovation,
    document: InnovationPublic,
    action: Action,
    *,
    by: Caller,
) -> Stored:
    """Stores a changed document as the next version."""
    document = document.model_copy(
        update={
            "version": row.version + 1,
            "updated_at": changes.now(session),
            "counts": document.counts.model_copy(
                update={
                    "evidence": len(document.evidence),
                    "adoptions": sum(position.stage in TAKEN for position in document.adoptions),
                }
            ),
        }
    )
    text = document.model_dump_json()
    # Who could see it before is told of its withdrawal, too.
    row.public = row.public or document.visibility is Visibility.PUBLISHED
    row.sequence = _append(session, action, document, text, public=row.public, by=by)
    row.document = text
    columns = _columns(document)
    for name, value in columns.items():
        setattr(row, name, value)
    _put_keys(session, row.number, document, columns)
    return answer(row)


def replace_text(session: Session, row: Innovation, document: InnovationPublic) -> None:
    """Puts words into a document that come from reference data, which has its line already."""
    row.document = document.model_dump_json()
    row.sequence = changes.next_sequence(session) - 1
    _put_keys(session, row.number, document, _columns(document))


def _put_keys(
    session: Session, number: int, document: InnovationPublic, columns: dict[str, Any]
) -> None:
    session.execute(delete(InnovationKey).where(col(InnovationKey.number) == number))
    insert_all(session, InnovationKey, _keys(number, document, columns))


def document_of(row: Innovation) -> InnovationPublic:
    return InnovationPublic.model_validate_json(row.document)


def answer(row: Innovation) -> Stored:
    """The entry as it stands, for an answer."""
    stored = _answer(row.id, row.document, row.version, row.sequence)
    gone = document_of(row).superseded_by if row.visibility == Visibility.SUPERSEDED else None
    return replace(stored, successor=address(gone.id)) if gone else stored


def _answer(identity: str, document: str, version: int, sequence: int) -> Stored:
    return Stored(document, etag(version, sequence), sequence, address(identity))


def address(identity: str) -> str:
    return f"/v1/innovations/{identity}"


def ref(row: Innovation) -> InnovationRef:
    """The innovation as other things name it."""
    return InnovationRef(id=row.id, reference=reference(row.number))


def to_write(session: Session, name: str, *, by: Caller) -> Innovation:
    """The innovation of this id or reference, if the caller may change it.

    Raises:
        NotFound, Withdrawn, Superseded, Forbidden
    """
    row = there(session, name, by=by)
    by.must_cover(row.organisation, row.icb, row.region)
    return row


def to_describe(session: Session, name: str, *, by: Caller) -> Innovation:
    """As :func:`to_write`, for what its own organisation says of it. That changes as before when it
    was merged into another one.

    Raises:
        NotFound, Withdrawn, Forbidden
    """
    row = _found(session, name, by=by)
    by.must_cover(row.organisation, row.icb, row.region)
    return row


def there(session: Session, name: str, *, by: Caller) -> Innovation:
    """The innovation of this id or reference, whosever it is.

    Raises:
        NotFound, Withdrawn, Superseded
    """
    row = _found(session, name, by=by)
    if row.visibility == Visibility.SUPERSEDED:
        raise superseded(row)
    return row


def named(session: Session, name: str, pointer: str, *, by: Caller) -> Innovation:
    """The innovation that a body names, also one that was merged into another.

    Raises:
        UnknownInnovation
    """
    try:
        return _found(session, name, by=by)
    except NotFound:
        detail = "No innovation has this id or reference."
        raise UnknownInnovation.at(pointer, "unknown_innovation", detail) from None
    except Withdrawn:
        raise unknown_as_withdrawn(pointer) from None


def unknown_as_withdrawn(pointer: str) -> RegisterError:
    """The refusal of a body that names what was withdrawn."""
    detail = "This innovation was withdrawn."
    return UnknownInnovation.at(pointer, "innovation_withdrawn", detail)


def superseded(row: Innovation, pointer: str | None = None) -> Superseded:
    """The refusal of what goes to the one that took its place; at what names it in a body."""
    gone = document_of(row).superseded_by
    assert gone is not None, "what is superseded says by what"
    detail = f"It was merged into {gone.reference} ({gone.id})."
    return Superseded(
        detail,
        faults=(Fault(pointer, "innovation_superseded", detail),) if pointer else (),
        headers={"Link": f'<{address(gone.id)}>; rel="successor-version"'},
    )


def current(session: Session, row: Innovation) -> Innovation:
    """The innovation itself, or the one that it was merged into."""
    gone = document_of(row).superseded_by if row.visibility == Visibility.SUPERSEDED else None
    return session.get_one(Innovation, number_of(gone.reference)) if gone else row


def _found(session: Session, name: str, *, by: Caller) -> Innovation:
    key = identifier(name)
    row: Innovation | None = None
    if key is not None:
        column = col(Innovation.number) if isinstance(key, int) else col(Innovation.id)
        row = session.execute(select(Innovation).where(column == key)).scalar_one_or_none()
    if row is None:
        raise NotFound(NO_SUCH)
    _must_be_there(row, by=by)
    return row


def must_be_writable(row: Innovation, *, by: Caller) -> None:
    """Refuses a change of what is not the caller's to change, or is no more.

    Raises:
        NotFound: for another's draft, which must not show even by its being refused.
        Withdrawn, Forbidden
    """
    _must_be_there(row, by=by)
    by.must_cover(row.organisation, row.icb, row.region)


def _must_be_there(row: Innovation, *, by: Caller) -> None:
    if not row.public and not by.covers(row.organisation, row.icb, row.region):
        raise NotFound(NO_SUCH)
    if row.visibility == Visibility.WITHDRAWN:
        raise Withdrawn("This innovation was withdrawn; it cannot change any more.")


def of_source(session: Session, submitter: str, source: Source) -> Innovation | None:
    """The entry that an organisation submitted under its own id."""
    key = (submitter, source.system, source.id)
    return of_sources(session, [key]).get(key)


def submitted(table: type[M]) -> Callable[[Session, Sequence[SourceKey]], dict[SourceKey, M]]:
    """How to find the rows of a table that organisations submitted under their own ids."""

    def of_sources(session: Session, keys: Sequence[SourceKey]) -> dict[SourceKey, M]:
        ids: dict[tuple[str, str], list[str]] = {}
        for submitter, system, id in keys:
            ids.setdefault((submitter, system), []).append(id)
        found: dict[SourceKey, M] = {}
        # One by one: of pairs and triples in a list, SQLite does not use the index.
        for (submitter, system), of_system in ids.items():
            rows = session.execute(
                select(table).where(
                    col(table.submitter) == submitter,
                    col(table.source_system) == system,
                    col(table.source_id).in_(of_system),
                )
            )
            found |= {(submitter, system, row.source_id or ""): row for row in rows.scalars()}
        return found

    return of_sources


of_sources = submitted(Innovation)


def _append(
    session: Session,
    action: Action,
    document: InnovationPublic,
    text: str,
    *,
    public: bool,
    by: Caller,
) -> int:
    thing = changes.Thing(
        Kind.INNOVATION,
        document.id,
        document.version,
        text,
        public,
        document.organisation.code,
    )
    return changes.append(session, action, thing, by=by)


def _columns(document: InnovationPublic) -> dict[str, Any]:
    """The columns by which a document is found, and in what order."""
    place = document.organisation
    review_on = document.decision.review_on if document.decision else None
    return {
        "version": document.version,
        "visibility": document.visibility.value,
        "status": document.status.value,
        "theme": document.theme.slug,
        "organisation": place.code,
        "icb": place.icb.code if place.icb else None,
        "region": place.region.code if place.region else None,
        "care_setting": document.care_setting.value if document.care_setting else None,
        "title_key": sort_key(document.title),
        "updated_at": document.updated_at,
        "review_on": review_on.isoformat() if review_on else NO_REVIEW,
        "adoption_count": document.counts.adoptions,
        "source_system": document.source.system if document.source else None,
        "source_id": document.source.id if document.source else None,
    }


def _keys(number: int, document: InnovationPublic, columns: dict[str, Any]) -> list[dict[str, Any]]:
    values = [("tag", tag) for tag in document.tags]
    values += {("evidence_kind", piece.kind.value) for piece in document.evidence}
    values += {("evidence_strength", piece.strength.value) for piece in document.evidence}
    values += {("adoption_stage", position.stage.value) for position in document.adoptions}
    values += {
        ("adopted_by", code)
        for position in document.adoptions
        if position.stage in TAKEN
        for code in position.covered
    }
    if not values:
        return []
    row = {"number": number} | {name: columns[name] for name in ("visibility", *FILTERS)}
    return [{"name": name, "value": value, **row} for name, value in values]
