"""What an OData client sends: query options, the format and the version that it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from fastapi import Request, Response

from app.errors import Fault, MalformedQuery, NotAcceptable, NotSupported, ValidationFailed
from app.http.odata.errors import VERSION
from app.http.preferred import MediaRange, accepted, preferred
from app.http.query import Query, pairs
from app.http.route import Handler, Route
from app.models.odata import ODataFormat, ODataOptions
from app.odata import options

T = TypeVar("T")
F = TypeVar("F", bound=ODataFormat)

PAGE = 500
"""Entities of a page, where the client says nothing of it."""

LARGEST_PAGE = 1_000

_INSTEAD = {
    "$search": "Ask `contains` in `$filter`, or `q` of `/v1/innovations`.",
    "$apply": "Ask `/v1/statistics` for counts and sums.",
    "$deltatoken": "Follow `/v1/changes`.",
    **dict.fromkeys(("$compute", "$id", "$index", "$levels", "$schemaversion"), ""),
}
"""Options of OData that this service does not have, and what to ask instead."""


class ODataRoute(Route):
    """An operation of OData: each answer says which version it is of."""

    def get_route_handler(self) -> Handler:
        run = super().get_route_handler()

        async def handle(request: Request) -> Response:
            _check_version(request)
            response = await run(request)
            response.headers.update(VERSION)
            return response

        return handle


def _check_version(request: Request) -> None:
    """Refuses what is no OData 4 (part 1, section 8.2.7)."""
    wanted = request.headers.get("odata-maxversion")
    if wanted is not None and not re.fullmatch(r"\s*(?:[4-9]|\d{2,})\.\d+\s*", wanted):
        detail = "This is OData 4.0: ask for that, or for a later version."
        raise NotAcceptable.at("header:OData-MaxVersion", "version", detail)


class Options(Query[F], Generic[F]):
    """A dependency that reads the query options, each for itself."""

    async def __call__(self, request: Request) -> F:
        """The options.

        Raises:
            MalformedQuery, NotSupported
        """
        for name, _ in pairs(request):
            if name in _INSTEAD:
                detail = f"`{name}` is not taken here. {_INSTEAD[name]}".rstrip()
                raise NotSupported.at(f"?{name}", "not_supported", detail)
        try:
            return await super().__call__(request)
        except ValidationFailed as error:
            raise MalformedQuery(error.detail, faults=error.faults) from None


class OptionsOfData(Options[ODataOptions]):
    """The same, with values that have names, as ``$filter=title eq @t&@t='Huddle'``."""

    def __init__(self) -> None:
        super().__init__(ODataOptions)

    def pairs(self, request: Request) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super().pairs(request) if name[:1] != "@"]

    async def __call__(self, request: Request) -> ODataOptions:
        aliases = dict(pair for pair in super().pairs(request) if pair[0][:1] == "@")
        return options.with_aliases(await super().__call__(request), aliases)


def must_fit(asked: ODataOptions, allowed: frozenset[str], what: str) -> None:
    """Refuses options that what is asked for does not take.

    Raises:
        MalformedQuery
    """
    names = {name: field.alias for name, field in ODataOptions.model_fields.items()}
    faults = tuple(
        Fault(f"?{names[name]}", "not_here", f"{what} takes no `{names[name]}`.")
        for name in sorted(asked.model_fields_set - allowed)
    )
    if faults:
        raise MalformedQuery(faults[0].detail, faults=faults)


class Level(StrEnum):
    """How much JSON tells of itself (JSON format, section 3.1)."""

    NONE = "none"
    MINIMAL = "minimal"
    FULL = "full"

    @property
    def media_type(self) -> str:
        return f"application/json;odata.metadata={self}"


def level_of(request: Request, asked: ODataFormat) -> Level:
    """The level of metadata that the client takes.

    Raises:
        NotAcceptable: when it takes no JSON.
    """
    return _negotiated(request, asked, (Level.MINIMAL, Level.NONE, Level.FULL), _is_level)


def must_take(request: Request, asked: ODataFormat, media_type: str) -> None:
    """Refuses a client that takes something else alone.

    Raises:
        NotAcceptable
    """
    _negotiated(request, asked, (media_type,), _is_type)


def _is_type(wanted: MediaRange, media_type: str) -> bool:
    _, _, short = media_type.partition("/")  # as `$format` may name it
    return wanted.fits(media_type) or wanted.kind == short


def _is_level(wanted: MediaRange, level: Level) -> bool:
    # As in versions 4.0, 4.01 and, in other words, 3.0.
    told = wanted.parameters.get("odata.metadata", wanted.parameters.get("metadata", "minimal"))
    older = wanted.parameters.get("odata")
    if older is not None:
        told = older.removesuffix("metadata")
    return _is_type(wanted, "application/json") and told == level


def _negotiated(
    request: Request,
    asked: ODataFormat,
    offered: Sequence[T],
    fits: Callable[[MediaRange, T], bool],
) -> T:
    if asked.format is not None:  # it comes before the header (part 1, section 11.2.11)
        where, wanted = "?$format", asked.format
    else:
        where, wanted = "header:Accept", accepted(request)
    best = preferred(wanted, offered, fits)
    if best is None:
        raise NotAcceptable.at(where, "format", "What is here is in none of these formats.")
    return best


_PAGE_SIZE = re.compile(r'(?:^|[,;])\s*(?:odata\.)?maxpagesize\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])')


def page_size(request: Request) -> tuple[int, dict[str, str]]:
    """How many entities a page has, and the header that tells what was preferred."""
    match = _PAGE_SIZE.search(request.headers.get("prefer", "").lower())
    if match is None or int(match[1]) == 0:
        return PAGE, {}
    size = min(int(match[1]), LARGEST_PAGE)
    return size, {"Preference-Applied": f"odata.maxpagesize={size}"}
