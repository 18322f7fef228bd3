"""The formats of exports: each takes batches of rows, and writes a file as it goes."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import IO, Any

from app.exports.job import Field, Job
from app.exports.snapshot import Row
from app.register.rows import Cells, cells_of

Batches = Iterable[Sequence[Row]]

SHEET_ROWS = 1_048_575
"""Rows of a sheet below its header; more go on in a further sheet."""

LONGEST_CELL = 32_767
"""Characters of a cell of a sheet; what is longer is cut, and ends with an ellipsis."""

ROW_GROUP = 20_000
"""Rows of a row group of Parquet, which is what is in memory at once."""

BETWEEN = "; "
"""Between several texts in one cell, as imports take them."""

_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a text begins that a spreadsheet might take for a formula."""

Writer = Callable[[Job, Batches, IO[bytes]], None]
"""Writes a file of a format."""


def ndjson(_: Job, batches: Batches, out: IO[bytes]) -> None:
    """The public documents as they are stored, one a line."""
    for rows in batches:
        out.write(b"".join(f"{row[0]}\n".encode() for row in rows))


def table(job: Job, batches: Batches, out: IO[bytes]) -> None:
    """CSV as in RFC 4180."""
    cells = cells_of(job.fields)
    if job.byte_order_mark:
        out.write("\ufeff".encode())
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(field.name for field in job.fields)
    for rows in batches:
        writer.writerows([_shown(cell) for cell in cells(row)] for row in rows)
        out.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    out.write(text.getvalue().encode())


def _shown(cell: Any) -> Any:
    if isinstance(cell, list):
        cell = BETWEEN.join(cell)
    return harmless(cell) if isinstance(cell, str) else cell


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before it says that it is one.

    See OWASP, CSV injection.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def workbook(job: Job, batches: Batches, out: IO[bytes]) -> None:
    """A workbook: texts are texts, days are days, and numbers are numbers; nothing is a formula."""
    import xlsxwriter  # noqa: PLC0415 - only who writes a workbook needs it

    cells = cells_of(job.fields)
    with tempfile.TemporaryDirectory(prefix="register-") as folder:
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        file = f"{folder}/export.xlsx"
        with xlsxwriter.Workbook(file, options) as book:
            formats = {
                "head": book.add_format({"bold": True, "bg_color": "#E8EDEE"}),
                "day": book.add_format({"num_format": "yyyy-mm-dd"}),
                "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            }
            _fill(book, job, cells, batches, formats)
        with open(file, "rb") as whole:  # noqa: PTH123
            while chunk := whole.read(1 << 16):
                out.write(chunk)


def _fill(book: Any, job: Job, cells: Cells, batches: Batches, formats: Mapping[str, Any]) -> None:
    sheet, number, sheets = _sheet(book, job, 1, formats), 0, 1
    for rows in batches:
        for row in rows:
            if number == SHEET_ROWS:
                number, sheets = 0, sheets + 1
                sheet = _sheet(book, job, sheets, formats)
            number += 1
            for at, (field, cell) in enumerate(zip(job.fields, cells(row), strict=True)):
                _write(sheet, (number, at), field, cell, formats)


def _sheet(book: Any, job: Job, number: int, formats: Mapping[str, Any]) -> Any:
    sheet = book.add_worksheet(job.table if number == 1 else f"{job.table} {number}")
    sheet.freeze_panes(1, 1)
    for at, field in enumerate(job.fields):
        sheet.set_column(at, at, 40 if field.name in _WIDE else max(12, len(field.name) + 2))
        sheet.write_string(0, at, field.name, formats["head"])
    return sheet


_WIDE = frozenset(
    {"title", "summary", "description", "statement", "reason", "decision_reason", "text"}
)


def _write(
    sheet: Any, at: tuple[int, int], field: Field, cell: Any, formats: Mapping[str, Any]
) -> None:
    if cell is None:
        return
    if isinstance(cell, list):
        cell = BETWEEN.join(cell)
    if field.type in ("day", "moment"):
        # A workbook knows no time zones: all its times are in UTC.
        moment = datetime.fromisoformat(cell).replace(tzinfo=None)
        sheet.write_datetime(*at, moment, formats[field.type])
    elif isinstance(cell, str):
        if len(cell) > LONGEST_CELL:
            cell = f"{cell[: LONGEST_CELL - 1]}…"
        sheet.write_string(*at, cell)
    else:
        sheet.write_number(*at, cell)


def parquet(job: Job, batches: Batches, out: IO[bytes]) -> None:
    """Parquet with typed columns."""
    import pyarrow  # noqa: PLC0415 - large, and only who writes Parquet needs it
    import pyarrow.parquet  # noqa: PLC0415

    types = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "day": pyarrow.date32(),
        "moment": pyarrow.timestamp("us", tz="UTC"),
        "texts": pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(field.name, types[field.type]) for field in job.fields])
    cells = cells_of(job.fields)
    kept: list[list[Any]] = []
    sink = pyarrow.PythonFile(out, mode="w")
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:

        def write() -> None:
            columns = [
                pyarrow.array([_typed(field, row[at]) for row in kept], type=types[field.type])
                for at, field in enumerate(job.fields)
            ]
            writer.write_batch(pyarrow.record_batch(columns, schema=schema))
            kept.clear()

        for rows in batches:
            kept += map(cells, rows)
            if len(kept) >= ROW_GROUP:
                write()
        if kept:
            write()


def _typed(field: Field, cell: Any) -> Any:
    if cell is None:
        return None
    if field.type == "moment":
        return datetime.fromisoformat(cell)
    return date.fromisoformat(cell) if field.type == "day" else cell


WRITERS: Mapping[str, Writer] = {
    "csv": table,
    "ndjson": ndjson,
    "xlsx": workbook,
    "parquet": parquet,
}
"""By what a file's name ends with."""
