"""Running an import, its answer, and keeping that for who sends the same file again."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AbstractContextManager, nullcontext

from fastapi import Request, Response
from sqlmodel import Session

from app.database import Database
from app.errors import Fault, ImportRejected
from app.files import Format, template
from app.files.columns import Columns
from app.http import answers, collections
from app.http.problems import MEDIA_TYPE, response_to
from app.http.uploads import Uploaded
from app.http.writing import Repeat, response_of
from app.importing import Along, Import
from app.models.faults import MOST_FAULTS
from app.models.imports import ImportMode, ImportOutcome, ImportQuery
from app.register.access import Caller
from app.register.idempotency import Answer
from app.register.imports import Importable, Report

FRESH = {"Cache-Control": "no-store"}


def answer_to(report: Report, query: ImportQuery) -> str:
    """What became of a file, as JSON."""
    totals = {"rows": len(report.rows)}
    totals |= {outcome.value: report.totals[outcome] for outcome in ImportOutcome}
    first = {"totals": totals, "mode": query.mode, "dry_run": query.dry_run}
    first["written"] = report.written
    return f'{answers.compact(first)[:-1]},"rows":[{",".join(report.rows)}]}}'


class Replayed(Exception):
    """This import was answered before."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class OnceImported(Along):
    """Keeps the answer to an import with an ``Idempotency-Key``, with what it wrote."""

    def __init__(
        self,
        request: Request,
        client: Caller,
        key: str | None,
        upload: Uploaded,
        query: ImportQuery,
    ) -> None:
        self._query = query
        self._repeat: Repeat | None = None
        if client.client and key:
            asked = f"{request.method} {request.url.path} {query.model_dump_json()}"
            fingerprint = hashlib.sha256(f"{asked}\n{upload.digest}".encode()).hexdigest()
            self._repeat = Repeat(request, client.client, key, fingerprint)

    def running(self) -> AbstractContextManager[None]:
        """Refuses the same import while it runs; see :meth:`Repeat.running`."""
        return self._repeat.running() if self._repeat else nullcontext()

    def beginning(self, session: Session) -> None:
        """Ends an import that was answered before.

        Raises:
            IdempotencyKeyReused
        """
        known = self._repeat.recall(session) if self._repeat else None
        if known is not None:
            raise Replayed(known)

    def ending(self, session: Session, report: Report) -> None:
        """Keeps the answer."""
        if self._repeat:
            self._repeat.keep(session, Answer(200, answer_to(report, self._query), FRESH))


async def run(
    request: Request,
    upload: Uploaded,
    query: ImportQuery,
    client: Caller,
    *,
    along: OnceImported,
    of: Importable,
) -> Response:
    """The answer to a file.

    Raises:
        UnreadableFile, ValidationFailed: of the file as a whole.
        IdempotencyKeyReused, StillRunning, Unavailable
    """
    database: Database = request.app.state.database
    with upload.file, along.running():
        try:
            async with request.app.state.imports:
                work = Import(upload.file, upload.form, query, client, along=along, of=of)
                report = await asyncio.to_thread(work.run, database.write_in_turn)
        except Replayed as before:
            return response_of(before.answer, again=True)
    body = answer_to(report, query)
    if report.rejected and query.mode is ImportMode.ATOMIC and not query.dry_run:
        return _rejected(request, report, body)
    return Response(body, headers=FRESH, media_type=answers.JSON)


def _rejected(request: Request, report: Report, body: str) -> Response:
    """The problem that a file with bad rows is, with what became of each row beside it."""
    faults = [
        Fault(f"row:{result.number}{fault.pointer}", fault.code, fault.detail)
        for result in report.rejected[:MOST_FAULTS]
        for fault in result.faults
    ]
    rows = len(report.rows)
    error = ImportRejected(
        f"{len(report.rejected):,} of {rows:,} rows cannot be imported; nothing was written.",
        faults=tuple(faults[:MOST_FAULTS]),
    )
    problem = response_to(error, request)
    whole = bytes(problem.body)[:-1] + b"," + body[1:].encode()
    return Response(whole, error.status, FRESH, media_type=MEDIA_TYPE)


def template_of(columns: Columns, form: Format) -> Response:
    """The template of a table, as CSV or as a workbook."""
    content = template.as_csv(columns) if form is Format.CSV else template.as_xlsx(columns)
    name = f"{columns.sheet}.{'csv' if form is Format.CSV else 'xlsx'}"
    headers = {
        **collections.CACHING,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(content, headers=headers, media_type=form.value)
