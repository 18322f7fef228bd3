"""Themes: the ten leaps forward, and those that were added since."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from app.auth import Curator, Reader
from app.errors import (
    Duplicate,
    Forbidden,
    IdempotencyKeyReused,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
)
from app.http import answers, collections
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.themes import ThemeCreate, ThemeDocument, ThemeList, ThemeUpdate
from app.register import themes
from app.routers import examples
from app.routers.parts import Register

router = APIRouter(prefix="/v1/themes", tags=["themes"], route_class=Route)

ThemeName = Annotated[
    str,
    Path(
        alias="theme",
        description="The theme's `slug`.",
        openapi_examples={"first": {"summary": "The first leap", "value": "valued-staff"}},
    ),
]


@router.get("", response_model=ThemeList, summary="List the themes", responses=problems())
async def list_themes(request: Request, register: Register, caller: Reader) -> Response:
    """Use it to fill a choice of themes, or for an overview: each theme comes with the number of
    published innovations at each status. They all fit on one page.
    """
    items, head = await register.read(themes.listed, memory=register.memory)
    body = f'{{"items":[{",".join(items)}]}}'
    headers = collections.headers(request, head)
    return Response(body, headers=headers, media_type=answers.JSON)


@router.get(
    "/{theme}", response_model=ThemeDocument, summary="Get a theme", responses=problems(NotFound)
)
async def get_theme(register: Register, caller: Reader, theme: ThemeName) -> Response:
    """Use it to show what a theme is about, and for the ETag that a change of it asks for."""
    return answers.one(await register.read(themes.get, theme))


@router.post(
    "",
    status_code=201,
    response_model=ThemeDocument,
    summary="Add a theme",
    responses=problems(Forbidden, Duplicate, IdempotencyKeyReused, StillRunning),
)
async def create_theme(
    once: PostOnce,
    client: Curator,
    theme: Annotated[ThemeCreate, Body(openapi_examples=examples.THEME)],
) -> Response:
    """Use it, as a curator, when something keeps coming up that fits none of the themes: the report
    found ten "so far". It gets the next number.
    """
    return await once(themes.add, theme, by=client)


@router.patch(
    "/{theme}",
    response_model=ThemeDocument,
    summary="Change a theme",
    responses=problems(Forbidden, NotFound, PreconditionRequired, PreconditionFailed),
)
async def update_theme(
    register: Register,
    client: Curator,
    theme: ThemeName,
    patch: Annotated[ThemeUpdate, Body(openapi_examples=examples.THEME_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it, as a curator, to give a theme a clearer name or description. Its `slug` stays, and
    all innovations show the new name at once.
    """
    stored = await register.write(themes.change, theme, patch, by=client, precondition=if_match)
    return answers.written(stored)
