"""Exports: whole tables as files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.auth import Reader
from app.errors import NotFound, UnknownInnovation, UnknownOrganisation, UnknownTheme
from app.exports.job import Field, Job
from app.exports.running import Exports
from app.http import answers, collections, conditional
from app.http.exported import Exported
from app.http.middleware import HEAD_ONLY
from app.http.odata.payload import root_of
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.exports import (
    MEDIA_TYPES,
    ExportedTable,
    ExportFormat,
    ExportList,
    ExportOptions,
    InnovationExport,
    OrganisationExport,
    StoryExport,
)
from app.models.table_schemas import csv_metadata, table_schema
from app.models.tables import (
    DECISIONS,
    EVIDENCE,
    INNOVATIONS,
    ORGANISATIONS,
    STORIES,
    TABLES,
    THEMES,
    Table,
)
from app.register import exports
from app.register.exports import Asked
from app.routers.parts import Register

router = APIRouter(prefix="/v1/exports", tags=["exports"], route_class=Route)

_FILTERS = (UnknownTheme, UnknownOrganisation)
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string"}}
            for media_type in MEDIA_TYPES.values()
        },
    }
}

FormatName = Annotated[
    str,
    Path(
        alias="format",
        description="What the file's name ends with: csv, ndjson, xlsx or parquet.",
        json_schema_extra={"enum": [form.value for form in ExportFormat]},
        openapi_examples={"csv": {"summary": "For a spreadsheet", "value": "csv"}},
    ),
]
TableName = Annotated[
    str,
    Path(
        alias="table",
        json_schema_extra={"enum": [table.name for table in TABLES]},
        openapi_examples={"innovations": {"summary": "Innovations", "value": "innovations"}},
    ),
]


async def _exports(request: Request) -> Exports:
    found: Exports = request.app.state.exports
    return found


Processes = Annotated[Exports, Depends(_exports)]


@router.get("", response_model=ExportList, summary="See what can be exported", responses=problems())
async def list_exports(request: Request, register: Register, caller: Reader) -> Response:
    """Use it to find the files that there are, their formats, and what describes their columns."""
    items = [
        ExportedTable(
            table=table.name,
            description=table.description,
            files={form.value: f"/v1/exports/{table.name}.{form}" for form in ExportFormat},
            table_schema=f"/v1/exports/{table.name}.schema.json",
            csv_metadata=f"/v1/exports/{table.name}.csv-metadata.json",
        )
        for table in TABLES
    ]
    return await _told(request, ExportList(items=items).model_dump_json())


@router.get(
    "/{table}.schema.json",
    summary="Get the Table Schema of an export",
    response_model=dict[str, Any],
    responses=problems(NotFound),
)
async def get_table_schema(
    request: Request, register: Register, caller: Reader, table: TableName
) -> Response:
    """Use it to check or to load a CSV with its types: a Frictionless Table Schema, with what each
    column means, and which values there are.
    """
    return await _told(request, answers.compact(table_schema(_table(table))))


@router.get(
    "/{table}.csv-metadata.json",
    summary="Get the CSVW metadata of an export",
    response_model=dict[str, Any],
    responses=problems(NotFound),
)
async def get_csv_metadata(
    request: Request, register: Register, caller: Reader, table: TableName
) -> Response:
    """Use it with tools that know the W3C's CSV on the Web: they look for it beside the CSV."""
    metadata = csv_metadata(_table(table), f"{table}.csv")
    return await _told(request, answers.compact(metadata), "application/csvm+json")


async def _told(request: Request, content: str, media_type: str = answers.JSON) -> Response:
    """What there is to say of exports."""
    register: Register = request.app.state.database
    headers = collections.headers(request, await register.head())
    return Response(content, headers=headers, media_type=media_type)


@router.get(
    "/register.pbids",
    summary="Open the register in Power BI",
    response_model=dict[str, Any],
    responses=problems(),
)
async def get_power_bi_file(request: Request, register: Register, caller: Reader) -> Response:
    """Use it to start in Power BI Desktop: a double click on the file connects it to the register
    by OData, and shows which tables there are.
    """
    address = {"url": f"{root_of(request)}/"}
    connection = {"details": {"protocol": "odata", "address": address}, "mode": "Import"}
    answer = await _told(request, answers.compact({"version": "0.1", "connections": [connection]}))
    answer.headers["Content-Disposition"] = 'attachment; filename="register.pbids"'
    return answer


def _table(name: str) -> Table:
    for table in TABLES:
        if table.name == name:
            return table
    raise NotFound(f"There is no such table; there are {', '.join(each.name for each in TABLES)}.")


@router.get(
    "/innovations.{format}",
    summary="Export innovations",
    response_class=Response,
    responses=problems(NotFound, *_FILTERS) | _FILE,
)
async def export_innovations(
    request: Request,
    register: Register,
    processes: Processes,
    caller: Reader,
    form: FormatName,
    query: Annotated[InnovationExport, Depends(Query(InnovationExport))],
) -> Response:
    """Use it for a spreadsheet, or to load all into a tool of your own: each innovation that the
    list would show with these filters, with its newest decision, as of one moment. In NDJSON it is
    the whole document. Send the `ETag` back as `If-None-Match`, and an export of nothing new costs
    nothing. With `format` csv, `bom=true` is for Excel.
    """
    asked = await register.read(
        exports.of_innovations, INNOVATIONS, query, caller, memory=register.memory
    )
    return await _export(request, processes, INNOVATIONS, form, query, asked)


@router.get(
    "/decisions.{format}",
    summary="Export decisions",
    response_class=Response,
    responses=problems(NotFound, *_FILTERS) | _FILE,
)
async def export_decisions(
    request: Request,
    register: Register,
    processes: Processes,
    caller: Reader,
    form: FormatName,
    query: Annotated[InnovationExport, Depends(Query(InnovationExport))],
) -> Response:
    """Use it to see how judgements changed: every decision on the innovations that fit."""
    asked = await register.read(
        exports.of_innovations, DECISIONS, query, caller, memory=register.memory
    )
    return await _export(request, processes, DECISIONS, form, query, asked)


@router.get(
    "/evidence.{format}",
    summary="Export evidence",
    response_class=Response,
    responses=problems(NotFound, *_FILTERS) | _FILE,
)
async def export_evidence(
    request: Request,
    register: Register,
    processes: Processes,
    caller: Reader,
    form: FormatName,
    query: Annotated[InnovationExport, Depends(Query(InnovationExport))],
) -> Response:
    """Use it to weigh what speaks for the innovations that fit: every piece of evidence."""
    asked = await register.read(
        exports.of_innovations, EVIDENCE, query, caller, memory=register.memory
    )
    return await _export(request, processes, EVIDENCE, form, query, asked)


@router.get(
    "/stories.{format}",
    summary="Export stories",
    response_class=Response,
    responses=problems(NotFound, *_FILTERS, UnknownInnovation) | _FILE,
)
async def export_stories(
    request: Request,
    register: Register,
    processes: Processes,
    caller: Reader,
    form: FormatName,
    query: Annotated[StoryExport, Depends(Query(StoryExport))],
) -> Response:
    """Use it to read or to code what was told in a tool of your own: each story that its list would
    show with these filters. A story may be taken back: load the file again before you use it again.
    """
    asked = await register.read(exports.of_stories, query, caller, memory=register.memory)
    return await _export(request, processes, STORIES, form, query, asked)


@router.get(
    "/organisations.{format}",
    summary="Export organisations",
    response_class=Response,
    responses=problems(NotFound, UnknownOrganisation) | _FILE,
)
async def export_organisations(
    request: Request,
    register: Register,
    processes: Processes,
    caller: Reader,
    form: FormatName,
    query: Annotated[OrganisationExport, Depends(Query(OrganisationExport))],
) -> Response:
    """Use it to join codes with names, ICBs and regions in a tool of your own."""
    asked = await register.read(exports.of_organisations, query)
    return await _export(request, processes, ORGANISATIONS, form, query, asked)


@router.get(
    "/themes.{format}",
    summary="Export themes",
    response_class=Response,
    responses=problems(NotFound) | _FILE,
)
async def export_themes(
    request: Request,
    register: Register,
    processes: Processes,
    caller: Reader,
    form: FormatName,
    options: Annotated[ExportOptions, Depends(Query(ExportOptions))],
) -> Response:
    """Use it to join the themes' slugs with their names and groups."""
    asked = await register.read(exports.of_themes)
    return await _export(request, processes, THEMES, form, options, asked)


async def _export(
    request: Request,
    processes: Exports,
    table: Table,
    form: str,
    options: ExportOptions,
    asked: Asked,
) -> Response:
    if form not in MEDIA_TYPES:
        formats = ", ".join(MEDIA_TYPES)
        raise NotFound(f"There is no such format; there are {formats}.")
    format_ = ExportFormat(form)
    register: Register = request.app.state.database
    media_type = MEDIA_TYPES[format_]
    if HEAD_ONLY in request.scope:
        headers = _headers(request, table, format_, await register.head())
        answer = Response(headers=headers, media_type=media_type)
        del answer.headers["content-length"]  # it would have to be that of the file
        return answer
    sql, values = asked
    fields = tuple(
        Field(column.name, column.type.value, column.path, column.of_innovation)
        for column in table.columns
    )
    url = register.dialect.url.set(drivername=register.dialect.name).render_as_string(
        hide_password=False
    )
    job = Job(url, sql, values, table.name, form, fields, options.bom)
    export = await processes.open(job)
    headers = _headers(request, table, format_, export.head)
    unmodified = conditional.unmodified(request, headers)
    if unmodified is not None:
        await export.close()
        return unmodified
    return Exported(export, headers, media_type)


def _headers(request: Request, table: Table, form: ExportFormat, head: int) -> dict[str, str]:
    headers = collections.headers(request, head)
    headers["Content-Disposition"] = f'attachment; filename="{table.name}-{head}.{form}"'
    if form is ExportFormat.CSV:
        described = f"/v1/exports/{table.name}.csv-metadata.json"
        headers["Link"] = f'<{described}>; rel="describedby"; type="application/csvm+json"'
    return headers
