"""Reads a workbook from standard input, and writes its rows as JSON, one a line: number and texts.

It is run as a process of its own, with the name of the sheet; see ``workbook.py``.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any, NoReturn

from python_calamine import CalamineError, CalamineWorkbook

LARGEST_UNPACKED = 512 * 1024 * 1024
LARGEST_MEMORY = 2 * 1024 * 1024 * 1024
REFUSED = 3


def main() -> None:
    """Reads, or says in one line what is wrong."""
    _bounded()
    content = sys.stdin.buffer.read()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
    except zipfile.BadZipFile:
        _refuse("This is no workbook (.xlsx), or a broken one.")
    if unpacked > LARGEST_UNPACKED:
        _refuse(f"Unpacked, the workbook has more than {LARGEST_UNPACKED // 2**20} MiB.")
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        named = [name for name in book.sheet_names if name.strip().lower() == sys.argv[1]]
        sheet = book.get_sheet_by_name(named[0]) if named else book.get_sheet_by_index(0)
    except (CalamineError, IndexError):
        _refuse("This is no workbook (.xlsx), or a broken one.")
    # A single cell at the sheet's far end makes a million rows, of which nothing is to be said.
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if cells.count("") < len(cells):
            row = [number, [_text(cell) for cell in cells]]
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _text(cell: Any) -> str:
    """A cell as a person would type it; a number of an id has no `.0`."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell.total_seconds()) if isinstance(cell, timedelta) else str(cell)


def _bounded() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system has these bounds
        import resource  # noqa: PLC0415 - not every system has the module

        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_MEMORY, LARGEST_MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_MEMORY, LARGEST_MEMORY))


def _refuse(words: str) -> NoReturn:
    sys.stderr.write(words)
    sys.exit(REFUSED)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    main()
