"""OData v4: the register's tables for Power BI, Excel, Tableau and their like."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.auth import Reader
from app.errors import InvalidCursor, MalformedQuery, NotAcceptable, NotFound, NotSupported
from app.http import answers, collections
from app.http.odata import payload
from app.http.odata.asking import (
    Level,
    ODataRoute,
    Options,
    level_of,
    must_fit,
    must_take,
    page_size,
)
from app.http.odata.errors import ROOT
from app.http.problems import problems
from app.models.odata import ODataOptions
from app.models.tables import ColumnType
from app.odata import addresses, csdl, options
from app.odata.addresses import Address
from app.odata.sets import EntitySet
from app.register.odata import reading
from app.register.odata.reading import Below, Found, Part
from app.register.rows import cells_of
from app.routers.parts import Register

router = APIRouter(prefix=ROOT, tags=["odata"], route_class=ODataRoute)

_VARIES = {"Vary": "Accept, Authorization, Prefer, OData-MaxVersion"}

_FORMAT = frozenset({"format"})
_OF_ONE = _FORMAT | {"select", "expand"}
_OF_COUNT = _FORMAT | {"filter"}
_OF_SEVERAL = _OF_ONE | _OF_COUNT | {"orderby", "top", "skip", "count", "skiptoken"}

_WRITTEN_INLINE = 50
"""Entities that are written on the event loop; more are written on a thread."""

OptionsOf = Annotated[ODataOptions, Depends(Options())]

_ANY_JSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What was asked for.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get("", include_in_schema=False)
@router.get(
    "/",
    summary="See which sets OData has",
    responses=problems(MalformedQuery, NotAcceptable, NotSupported) | _ANY_JSON,
)
async def get_odata_service(
    request: Request, register: Register, caller: Reader, query: OptionsOf
) -> Response:
    """Use it as the address that Power BI, Excel or Tableau asks for: give them
    `/odata/v4/` as an OData feed, and they find the rest.
    """
    must_fit(query, _FORMAT, "The service document")
    level = level_of(request, query)
    content = payload.service(payload.root_of(request), level)
    return _answer(request, content, level.media_type, await register.head())


@router.get(
    "/$metadata",
    summary="Get the metadata of OData",
    response_class=Response,
    responses=problems(MalformedQuery, NotAcceptable, NotSupported)
    | {
        200: {
            "description": "The metadata, as CSDL.",
            "content": {"application/xml": {"schema": {"type": "string"}}},
        }
    },
)
async def get_odata_metadata(
    request: Request, register: Register, caller: Reader, query: OptionsOf
) -> Response:
    """Use it to see which properties the entities have, of which types, and what each means."""
    must_fit(query, _FORMAT, "The metadata")
    must_take(request, query, "application/xml")
    return _answer(request, csdl.metadata(), "application/xml", await register.head())


@router.get(
    "/{resource:path}",
    summary="Query with OData",
    responses=problems(MalformedQuery, InvalidCursor, NotFound, NotAcceptable, NotSupported)
    | _ANY_JSON,
)
async def query_odata(
    request: Request,
    register: Register,
    caller: Reader,
    query: OptionsOf,
    resource: Annotated[
        str,
        Path(
            description="`Innovations`, `Innovations('...')`, `Innovations('...')/evidence`, or "
            "`Innovations/$count`; the same of Decisions, Evidence, Organisations and Themes.",
            openapi_examples={"innovations": {"summary": "Innovations", "value": "Innovations"}},
        ),
    ],
) -> Response:
    """Use it from a tool that speaks OData v4, or to ask for just the columns that you need. Only
    what is published is here. Follow `@odata.nextLink` until there is none.
    """
    address = addresses.read(resource)
    if address.counted:
        return await _count(request, register, address, query)
    level = level_of(request, query) if not address.raw else Level.NONE
    if address.column is not None:
        return await _property(request, register, address, query, level)
    if address.many:
        return await _several(request, register, address, query, level)
    return await _one(request, register, address, query, level)


async def _count(
    request: Request, register: Register, address: Address, query: ODataOptions
) -> Response:
    must_fit(query, _OF_COUNT, "A count")
    asked = options.read(query, address.target)
    below = await _below(register, address)
    head, number = await register.read(reading.count, asked, below)
    return _answer(request, str(number).encode(), "text/plain", head)


async def _several(
    request: Request, register: Register, address: Address, query: ODataOptions, level: Level
) -> Response:
    must_fit(query, _OF_SEVERAL, "A set")
    asked = options.read(query, address.target)
    size, preferred = page_size(request)
    limit = size if query.top is None else min(size, query.top)
    # Whoever goes on has left behind what was to be skipped.
    skip = 0 if query.skiptoken is not None else query.skip or 0
    part = Part(limit, skip, query.skiptoken, counted=bool(query.count))
    below = await _below(register, address)
    found = await register.read(reading.page, asked, part, below)
    following = _following(request, query, found, limit)
    writer = payload.Writer(payload.root_of(request), level, asked)
    if len(found.rows) <= _WRITTEN_INLINE:
        content = writer.collection(found, following)
    else:
        content = await asyncio.to_thread(writer.collection, found, following)
    return _answer(request, content, level.media_type, found.head, preferred)


def _following(request: Request, query: ODataOptions, found: Found, limit: int) -> str | None:
    left = None if query.top is None else query.top - limit
    if found.next is None or left == 0:
        return None
    changed = {"$skiptoken": found.next, "$skip": None, "$top": left}
    return str(request.base_url).rstrip("/") + answers.following(request, **changed)


async def _one(
    request: Request, register: Register, address: Address, query: ODataOptions, level: Level
) -> Response:
    must_fit(query, _OF_ONE, "One entity")
    target = address.target
    name = address.key
    if address.navigation is not None:
        name = (await _cells(register, address, address.navigation.here))[0]
        if name is None:
            return Response(status_code=204)
    asked = options.read(query, target)
    found = await register.read(reading.page, asked, Part(1), Below(target.key, name or ""))
    if not found.rows:
        raise _none(target)
    writer = payload.Writer(payload.root_of(request), level, asked)
    return _answer(request, writer.entity(found), level.media_type, found.head)


async def _property(
    request: Request, register: Register, address: Address, query: ODataOptions, level: Level
) -> Response:
    must_fit(query, _FORMAT, "A property")
    assert address.column is not None
    value, head = await _cells(register, address, address.column.name)
    if value is None:
        return Response(status_code=204)
    if not address.raw:
        content = payload.value_of(payload.root_of(request), level, address, value)
        return _answer(request, content, level.media_type, head)
    if address.column.type is ColumnType.TEXTS:
        raise MalformedQuery("Several texts have no one `$value`.")
    return _answer(request, str(value).encode(), "text/plain", head)


async def _below(register: Register, address: Address) -> Below | None:
    """The entity that those which are asked for belong to; it has to be there."""
    if address.navigation is None:
        return None
    (name, _) = await _cells(register, address, address.navigation.here)
    there = address.target.column(address.navigation.there)
    assert there is not None
    return Below(there, name)


async def _cells(register: Register, address: Address, name: str) -> tuple[Any, int]:
    """What the entity that an address names says, and the head of the log."""
    of, column = address.of, address.of.column(name)
    assert column is not None
    asked = options.read(ODataOptions(), of)
    below = Below(of.key, address.key or "")
    found = await register.read(reading.page, asked, Part(1), below)
    if not found.rows:
        raise _none(of)
    return cells_of((column,))(found.rows[0])[0], found.head


def _none(of: EntitySet) -> NotFound:
    return NotFound(f"{of.name} has nothing with this key.")


def _answer(
    request: Request,
    content: bytes,
    media_type: str,
    head: int,
    extra: dict[str, str] | None = None,
) -> Response:
    headers = collections.headers(request, head) | _VARIES | (extra or {})
    return Response(content, headers=headers, media_type=media_type)
