"""Tables: a header, and an entry a row; as CSV, or as what a workbook's sheet gave."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from app.errors import Fault, UnreadableFile
from app.files.columns import Columns, Header
from app.files.rows import LARGEST_ROW, LONGEST_READ, Row, too_large

csv.field_size_limit(LONGEST_READ)

_SEPARATORS = ",;\t"

Record = tuple[int, Sequence[str]]
"""A row's number, as a spreadsheet counts it, and its cells."""

_OTHERS = {
    b"PK\x03\x04": "This is a workbook or another archive, and no CSV.",
    b"{": "This is JSON, and no CSV.",
    b"[": "This is JSON, and no CSV.",
    b"<": "This is a page or XML, and no CSV.",
}
"""How files start that are something else. As CSV, all that is in them would be taken for names."""


def csv_rows(file: IO[bytes], columns: Columns) -> Iterator[Row]:
    """The rows of CSV (RFC 4180); in UTF-8, with or without a byte order mark.

    Raises:
        UnreadableFile, ValidationFailed
    """
    start = file.read(LARGEST_ROW).removeprefix(BOM_UTF8).lstrip().partition(b"\n")[0]
    file.seek(0)
    for mark, words in _OTHERS.items():
        if start.startswith(mark):
            raise UnreadableFile(words)
    separator = max(_SEPARATORS, key=lambda mark: start.count(mark.encode()))
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from table_rows(_records(text, separator), columns)
    finally:
        text.detach()


def _records(text: Iterable[str], separator: str) -> Iterator[Record]:
    reader = csv.reader(text, delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            raise UnreadableFile(
                f"Near row {number} there is something that is not UTF-8. In a spreadsheet, save "
                "as `CSV UTF-8`."
            ) from None
        except csv.Error as error:
            raise UnreadableFile(f"Row {number} {_why(error)}.") from None


def _why(error: csv.Error) -> str:
    if "end of data" in str(error):
        return "opens a quote that is never closed"
    if "field limit" in str(error):
        return "has a cell without end, or a quote that is never closed"
    return "has a quote out of place"


def table_rows(records: Iterator[Record], columns: Columns) -> Iterator[Row]:
    """The rows of a table, from its records; empty ones are passed over.

    Raises:
        UnreadableFile: when there is no header.
        ValidationFailed: when the header is wrong.
    """
    first = next((cells for _, cells in records if any(cell.strip() for cell in cells)), None)
    if first is None:
        raise UnreadableFile("The table has no header.")
    header = Header(first, columns)
    for at, cells in records:
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
