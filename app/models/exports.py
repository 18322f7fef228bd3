"""Exports: what can be asked of them, and what there is."""

from enum import StrEnum

from pydantic import Field

from app.models.fields import Document, Strict
from app.models.finding import InnovationFilters
from app.models.organisations import OrganisationFilters
from app.models.story_finding import StoryFilters


class ExportFormat(StrEnum):
    """A format, by what a file's name ends with."""

    CSV = "csv"
    NDJSON = "ndjson"
    XLSX = "xlsx"
    PARQUET = "parquet"


MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
    ExportFormat.NDJSON: "application/x-ndjson",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}


class ExportOptions(Strict):
    """How a file is written."""

    bom: bool = Field(
        default=False,
        description="For CSV: with a byte order mark, by which Excel knows that it is UTF-8.",
    )


class InnovationExport(InnovationFilters, ExportOptions):
    """Which innovations, and how they are written."""


class StoryExport(StoryFilters, ExportOptions):
    """Which stories, and how they are written."""


class OrganisationExport(OrganisationFilters, ExportOptions):
    """Which organisations, and how they are written."""


class ExportedTable(Document):
    """A table that can be had as a file."""

    table: str
    description: str
    files: dict[str, str] = Field(description="Where it is, by format.")
    table_schema: str = Field(description="Its columns, as a Frictionless Table Schema.")
    csv_metadata: str = Field(description="Its columns, as W3C metadata for CSV on the Web.")


class ExportList(Document):
    """All tables."""

    items: list[ExportedTable]
