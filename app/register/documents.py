"""Stored documents whose words come from reference data, and how they follow it.

A document names its theme and its organisation, so that a read has nothing to join. When a theme
is renamed, or an organisation is renamed or moves to another ICB, the change is one line of the
log, and the documents in which it stands are re-made here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, and_, bindparam, select, update
from sqlmodel import Session, col

from app.models.adoptions import Adoption, AdoptionPublic, Position
from app.models.innovations import Innovation, InnovationKey
from app.models.organisations import Place
from app.models.stories import Story, StoryKey
from app.models.themes import ThemeRef
from app.register import changes, entries

_BATCH = 500

Parts = dict[str, Any]
Documents = type[Innovation] | type[Story]


def rename_theme(session: Session, theme: ThemeRef) -> None:
    """Puts a theme's new name into the innovations and the stories that have it."""
    named = theme.model_dump(mode="json")

    def rename(document: Parts) -> None:
        if document["theme"]["slug"] == theme.slug:
            document["theme"] = named
        document["further_themes"] = [
            named if other["slug"] == theme.slug else other for other in document["further_themes"]
        ]

    # Further themes are not a key: any document may name the theme, but few do.
    mentions = col(Innovation.document).contains(f'"slug":"{theme.slug}"', autoescape=True)
    _remake(session, Innovation, mentions, rename)

    def rename_of_story(document: Parts) -> None:
        document["themes"] = [
            named if other["slug"] == theme.slug else other for other in document["themes"]
        ]

    themed = select(col(StoryKey.number)).where(
        col(StoryKey.name) == "theme", col(StoryKey.value) == theme.slug
    )
    _remake(session, Story, col(Story.number).in_(themed), rename_of_story)


def move_organisation(session: Session, place: Place) -> None:
    """Puts an organisation's new name or place into what names it, and into its keys."""
    named = place.model_dump(mode="json")
    above = {
        "icb": place.icb.code if place.icb else None,
        "region": place.region.code if place.region else None,
    }

    def move(document: Parts) -> None:
        document["organisation"] = named

    _remake(session, Innovation, col(Innovation.organisation) == place.code, move, **above)
    moved = select(col(Innovation.number)).where(col(Innovation.organisation) == place.code)
    keys = update(InnovationKey).where(col(InnovationKey.number).in_(moved)).values(**above)
    session.connection().execute(keys)
    _move_stories(session, place, named)


def _move_stories(session: Session, place: Place, named: Parts) -> None:
    """Puts an organisation's new name or place into the stories that tell it or are its own."""
    icb, region = (above.code if above else None for above in (place.icb, place.region))

    def move(document: Parts) -> None:
        document["organisation"], document["region"] = named, named["region"]

    _remake(session, Story, col(Story.organisation) == place.code, move, icb=icb, region=region)

    def rename(document: Parts) -> None:
        document["region"] = named["region"]

    told_alone = and_(col(Story.region) == place.code, col(Story.organisation).is_(None))
    _remake(session, Story, told_alone, rename)
    owned = update(Story).where(col(Story.owner) == place.code)
    session.connection().execute(owned.values(owner_icb=icb, owner_region=region))


def move_adopter(session: Session, place: Place) -> None:
    """Puts an organisation's new name or place into its adoptions, and into what they are of."""
    above = {
        "icb": place.icb.code if place.icb else None,
        "region": place.region.code if place.region else None,
    }
    its = select(Adoption).where(col(Adoption.organisation) == place.code)
    for row in session.execute(its).scalars().all():
        document = AdoptionPublic.model_validate_json(row.document)
        moved = document.model_copy(update={"organisation": place})
        row.document = moved.model_dump_json()
        row.icb, row.region = above["icb"], above["region"]
        row.sequence = changes.next_sequence(session) - 1
        if moved.in_short() != document.in_short():
            _replace_position(session, row.number, moved.in_short())
    # What is expired before it is written is lost.
    session.flush()


def _replace_position(session: Session, number: int, position: Position) -> None:
    row = session.get_one(Innovation, number)
    document = entries.document_of(row)
    positions = [
        position if other.organisation == position.organisation else other
        for other in document.adoptions
    ]
    entries.replace_text(session, row, document.model_copy(update={"adoptions": positions}))


def _remake(
    session: Session,
    table: Documents,
    which: ColumnElement[bool],
    edit: Callable[[Parts], None],
    **keys: str | None,
) -> None:
    sequence = changes.next_sequence(session) - 1
    statement = (
        update(table)
        .where(col(table.number) == bindparam("of"))
        .values(document=bindparam("text"), sequence=sequence, **keys)
    )
    for batch in _batches(session, table, which):
        remade = []
        for number, text in batch:
            document = json.loads(text)
            edit(document)
            edited = to_json(document).decode()  # as the models write it, to the byte
            remade.append({"of": number, "text": edited})
        session.connection().execute(statement, remade)
    # What the session holds of them is old now.
    session.expire_all()


def _batches(
    session: Session, table: Documents, which: ColumnElement[bool]
) -> Iterator[list[tuple[int, str]]]:
    last = 0
    while True:
        rows = session.execute(
            select(col(table.number), col(table.document))
            .where(which, col(table.number) > last)
            .order_by(col(table.number))
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        yield [(number, text) for number, text in rows]
        last = rows[-1][0]
