"""Importing: many entries at once, each created, updated, left as it is, or rejected.

A row with a source is the entry with that source, whether it is there already or not; so a whole
file can be sent again. What is wrong with a row is found before anything of it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json
from sqlalchemy import select
from sqlmodel import Session, col

from app.errors import Fault, RegisterError
from app.files.columns import INNOVATIONS as INNOVATION_COLUMNS
from app.files.columns import STORIES as STORY_COLUMNS
from app.files.columns import Columns
from app.files.rows import Row
from app.models.faults import faults_of
from app.models.imports import ImportOutcome
from app.models.innovations import InnovationCreate
from app.models.organisations import Organisation
from app.models.stories import StoryCreate
from app.models.themes import Theme
from app.register import changes, entries, held, innovations, screening, stories, story_entries
from app.register.access import Caller
from app.register.entries import SourceKey
from app.register.identifiers import INNOVATION, STORY, reference

CHUNK = 250
"""Rows of a transaction, in partial mode: for some fifty milliseconds, others wait to write."""


Entry = InnovationCreate | StoryCreate


@dataclass(frozen=True, slots=True)
class Importable:
    """A kind of entry that files are imported of, and the rules by which one is written."""

    noun: str
    """What several of them are called."""
    prefix: str
    """How their references begin."""
    columns: Columns
    next_number: Callable[[Session], int]
    of_sources: Callable[..., Mapping[SourceKey, Any]]
    made: Callable[..., Any]
    add_all: Callable[..., Any]
    must_be_writable: Callable[..., None]
    replaced: Callable[..., Any]
    themes: Callable[[Any], Iterable[str]]
    """The slugs of the themes that an entry names."""


INNOVATIONS = Importable(
    "innovations",
    INNOVATION,
    INNOVATION_COLUMNS,
    entries.next_number,
    entries.of_sources,
    innovations.made,
    innovations.add_all,
    entries.must_be_writable,
    innovations.replaced,
    lambda entry: (entry.theme, *entry.further_themes),
)
STORIES = Importable(
    "stories",
    STORY,
    STORY_COLUMNS,
    story_entries.next_number,
    story_entries.of_sources,
    stories.made,
    stories.add_all,
    story_entries.must_be_writable,
    stories.replaced,
    lambda entry: entry.themes,
)


class Judged(NamedTuple):
    """A row, and the entry that it is or what is wrong with it."""

    number: int
    entry: Entry | None
    faults: Sequence[Fault] = ()
    accepts_flagged: bool = False


class Result(NamedTuple):
    """What became of a row."""

    number: int
    outcome: ImportOutcome
    id: str | None = None
    reference: str | None = None
    faults: Sequence[Fault] = ()


@dataclass
class Report:
    """What became of a file."""

    columns: Columns | None
    """Of a table."""
    totals: Counter[ImportOutcome] = field(default_factory=Counter)
    rows: list[str] = field(default_factory=list)
    """Each row's result, as JSON."""
    rejected: list[Result] = field(default_factory=list)
    written: bool = True

    def add(self, results: Iterable[Result]) -> None:
        """Takes down what became of some rows."""
        for result in results:
            self.totals[result.outcome] += 1
            self.rows.append(self._json(result))
            if result.faults:
                self.rejected.append(result)

    def take_back(self) -> None:
        """Takes down that nothing was written: what would be new has no id."""
        self.written = False
        self.rows = [_without_id(row) if _CREATED in row else row for row in self.rows]

    def _json(self, result: Result) -> str:
        if not result.faults:
            # Made by hand: there may be a hundred thousand, and nothing in them needs an escape.
            named = f'"{result.id}","reference":"{result.reference}"' if result.id else _UNNAMED
            return (
                f'{{"row":{result.number},"outcome":"{result.outcome}","id":{named},"errors":[]}}'
            )
        errors = [
            {
                "pointer": fault.pointer,
                "column": self.columns.of_pointer(fault.pointer) if self.columns else None,
                "code": fault.code,
                "detail": fault.detail,
                "start": fault.start,
                "end": fault.end,
            }
            for fault in result.faults
        ]
        known = {"row": result.number, "outcome": result.outcome}
        return to_json({**known, "id": None, "reference": None, "errors": errors}).decode()


_UNNAMED = 'null,"reference":null'
_CREATED = f'"outcome":"{ImportOutcome.CREATED}"'


def _without_id(row: str) -> str:
    return to_json({**from_json(row), "id": None, "reference": None}).decode()


class Judge:
    """Judges the rows of a file by what they say alone."""

    def __init__(self, of: Importable, *, accept_flagged: bool = False) -> None:
        self._entry: type[Any] = of.columns.entry
        self._accept_flagged = accept_flagged
        self._sources: dict[tuple[str, str], int] = {}

    def chunks(self, rows: Iterator[Row]) -> Iterator[list[Judged]]:
        """The rows, judged, as many at a time as are written at a time."""
        while chunk := [self._judged(row) for row in islice(rows, CHUNK)]:
            yield chunk

    def _judged(self, row: Row) -> Judged:
        if row.fault is not None:
            return Judged(row.number, None, (row.fault,))
        try:
            if isinstance(row.entry, bytes):
                entry = self._entry.model_validate_json(row.entry)
            else:
                entry = self._entry.model_validate(row.entry)
        except ValidationError as error:
            return Judged(row.number, None, faults_of(error, "#"))
        if entry.source is not None:
            source = (entry.source.system, entry.source.id)
            first = self._sources.setdefault(source, row.number)
            if first != row.number:
                words = f"Row {first} of the file has the same source."
                return Judged(row.number, None, (Fault("#/source", "repeated_in_file", words),))
        flagged = screening.faults(_sent(row))
        if flagged and not self._accept_flagged:
            return Judged(row.number, None, flagged)
        return Judged(row.number, entry, accepts_flagged=bool(flagged))


def _sent(row: Row) -> Any:
    """A row as it was sent; the entry has its texts without the space around them."""
    return from_json(row.entry) if isinstance(row.entry, bytes) else row.entry


def write(session: Session, rows: Sequence[Judged], of: Importable, *, by: Caller) -> list[Result]:
    """Writes what can be written of some rows."""
    known = _known(session, rows, of, by)
    _hold(session, rows, of, by)
    number = of.next_number(session)
    new: list[Any] = []
    results: list[Result] = []
    for row in rows:
        entry = row.entry
        if entry is None:
            results.append(Result(row.number, ImportOutcome.REJECTED, faults=row.faults))
            continue
        who = replace(by, accepts_flagged=True) if row.accepts_flagged else by
        try:
            key = _key(entry, by)
            there = known.get(key) if key else None
            if there is None:
                new.append(of.made(session, entry, number, by=who))
                outcome, id, at = ImportOutcome.CREATED, new[-1].document.id, number
                number += 1
            else:
                outcome, id, at = _changed(session, there, entry, of, who), there.id, there.number
        except RegisterError as error:
            results.append(Result(row.number, ImportOutcome.REJECTED, faults=_faults(error)))
        else:
            results.append(Result(row.number, outcome, id, reference(at, of.prefix)))
    of.add_all(session, new)
    changes.write_out(session)
    return results


def _changed(session: Session, row: Any, entry: Entry, of: Importable, by: Caller) -> ImportOutcome:
    of.must_be_writable(row, by=by)
    version = row.version
    of.replaced(session, row, entry, by=by)
    return ImportOutcome.UNCHANGED if row.version == version else ImportOutcome.UPDATED


def _faults(error: RegisterError) -> Sequence[Fault]:
    return error.faults or (Fault("#", error.slug.replace("-", "_"), error.detail),)


def _known(
    session: Session, rows: Sequence[Judged], of: Importable, by: Caller
) -> Mapping[SourceKey, Any]:
    """The entries that are there already."""
    keys = (_key(row.entry, by) for row in rows if row.entry is not None)
    return of.of_sources(session, [key for key in keys if key is not None])


def _key(entry: Entry, by: Caller) -> SourceKey | None:
    submitter = by.organisation or entry.organisation
    if entry.source is None or submitter is None:
        return None
    return submitter, entry.source.system, entry.source.id


def _hold(session: Session, rows: Sequence[Judged], of: Importable, by: Caller) -> None:
    """Fetches the themes and organisations that some rows name."""
    entries = [row.entry for row in rows if row.entry is not None]
    slugs = {slug for entry in entries for slug in of.themes(entry)}
    codes = {code for entry in entries for code in (entry.organisation, by.organisation) if code}
    themes = session.scalars(select(Theme).where(col(Theme.slug).in_(slugs)))
    named = session.scalars(select(Organisation).where(col(Organisation.code).in_(codes)))
    held.hold(session, [*((row.slug, row) for row in themes), *((row.code, row) for row in named)])
