"""What each dialect gives.

Reading and writing take different ways, because they cost different things. A write is rare and
has rules: it goes through one SQLModel session, on one thread (see :mod:`app.database`). A read is
frequent and only joins stored documents: it goes straight to the driver, with SQL that SQLAlchemy
made once for each shape of query. The figures are in decision record 0004.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy import URL, ColumnElement, Connection, Engine, FromClause, Select

from app.settings import Settings

T = TypeVar("T")
Row = tuple[Any, ...]
Values = Mapping[str, object]
Statement = Select[*tuple[Any, ...]]

TextIn = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""Whether a document, which is in no index, has the words of a text query."""

EACH = "[*]"
"""In a path into a document: each of the things that stand there."""

KEPT_STATEMENTS = 4096
"""Statements whose SQL a dialect keeps; a list has one for each shape of its query."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as a driver takes it, with named parameters."""

    sql: str
    constants: Values = field(default_factory=dict)

    @classmethod
    def of(cls, statement: Statement, compiler: sqlalchemy.Dialect) -> Prepared:
        """The statement in the compiler's SQL; what it says of itself goes along as constants."""
        compiled = statement.compile(dialect=compiler)
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return cls(str(compiled), constants)

    def bound(self, values: Values) -> Values:
        """All that the statement needs, with these values."""
        return {**self.constants, **values} if self.constants else values


class TakesLong(Exception):
    """A read asked to be run among the long ones."""


class Reader(Protocol):
    """Runs prepared statements for one read."""

    @property
    def dialect(self) -> Dialect: ...

    async def rows(self, statement: Statement | Prepared, values: Values) -> Sequence[Row]:
        """All rows of the answer.

        A statement must be one that lives on, made once for its shape: its SQL is kept with it.
        """
        ...

    def takes_long(self) -> None:
        """Says that this read is going to be long.

        Raises:
            TakesLong: where short reads run; the read starts again where it holds up nobody.
        """
        ...


Read = Callable[[Reader], Coroutine[Any, Any, T]]


class Reads(Protocol):
    """The connections that reads go over."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def run(self, read: Read[T]) -> T:
        """Runs one read. It may be run again from its start, so it must do nothing but read."""
        ...


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A condition that full-text search makes."""

    condition: ColumnElement[bool]
    score: float | ColumnElement[float]
    """How well what meets it fits; the best is the least."""


@dataclass(frozen=True, slots=True)
class TextSearch:
    """Full-text search as parts of a SELECT; its parameters are what ``text_query`` gives."""

    source: FromClause
    """What to add to FROM."""
    number: ColumnElement[int]
    """The innovation's number, from the side that the database walks in order."""
    anywhere: TextMatch
    best_first: tuple[TextMatch, ...]
    """Conditions that exclude each other, and together are met by all that is found."""
    published: ColumnElement[int] | None = None
    """How many published entries are found, where the index tells that by itself."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts out of a document, a row each."""

    source: FromClause
    text: ColumnElement[str]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One side of an ``or``: all of ``wanted`` and none of ``unwanted``; each a run of words."""

    wanted: tuple[tuple[str, ...], ...]
    unwanted: tuple[tuple[str, ...], ...]


class Dialect(Protocol):
    """One database engine, with all that is its own.

    A statement's hints name the index that serves it; an engine that keeps statistics needs none.
    """

    def __hash__(self) -> int: ...

    name: str
    url: URL
    merges_ordered_walks: bool
    """Whether a union of ordered SELECTs is merged as it is read, so that a limit ends them all."""
    text_search: TextSearch
    story_has_words: ColumnElement[bool]
    """That a story of the table ``story`` has the words of ``text_query``."""
    embedded: bool
    """Whether the service owns the database and brings it to head by itself."""

    def engine(self, settings: Settings) -> Engine:
        """The engine for writes."""
        ...

    def prepare(self, statement: Statement) -> Prepared:
        """A statement as the driver takes it; what was prepared once is kept."""
        ...

    def prepare_once(self, statement: Statement) -> Prepared:
        """The same, for one who keeps it: of SQL that clients shape, statements take too much."""
        ...

    def tidy(self, connection: Connection) -> None:
        """Puts together what many writes have left in many places."""
        ...

    def forget(self, engine: Engine) -> None:
        """Takes what was overwritten or deleted out of the database's own files."""
        ...

    def reads(self, settings: Settings) -> Reads: ...

    def text_query(self, alternatives: Sequence[Alternative]) -> Values:
        """What to look for, in the database's own syntax."""
        ...

    def parsed(self, document: ColumnElement[Any]) -> ColumnElement[Any]:
        """A stored document, to take several things out of it."""
        ...

    def text_at(self, parsed: ColumnElement[Any], *path: str) -> ColumnElement[str]:
        """What stands in a parsed document, as a text; NULL where nothing does."""
        ...

    def by_code_point(self, text: ColumnElement[str]) -> ColumnElement[str]:
        """A text that is ordered by its letters' numbers, whatever language the database has."""
        ...

    def lower(self, text: ColumnElement[str]) -> ColumnElement[str]: ...

    def upper(self, text: ColumnElement[str]) -> ColumnElement[str]: ...

    def position(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[int]:
        """Where a part of a text starts, from 1; 0 where it is not in it."""
        ...

    def texts_at(self, parsed: ColumnElement[Any], *path: str) -> Texts:
        """What stands at each place that the path leads to; it has :data:`EACH` in it, once."""
        ...

    def text_in(self, document: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a document has the words of ``text_query``, in an index or not."""
        ...

    def unavailable(self, error: BaseException) -> bool:
        """Whether the error means "not now": locked, out of reach, shutting down."""
        ...


def prepared_by(dialect: Dialect, statement: Statement | Prepared) -> Prepared:
    """A statement as the driver takes it."""
    return statement if isinstance(statement, Prepared) else dialect.prepare(statement)
