"""Answers: from what the register gives to what goes over the wire, without a model in between."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response

from app import __version__
from app.http.query import pairs
from app.register.access import Caller
from app.register.stored import Listed, Stored

JSON = "application/json"


def one(stored: Stored) -> Response:
    """A stored document, as it is stored."""
    return Response(stored.document, headers=_headers(stored), media_type=JSON)


def written(stored: Stored, *, created: bool = False) -> Response:
    """What a write made; 201 with its Location when it is new."""
    headers = _headers(stored)
    if created and stored.location:
        headers["Location"] = stored.location
    return Response(stored.document, 201 if created else 200, headers, media_type=JSON)


def _headers(stored: Stored) -> dict[str, str]:
    headers = {"ETag": stored.etag, **_READ}
    if stored.head is not None:
        headers["Register-Sequence"] = str(stored.head)
    return headers


_READ = {"Cache-Control": "no-cache", "Vary": "Authorization"}


def page(request: Request, listed: Listed, extra: str = "") -> Response:
    """A page of documents; ``extra`` is more JSON members, with a comma before."""
    where = {"limit": listed.limit, "total": listed.total, "next": listed.next}
    body = f'{{"items":[{",".join(listed.items)}],"page":{compact(where)}{extra}}}'
    headers = collection_headers(request, listed.head, listed.day)
    if listed.next is not None:
        headers["Link"] = f'<{following(request, cursor=listed.next)}>; rel="next"'
    return Response(body, headers=headers, media_type=JSON)


def collection_headers(request: Request, head: int, day: date | None = None) -> dict[str, str]:
    """The headers of what is a pure function of the request, the caller and the head of the log.

    So its ETag is the head; with who asks, who may see more than others; with the version of the
    software, which may give the same another shape; and with the day, where that matters.
    """
    caller: Caller = request.scope["caller"]
    audience = "curator" if caller.curates else caller.organisation or "all"
    tag = "-".join(str(part) for part in (__version__, head, audience, day) if part is not None)
    return {"ETag": f'"{tag}"', "Register-Sequence": str(head), **_READ}


def following(request: Request, **changed: object) -> str:
    """The request's own address with these parameters in place of its own."""
    kept = [(name, value) for name, value in pairs(request) if name not in changed]
    query = urlencode([*kept, *((name, str(value)) for name, value in changed.items())])
    return f"{request.scope['path']}?{query}"


def compact(value: Any) -> str:
    """JSON without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
