"""The change log: all that was ever accepted, in order."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth import Reader
from app.http import answers, collections
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.changes import ChangePage, ChangesQuery
from app.register import changes
from app.routers.parts import Register

router = APIRouter(prefix="/v1/changes", tags=["changes"], route_class=Route)


@router.get(
    "",
    response_model=ChangePage,
    summary="Follow the change log",
    responses=problems(),
)
async def list_changes(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[ChangesQuery, Depends(Query(ChangesQuery))],
) -> Response:
    """Use it to keep a copy in step: read from `after=0`, keep `page.next`, and come back with it
    for what is new. No line is ever missed, doubled or out of order. A line has the whole thing as
    it was from then on; `withdrawn` says that it is to be taken out. A theme's or an organisation's
    new name is one line of its own, and holds for all innovations that name it. Drafts show to
    their own organisation only, so that others see gaps in the numbers.
    """
    lines = await register.read(changes.page, query, caller)
    where = {
        "limit": lines.limit,
        "total": lines.total,
        "next": lines.next,
        "head": lines.head,
    }
    body = answers.listing(lines.items, where)
    headers = collections.headers(request, lines.head)
    if lines.next < lines.head:
        headers["Link"] = f'<{answers.following(request, after=lines.next)}>; rel="next"'
    return Response(body, headers=headers, media_type=answers.JSON)
