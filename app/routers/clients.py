"""Clients: who has a key, what it may do, and until when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request, Response

from app.auth import Admin
from app.errors import (
    ClientNotValid,
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    UnknownOrganisation,
)
from app.http import answers
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.clients import (
    ClientCreate,
    ClientPage,
    ClientPublic,
    ClientQuery,
    ClientUpdate,
    ClientWithKey,
    Rotation,
)
from app.register import client_reading, clients
from app.routers import examples
from app.routers.parts import Register

router = APIRouter(prefix="/v1/clients", tags=["clients"], route_class=Route)

ClientName = Annotated[
    str, Path(description="The client's `id`.", openapi_examples=examples.LISTED_ID)
]
_POST = (IdempotencyKeyReused, StillRunning)
_CHANGE = (NotFound, PreconditionRequired, PreconditionFailed, ClientNotValid)


@router.get(
    "",
    response_model=ClientPage,
    summary="List the clients",
    responses=problems(InvalidCursor),
)
async def list_clients(
    request: Request,
    register: Register,
    admin: Admin,
    query: Annotated[ClientQuery, Depends(Query(ClientQuery))],
) -> Response:
    """Use it to see who has a key, and which keys nobody uses any more. A use shows within ten
    minutes. It changes without a line in the change log, so the answer has no ETag.
    """
    return answers.page(request, await register.read(client_reading.page, query))


@router.get(
    "/{client}",
    response_model=ClientPublic,
    summary="Get a client",
    responses=problems(NotFound),
)
async def get_client(register: Register, admin: Admin, client: ClientName) -> Response:
    """Use it to see whether a new key is in use already, and for the ETag that a change asks for.
    The ETag names what was last changed of the client: the use of its keys is not in it, so
    `If-None-Match` is always answered in full.
    """
    return answers.one(await register.read(client_reading.get, client))


@router.post(
    "",
    status_code=201,
    response_model=ClientWithKey,
    summary="Add a client",
    responses=problems(UnknownOrganisation, *_POST),
)
async def create_client(
    once: PostOnce,
    admin: Admin,
    client: Annotated[ClientCreate, Body(openapi_examples=examples.CLIENT)],
) -> Response:
    """Use it to give a system a key of its own. The `key` is in this answer and nowhere else: the
    register keeps only its hash. So a request that is sent again with its `Idempotency-Key` is
    told the client, but `key` is null; if the first answer was lost, ask for a new key with `POST
    /v1/clients/{client}/keys`. An admin may give any scope, `admin` included.
    """
    return await once(clients.create, client, by=admin)


@router.post(
    "/{client}/keys",
    status_code=201,
    response_model=ClientWithKey,
    summary="Give a client a new key",
    responses=problems(NotFound, ClientNotValid, *_POST),
)
async def create_client_key(
    once: PostOnce,
    admin: Admin,
    client: ClientName,
    rotation: Annotated[Rotation, Body(openapi_examples=examples.ROTATION)],
) -> Response:
    """Use it to change a key without an interruption: the old one keeps working for the overlap,
    while the system is given the new one. Two keys are valid at most: the one that keeps working is
    the newest that was ever used, and any other ends now. So if the answer was lost, ask again.
    With `"overlap_hours": 0` every older key ends now, as when one has come into wrong hands.
    """
    return await once(clients.replace_key, client, rotation, by=admin)


@router.patch(
    "/{client}",
    response_model=ClientPublic,
    summary="Change a client",
    responses=problems(*_CHANGE),
)
async def update_client(
    register: Register,
    admin: Admin,
    client: ClientName,
    patch: Annotated[ClientUpdate, Body(openapi_examples=examples.CLIENT_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it to change a client's name, what it may do, or until when: a merge patch, so what you
    leave out stays, and `"expires_at": null` lets its keys never expire. It holds from the next
    request on. For another organisation, add another client.
    """
    stored = await register.write(clients.change, client, patch, by=admin, precondition=if_match)
    return answers.written(stored)


@router.delete(
    "/{client}",
    response_model=ClientPublic,
    summary="Revoke a client",
    responses=problems(*_CHANGE),
)
async def revoke_client(
    register: Register, admin: Admin, client: ClientName, if_match: IfMatch
) -> Response:
    """Use it when a key has come into wrong hands, or a system is no more: from now on the client's
    keys open nothing, for good. What it wrote stays. You may revoke your own client; if no other
    admin is left, only who runs the service can add one, with `register clients add`.
    """
    stored = await register.write(clients.remove, client, by=admin, precondition=if_match)
    return answers.written(stored)
