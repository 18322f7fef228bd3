"""Writing over HTTP: every POST may be repeated safely, with an ``Idempotency-Key``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Concatenate, ParamSpec

from fastapi import Depends, Header, Request, Response
from sqlmodel import Session

from app.database import Database
from app.errors import StillRunning
from app.http import answers
from app.register import idempotency
from app.register.access import Caller
from app.register.idempotency import Answer
from app.register.stored import Stored

P = ParamSpec("P")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="A name of your choice for this one request, a random UUID for example. If "
        "the connection breaks, send the same request with the same key again: it is carried out "
        "once, and you get the first answer. Kept for 24 hours.",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
    ),
]


class Repeat:
    """A request that may be repeated: whose it is, its key, and a digest of what it asks for."""

    def __init__(self, request: Request, client: str, key: str, fingerprint: str) -> None:
        self._running: set[tuple[str, str]] = request.app.state.running
        self._name = (client, key)
        self._fingerprint = fingerprint

    @contextmanager
    def running(self) -> Iterator[None]:
        """Refuses the same request while this one runs.

        Raises:
            StillRunning
        """
        if self._name in self._running:
            raise StillRunning("The first request with this key has not been answered yet.")
        self._running.add(self._name)
        try:
            yield
        finally:
            self._running.discard(self._name)

    def recall(self, session: Session) -> Answer | None:
        """The first answer; see :func:`app.register.idempotency.recall`."""
        return idempotency.recall(session, *self._name, self._fingerprint)

    def keep(self, session: Session, answer: Answer) -> None:
        """Keeps the answer, with what was written for it."""
        idempotency.keep(session, *self._name, self._fingerprint, answer)


def response_of(answer: Answer, *, again: bool) -> Response:
    """An answer, for the first time or again."""
    headers = {**answer.headers, **({"Idempotency-Replayed": "true"} if again else {})}
    return Response(answer.body, answer.status, headers, media_type=answers.JSON)


class Once:
    """Runs what a POST does, once for its key; and answers with what came of it."""

    def __init__(self, request: Request, idempotency_key: IdempotencyKey = None) -> None:
        self._request = request
        self._key = idempotency_key

    async def __call__(
        self,
        add: Callable[Concatenate[Session, P], Stored],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        """The answer to the POST: 201, with what is new.

        Raises:
            IdempotencyKeyReused, StillRunning, and what ``add`` raises.
        """
        return await self._answered(True, add, *args, **kwargs)

    async def changing(
        self,
        change: Callable[Concatenate[Session, P], Stored],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        """The answer to a POST that makes nothing new, but changes what is there: 200.

        Raises:
            IdempotencyKeyReused, StillRunning, and what ``change`` raises.
        """
        return await self._answered(False, change, *args, **kwargs)

    async def _answered(
        self,
        created: bool,
        write: Callable[Concatenate[Session, P], Stored],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Response:
        database: Database = self._request.app.state.database
        caller: Caller = self._request.scope["caller"]
        if self._key is None or caller.client is None:
            stored = await database.write(write, *args, **kwargs)
            return answers.written(stored, created=created)
        repeat = Repeat(self._request, caller.client, self._key, await self._fingerprint())

        def work(session: Session) -> tuple[Answer, bool]:
            known = repeat.recall(session)
            if known is not None:
                return known, True
            stored = write(session, *args, **kwargs)
            response = answers.written(stored, created=created)
            headers = {
                name: value
                for name, value in response.headers.items()
                if name not in ("content-length", "content-type")
            }
            answer = Answer(response.status_code, stored.body, headers)
            kept = answer if stored.again is None else replace(answer, body=stored.again)
            repeat.keep(session, kept)
            return answer, False

        with repeat.running():
            answer, again = await database.write(work)
        return response_of(answer, again=again)

    async def _fingerprint(self) -> str:
        scope = self._request.scope
        target = f"{scope['method']} {scope['path']}?".encode() + scope["query_string"]
        return hashlib.sha256(target + b"\n" + await self._request.body()).hexdigest()


PostOnce = Annotated[Once, Depends()]
