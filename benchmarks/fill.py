"""Filling a register, with just the rows that the service would have written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlmodel import Session, col

from app import schema
from app.database import Database
from app.models.innovations import InnovationCreate
from app.models.organisations import Organisation, OrganisationKind
from app.models.themes import Theme
from app.register import entries, held, innovations, reference
from app.register.access import OPERATOR
from app.register.stored import Stored
from benchmarks.words import Places, Writer

BATCH = 500
"""Entries in a transaction; they have one ``created_at``."""

SEED = 20_200_323


@dataclass(slots=True)
class Filled:
    """What is known of a register that was filled: what to ask it for."""

    places: Places
    entries: int = 0
    mean_bytes: int = 0
    """Of a document, as it is stored."""
    published: list[tuple[int, str]] = field(default_factory=list)
    """Number and id of each entry that everybody sees."""
    seen: Counter[str] = field(default_factory=Counter)
    """In how many of these each word stands."""

    @property
    def rare(self) -> list[str]:
        """Words that stand in 2 to 8 published entries."""
        return sorted(word for word, count in self.seen.items() if 2 <= count <= 8)

    @property
    def common(self) -> list[str]:
        """Words that stand in about a third of them."""
        third = len(self.published) / 3
        return sorted(self.seen, key=lambda word: (abs(self.seen[word] - third), word))[:6]


def fill(database: Database, wanted: int) -> Iterator[Filled]:
    """Brings a fresh database to head, and fills it; yields after each transaction."""
    schema.upgrade(database.dialect.url.render_as_string(hide_password=False))
    database.transaction(reference.load)
    filled = Filled(database.transaction(places))
    writer = Writer(filled.places, words=max(wanted, 1000), seed=SEED)
    size = 0
    while filled.entries < wanted:
        size += _add(database, writer, min(BATCH, wanted - filled.entries), filled)
        filled.mean_bytes = size // filled.entries
        yield filled


def settle(database: Database) -> None:
    """What becomes of a register in time: a service tidies at its start, and PostgreSQL itself."""
    database.tidy()
    if not database.dialect.embedded:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            other.execute(text("VACUUM ANALYZE"))


def _add(database: Database, writer: Writer, count: int, filled: Filled) -> int:
    """Adds so many entries in one transaction; returns the bytes of their documents."""
    bodies = [writer.entry() for _ in range(count)]

    def add(session: Session) -> list[Stored]:
        themes = [(row.slug, row) for row in session.scalars(select(Theme))]
        organisations = [(row.code, row) for row in session.scalars(select(Organisation))]
        held.hold(session, [*themes, *organisations])
        number = entries.next_number(session)
        new = [
            innovations.made(session, InnovationCreate.model_validate(body), at, by=OPERATOR)
            for at, body in enumerate(bodies, number)
        ]
        return innovations.add_all(session, new)

    stored = database.transaction(add)
    for body, entry in zip(bodies, stored, strict=True):
        filled.entries += 1
        if body["visibility"] == "published":
            assert entry.location is not None
            filled.published.append((filled.entries, entry.location.rpartition("/")[2]))
            words = f"{body['title']} {body['summary']} {body['description']}"
            filled.seen.update(set(words.split()))
    return sum(len(entry.document) for entry in stored)


def places(session: Session) -> Places:
    today = datetime.now(UTC).date()
    rows = session.execute(
        select(col(Organisation.code), col(Organisation.kind))
        .where(col(Organisation.closed).is_(None) | (col(Organisation.closed) >= today))
        .order_by(col(Organisation.code))
    ).all()
    return Places(
        themes=list(session.scalars(select(col(Theme.slug)).order_by(col(Theme.number)))),
        organisations=[code for code, _ in rows],
        icbs=[code for code, kind in rows if kind == OrganisationKind.ICB],
        regions=[code for code, kind in rows if kind == OrganisationKind.REGION],
    )
