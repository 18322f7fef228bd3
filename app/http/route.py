"""The route class of every operation: what is checked, and in which order, before it runs.

1. The key, and what it may do (401, 403), so that a stranger learns nothing of what else is wrong.
2. The parameters that the operation knows (422).
3. The body: its size (413), its type (415), and that it is one strict JSON value (400).
4. That there is no personal data in what is to be written (422).

Then FastAPI validates, and the operation runs. A GET whose answer the client has already ends as a
304.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.routing import Match
from starlette.types import Scope

from app.auth import Access
from app.errors import MalformedRequest, UnsupportedMediaType
from app.http import collections, conditional, plain, screened
from app.http.middleware import HEAD_ONLY
from app.http.query import ACCEPT, Query, pairs, refuse_unknown
from app.http.uploads import Upload, bounded

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_NO_MATCH: tuple[Match, Scope] = (Match.NONE, {})

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"


class StrictRequest(Request):
    """A request whose body is bounded, and whose JSON is read strictly."""

    async def body(self) -> bytes:
        """The whole body.

        Raises:
            BodyTooLarge: as soon as it is clear, whether the length was announced or not.
        """
        if not hasattr(self, "_body"):
            most = self.app.state.settings.max_body_bytes
            self._body = b"".join([chunk async for chunk in bounded(self, most, "A body")])
        return self._body

    async def json(self) -> Any:
        """The body as one JSON value: no NaN, no lone surrogate, no bottomless nesting.

        Raises:
            MalformedRequest
        """
        try:
            if not hasattr(self, "_json"):
                self._json = from_json(await self.body(), allow_inf_nan=False)
            return self._json
        except ValueError as error:
            # Such a message has a position, and never a piece of the text.
            raise MalformedRequest(f"The body is not JSON: {error}.") from None


class Route(APIRoute):
    """An operation."""

    screens = True
    """Whether it refuses personal data; all do that write."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # The function's name makes a good method name in a generated client.
        options["operation_id"] = endpoint.__name__
        super().__init__(path, endpoint, **options)
        self._start = path.partition("{")[0]
        self._describe_query()
        if self._is_screened():
            self._add_parameters([screened.PARAMETER])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        # Routes are tried one after another, and most of them start otherwise: to see that costs a
        # tenth of what a regular expression does, with all that FastAPI has around it.
        if not scope["path"].startswith(self._start) and not scope.get("root_path"):
            return _NO_MATCH
        return super().matches(scope)

    def _is_screened(self) -> bool:
        """Whether it writes, and takes anything that could be written."""
        takes_texts = (
            self.body_field is not None
            or any(_query_params(self.dependant))
            or any(isinstance(call, Query | Upload) for call in _calls(self.dependant))
        )
        return self.screens and takes_texts and self.methods != {"GET"}

    def _describe_query(self) -> None:
        for call in _calls(self.dependant):
            if isinstance(call, Query):
                self._add_parameters(call.parameters())

    def _add_parameters(self, parameters: list[dict[str, Any]]) -> None:
        extra = dict(self.openapi_extra or {})
        known = extra.get("parameters", [])
        names = {each["name"] for each in known}
        extra["parameters"] = [*known, *(p for p in parameters if p["name"] not in names)]
        self.openapi_extra = extra

    def get_route_handler(self) -> Handler:
        reads = self.methods == {"GET"} and plain.fits(self.dependant)
        run = plain.handler(self.dependant) if reads else super().get_route_handler()
        calls = list(_calls(self.dependant))
        access = next((call for call in calls if isinstance(call, Access)), None)
        has_query = any(isinstance(call, Query) for call in calls)
        known = self._parameters()
        write = self._writing(run)

        async def handle(request: Request) -> Response:
            if access is not None:
                request.scope["caller"] = await access.check(request)
            if not has_query and request.scope["query_string"]:
                refuse_unknown((name for name, _ in pairs(request)), known)
            if request.method != "GET":
                return await write(request)
            asked = collections.asked(request) if access is not None else None
            recent = await collections.known(request, asked) if asked else None
            if recent is not None:
                return recent
            response = await run(request)
            if response.status_code != 200:
                return response
            if asked and HEAD_ONLY not in request.scope:  # it may have no body
                collections.keep(request, asked, response)
            return conditional.unmodified(request, response.headers) or response

        return handle

    def _writing(self, run: Handler) -> Handler:
        """Runs an operation that may write, after a look at what it is given."""
        taken = self._media_types()
        uploads = any(isinstance(call, Upload) for call in _calls(self.dependant))
        screens = self._is_screened()

        async def write(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            if not uploads:  # which reads, and bounds, the body itself
                await _check_body(request, taken)
            if screens:
                await _screen(request, read=bool(taken) and not uploads)
            return await run(request)

        return write

    def _parameters(self) -> set[str]:
        """The names of what may stand in the query, where no model says it."""
        own = {param.alias for param in _query_params(self.dependant)}
        return own | {ACCEPT} if self._is_screened() else own

    def _media_types(self) -> tuple[str, ...]:
        if self.body_field is None:
            return ()
        return (_JSON, _MERGE_PATCH) if "PATCH" in (self.methods or ()) else (_JSON,)


class Unscreened(Route):
    """An operation that takes texts and keeps none of them; tests/test_screened.py names each."""

    screens = False


async def _screen(request: StrictRequest, *, read: bool) -> None:
    body = await request.body() if read else b""
    await screened.screen(request, await request.json() if body else None, len(body))


async def _check_body(request: Request, taken: tuple[str, ...]) -> None:
    if not await request.body():
        return
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not taken:
        raise UnsupportedMediaType("There is no body to send here.")
    if sent not in taken:
        raise UnsupportedMediaType(f"Send the body as {' or '.join(taken)}.")


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def _query_params(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.query_params
    for inner in dependant.dependencies:
        yield from _query_params(inner)
