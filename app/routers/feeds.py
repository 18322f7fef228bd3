"""Feeds: the register's news, for whatever reads feeds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth import Reader
from app.errors import InvalidCursor, UnknownOrganisation, UnknownTheme
from app.http import atom, collections
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.finding import InnovationQuery
from app.models.news import NewsQuery
from app.register import changes, finding
from app.routers.parts import Register

router = APIRouter(prefix="/feeds", tags=["innovations"], route_class=Route)


@router.get(
    "/innovations.atom",
    summary="Read the news as an Atom feed",
    response_class=Response,
    responses=problems(InvalidCursor, UnknownTheme, UnknownOrganisation)
    | {
        200: {
            "description": "A feed.",
            "content": {atom.MEDIA_TYPE: {"schema": {"type": "string"}}},
        }
    },
)
async def get_news_feed(
    request: Request,
    register: Register,
    caller: Reader,
    news: Annotated[NewsQuery, Depends(Query(NewsQuery))],
) -> Response:
    """Use it for the news box of an intranet, or in a feed reader: what was submitted last, with
    the filters of the list (`icb=QOP`, `theme=great-teams`, `status=keep`). Each entry has its
    title, organisation, theme, status and tags. What was withdrawn is not in it any more.
    """
    query = InnovationQuery.model_validate(
        news.model_dump(exclude_unset=True) | {"sort": news.sort}
    )
    found = await register.read(finding.page, query, caller, memory=register.memory)
    updated = await register.read(changes.latest)
    content = atom.feed(request, found.items, following=found.next, updated=updated)
    headers = collections.headers(request, found.head)
    return Response(content, headers=headers, media_type=atom.MEDIA_TYPE)
