"""Decisions on an innovation: keep, retire, or under review."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    Forbidden,
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    StillRunning,
    Superseded,
    Withdrawn,
)
from app.http import answers
from app.http.problems import problems
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.decisions import DecisionCreate, DecisionPage, DecisionPublic
from app.register import decisions, reading
from app.routers import examples
from app.routers.parts import InnovationName, PageOf, Register

router = APIRouter(
    prefix="/v1/innovations/{innovation}/decisions", tags=["decisions"], route_class=Route
)


@router.post(
    "",
    status_code=201,
    response_model=DecisionPublic,
    summary="Decide on an innovation",
    responses=problems(
        NotFound, Withdrawn, Superseded, Forbidden, IdempotencyKeyReused, StillRunning
    ),
)
async def create_decision(
    once: PostOnce,
    client: Contributor,
    innovation: InnovationName,
    decision: Annotated[DecisionCreate, Body(openapi_examples=examples.DECISION)],
) -> Response:
    """Use it when somebody has judged: carry it on (`keep`), never go back to it (`retire`), or
    look at it again (`under_review`). The reason is what others learn from. The decision that was
    decided on last is the innovation's status; older ones may be filled in later.
    """
    return await once(decisions.add, innovation, decision, by=client)


@router.get(
    "",
    response_model=DecisionPage,
    summary="List the decisions on an innovation",
    responses=problems(NotFound, Withdrawn, InvalidCursor),
)
async def list_decisions(
    request: Request, register: Register, caller: Reader, innovation: InnovationName, query: PageOf
) -> Response:
    """Use it to show how the judgement came about: the newest decision first."""
    listed = await register.read(
        reading.decisions, innovation, caller, limit=query.limit, cursor=query.cursor
    )
    return answers.page(request, listed)


@router.get(
    "/{decision}",
    response_model=DecisionPublic,
    summary="Get a decision",
    responses=problems(NotFound, Withdrawn),
)
async def get_decision(
    register: Register,
    caller: Reader,
    innovation: InnovationName,
    decision: Annotated[
        str, Path(description="The decision's `id`.", openapi_examples=examples.LISTED_ID)
    ],
) -> Response:
    """Use it to quote one decision. A decision never changes; a later one takes its place."""
    return answers.one(await register.read(reading.decision, innovation, decision, caller))
