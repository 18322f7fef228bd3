"""Problems: every error as ``application/problem+json`` (RFC 9457), in one shape."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match

from app.errors import (
    Fault,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    RegisterError,
    ValidationFailed,
)
from app.http.odata import errors as odata
from app.http.request_id import request_id
from app.models.faults import MOST_FAULTS, faults

MEDIA_TYPE = "application/problem+json"


class FaultItem(BaseModel):
    """One thing that is wrong, and where."""

    pointer: str = Field(
        description="`#/a/0/b` in the body, `?name` in the query, `{name}` in the path, or "
        "`header:Name`.",
        examples=["#/evidence/0/kind"],
    )
    code: str = Field(description="For a machine; it stays the same.", examples=["enum"])
    detail: str = Field(description="For a person.", examples=["Give one of 'keep' or 'retire'."])
    start: int | None = Field(
        default=None,
        description="Where in the text, in characters from 0; only for what is flagged in it.",
    )
    end: int | None = Field(
        default=None, description="The character after the last one; where there is a `start`."
    )


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(
        description="The kind of problem; a page that tells what to do.",
        examples=["/problems/validation-failed"],
    )
    title: str
    status: int
    detail: str
    instance: str = Field(
        description="This one occurrence, by the answer's `X-Request-ID`.",
        examples=["urn:request:01a2081a-03ff-7409-928e-9e4a93bd3029"],
    )
    errors: list[FaultItem] = Field(description="Each single thing that is wrong; may be empty.")


def problems(*kinds: type[RegisterError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's ``responses`` for the kinds of error that an operation can raise."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in sorted(kinds, key=lambda kind: (kind.status, kind.slug)):
        response = by_status.setdefault(
            kind.status, {"description": "", "content": {MEDIA_TYPE: {"examples": {}}}}
        )
        sentences = [response["description"], f"{kind.title} (`{kind.slug}`)."]
        response["description"] = " ".join(filter(None, sentences))
        response["content"][MEDIA_TYPE] |= {"schema": {"$ref": "#/components/schemas/Problem"}}
        response["content"][MEDIA_TYPE]["examples"][kind.slug] = {
            "summary": kind.title,
            "value": {
                "type": f"/problems/{kind.slug}",
                "title": kind.title,
                "status": kind.status,
                "detail": kind.title + ".",
                "instance": "urn:request:01a2081a-03ff-7409-928e-9e4a93bd3029",
                "errors": [],
            },
        }
    return by_status


def response_to(error: RegisterError, request: Request) -> Response:
    """The answer that tells of an error."""
    if odata.is_odata(request.scope["path"]):
        return odata.response_to(error)
    problem = {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": f"urn:request:{request_id(request.scope)}",
        "errors": [fault.as_json() for fault in error.faults],
    }
    headers = {"Cache-Control": "no-store", **error.headers}
    return JSONResponse(problem, error.status, headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes the app answer every error with a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, RegisterError)
        return response_to(error, request)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return response_to(_invalid(error), request)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return response_to(_translated(error, request), request)

    app.add_exception_handler(RegisterError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _invalid(error: RequestValidationError) -> RegisterError:
    entries = error.errors()[:MOST_FAULTS]
    in_body = [{**entry, "loc": entry["loc"][1:]} for entry in entries if entry["loc"][0] == "body"]
    elsewhere = [_fault(entry) for entry in entries if entry["loc"][0] != "body"]
    return ValidationFailed(
        "Something in the request is not valid.",
        faults=(*elsewhere, *faults(in_body, "#")),
    )


def _fault(entry: dict[str, Any]) -> Fault:
    """What is wrong with a parameter or a header."""
    where, name = (*entry["loc"], "")[:2]
    (fault,) = faults([{**entry, "loc": ()}], "#")
    pointer = {"query": f"?{name}", "path": f"{{{name}}}"}.get(where, f"header:{name}")
    return Fault(pointer, fault.code, fault.detail)


def _translated(error: HTTPException, request: Request) -> RegisterError:
    """The framework's own errors, as ours."""
    match error.status_code:
        case 404:
            return NotFound("There is nothing at this address.")
        case 405:
            allow = ", ".join(allowed_methods(request))
            return MethodNotAllowed(f"This address takes {allow}.", headers={"Allow": allow})
        case 400:
            # FastAPI says so of whatever goes wrong while it reads the body; ours says more.
            if isinstance(error.__cause__, RegisterError):
                return error.__cause__
            return MalformedRequest("The body could not be read.")
    raise error


def allowed_methods(request: Request) -> list[str]:
    """All methods that some route takes at this address."""
    methods: set[str] = set()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes):
            methods.add(method)
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)
