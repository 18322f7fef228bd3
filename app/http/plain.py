"""Running an operation that only reads.

It needs its path, the request, and what is made of the request alone (the caller, the query, the
database). FastAPI's own way is made for any operation, and costs such a one twice what its look
into the database does: decision record 0005.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError


def fits(operation: Dependant) -> bool:
    """Whether an operation is one of these."""
    return not _params(operation) and all(
        each.request_param_name
        and not each.dependencies
        and not each.path_params
        and not _params(each)
        and (iscoroutinefunction(each.call) or iscoroutinefunction(type(each.call).__call__))
        for each in operation.dependencies
    )


def _params(dependant: Dependant) -> list[Any]:
    """What would have to be taken from elsewhere than the path."""
    return [
        *(*dependant.query_params, *dependant.header_params),
        *(*dependant.cookie_params, *dependant.body_params),
    ]


def handler(operation: Dependant) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """Runs the operation for a request."""
    call: Any = operation.call
    needed: list[tuple[str, Any]] = [
        (each.name or "", each.call) for each in operation.dependencies
    ]
    if operation.request_param_name:
        needed.append((operation.request_param_name, _itself))

    async def run(request: Request) -> Response:
        values, errors = request_params_to_args(operation.path_params, request.path_params)
        if errors:
            raise RequestValidationError(errors)
        for name, made_of in needed:
            values[name] = await made_of(request=request)
        response: Response = await call(**values)
        return response

    return run


async def _itself(request: Request) -> Request:
    return request
