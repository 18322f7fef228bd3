"""Answers: from what the register gives to what goes over the wire, without a model in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request, Response
from pydantic_core import to_json

from app.http import collections
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
    return Response(stored.body, 201 if created else 200, headers, media_type=JSON)


def _headers(stored: Stored) -> dict[str, str]:
    # What does not last has an ETag still, for a change of it to be made on condition.
    caching = collections.CACHING if stored.lasting else collections.NO_CACHING
    headers = {"ETag": stored.etag, **caching}
    if stored.head is not None:
        headers["Register-Sequence"] = str(stored.head)
    if stored.successor is not None:
        headers["Link"] = f'<{stored.successor}>; rel="successor-version"'
    return headers


def page(request: Request, listed: Listed, extra: str = "") -> Response:
    """A page of documents; ``extra`` is more JSON members, with a comma before."""
    where = {"limit": listed.limit, "total": listed.total, "next": listed.next}
    body = listing(listed.items, where, extra)
    headers = (
        collections.headers(request, listed.head, listed.day)
        if listed.lasting
        else {"Register-Sequence": str(listed.head), **collections.NO_CACHING}
    )
    if listed.next is not None:
        headers["Link"] = f'<{following(request, cursor=listed.next)}>; rel="next"'
    return Response(body, headers=headers, media_type=JSON)


def facets(counted: Mapping[str, Sequence[tuple[str, int]]]) -> str:
    """The counts of a list, as what :func:`page` adds; nothing if none were asked for."""
    if not counted:
        return ""
    told = {
        facet: [{"value": value, "count": count} for value, count in counts]
        for facet, counts in counted.items()
    }
    return f',"facets":{compact(told)}'


def listing(items: Sequence[str], where: Mapping[str, Any], extra: str = "") -> bytes:
    """The JSON of a list.

    It is put together once: a page is large, and a copy of it takes longer than all of its parts.
    """
    parts = [b'{"items":[']
    for item in items:
        parts += (item.encode(), b",")
    if items:
        parts.pop()
    parts.append(f'],"page":{compact(where)}{extra}}}'.encode())
    return b"".join(parts)


def following(request: Request, **changed: str | int | None) -> str:
    """The request's own address with a cursor, or a place in the log, in place of its own.

    What is changed to None is left out.
    """
    sent: bytes = request.scope["query_string"]
    own = quote(sent, safe="!$%&'()*+,/:;=?@~").split("&")
    kept = [part for part in own if part and unquote(part.partition("=")[0]) not in changed]
    kept += [f"{name}={value}" for name, value in changed.items() if value is not None]
    return f"{request.scope['path']}?{'&'.join(kept)}"


def compact(value: Any) -> str:
    """JSON without spaces."""
    return to_json(value).decode()
