"""Checks: what is wrong with an entry, before it is sent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from app.auth import Contributor
from app.http import answers
from app.http.problems import problems
from app.http.route import Unscreened
from app.models.checks import CheckAnswer
from app.register import checks
from app.routers import examples
from app.routers.parts import Register

router = APIRouter(prefix="/v1/checks", tags=["innovations"], route_class=Unscreened)


@router.post(
    "",
    response_model=CheckAnswer,
    summary="Check an innovation before you submit it",
    responses=problems(),
)
async def check_innovation(
    register: Register,
    client: Contributor,
    entry: Annotated[dict[str, Any], Body(openapi_examples=examples.CHECK)],
) -> Response:
    """Use it in a form, while somebody writes: send what there is so far, as for `POST
    /v1/innovations`, and show what comes back. The answer tells what would be wrong with it, and
    where there may be personal data (an NHS number, a phone number, an e-mail address, a date of
    birth, a person's name after a title). Nothing is written, and nothing of it is kept.
    """
    told = await register.write(checks.check, entry, by=client)
    return Response(told.model_dump_json(), headers=_FRESH, media_type=answers.JSON)


_FRESH = {"Cache-Control": "no-store"}
