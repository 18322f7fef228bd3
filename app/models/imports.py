"""Imports: what can be asked of one, and what it answers."""

from enum import StrEnum

from pydantic import Field

from app.models.fields import Document, Strict


class ImportMode(StrEnum):
    """What becomes of the good rows of a file that has bad ones, too."""

    ATOMIC = "atomic"
    PARTIAL = "partial"


class ImportQuery(Strict):
    """How to import."""

    mode: ImportMode = Field(
        default=ImportMode.ATOMIC,
        description="`atomic`: all rows or none. `partial`: the good rows, some hundred at a time, "
        "so that others can write in between; it is the one for large files.",
        examples=["partial"],
    )
    dry_run: bool = Field(default=False, description="Judge the file, and write nothing.")
    accept_flagged: bool = Field(
        default=False,
        description="For a curator: accept what is flagged as possible personal data. The change "
        "log says that it was accepted, and by whom.",
    )


class ImportOutcome(StrEnum):
    """What became of a row, or would."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


class RowFault(Document):
    """One thing that is wrong with a row."""

    pointer: str = Field(description="Where in the entry.", examples=["#/decision/status"])
    column: str | None = Field(
        description="For a table: in which column.", examples=["decision.status"]
    )
    code: str = Field(description="For a machine; it stays the same.", examples=["enum"])
    detail: str = Field(description="For a person.")
    start: int | None = Field(
        description="For what is flagged in a text: where, in characters from 0; else null."
    )
    end: int | None = Field(description="The character after the last one; null with `start`.")


class ImportedRow(Document):
    """What became of a row."""

    row: int = Field(
        description="In a table the row as a spreadsheet counts it (the header is 1, usually), in "
        "NDJSON the line, in an array the entry."
    )
    outcome: ImportOutcome
    id: str | None = Field(
        description="The entry's; null for a row that is rejected, or that "
        "would be created if the file were written."
    )
    reference: str | None
    errors: list[RowFault]


class ImportTotals(Document):
    """How many rows there were, and what became of them."""

    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int


class ImportAnswer(Document):
    """What became of a file."""

    totals: ImportTotals
    mode: ImportMode
    dry_run: bool
    written: bool = Field(description="False for a dry run, and where `atomic` met a bad row.")
    rows: list[ImportedRow]
