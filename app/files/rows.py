"""A row of a file."""

from __future__ import annotations

from typing import Any, NamedTuple

from app.errors import Fault

LARGEST_ROW = 1024 * 1024
"""Bytes of a row; as many as the body of a single POST has by default."""

LONGEST_READ = 4 * LARGEST_ROW
"""Bytes in which a row must end, or the whole file cannot be read on."""


class Row(NamedTuple):
    """One entry of a file, as it stands there.

    ``number`` is what the sender finds it by: in a table the row as a spreadsheet counts it, the
    header being the first; in NDJSON the line; in an array the entry.
    """

    number: int
    entry: bytes | dict[str, Any] | None
    """JSON, or the parts of a table's row; None if it could not be read."""
    fault: Fault | None = None


def too_large(number: int) -> Row:
    detail = f"A row has {LARGEST_ROW:,} bytes at most."
    return Row(number, None, Fault("#", "row_too_large", detail))
