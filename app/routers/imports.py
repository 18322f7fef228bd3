"""Imports: a whole file of innovations in one request."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app import importing
from app.auth import Contributor, Reader
from app.errors import (
    Fault,
    IdempotencyKeyReused,
    ImportRejected,
    OrganisationClosed,
    StillRunning,
    UnknownOrganisation,
    UnknownTheme,
    UnreadableFile,
)
from app.files import Format, template
from app.http import answers, collections
from app.http.imports import FRESH, OnceImported, Replayed, answer_to
from app.http.problems import MEDIA_TYPE, problems, response_to
from app.http.query import Query
from app.http.route import Route
from app.http.uploads import Upload, Uploaded
from app.http.writing import IdempotencyKey, response_of
from app.models.faults import MOST_FAULTS
from app.models.imports import ImportAnswer, ImportMode, ImportQuery
from app.register.imports import Report
from app.routers import examples
from app.routers.parts import Register

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
    register: Register,
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
    with upload.file, once.running():
        try:
            async with request.app.state.imports:
                work = importing.Import(upload.file, upload.form, query, client, along=once)
                report = await asyncio.to_thread(work.run, register.write_in_turn)
        except Replayed as before:
            return response_of(before.answer, again=True)
    body = answer_to(report, query)
    if report.rejected and query.mode is ImportMode.ATOMIC and not query.dry_run:
        return _rejected(request, report, body)
    return Response(body, headers=FRESH, media_type=answers.JSON)


def _rejected(request: Request, report: Report, body: str) -> Response:
    """The problem that a file with bad rows is, with what became of each row beside it."""
    faults = [
        Fault(f"row:{result.number}{fault.pointer}", fault.code, fault.detail)
        for result in report.rejected[:MOST_FAULTS]
        for fault in result.faults
    ]
    rows = len(report.rows)
    error = ImportRejected(
        f"{len(report.rejected):,} of {rows:,} rows cannot be imported; nothing was written.",
        faults=tuple(faults[:MOST_FAULTS]),
    )
    problem = response_to(error, request)
    whole = bytes(problem.body)[:-1] + b"," + body[1:].encode()
    return Response(whole, error.status, FRESH, media_type=MEDIA_TYPE)


@router.get(
    "/template.csv",
    response_class=Response,
    summary="Get a template as CSV",
    responses={200: {"content": {Format.CSV.value: {"schema": {"type": "string"}}}}},
)
async def get_csv_template(caller: Reader) -> Response:
    """Use it to see which columns a table has: it has them all, and a row of example."""
    return _file(template.as_csv(), Format.CSV, "innovations.csv")


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
    return _file(template.as_xlsx(), Format.XLSX, "innovations.xlsx")


def _file(content: bytes, form: Format, name: str) -> Response:
    headers = {
        **collections.CACHING,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(content, headers=headers, media_type=form.value)
