"""The answer to an import, and keeping it for who sends the same file again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request, Response
from sqlmodel import Session

from app.errors import StillRunning
from app.http import answers
from app.http.uploads import Uploaded
from app.importing import Along
from app.models.imports import ImportOutcome, ImportQuery
from app.register import idempotency
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
        self._answer = answer

    def response(self) -> Response:
        """The first answer, again."""
        headers = {**self._answer.headers, "Idempotency-Replayed": "true"}
        return Response(self._answer.body, self._answer.status, headers, media_type=answers.JSON)


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
        self._running: set[tuple[str, str]] = request.app.state.running
        self._name = (client.client, key) if client.client and key else None
        self._query = query
        asked = f"{request.method} {request.url.path} {query.model_dump_json()}"
        self._fingerprint = hashlib.sha256(f"{asked}\n{upload.digest}".encode()).hexdigest()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Refuses the same import while it runs.

        Raises:
            StillRunning
        """
        if self._name is None:
            yield
            return
        if self._name in self._running:
            raise StillRunning("The first import with this key has not been answered yet.")
        self._running.add(self._name)
        try:
            yield
        finally:
            self._running.discard(self._name)

    def beginning(self, session: Session) -> None:
        """Ends an import that was answered before.

        Raises:
            IdempotencyKeyReused
        """
        if self._name is not None:
            known = idempotency.recall(session, *self._name, self._fingerprint)
            if known is not None:
                raise Replayed(known)

    def ending(self, session: Session, report: Report) -> None:
        """Keeps the answer."""
        if self._name is not None:
            answer = Answer(200, answer_to(report, self._query), FRESH)
            idempotency.keep(session, *self._name, self._fingerprint, answer)
