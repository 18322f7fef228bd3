"""Imports: a whole file of innovations in one request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    IdempotencyKeyReused,
    ImportRejected,
    OrganisationClosed,
    StillRunning,
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
from app.register.imports import INNOVATIONS
from app.routers import examples

router = APIRouter(prefix="/v1/imports", tags=["imports"], route_class=Route)

_ERRORS = (
    *(UnreadableFile, ImportRejected, UnknownTheme, UnknownOrganisation, OrganisationClosed),
    *(IdempotencyKeyReused, StillRunning),
)


@router.post(
    "",
    response_model=ImportAnswer,
    summary="Import a file of innovations",
    responses=problems(*_ERRORS),
    openapi_extra={"requestBody": {"required": True, "content": examples.IMPORT}},
)
async def import_innovations(
    request: Request,
    client: Contributor,
    query: Annotated[ImportQuery, Depends(Query(ImportQuery))],
    upload: Annotated[Uploaded, Depends(Upload())],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Use it to send many entries at once: a nightly export, or a spreadsheet. The answer tells
    what became of each row. Rows with a `source` of your own are created or updated, as by `PUT
    /v1/innovations/by-source/{system}/{id}`, so send the whole file again whenever you like: what
    is as it was stays unchanged. Rows without one are new each time; then send an
    `Idempotency-Key`, and use `mode=atomic`.

    A file is a JSON array, NDJSON, CSV in UTF-8 or an `.xlsx` workbook (its sheet `innovations`,
    or its first). In a table, `source.id` and `evidence.1.kind` are columns like these two, and
    semicolons separate `tags` and `further_themes`; `GET /v1/imports/template.xlsx` has them all.

    In `atomic` mode a single bad row makes the answer a 422, and nothing is written. In `partial`
    mode the good rows are written, some hundred at a time.
    """
    once = OnceImported(request, client, idempotency_key, upload, query)
    return await run(request, upload, query, client, along=once, of=INNOVATIONS)


@router.get(
    "/template.csv",
    response_class=Response,
    summary="Get a template as CSV",
    responses={200: {"content": {Format.CSV.value: {"schema": {"type": "string"}}}}},
)
async def get_csv_template(caller: Reader) -> Response:
    """Use it to see which columns a table has: it has them all, and a row of example."""
    return template_of(columns.INNOVATIONS, Format.CSV)


@router.get(
    "/template.xlsx",
    response_class=Response,
    summary="Get a template as a workbook",
    responses={
        200: {"content": {Format.XLSX.value: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def get_xlsx_template(caller: Reader) -> Response:
    """Use it to gather innovations in a spreadsheet: it has all columns, a row of example, and a
    sheet that tells what each column takes.
    """
    return template_of(columns.INNOVATIONS, Format.XLSX)
