"""Innovations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    DuplicateSource,
    Forbidden,
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    OrganisationClosed,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    Superseded,
    UnknownOrganisation,
    UnknownTheme,
    Withdrawn,
)
from app.http import answers
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.fields import SourceId, SourceSystem
from app.models.finding import AsOfQuery, InnovationPage, InnovationQuery
from app.models.innovations import InnovationCreate, InnovationPublic, InnovationUpdate, Source
from app.models.likeness import InnovationCreated
from app.register import finding, innovations, reading
from app.routers import examples
from app.routers.parts import Alike, InnovationName, Register, WithdrawalQuery

router = APIRouter(prefix="/v1/innovations", tags=["innovations"], route_class=Route)

_ENTRY = (UnknownTheme, UnknownOrganisation, OrganisationClosed, DuplicateSource, Forbidden)
_POST = (IdempotencyKeyReused, StillRunning)
_CHANGE = (NotFound, Withdrawn, Forbidden, PreconditionRequired, PreconditionFailed)


# What is asked for most comes first: routes are tried in their order.


@router.get(
    "",
    response_model=InnovationPage,
    summary="List and search innovations",
    responses=problems(InvalidCursor, UnknownTheme, UnknownOrganisation),
)
async def list_innovations(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[InnovationQuery, Depends(Query(InnovationQuery))],
) -> Response:
    """Use it for a dashboard, a search box or a news list. Of one filter any value fits (repeat
    it), and all filters must fit. Follow `page.next` (or the `Link` header) until it is null. To
    learn what changed since last night, follow `GET /v1/changes` instead: it tells of withdrawals,
    too.
    """
    found = await register.read(finding.page, query, caller, memory=register.memory)
    return answers.page(request, found, answers.facets(found.facets))


@router.get(
    "/{innovation}",
    response_model=InnovationPublic,
    summary="Get an innovation",
    responses=problems(NotFound, Withdrawn),
)
async def get_innovation(
    register: Register,
    caller: Reader,
    innovation: InnovationName,
    when: Annotated[AsOfQuery, Depends(Query(AsOfQuery))],
) -> Response:
    """Use it to show one innovation with its evidence and its newest decision. The `id` and the
    reference (`INN-000123`) both find it. A withdrawn one answers 410, with the reason; one that
    was merged into another is there, with `superseded_by` and a `Link` to that one. With `as_of`,
    it is shown as it was.
    """
    if when.as_of is not None:
        return answers.one(await register.read(reading.get_as_of, innovation, caller, when.as_of))
    return answers.one(await register.read(reading.get, innovation, caller))


@router.post(
    "",
    status_code=201,
    response_model=InnovationCreated,
    summary="Submit an innovation",
    responses=problems(*_ENTRY, *_POST),
)
async def create_innovation(
    once: PostOnce,
    client: Contributor,
    alike: Alike,
    entry: Annotated[InnovationCreate, Body(openapi_examples=examples.INNOVATION)],
) -> Response:
    """Use it to submit an innovation as it happens. Only `title`, `summary` and `theme` are
    required; the organisation is your key's own, unless you name one below it. With an
    `Idempotency-Key` it is safe to send again. If you keep ids of your own, and send whole files
    again and again, use `PUT /v1/innovations/by-source/{system}/{id}`. The answer names what may be
    the same practice, beside the innovation: show it to the submitter, or pass it over.
    """
    return await once(alike.seek(entry).told(innovations.add), entry, by=client)


@router.get(
    "/by-source/{system}/{id:path}",
    response_model=InnovationPublic,
    summary="Get an innovation by your own id",
    responses=problems(NotFound, Withdrawn),
)
async def get_innovation_by_source(
    register: Register,
    client: Contributor,
    system: Annotated[SourceSystem, Path(openapi_examples=examples.SYSTEM)],
    id: Annotated[SourceId, Path(openapi_examples=examples.SOURCE_ID)],
) -> Response:
    """Use it to find what the register holds under an id of your own system, and its ETag for the
    next PUT. Ids are your organisation's own: another's `intranet` is another system.
    """
    source = Source(system=system, id=id)
    return answers.one(await register.read(reading.get_by_source, source, client))


@router.put(
    "/by-source/{system}/{id:path}",
    response_model=InnovationPublic,
    summary="Create or update an innovation by your own id",
    responses=problems(*_ENTRY, Withdrawn, PreconditionRequired, PreconditionFailed)
    | {201: {"model": InnovationPublic, "description": "It is new."}},
)
async def put_innovation_by_source(
    register: Register,
    client: Contributor,
    system: Annotated[SourceSystem, Path(openapi_examples=examples.SYSTEM)],
    id: Annotated[SourceId, Path(openapi_examples=examples.SOURCE_ID)],
    entry: Annotated[InnovationCreate, Body(openapi_examples=examples.INNOVATION)],
    if_match: IfMatch,
) -> Response:
    """Use it to keep the register in step with a system of your own: the entry becomes what you
    send, and what you leave out goes back to its default. 201 when it is new, 200 when it was
    there; sending the same again changes nothing. Over an existing entry, `If-Match` is asked for
    (428 says so): the ETag that you last saw, or `*` if your system is the only one that writes.
    """
    source = Source(system=system, id=id)
    stored, created = await register.write(
        innovations.put_by_source, source, entry, by=client, precondition=if_match
    )
    return answers.written(stored, created=created)


@router.patch(
    "/{innovation}",
    response_model=InnovationPublic,
    summary="Change an innovation",
    responses=problems(*_CHANGE, *_ENTRY),
)
async def update_innovation(
    register: Register,
    client: Contributor,
    innovation: InnovationName,
    patch: Annotated[InnovationUpdate, Body(openapi_examples=examples.INNOVATION_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it to correct or complete an entry: a merge patch (RFC 7396), so what you leave out
    stays, and null empties. Publish a draft with `{"visibility": "published"}`. Decisions and
    evidence have addresses of their own.
    """
    stored = await register.write(
        innovations.change, innovation, patch, by=client, precondition=if_match
    )
    return answers.written(stored)


@router.delete(
    "/{innovation}",
    response_model=InnovationPublic,
    summary="Withdraw an innovation",
    responses=problems(*_CHANGE, Superseded),
)
async def withdraw_innovation(
    register: Register,
    client: Contributor,
    innovation: InnovationName,
    why: Annotated[WithdrawalQuery, Depends(Query(WithdrawalQuery))],
    if_match: IfMatch,
) -> Response:
    """Use it when an entry should not be there, as it was submitted by mistake. It leaves all
    lists, its address answers 410 with the reason, and the change log tells its followers. A
    practice that should not be done any more is not withdrawn: give it the decision `retire`. One
    that says the same as another is better merged into that, with what others added to it.
    """
    stored = await register.write(
        innovations.withdraw, innovation, why.reason, by=client, precondition=if_match
    )
    return answers.written(stored)
