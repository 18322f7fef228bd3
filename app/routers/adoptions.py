"""Adoptions: where other organisations stand with an innovation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    Forbidden,
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    OrganisationClosed,
    PositionTaken,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    Superseded,
    TooMany,
    UnknownOrganisation,
    Withdrawn,
)
from app.http import answers
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.adoptions import AdoptionCreate, AdoptionPage, AdoptionPublic, AdoptionUpdate
from app.models.changes import HistoryPage
from app.register import adoption_reading as reading
from app.register import adoptions
from app.routers import examples
from app.routers.parts import InnovationName, PageOf, Register

router = APIRouter(
    prefix="/v1/innovations/{innovation}/adoptions", tags=["adoptions"], route_class=Route
)

AdoptionName = Annotated[
    str,
    Path(
        alias="adoption",
        description="The `id` of the adoption.",
        openapi_examples=examples.LISTED_ID,
    ),
]
_ENTRY = (UnknownOrganisation, OrganisationClosed, PositionTaken, TooMany)
_POST = (IdempotencyKeyReused, StillRunning)
_CHANGE = (NotFound, Withdrawn, Superseded, Forbidden, PreconditionRequired, PreconditionFailed)


@router.post(
    "",
    status_code=201,
    response_model=AdoptionPublic,
    summary="Say where an organisation stands with an innovation",
    responses=problems(NotFound, Withdrawn, Superseded, Forbidden, *_ENTRY, *_POST),
)
async def create_adoption(
    once: PostOnce,
    client: Contributor,
    innovation: InnovationName,
    adoption: Annotated[AdoptionCreate, Body(openapi_examples=examples.ADOPTION)],
) -> Response:
    """Use it when you consider, pilot or adopt what another organisation did first, and to say that
    you stopped, and why. The organisation is your key's own, unless you name one below it. It has
    one position on an innovation; when the stage changes, PATCH that.
    """
    return await once(adoptions.add, innovation, adoption, by=client)


@router.get(
    "",
    response_model=AdoptionPage,
    summary="List the adoptions of an innovation",
    responses=problems(NotFound, Withdrawn, InvalidCursor),
)
async def list_adoptions(
    request: Request, register: Register, caller: Reader, innovation: InnovationName, query: PageOf
) -> Response:
    """Use it to see who else has an innovation, what came of it there, and why some stopped: in the
    order in which they came.
    """
    listed = await register.read(
        reading.page, innovation, caller, limit=query.limit, cursor=query.cursor
    )
    return answers.page(request, listed)


@router.get(
    "/{adoption}",
    response_model=AdoptionPublic,
    summary="Get an adoption",
    responses=problems(NotFound, Withdrawn),
)
async def get_adoption(
    register: Register, caller: Reader, innovation: InnovationName, adoption: AdoptionName
) -> Response:
    """Use it for the ETag that a change of it asks for. One that was withdrawn answers 410. It is
    found under an innovation that was merged into another, too, where it was before.
    """
    return answers.one(await register.read(reading.get, innovation, adoption, caller))


@router.get(
    "/{adoption}/history",
    response_model=HistoryPage,
    summary="List the versions of an adoption",
    responses=problems(NotFound, InvalidCursor),
)
async def list_adoption_history(
    request: Request,
    register: Register,
    caller: Reader,
    innovation: InnovationName,
    adoption: AdoptionName,
    query: PageOf,
) -> Response:
    """Use it to see how far an organisation came, and when: from considering to adopted, or to
    stopped. They are the lines of the change log that are about this adoption, the oldest first. A
    withdrawn one has its history, too.
    """
    listed = await register.read(
        reading.history, innovation, adoption, caller, limit=query.limit, cursor=query.cursor
    )
    return answers.page(request, listed)


@router.patch(
    "/{adoption}",
    response_model=AdoptionPublic,
    summary="Change an adoption",
    responses=problems(*_CHANGE),
)
async def update_adoption(
    register: Register,
    client: Contributor,
    innovation: InnovationName,
    adoption: AdoptionName,
    patch: Annotated[AdoptionUpdate, Body(openapi_examples=examples.ADOPTION_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it when the organisation moves on to another stage, or has learnt more: a merge patch, so
    what you leave out stays, and null empties. Another stage without `since` has been so since
    today. Whoever stopped says why in `learnt`.
    """
    stored = await register.write(
        adoptions.change, innovation, adoption, patch, by=client, precondition=if_match
    )
    return answers.written(stored)


@router.delete(
    "/{adoption}",
    status_code=204,
    summary="Withdraw an adoption",
    responses=problems(*_CHANGE),
)
async def withdraw_adoption(
    register: Register,
    client: Contributor,
    innovation: InnovationName,
    adoption: AdoptionName,
    if_match: IfMatch,
) -> Response:
    """Use it for an adoption that was entered in error; its history stays. An organisation that no
    longer does it has `stopped`, which is worth telling: PATCH it, and say why.
    """
    stored = await register.write(
        adoptions.remove, innovation, adoption, by=client, precondition=if_match
    )
    return Response(status_code=204, headers={"Register-Sequence": str(stored.head)})
