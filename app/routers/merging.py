"""Merging an innovation into another one that says the same."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Response

from app.auth import Curator
from app.errors import (
    IdempotencyKeyReused,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    Superseded,
    TooMany,
    UnknownInnovation,
    Withdrawn,
)
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.innovations import InnovationPublic
from app.models.merging import MergeCreate
from app.register import merging
from app.routers import examples

router = APIRouter(
    prefix="/v1/innovations/{innovation}/merge", tags=["innovations"], route_class=Route
)

_CHANGE = (NotFound, Withdrawn, Superseded, PreconditionRequired, PreconditionFailed)

DuplicateName = Annotated[
    str,
    Path(
        alias="innovation",
        description="The `id`, or the reference, of the one that goes.",
        openapi_examples=examples.MERGED,
    ),
]


@router.post(
    "",
    response_model=InnovationPublic,
    summary="Merge an innovation into another",
    responses=problems(*_CHANGE, UnknownInnovation, TooMany, IdempotencyKeyReused, StillRunning),
)
async def merge_innovation(
    once: PostOnce,
    curator: Curator,
    innovation: DuplicateName,
    wanted: Annotated[MergeCreate, Body(openapi_examples=examples.MERGE)],
    if_match: IfMatch,
) -> Response:
    """Use it when two entries are one practice: the one in the address is `superseded` by the one
    that `into` names. Its evidence, its adoptions and the stories that tell of it go there; it
    leaves all lists and figures, and keeps its own text, decisions and address, which then says
    what took its place. The answer is the one that went. It cannot be undone.
    """
    return await once.changing(merging.merge, innovation, wanted, by=curator, precondition=if_match)
