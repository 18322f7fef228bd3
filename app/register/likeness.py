"""What the register tells those who compare texts: what is published, and what came since.

Drafts are not among it: what others are told may not rest on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from pydantic_core import from_json
from sqlalchemy import Select, and_, bindparam, delete, select
from sqlmodel import Session, col

from app.dialects import Reader
from app.likeness import texts
from app.models.changes import Change, Kind
from app.models.innovations import Innovation, Visibility
from app.models.likeness import InnovationVector
from app.models.themes import Theme
from app.register import changes, reading
from app.register.access import Caller
from app.register.identifiers import number_of
from app.register.inserting import insert_all
from app.register.lists import walks

AT_ONCE = 200


class Entry(NamedTuple):
    """A published innovation, and its vector if one is stored."""

    number: int
    visibility: str
    document: str
    model: str | None
    digest: str | None
    vector: bytes | None

    @property
    def published(self) -> bool:
        return self.visibility == Visibility.PUBLISHED


_COLUMNS = (
    col(Innovation.number),
    col(Innovation.visibility),
    col(Innovation.document),
    col(InnovationVector.model),
    col(InnovationVector.digest),
    col(InnovationVector.vector),
)
_WITH_VECTORS = col(InnovationVector.number) == col(Innovation.number)

_PUBLISHED: Select[*tuple[object, ...]] = (
    select(*_COLUMNS)
    .outerjoin(InnovationVector, _WITH_VECTORS)
    .where(
        col(Innovation.visibility) == bindparam("visibility"),
        col(Innovation.number) > bindparam("after"),
    )
    .order_by(col(Innovation.number))
    .limit(bindparam("limit"))
)


async def published(reader: Reader, after: int) -> list[Entry]:
    """The next published innovations after a number."""
    values = {"visibility": Visibility.PUBLISHED.value, "after": after, "limit": AT_ONCE}
    return [Entry(*row) for row in await reader.rows(_PUBLISHED, values)]


class News(NamedTuple):
    """What lines of the log are about."""

    entries: list[Entry]
    """As they stand now; also such as are published no more."""
    themes: bool
    """Whether a theme is among it."""
    to: int


_LINES = (
    select(col(Change.sequence), col(Change.kind), *_COLUMNS)
    .outerjoin(
        Innovation,
        and_(col(Innovation.id) == col(Change.thing), col(Change.kind) == Kind.INNOVATION.value),
    )
    .outerjoin(InnovationVector, _WITH_VECTORS)
    .where(col(Change.sequence) > bindparam("after"), col(Change.public).is_(True))
    .order_by(col(Change.sequence))
    .limit(bindparam("limit"))
)


async def news(reader: Reader, after: int) -> News:
    """What the next lines after one are about."""
    head = await changes.head(reader)
    rows = await reader.rows(_LINES, {"after": after, "limit": AT_ONCE})
    entries = {row[2]: Entry(*row[2:]) for row in rows if row[2] is not None}
    to = rows[-1][0] if len(rows) == AT_ONCE else max(head, after, *(row[0] for row in rows))
    return News(list(entries.values()), any(row[1] == Kind.THEME for row in rows), to)


_THEMES = select(col(Theme.document)).order_by(col(Theme.number))


async def themes(reader: Reader) -> list[str]:
    """The documents of all themes."""
    return [row[0] for row in await reader.rows(_THEMES, {})]


class Subject(NamedTuple):
    """The innovation that others are compared with."""

    number: int
    title: str
    summary: str


async def subject(reader: Reader, name: str, caller: Caller) -> Subject:
    """An innovation that the caller may see.

    Raises:
        NotFound, Withdrawn
    """
    document = from_json((await reading.get(reader, name, caller)).document)
    return Subject(number_of(document["reference"]), document["title"], document["summary"])


async def documents(reader: Reader, numbers: Sequence[int]) -> dict[int, str]:
    """The documents of those that are published."""
    if not numbers:
        return {}
    values = dict(zip(walks.names("number", len(numbers)), numbers, strict=True))
    rows = await reader.rows(
        _documents(len(numbers)), {**values, "visibility": Visibility.PUBLISHED.value}
    )
    return {row[0]: row[1] for row in rows}


@cache
def _documents(count: int) -> Select[int, str]:
    number = col(Innovation.number)
    return select(number, col(Innovation.document)).where(
        walks.one_of(number, "number", count),
        col(Innovation.visibility) == bindparam("visibility"),
    )


# Writing


# Made once: while it is made, whoever submits something waits.
_DOCUMENTS_NOW = select(col(Innovation.number), col(Innovation.document)).where(
    col(Innovation.number).in_(bindparam("numbers", expanding=True)),
    col(Innovation.visibility) == Visibility.PUBLISHED.value,
)


def documents_now(session: Session, numbers: Iterable[int]) -> dict[int, str]:
    """As :func:`documents`, within a unit of work."""
    rows = session.execute(_DOCUMENTS_NOW, {"numbers": list(numbers)})
    return {row.number: row.document for row in rows}


def keep(session: Session, vectors: Sequence[InnovationVector]) -> None:
    """Stores vectors, in the place of those that were there. It is no line of the log: they say
    nothing that the documents do not.

    Those of a text that stands there no more are left out: it may have been redacted since.
    """
    now = {
        number: texts.digest(texts.of_entry(document["title"], document["summary"]))
        for number, text in documents_now(session, [each.number for each in vectors]).items()
        for document in [from_json(text)]
    }
    current = [vector for vector in vectors if now.get(vector.number) == vector.digest]
    numbers = [vector.number for vector in current]
    session.execute(delete(InnovationVector).where(col(InnovationVector.number).in_(numbers)))
    insert_all(session, InnovationVector, [vector.model_dump() for vector in current])
