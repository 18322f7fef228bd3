"""Errors as OData's clients read them (OData JSON format 4.0, section 19), in place of problems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from app.errors import RegisterError

ROOT = "/odata/v4"
"""Where the service is; below it, every error is in this shape."""

VERSION = {"OData-Version": "4.0"}


class ODataFault(BaseModel):
    """One thing that is wrong."""

    code: str
    message: str
    target: str = Field(description="The option or the header.", examples=["$filter"])


class ODataErrorInfo(BaseModel):
    """What went wrong."""

    code: str = Field(description="The kind of problem; `/problems/{code}` tells what to do.")
    message: str
    details: list[ODataFault]


class ODataError(BaseModel):
    """An error, as OData's clients read it."""

    error: ODataErrorInfo


def is_odata(path: str) -> bool:
    """Whether an address is of the OData service."""
    return path == ROOT or path.startswith(f"{ROOT}/")


def response_to(error: RegisterError) -> Response:
    """The answer that tells of an error."""
    told = ODataError(
        error=ODataErrorInfo(
            code=error.slug,
            message=error.detail,
            details=[
                ODataFault(
                    code=fault.code, message=fault.detail, target=fault.pointer.removeprefix("?")
                )
                for fault in error.faults
            ],
        )
    )
    headers = {
        "Cache-Control": "no-store",
        "Link": f'</problems/{error.slug}>; rel="help"',
        **VERSION,
        **error.headers,
    }
    return JSONResponse(told.model_dump(), error.status, headers)


def described(responses: Mapping[str, Any], problem: str) -> dict[str, Any]:
    """OpenAPI's responses of an operation, with its problems in this shape."""
    found = {}
    for status, response in responses.items():
        content = response.get("content", {})
        if problem in content:
            examples = {slug: _example(each) for slug, each in content[problem]["examples"].items()}
            schema = {"$ref": "#/components/schemas/ODataError"}
            content = {"application/json": {"schema": schema, "examples": examples}}
        found[status] = {**response, "content": content} if content else response
    return found


def _example(of_problem: Mapping[str, Any]) -> dict[str, Any]:
    value = of_problem["value"]
    code = value["type"].removeprefix("/problems/")
    error = {"code": code, "message": value["detail"], "details": []}
    return {**of_problem, "value": {"error": error}}
