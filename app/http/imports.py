"""The answer to an import, and keeping it for who sends the same file again."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager, nullcontext

from fastapi import Request
from sqlmodel import Session

from app.http import answers
from app.http.uploads import Uploaded
from app.http.writing import Repeat
from app.importing import Along
from app.models.imports import ImportOutcome, ImportQuery
from app.register.access import Caller
from app.register.idempotency import Answer
from app.register.imports import Report

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
