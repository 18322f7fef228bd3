"""Running an import: from a file to the register, and to a report of what became of each row.

The file is read twice: once as a whole, so that one which breaks off or is something else is
refused before anything is written; and then row by row, some hundred of them at a time.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO

from sqlmodel import Session

from app import files
from app.errors import Unavailable
from app.files import Format
from app.files.rows import Row
from app.models.imports import ImportMode, ImportQuery
from app.register import imports
from app.register.access import Caller
from app.register.imports import INNOVATIONS, Importable, Judge, Judged, Report, Result

Transact = Callable[[Callable[[Session], None]], None]
"""Runs a function in a transaction, and returns when what it wrote is on disk."""


class Along:
    """What is done along an import; nothing, unless a caller has something to do."""

    def beginning(self, session: Session) -> None:
        """Before anything is written; in atomic mode, in the same transaction."""

    def progress(self, done: int, rows: int) -> None:
        """After some rows."""

    def ending(self, session: Session, report: Report) -> None:
        """When all is written; in atomic mode, in the same transaction."""


class _Undone(Exception):
    """Takes back what a transaction wrote."""


_COLLECTING = gc.get_threshold()


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Lets the collector of garbage look for cycles less often.

    An import makes many objects that live for a chunk, and no cycles. Looking at them each time
    that there are 700 more takes an eighth of its time.
    """
    gc.set_threshold(50_000, *_COLLECTING[1:])
    try:
        yield
    finally:
        gc.set_threshold(*_COLLECTING)


class Import:
    """The import of one file."""

    def __init__(
        self,
        file: IO[bytes],
        form: Format,
        query: ImportQuery,
        by: Caller,
        *,
        along: Along,
        of: Importable = INNOVATIONS,
    ) -> None:
        self._of = of
        self._file = file
        self._form = form
        self._query = query
        self._by = by
        self._along = along
        is_table = form in (Format.CSV, Format.XLSX)
        self._report = Report(of.columns if is_table else None, written=not query.dry_run)
        self._rows = 0

    def run(self, transact: Transact) -> Report:
        """Imports the file, on the thread that it is called on.

        Raises:
            UnreadableFile, ValidationFailed: of the file as a whole; nothing was written.
            Unavailable: in partial mode, what it says to be done is written.
        """
        with _seldom_collecting():
            self._rows = sum(1 for _ in self._read())
            judge = Judge(self._of, accept_flagged=self._query.accept_flagged)
            chunks = judge.chunks(self._read())
            if self._query.mode is ImportMode.ATOMIC:
                with suppress(_Undone):
                    transact(partial(self._all_or_none, chunks=chunks))
            else:
                self._in_part(transact, chunks)
            if not self._report.written:
                self._report.take_back()
        return self._report

    def _read(self) -> Iterator[Row]:
        return files.rows(self._file, self._form, self._of.columns)

    def _all_or_none(self, session: Session, chunks: Iterator[list[Judged]]) -> None:
        self._along.beginning(session)
        for chunk in chunks:
            self._note(imports.write(session, chunk, self._of, by=self._by))
        if self._report.rejected or self._query.dry_run:
            self._report.written = False
            raise _Undone
        self._along.ending(session, self._report)

    def _in_part(self, transact: Transact, chunks: Iterator[list[Judged]]) -> None:
        transact(self._along.beginning)
        for chunk in chunks:
            results: list[Result] = []
            try:
                with suppress(_Undone):
                    transact(partial(self._some, chunk=chunk, results=results))
            except Unavailable as error:
                raise self._broken_off(error) from error
            self._note(results)
        if self._report.written:
            transact(partial(self._along.ending, report=self._report))

    def _some(self, session: Session, chunk: list[Judged], results: list[Result]) -> None:
        results[:] = imports.write(session, chunk, self._of, by=self._by)
        if self._query.dry_run:
            raise _Undone

    def _note(self, results: list[Result]) -> None:
        self._report.add(results)
        self._along.progress(len(self._report.rows), self._rows)

    def _broken_off(self, error: Unavailable) -> Unavailable:
        done = f"{len(self._report.rows):,} of {self._rows:,} rows are done"
        return Unavailable(f"{error.detail} {done}; send the file again for the others.")
