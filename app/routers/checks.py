"""Checks: what is wrong with an entry, before it is sent, and what else is good to know of it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from app.auth import Contributor
from app.http import answers
from app.http.problems import problems
from app.http.route import Unscreened
from app.likening import beside
from app.models.checks import CheckAnswer, InnovationCheckAnswer
from app.register import checks
from app.routers import examples
from app.routers.parts import Alike, Register

router = APIRouter(prefix="/v1/checks", route_class=Unscreened)


@router.post(
    "",
    response_model=InnovationCheckAnswer,
    tags=["innovations"],
    summary="Check an innovation before you submit it",
    responses=problems(),
)
async def check_innovation(
    register: Register,
    alike: Alike,
    client: Contributor,
    entry: Annotated[dict[str, Any], Body(openapi_examples=examples.CHECK)],
) -> Response:
    """Use it in a form, while somebody writes: send what there is so far, as for `POST
    /v1/innovations`, and show what comes back. The answer tells what would be wrong with it, and
    where there may be personal data (an NHS number, a phone number, an e-mail address, a date of
    birth, a person's name after a title). From `title` and `summary`, as far as they are written,
    it names the likeliest themes, and what is published and may be the same practice. Nothing is
    written, and nothing of it is kept.
    """
    checked = await register.write(checks.innovation, entry, by=client)
    text = checks.written(entry, "title", "summary")
    themes, duplicates = await asyncio.gather(
        beside.suggested_themes(alike, text), beside.possible_duplicates(alike, text)
    )
    told = InnovationCheckAnswer(
        **dict(checked), suggested_themes=themes, possible_duplicates=duplicates
    )
    return Response(told.model_dump_json(), headers=_FRESH, media_type=answers.JSON)


@router.post(
    "/stories",
    response_model=CheckAnswer,
    tags=["stories"],
    summary="Check a story before you submit it",
    responses=problems(),
)
async def check_story(
    register: Register,
    alike: Alike,
    client: Contributor,
    entry: Annotated[dict[str, Any], Body(openapi_examples=examples.STORY_CHECK)],
) -> Response:
    """Use it in a survey's form, while somebody tells: send what there is so far, as for `POST
    /v1/stories`. The answer tells what would be wrong with it, where the teller may have named
    somebody, and which themes the text is likely about. Nothing is written, and nothing of it is
    kept.
    """
    checked = await register.write(checks.story, entry, by=client)
    text = checks.written(entry, "text")
    told = CheckAnswer(**dict(checked), suggested_themes=await beside.suggested_themes(alike, text))
    return Response(told.model_dump_json(), headers=_FRESH, media_type=answers.JSON)


_FRESH = {"Cache-Control": "no-store"}
