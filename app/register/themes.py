"""Themes: the rules, and the list with its counts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import bindparam, func, select
from sqlmodel import Session, col

from app.dialects import Reader
from app.errors import Duplicate, Fault, NotFound, UnknownTheme, ValidationFailed
from app.models.changes import Action, Kind, LogHead
from app.models.decisions import Status
from app.models.finding import InnovationFilters
from app.models.themes import Theme, ThemeCreate, ThemeDocument, ThemeRef, ThemeUpdate
from app.register import changes, documents, held
from app.register.access import ANYBODY, Caller
from app.register.lists import counts
from app.register.lists.memory import NOTHING, Memory
from app.register.lists.wanted import wanted_by
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match

_RESERVED = frozenset({"emerging", "suggestions"})
"""What stands beside the themes in addresses, and would hide a theme of that name."""


def add(session: Session, theme: ThemeCreate, *, by: Caller, number: int | None = None) -> Stored:
    """Adds a theme; its number is the next one, if not given.

    Raises:
        ValidationFailed: when the slug is the name of something else beside the themes.
        Duplicate: when the slug is taken.
    """
    if theme.slug in _RESERVED:
        raise ValidationFailed.at("#/slug", "reserved", "This is an address of something else.")
    if session.get(Theme, theme.slug) is not None:
        raise Duplicate.at("#/slug", "taken", "There is a theme with this slug.")
    last = session.execute(select(func.max(col(Theme.number)))).scalar_one() or 0
    document = ThemeDocument(
        slug=theme.slug,
        number=number or last + 1,
        name=theme.name,
        group=theme.group,
        description=theme.description,
        version=1,
        created_at=changes.now(session),
        updated_at=changes.now(session),
    )
    return _store(session, None, document, Action.CREATED, by)


def change(
    session: Session,
    slug: str,
    patch: ThemeUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes a theme, and re-makes the documents in which its name stands.

    Raises:
        NotFound, PreconditionRequired, PreconditionFailed, ValidationFailed
    """
    row = session.get(Theme, slug)
    if row is None:
        raise NotFound("There is no theme with this slug.")
    must_match(precondition, etag(row.version, row.sequence))
    current = ThemeDocument.model_validate_json(row.document)
    fields = ThemeCreate.model_validate(current.model_dump(include=set(ThemeCreate.model_fields)))
    wanted = patched(fields, patch)
    if wanted == fields:
        return _answer(row)
    document = current.model_copy(
        update={
            **wanted.model_dump(),
            "version": current.version + 1,
            "updated_at": changes.now(session),
        }
    )
    stored = _store(session, row, document, Action.UPDATED, by)
    if document.ref() != current.ref():
        documents.rename_theme(session, document.ref())
    return stored


def _store(
    session: Session, row: Theme | None, document: ThemeDocument, action: Action, by: Caller
) -> Stored:
    text = document.model_dump_json()
    thing = changes.Thing(Kind.THEME, document.slug, document.version, text)
    sequence = changes.append(session, action, thing, by=by)
    if row is None:
        row = Theme(
            slug=document.slug,
            number=document.number,
            version=document.version,
            sequence=sequence,
            document=text,
        )
        session.add(row)
    else:
        row.version, row.sequence, row.document = document.version, sequence, text
    return _answer(row)


def _answer(row: Theme) -> Stored:
    return Stored(
        row.document, etag(row.version, row.sequence), row.sequence, f"/v1/themes/{row.slug}"
    )


def refs(session: Session, slugs: Iterable[str], *, pointers: Iterable[str]) -> list[ThemeRef]:
    """The themes as other documents name them.

    Raises:
        UnknownTheme: with the pointers of all that there are not.
    """
    found = []
    faults = []
    for slug, pointer in zip(slugs, pointers, strict=True):
        row = held.get(session, Theme, slug)
        if row is None:
            faults.append(Fault(pointer, "unknown_theme", "No theme has this slug."))
        else:
            found.append(_ref(row.document))
    if faults:
        raise UnknownTheme("No theme has this slug.", faults=tuple(faults))
    return found


@lru_cache(256)
def _ref(document: str) -> ThemeRef:
    return ThemeDocument.model_validate_json(document).ref()


# Reading


_ONE = select(
    col(Theme.document),
    col(Theme.version),
    col(Theme.sequence),
    select(col(LogHead.sequence)).scalar_subquery(),
).where(col(Theme.slug) == bindparam("slug"))


async def get(reader: Reader, slug: str) -> Stored:
    """One theme."""
    rows = await reader.rows(_ONE, {"slug": slug})
    if not rows:
        raise NotFound("There is no theme with this slug.")
    document, version, sequence, head = rows[0]
    return Stored(document, etag(version, sequence), head)


_ALL = select(col(Theme.slug), col(Theme.document)).order_by(col(Theme.number))


async def listed(reader: Reader, *, memory: Memory) -> tuple[list[str], int]:
    """All themes, as JSON texts with their counts, and the head that they were made from."""
    published = wanted_by(reader, InnovationFilters(), ANYBODY)
    for _ in range(counts.TRIES):
        head = await changes.head(reader)
        counted = await counts.of(reader, published, ("theme", "status"), memory, at=head)
        themes = await reader.rows(_ALL, {})
        if counted.head == head:
            break
    items = []
    for slug, document in themes:
        of_theme = {
            status.value: counted.cells.get((slug, status.value), NOTHING)[0] for status in Status
        }
        items.append(f'{document[:-1]},"counts":{json.dumps(of_theme, separators=(",", ":"))}}}')
    return items, head
