"""The name of a request: the sender's, or one that we make."""

from __future__ import annotations

import re

from starlette.types import Scope

from app.register.identifiers import new_id

_FIT = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")


def request_id(scope: Scope) -> str:
    """The ``X-Request-ID`` of the request, if it has one that can be repeated; else a new one."""
    known: str | None = scope.get("request_id")
    if known is None:
        sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
        known = sent.decode() if sent is not None and _FIT.fullmatch(sent) else new_id()
        scope["request_id"] = known
    return known
