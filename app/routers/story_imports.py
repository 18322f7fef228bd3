"""Imports of stories: a whole survey in one request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    IdempotencyKeyReused,
    ImportRejected,
    OrganisationClosed,
    StillRunning,
    UnknownInnovation,
    UnknownOrganisation,
    UnknownTheme,
    UnreadableFile,
)
from app.files import Format, columns
from app.http.imports import OnceImported, run, template_of
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.http.uploads import Upload, Uploaded
from app.http.writing import IdempotencyKey
from app.models.imports import ImportAnswer, ImportQuery
from app.register.imports import STORIES
from app.routers import examples

router = APIRouter(prefix="/v1/stories/imports", tags=["imports"], route_class=Route)

_ERRORS = (
    *(UnreadableFile, ImportRejected, UnknownTheme, UnknownOrganisation, OrganisationClosed),
    *(UnknownInnovation, IdempotencyKeyReused, StillRunning),
)


@router.post(
    "",
    response_model=ImportAnswer,
    summary="Import a file of stories",
    responses=problems(*_ERRORS),
    openapi_extra={"requestBody": {"required": True, "content": examples.STORY_IMPORT}},
)
async def import_stories(
    request: Request,
    client: Contributor,
    query: Annotated[ImportQuery, Depends(Query(ImportQuery))],
    upload: Annotated[Uploaded, Depends(Upload())],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Use it to bring in the answers to a survey: a JSON array, NDJSON, CSV in UTF-8 or an `.xlsx`
    workbook (its sheet `stories`, or its first), with `text` and `verdict` in each row. All that
    `POST /v1/imports` says of modes, sources and safe repeats holds here, too. Only rows that say
    yes in `consent_to_publish` are published; leave out what is about the person.
    """
    once = OnceImported(request, client, idempotency_key, upload, query)
    return await run(request, upload, query, client, along=once, of=STORIES)


@router.get(
    "/template.csv",
    response_class=Response,
    summary="Get a template of stories as CSV",
    responses={200: {"content": {Format.CSV.value: {"schema": {"type": "string"}}}}},
)
async def get_story_csv_template(caller: Reader) -> Response:
    """Use it to see which columns a table of stories has, with a row of example."""
    return template_of(columns.STORIES, Format.CSV)


@router.get(
    "/template.xlsx",
    response_class=Response,
    summary="Get a template of stories as a workbook",
    responses={
        200: {"content": {Format.XLSX.value: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def get_story_xlsx_template(caller: Reader) -> Response:
    """Use it to gather stories in a spreadsheet: it has all columns, a row of example, and a sheet
    that tells what each column takes.
    """
    return template_of(columns.STORIES, Format.XLSX)
