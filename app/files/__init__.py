"""Files of entries, as other systems and people's spreadsheets write them.

Each format is read as a stream of rows, so that a file costs memory for a row of it, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import IO

from app.files import json_rows, table_rows, workbook
from app.files.columns import Columns
from app.files.rows import Row


class Format(StrEnum):
    """A format, by its media type."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    CSV = "text/csv"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


SUFFIXES = {
    ".json": Format.JSON,
    ".ndjson": Format.NDJSON,
    ".jsonl": Format.NDJSON,
    ".csv": Format.CSV,
    ".xlsx": Format.XLSX,
}
"""What a file's name says of its format."""

_READERS: dict[Format, Callable[[IO[bytes], Columns], Iterator[Row]]] = {
    Format.JSON: lambda file, _: json_rows.array(file),
    Format.NDJSON: lambda file, _: json_rows.lines(file),
    Format.CSV: table_rows.csv_rows,
    Format.XLSX: workbook.rows,
}


def rows(file: IO[bytes], form: Format, columns: Columns) -> Iterator[Row]:
    """The rows of a file, from its start; of a table with these columns.

    Raises:
        UnreadableFile: when it is not of this format, or broken; perhaps only in the middle.
        ValidationFailed: when a table's header is wrong.
    """
    file.seek(0)
    return _READERS[form](file, columns)
