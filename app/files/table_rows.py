"""Tables: a header, and an entry a row; as CSV, or as what a workbook's sheet gave."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from app.errors import Fault, UnreadableFile
from app.files.columns import Columns, Header
from app.files.rows import LARGEST_ROW, LONGEST_READ, Row, too_large

csv.field_size_limit(LONGEST_READ)

_SEPARATORS = ",;\t"


def csv_rows(file: IO[bytes], columns: Columns) -> Iterator[Row]:
    """The rows of CSV (RFC 4180); in UTF-8, with or without a byte order mark.

    Raises:
        UnreadableFile, ValidationFailed
    """
    start = file.read(LARGEST_ROW).partition(b"\n")[0]
    file.seek(0)
    if start.startswith(b"PK\x03\x04"):
        raise UnreadableFile("This is a workbook or another archive, and no CSV.")
    separator = max(_SEPARATORS, key=lambda mark: start.count(mark.encode()))
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from table_rows(_records(text, separator), columns)
    finally:
        text.detach()


def _records(text: Iterable[str], separator: str) -> Iterator[Sequence[str]]:
    reader = csv.reader(text, delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            raise UnreadableFile(
                f"Near row {number} there is something that is not UTF-8. In a spreadsheet, save "
                "as `CSV UTF-8`."
            ) from None
        except csv.Error as error:
            endless = "end of data" in str(error) or "field limit" in str(error)
            why = "opens a quote that is never closed" if endless else "has a quote out of place"
            raise UnreadableFile(f"Row {number} {why}.") from None


def table_rows(records: Iterator[Sequence[str]], columns: Columns) -> Iterator[Row]:
    """The rows of a table, from its records; empty ones are passed over.

    Raises:
        UnreadableFile: when there is no header.
        ValidationFailed: when the header is wrong.
    """
    numbered = enumerate(records, 1)
    first = next((cells for _, cells in numbered if any(cell.strip() for cell in cells)), None)
    if first is None:
        raise UnreadableFile("The table has no header.")
    header = Header(first, columns)
    for at, cells in numbered:
        if sum(map(len, cells)) > LARGEST_ROW:
            yield too_large(at)
            continue
        try:
            entry = header.entry(cells)
        except ValueError as error:
            yield Row(at, None, Fault("#", "cell_without_column", str(error)))
        else:
            if entry:
                yield Row(at, entry)
