"""Tables described for machines, as Frictionless Data and the W3C have it."""

from __future__ import annotations

from typing import Any

from app.models.tables import Column, ColumnType, Table

_FRICTIONLESS = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.NUMBER: "number",
    ColumnType.DAY: "date",
    ColumnType.MOMENT: "datetime",
    ColumnType.TEXTS: "string",
}
_W3C = {
    ColumnType.TEXT: "string",
    ColumnType.INTEGER: "integer",
    ColumnType.NUMBER: "number",
    ColumnType.DAY: "date",
    ColumnType.MOMENT: "dateTimeStamp",
    ColumnType.TEXTS: "string",
}
SEPARATOR = "; "
"""Between several texts in one cell."""


def table_schema(table: Table) -> dict[str, Any]:
    """A Frictionless Table Schema (https://specs.frictionlessdata.io/table-schema/)."""
    return {
        "fields": [_field(column, column.name == table.key) for column in table.columns],
        "primaryKey": table.key,
        "missingValues": [""],
    }


def _field(column: Column, key: bool) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": not column.nullable}
    if key:
        constraints["unique"] = True
    if column.choices:
        constraints["enum"] = list(column.choices)
    if column.type is ColumnType.TEXTS:
        del constraints["required"]  # none at all is an empty cell
        constraints.pop("enum", None)
    field: dict[str, Any] = {
        "name": column.name,
        "type": _FRICTIONLESS[column.type],
        "description": column.description,
        "constraints": constraints,
    }
    if column.type is ColumnType.MOMENT:
        field["format"] = "any"  # with parts of seconds
    return field


def csv_metadata(table: Table, url: str) -> dict[str, Any]:
    """Metadata for CSV on the Web (https://www.w3.org/TR/tabular-metadata/)."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": url,
        "dc:title": table.name.capitalize(),
        "dc:description": table.description,
        "dc:rights": "Contains NHS ODS data, Open Government Licence v3.0.",
        "dialect": {"header": True, "encoding": "utf-8", "lineTerminators": ["\r\n"]},
        "tableSchema": {
            "columns": [_column(column) for column in table.columns],
            "primaryKey": table.key,
        },
    }


def _column(column: Column) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "titles": column.name,
        "datatype": _W3C[column.type],
        "required": not column.nullable and column.type is not ColumnType.TEXTS,
        "dc:description": column.description,
    }
    if column.type is ColumnType.TEXTS:
        described["separator"] = SEPARATOR
    return described
