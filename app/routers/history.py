"""The history of an innovation: each version of it that there was."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.auth import Reader
from app.errors import InvalidCursor, NotFound
from app.http import answers
from app.http.problems import problems
from app.http.route import Route
from app.models.changes import ChangePublic, HistoryPage
from app.register import reading
from app.routers.parts import InnovationName, PageOf, Register

router = APIRouter(
    prefix="/v1/innovations/{innovation}/history", tags=["history"], route_class=Route
)


@router.get(
    "",
    response_model=HistoryPage,
    summary="List the versions of an innovation",
    responses=problems(NotFound, InvalidCursor),
)
async def list_history(
    request: Request, register: Register, caller: Reader, innovation: InnovationName, query: PageOf
) -> Response:
    """Use it to see who changed what, and when: the lines of the change log that are about this
    innovation, the oldest first, each with the whole document as it was from then on. A withdrawn
    innovation has its history, too.
    """
    listed = await register.read(
        reading.history, innovation, caller, limit=query.limit, cursor=query.cursor
    )
    return answers.page(request, listed)


@router.get(
    "/{version}",
    response_model=ChangePublic,
    summary="Get a version of an innovation",
    responses=problems(NotFound),
)
async def get_version(
    register: Register,
    caller: Reader,
    innovation: InnovationName,
    version: Annotated[
        int,
        Path(
            ge=1, le=2**31 - 1, openapi_examples={"first": {"summary": "As submitted", "value": 1}}
        ),
    ],
) -> Response:
    """Use it to read an innovation as it was at a version."""
    return answers.one(await register.read(reading.version, innovation, version, caller))
