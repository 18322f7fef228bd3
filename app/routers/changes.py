"""The change log: all that was ever accepted, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import StreamingResponse

from app import following
from app.auth import Reader
from app.errors import Fault, NotInstalled, UnknownOrganisation, UnknownTheme, ValidationFailed
from app.http import answers, collections
from app.http.middleware import HEAD_ONLY
from app.http.preferred import MediaRange, accepted, preferred
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.feed import ChangePage, ChangesQuery
from app.news import Growing
from app.register.feed import Lines
from app.routers.parts import Judged, Register

router = APIRouter(prefix="/v1/changes", tags=["changes"], route_class=Route)

EVENTS = "text/event-stream"


@router.get(
    "",
    response_model=ChangePage,
    summary="Follow the change log",
    responses=problems(UnknownTheme, UnknownOrganisation, NotInstalled)
    | {
        200: {
            "content": {
                EVENTS: {
                    "schema": {
                        "type": "string",
                        "description": "Server-sent events: `data` is a line, `id` its `sequence`.",
                    }
                }
            }
        }
    },
    openapi_extra={
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "For a stream: the `id` of the last event, in place of `after`.",
                "schema": {"type": "string"},
            }
        ]
    },
)
async def list_changes(
    request: Request,
    register: Register,
    judged: Judged,
    caller: Reader,
    query: Annotated[ChangesQuery, Depends(Query(ChangesQuery))],
) -> Response:
    """Use it to keep a copy in step: read from `after=0`, keep `page.next`, and come back with it
    for what is new. No line is ever missed, doubled or out of order. A line has the whole thing as
    it was from then on; `withdrawn` and `superseded` (it was merged into another) say that it is to
    be taken out. A theme's or an organisation's new name is one line of its own, and holds for all
    innovations that name it. Drafts show to their own organisation only, so that others see gaps in
    the numbers.

    With filters you also get the line by which an entry stops to fit, so that you can take it out.
    `retired_elsewhere=true` is not for a copy: it tells of submissions that are like what another
    organisation has retired, and why that was retired.

    To hear of news at once, ask with `wait=30`: the answer comes as soon as there is something, or
    empty after so many seconds. Or ask with `Accept: text/event-stream` for server-sent events,
    which go on where `Last-Event-ID` says; a stream ends after five minutes, and a browser's
    `EventSource` then reconnects by itself.
    """
    await following.must_exist(register, query, at="?")
    news: Growing = register.news
    if query.retired_elsewhere:
        judged.must_be_possible()
        await judged.catch_up()
        news = judged
    if preferred(accepted(request), (answers.JSON, EVENTS), MediaRange.fits) == EVENTS:
        query = _from_last(request, query)
        return await _stream(request, following.stream(register, query, caller, news))
    lines = await following.page(register, query, caller, news)
    where = {
        "limit": query.limit,
        "total": lines.head - query.after,
        "next": lines.next,
        "head": lines.head,
    }
    body = answers.listing([line.text for line in lines.items], where)
    headers = collections.headers(request, lines.head)
    if query.wait or query.retired_elsewhere:
        # Sent back, it would end the next wait at once; and what is judged moves without the head.
        del headers["ETag"]
    if lines.next < lines.head:
        headers["Link"] = f'<{answers.following(request, after=lines.next)}>; rel="next"'
    return Response(body, headers=headers, media_type=answers.JSON)


async def _stream(request: Request, found: AsyncIterator[Lines]) -> Response:
    headers = {
        **collections.NO_CACHING,
        "X-Accel-Buffering": "no",
    }  # which is to say: nginx, pass it on at once
    if HEAD_ONLY in request.scope:
        return Response(headers=headers, media_type=EVENTS)
    first = await anext(found)  # so that what is wrong with the query is a problem, not a stream
    return StreamingResponse(_events(first, found), headers=headers, media_type=EVENTS)


def _from_last(request: Request, query: ChangesQuery) -> ChangesQuery:
    """The query, from where a stream broke off."""
    last = request.headers.get("last-event-id")
    return query.model_copy(update={"after": _sequence(last)}) if last else query


def _sequence(last_event_id: str) -> int:
    if not last_event_id.isascii() or not last_event_id.isdecimal() or len(last_event_id) > 15:
        fault = Fault("header:Last-Event-ID", "not_a_sequence", "Send the last event's `id`.")
        raise ValidationFailed("`Last-Event-ID` is none of this stream.", faults=(fault,))
    return int(last_event_id)


async def _events(first: Lines, more: AsyncIterator[Lines]) -> AsyncIterator[str]:
    """The lines as server-sent events (HTML, section 9.2)."""
    yield f"retry: 2000\n{_event(first)}"
    async for lines in more:
        yield _event(lines)


def _event(lines: Lines) -> str:
    events = [f"id: {line.sequence}\ndata: {line.text}\n\n" for line in lines.items]
    # Without data it is no event, but notes how far the client has come, and that we are there.
    return "".join(events) + f"id: {lines.next}\n\n"
