"""What every request goes through, before it is known what it asks for.

Plain ASGI, and one layer for all of it: each layer more costs every answer some microseconds.
"""

from __future__ import annotations

import logging
from urllib.parse import unquote_to_bytes

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.database import Database
from app.errors import HostNotAllowed, InternalError, MalformedRequest, RegisterError
from app.http import problems
from app.http.request_id import request_id
from app.settings import Settings

SEQUENCE = b"register-sequence"

HEAD_ONLY = "register.head_only"
"""Set in the scope of a HEAD, which goes through as a GET; what has no end must not begin then."""

PROBES = frozenset({"/livez", "/readyz"})
"""Supervisors and load balancers ask by address, not by a name; nothing in these depends on it."""

_log = logging.getLogger("register")


class Wire:
    """Names each request, refuses what is not text or not for us, and answers HEAD like GET.

    Every answer gets ``X-Request-ID`` and ``Register-Sequence``: the line of the log that it was
    made from, or (where nothing was read for it) the newest that this process has seen.
    """

    def __init__(self, app: ASGIApp, settings: Settings, database: Database) -> None:
        self._app = app
        self._hosts = {host.lower() for host in settings.allowed_hosts}
        self._any_host = "*" in self._hosts
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = request_id(scope).encode()
        head_only = scope["method"] == "HEAD"
        if head_only:  # in a copy: the server must still know that no body follows
            scope = {**scope, "method": "GET", HEAD_ONLY: True}

        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                headers.append((b"x-request-id", name))
                headers.append((b"x-content-type-options", b"nosniff"))
                made_from = next((value for key, value in headers if key == SEQUENCE), None)
                if made_from is None:
                    headers.append((SEQUENCE, b"%d" % self._database.head_seen))
                else:
                    self._database.saw(int(made_from))
            elif head_only and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, answer)
        except Exception as error:
            if started:  # the client has half an answer; that it breaks off tells the rest
                raise
            if not isinstance(error, RegisterError):
                _log.error("request %s failed", name.decode(), exc_info=error)
                error = InternalError("The service met something unexpected.")
            response = problems.response_to(error, Request(scope))
            await response(scope, receive, answer)

    def _check(self, scope: Scope) -> None:
        """Refuses a host that is not ours, and an address that is not text.

        Raises:
            HostNotAllowed, MalformedRequest
        """
        if not self._any_host and scope["path"] not in PROBES:
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
            # The port does not matter; "[::1]:8000" has its colons in brackets.
            bare = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
            if bare not in self._hosts:
                raise HostNotAllowed("The `Host` of the request is none that this service has.")
        address: bytes = scope.get("raw_path") or b""
        query: bytes = scope["query_string"]
        if b"%" in address or b"%" in query or not (address + query).isascii():
            raw = unquote_to_bytes(address + b"?" + query)
            try:
                text = raw.decode("utf-8")
            except UnicodeDecodeError:
                raise MalformedRequest("The address is not UTF-8.") from None
            if "\0" in text:
                raise MalformedRequest("The address has a NUL in it.")
