"""Never again: the practices that were retired."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth import Reader
from app.errors import InvalidCursor, UnknownOrganisation, UnknownTheme
from app.http import answers
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.never_again import NeverAgainPage, NeverAgainQuery
from app.register import never_again
from app.routers.parts import Register

router = APIRouter(prefix="/v1/never-again", tags=["stories"], route_class=Route)


@router.get(
    "",
    response_model=NeverAgainPage,
    summary="See what never to go back to",
    responses=problems(InvalidCursor, UnknownTheme, UnknownOrganisation),
)
async def list_never_again(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[NeverAgainQuery, Depends(Query(NeverAgainQuery))],
) -> Response:
    """Use it before something old comes back under a new name: the practices that were retired, why
    each was, and what people tell of it. Stories that ask never to go back to something, and are
    linked to no innovation yet, are in `GET /v1/stories?verdict=never_again`. To be told when
    somebody submits such a practice all the same, follow `GET /v1/changes?retired_elsewhere=true`,
    or subscribe with that filter.
    """
    listed = await register.read(never_again.page, query, memory=register.memory)
    return answers.page(request, listed)
