"""Conditional requests (RFC 9110, section 13): If-Match for writes, If-None-Match for reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from starlette.datastructures import Headers

from app.errors import Fault, ValidationFailed
from app.register.stored import Precondition

_TAGS = re.compile(r'\s*(?:(W/)?("[\x21\x23-\x7e]*")|(\*))\s*(?:,|$)')


def _parse(header: str) -> frozenset[str] | None:
    """The tags of the header, weak ones with ``W/``, or ``*`` alone; None when it is neither."""
    tags = set()
    at = 0
    while at < len(header):
        match = _TAGS.match(header, at)
        if match is None:
            return None
        tags.add(match[3] or f"{match[1] or ''}{match[2]}")
        at = match.end()
    return None if "*" in tags and len(tags) > 1 else frozenset(tags)


async def _precondition(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The ETag of the version that you change; `*` for whatever is there now.",
            max_length=1_000,
            openapi_examples={"any": {"summary": "Whatever is there now", "value": "*"}},
        ),
    ] = None,
) -> Precondition | None:
    if if_match is None:
        return None
    # A list may stand in several lines of the header.
    tags = _parse(", ".join(request.headers.getlist("if-match")))
    if not tags:
        fault = Fault("header:If-Match", "not_a_tag", 'Give an ETag in its quotes, like `"3-42"`.')
        raise ValidationFailed("`If-Match` cannot be read.", faults=(fault,))
    # A weak tag never matches here (RFC 9110, section 13.1.1); ours are all strong.
    return Precondition(tags)


IfMatch = Annotated[Precondition | None, Depends(_precondition)]


_KEPT = frozenset({b"etag", b"cache-control", b"vary", b"register-sequence"})
"""What a 304 says of the answer that the client has."""


def unmodified(request: Request, headers: Mapping[str, str]) -> Response | None:
    """A 304 in place of an answer with these headers, if the client has that already."""
    wanted = ", ".join(request.headers.getlist("if-none-match"))
    current = headers.get("ETag")
    if not wanted or current is None or headers.get("Cache-Control") == "no-store":
        return None
    if wanted != current:  # mostly it is this one tag, or another
        tags = _parse(wanted)
        if not tags or tags.isdisjoint(("*", current, f"W/{current}")):
            return None
    answer = Response(status_code=304)
    raw = headers.raw if isinstance(headers, Headers) else Headers(headers).raw
    answer.raw_headers = [(name, value) for name, value in raw if name in _KEPT]
    return answer
