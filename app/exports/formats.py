"""The formats of exports: each takes batches of rows, and writes a file as it goes."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import IO, Any

from app.exports import workbooks
from app.exports.job import Field, Job
from app.exports.snapshot import Row
from app.exports.workbooks import BETWEEN
from app.register.rows import cells_of

Batches = Iterable[Sequence[Row]]

ROW_GROUP = 4 * 1024 * 1024
"""Bytes of a row group of Parquet, before they are compressed: what is in memory at once."""

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
    cells = cells_of(job.fields)
    columns = [(field.name, field.type) for field in job.fields]
    workbooks.write(job.table, columns, (cells(row) for rows in batches for row in rows), out)


def parquet(job: Job, batches: Batches, out: IO[bytes]) -> None:
    """Parquet with typed columns."""
    # It takes NumPy along where there is one: half as much memory again, for nothing.
    sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]
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

    def typed(rows: Sequence[Row]) -> Any:
        columns = zip(*map(cells, rows), strict=True)
        arrays = [
            pyarrow.array(_typed(field, column), type=types[field.type])
            for field, column in zip(job.fields, columns, strict=True)
        ]
        return pyarrow.record_batch(arrays, schema=schema)

    kept: list[Any] = []
    sink = pyarrow.PythonFile(out, mode="w")
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in map(typed, batches):
            kept.append(batch)
            if sum(each.nbytes for each in kept) >= ROW_GROUP:
                writer.write_table(pyarrow.Table.from_batches(kept))
                kept.clear()
        if kept:
            writer.write_table(pyarrow.Table.from_batches(kept))


def _typed(field: Field, column: Sequence[Any]) -> Sequence[Any]:
    if field.type == "moment":
        return [cell and datetime.fromisoformat(cell) for cell in column]
    if field.type == "day":
        return [cell and date.fromisoformat(cell) for cell in column]
    return column


WRITERS: Mapping[str, Writer] = {
    "csv": table,
    "ndjson": ndjson,
    "xlsx": workbook,
    "parquet": parquet,
}
"""By what a file's name ends with."""
