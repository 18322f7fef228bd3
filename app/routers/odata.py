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
    OptionsOfData,
    level_of,
    must_fit,
    must_take,
    page_size,
)
from app.http.odata.errors import ROOT
from app.http.problems import problems
from app.models.odata import ODataFormat, ODataOptions
from app.models.tables import Column, ColumnType
from app.odata import addresses, csdl, options
from app.odata.addresses import Address
from app.register.odata import reading
from app.register.odata.reading import Found, Part
from app.routers.parts import Register

router = APIRouter(prefix=ROOT, tags=["odata"], route_class=ODataRoute)

_VARIES = {"Vary": "Accept, Authorization, Prefer, OData-MaxVersion"}

_FORMAT = frozenset({"format"})
_OF_ONE = _FORMAT | {"select", "expand"}
_OF_COUNT = frozenset({"filter"})
_OF_SEVERAL = _OF_ONE | _OF_COUNT | {"orderby", "top", "skip", "count", "skiptoken"}

_WRITTEN_INLINE = 50
"""Entities that are written on the event loop; more are written on a thread."""

FormatOf = Annotated[ODataFormat, Depends(Options(ODataFormat))]
_LONG_FILTER = 1_000
"""Letters of a filter whose SQL is made on the event loop; of a longer one, it is on a thread."""

OptionsOf = Annotated[ODataOptions, Depends(OptionsOfData())]

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
    request: Request, register: Register, caller: Reader, query: FormatOf
) -> Response:
    """Use it as the address that Power BI, Excel or Tableau asks for: give them
    `/odata/v4/` as an OData feed, and they find the rest.
    """
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
    request: Request, register: Register, caller: Reader, query: FormatOf
) -> Response:
    """Use it to see which properties the entities have, of which types, and what each means."""
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
    if address.column is not None:
        return await _property(request, register, address, address.column, query)
    level = level_of(request, query)
    if address.many:
        return await _several(request, register, address, query, level)
    return await _one(request, register, address, query, level)


async def _count(
    request: Request, register: Register, address: Address, query: ODataOptions
) -> Response:
    must_fit(query, _OF_COUNT, "A count")
    asked = options.read(query, address.target)
    number, head = await register.read(reading.count, address, asked)
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
    if len(query.filter or "") > _LONG_FILTER:
        await asyncio.to_thread(reading.prepare, register.dialect, address, asked, part)
    found, head = await register.read(reading.page, address, asked, part)
    following = _following(request, query, found, limit)
    writer = payload.Writer(payload.root_of(request), level, asked)
    if len(found.rows) <= _WRITTEN_INLINE:
        content = writer.collection(found, following)
    else:
        content = await asyncio.to_thread(writer.collection, found, following)
    return _answer(request, content, level.media_type, head, preferred)


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
    asked = options.read(query, address.target)
    found, head = await register.read(reading.one, address, asked)
    if found is None:
        return _nothing(request, head)
    writer = payload.Writer(payload.root_of(request), level, asked)
    return _answer(request, writer.entity(found), level.media_type, head)


async def _property(
    request: Request, register: Register, address: Address, column: Column, query: ODataOptions
) -> Response:
    must_fit(query, _FORMAT, "A property")
    if address.raw:
        must_take(request, query, "text/plain")
        if column.type is ColumnType.TEXTS:
            raise MalformedQuery("Several texts have no one `$value`.")
        level = Level.NONE
    else:
        level = level_of(request, query)
    value, head = await register.read(reading.value, address, column)
    if value is None:
        return _nothing(request, head)
    if address.raw:
        return _answer(request, str(value).encode(), "text/plain", head)
    content = payload.value_of(payload.root_of(request), level, address, value)
    return _answer(request, content, level.media_type, head)


def _answer(
    request: Request,
    content: bytes,
    media_type: str,
    head: int,
    extra: dict[str, str] | None = None,
) -> Response:
    headers = collections.headers(request, head) | _VARIES | (extra or {})
    return Response(content, headers=headers, media_type=media_type)


def _nothing(request: Request, head: int) -> Response:
    """That there is no value (part 1, section 11.2.3)."""
    return Response(status_code=204, headers=collections.headers(request, head) | _VARIES)
