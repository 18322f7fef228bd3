"""What an OData client sends: query options, the format and the version that it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

from fastapi import Request, Response

from app.errors import Fault, MalformedQuery, NotAcceptable, NotSupported, ValidationFailed
from app.http.odata.errors import VERSION
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
    return _negotiated(request, asked, _as_json)


def must_take(request: Request, asked: ODataFormat, media_type: str) -> None:
    """Refuses a client that takes something else alone.

    Raises:
        NotAcceptable
    """
    kind, _, short = media_type.partition("/")

    def fits(offered: str, _: dict[str, str]) -> bool | None:
        return offered in (media_type, f"{kind}/*", "*/*", short) or None

    _negotiated(request, asked, fits)


def _as_json(offered: str, parameters: dict[str, str]) -> Level | None:
    if offered not in ("application/json", "application/*", "*/*", "json"):
        return None
    # As in versions 4.0, 4.01 and, in other words, 3.0.
    told = parameters.get("odata.metadata", parameters.get("metadata", "minimal"))
    older = parameters.get("odata")
    if older is not None:
        told = older.removesuffix("metadata")
    try:
        return Level(told)
    except ValueError:
        return None


def _negotiated(
    request: Request,
    asked: ODataFormat,
    fits: Callable[[str, dict[str, str]], T | None],
) -> T:
    """What the best of the formats that the client takes fits as (RFC 9110, section 12.5.1)."""
    if asked.format is not None:  # it comes before the header (part 1, section 11.2.11)
        where, wanted = "?$format", asked.format
    else:
        where, wanted = "header:Accept", ", ".join(request.headers.getlist("accept")) or "*/*"
    best: tuple[float, T | None] = (0.0, None)
    for offer in wanted.lower().split(",")[:50]:
        kind, *said = (part.strip() for part in offer.split(";"))
        parameters = {name.strip(): value.strip(' "') for name, _, value in map(_named, said)}
        found = fits(kind, parameters)
        quality = _quality(parameters.get("q"))
        if found is not None and quality > best[0]:
            best = (quality, found)
    if best[1] is None:
        raise NotAcceptable.at(where, "format", "What is here is in none of these formats.")
    return best[1]


def _named(parameter: str) -> tuple[str, str, str]:
    return parameter.partition("=")


def _quality(told: str | None) -> float:
    if told is None:
        return 1.0
    return float(told) if re.fullmatch(r"[01](?:\.\d{0,3})?", told) else 0.0


_PAGE_SIZE = re.compile(r'(?:^|[,;])\s*(?:odata\.)?maxpagesize\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])')


def page_size(request: Request) -> tuple[int, dict[str, str]]:
    """How many entities a page has, and the header that tells what was preferred."""
    match = _PAGE_SIZE.search(request.headers.get("prefer", "").lower())
    if match is None or int(match[1]) == 0:
        return PAGE, {}
    size = min(int(match[1]), LARGEST_PAGE)
    return size, {"Preference-Applied": f"odata.maxpagesize={size}"}
