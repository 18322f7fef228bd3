"""Workbooks (.xlsx): read by a process of its own, with bounds, as they may hold anything.

A workbook is an archive of XML, and has to be unpacked whole to be read. What that may take is
bounded by the system, so that one made to unpack without end harms nobody.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from app.errors import UnreadableFile
from app.files.columns import Columns
from app.files.rows import Row
from app.files.table_rows import Record, table_rows

SECONDS = 120
"""What reading a workbook may take; one with 100,000 rows takes 3."""


def rows(file: IO[bytes], columns: Columns) -> Iterator[Row]:
    """The rows of the sheet that is named like the columns, or of the first one.

    Raises:
        UnreadableFile, ValidationFailed
    """
    with tempfile.TemporaryDirectory(prefix="register-") as folder:
        read = Path(folder, "rows.ndjson")
        # By its file, not as a module: it needs nothing of the register, and so starts at once.
        command = [sys.executable, "-I", str(Path(__file__).with_name("sheet.py")), columns.sheet]
        with tempfile.TemporaryFile() as said, read.open("wb") as out:
            try:
                status = subprocess.run(  # noqa: S603
                    command, stdin=file, stdout=out, stderr=said, timeout=SECONDS, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                raise UnreadableFile("The workbook takes too long to read.") from None
            said.seek(0)
            words = said.read(300).decode(errors="replace").strip()
        if status == _REFUSED:
            raise UnreadableFile(words)
        if status != 0:
            raise UnreadableFile("The workbook is broken, or unpacks to more than can be read.")
        with read.open("rb") as lines:
            yield from table_rows(_records(lines), columns)


_REFUSED = 3
"""How `sheet.py` ends when it can tell what is wrong."""


def _records(lines: IO[bytes]) -> Iterator[Record]:
    for line in lines:
        number, cells = json.loads(line)
        yield number, cells
