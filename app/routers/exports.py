"""Exports: whole tables as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from app.auth import Reader
from app.errors import (
    NotFound,
    RegisterError,
    UnknownInnovation,
    UnknownOrganisation,
    UnknownTheme,
)
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


def _of_innovations(table: Table) -> None:
    """Makes the operation that exports innovations, or what belongs to them."""

    async def export(
        request: Request,
        register: Register,
        processes: Processes,
        caller: Reader,
        form: FormatName,
        query: Annotated[InnovationExport, Depends(Query(InnovationExport))],
    ) -> Response:
        asked = await register.read(
            exports.of_innovations, table, query, caller, memory=register.memory
        )
        return await _export(request, processes, table, form, query, asked)

    _add(table, export, *_FILTERS)


def _of_organisations(table: Table) -> None:
    async def export(
        request: Request,
        register: Register,
        processes: Processes,
        caller: Reader,
        form: FormatName,
        query: Annotated[OrganisationExport, Depends(Query(OrganisationExport))],
    ) -> Response:
        asked = await register.read(exports.of_organisations, query)
        return await _export(request, processes, table, form, query, asked)

    _add(table, export)


def _of_themes(table: Table) -> None:
    async def export(
        request: Request,
        register: Register,
        processes: Processes,
        caller: Reader,
        form: FormatName,
        options: Annotated[ExportOptions, Depends(Query(ExportOptions))],
    ) -> Response:
        asked = await register.read(exports.of_themes)
        return await _export(request, processes, table, form, options, asked)

    _add(table, export)


def _add(table: Table, export: Callable[..., Any], *kinds: type[RegisterError]) -> None:
    """Adds an operation, which is called and described as its table is."""
    export.__name__ = f"export_{table.name}"
    router.get(
        f"/{table.name}.{{format}}",
        summary=f"Export {table.name}",
        description=f"{table.use} {_FILE_USE}",
        response_class=Response,
        responses=problems(NotFound, *kinds) | _FILE,
    )(export)


_FILE_USE = (
    "Send the `ETag` back as `If-None-Match`, and a file of nothing new costs nothing. With "
    "`format` csv, `bom=true` is for Excel."
)


def _of_stories(table: Table) -> None:
    async def export(
        request: Request,
        register: Register,
        processes: Processes,
        caller: Reader,
        form: FormatName,
        query: Annotated[StoryExport, Depends(Query(StoryExport))],
    ) -> Response:
        asked = await register.read(exports.of_stories, query, caller, memory=register.memory)
        return await _export(request, processes, table, form, query, asked)

    _add(table, export, *_FILTERS, UnknownInnovation)


for _each in TABLES:
    if _each.of_innovations:
        _of_innovations(_each)
_of_stories(STORIES)
_of_organisations(ORGANISATIONS)
_of_themes(THEMES)


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
    headers = _headers(request, table, format_, await register.head())
    unmodified = conditional.unmodified(request, headers)
    if unmodified is not None:
        return unmodified
    if HEAD_ONLY in request.scope:
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
    unmodified = conditional.unmodified(request, headers)  # something may just have been written
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
