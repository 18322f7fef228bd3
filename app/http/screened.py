"""Screening requests: what is to be written is looked through for personal data as it was sent."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request

from app.errors import Fault, ValidationFailed
from app.http.query import ACCEPT, pairs
from app.register import screening
from app.register.access import Caller

PARAMETER: dict[str, Any] = {
    "name": ACCEPT,
    "in": "query",
    "required": False,
    "description": "For a curator: accept what is flagged as possible personal data. The change "
    "log says that it was accepted, and by whom.",
    "schema": {"type": "boolean", "default": False},
}
"""What each operation that is screened takes, in OpenAPI."""

LARGE = 32 * 1024
"""Bytes of a body from which on screening it would hold up others."""


async def screen(request: Request, body: Any, size: int) -> None:
    """Looks through the path, the query and the body of a request that is to write.

    Where a curator accepts what is found, the caller carries that on to the line of the log.

    Raises:
        PossiblePersonalData, Forbidden, ValidationFailed
    """
    accept = accepts(request)
    caller: Caller = request.scope["caller"]
    screening.must_accept(caller, accept=accept)
    if size > LARGE:
        found = await asyncio.to_thread(_faults, request, body)
    else:
        found = _faults(request, body)
    request.scope["caller"] = screening.judged(caller, found, accept=accept)


def accepts(request: Request) -> bool:
    """Whether the request asks for what is flagged to be accepted.

    Raises:
        ValidationFailed
    """
    given = [value for name, value in pairs(request) if name == ACCEPT]
    if not given:
        return False
    if len(given) > 1 or given[0] not in ("true", "false"):
        fault = Fault(f"?{ACCEPT}", "bool_parsing", "Give true or false, once.")
        raise ValidationFailed("A parameter is not valid.", faults=(fault,))
    return given == ["true"]


def _faults(request: Request, body: Any) -> tuple[Fault, ...]:
    found: list[Fault] = []
    for name, value in request.path_params.items():
        # Names of things: in these, a number is a reference.
        found += screening.of_text(str(value), f"{{{name}}}", is_reference=True)
    for name, value in pairs(request):
        found += screening.of_text(value, f"?{name[:60]}")
    return (*found, *screening.faults(body))
