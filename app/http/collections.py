"""Collections: what is a pure function of the request, of who asks, and of the log up to its head.

So the head, one tiny read, tells whether a client has it already, before any of it is made.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

from fastapi import Request, Response

from app import __version__
from app.database import Database
from app.http import conditional
from app.register.access import Caller

CACHING = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization"}
NO_CACHING = {**CACHING, "Cache-Control": "no-store"}
"""For what is not in the log, like the last use of a key: it changes, and no ETag tells."""


def headers(request: Request, head: int, day: date | None = None) -> dict[str, str]:
    """The headers of a collection; with the day, where the answer depends on that, too."""
    return {"ETag": _tag(request, head, day), "Register-Sequence": str(head), **CACHING}


def _tag(request: Request, head: int, day: date | None = None) -> str:
    """The software's version (another may give it another shape), the head, who asks, and for what.

    The request is in the tag so that a tag which fits proves that just this was answered before.
    """
    caller: Caller = request.scope["caller"]
    audience = "curator" if caller.curates else caller.organisation or "all"
    scope = request.scope
    target = scope["path"].encode() + b"?" + scope["query_string"]
    asked = hashlib.blake2b(target, digest_size=6).hexdigest()
    parts = (__version__, head, audience, asked, day)
    return f'"{"-".join(str(part) for part in parts if part is not None)}"'


async def unchanged(request: Request) -> Response | None:
    """A 304, if the client has the collection as it is."""
    wanted = request.headers.get("if-none-match")
    if wanted is None or f'"{__version__}-' not in wanted:  # it is no collection's tag
        return None
    database: Database = request.app.state.database
    head = await database.head()
    for day in (None, datetime.now(UTC).date()):
        answer = conditional.unmodified(request, headers(request, head, day))
        if answer is not None:
            return answer
    return None
