"""Workbooks (Office Open XML), written as a stream: the first rows leave before the last are read.

XlsxWriter keeps the sheets on disk until the last row is there: for a million rows some gigabytes,
and ten minutes in which a client hears nothing. The few parts that a table needs are simple.

Source: ECMA-376, part 1 (SpreadsheetML) and part 2 (packages).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

MOST_ROWS = 1_048_575
"""Rows of a sheet below its header; more go on in a further sheet."""

MOST_BYTES = 2_000_000_000
"""Bytes of a sheet, before they are compressed. From 2 GiB on, a ZIP would be one of those that not
all spreadsheets open; so the rest goes on in a further sheet, too."""

LONGEST_CELL = 32_767
"""UTF-16 units of a cell; what is longer is cut, and ends with an ellipsis."""

BETWEEN = "; "
"""Between several texts in one cell, as imports take them."""

_COMPRESSION = 2
"""Of 1 to 9. Twice as fast as the 6 that is usual, and a tenth larger."""

_HEAD, _DAY, _MOMENT = 1, 2, 3
"""Styles of cells, by their places in the list of :data:`_STYLES`."""

_WIDE = frozenset(
    {"title", "summary", "description", "statement", "reason", "decision_reason", "text"}
)

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EDEE"/></patternFill></fill></fills>'
    '<borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="2" borderId="0" applyFont="1" applyFill="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>"
)

Cell = Callable[[Any], str]
"""What is between the brackets of a cell, after its address: ``t="n"><v>1</v>``."""


def write(
    name: str, columns: Sequence[tuple[str, str]], rows: Iterable[Any], out: IO[bytes]
) -> None:
    """Writes a table of this name as a workbook. A column is its name and its type (a
    :class:`app.models.tables.ColumnType`); texts stay texts, and nothing is a formula."""
    cells = [(letters(at), _CELLS.get(type_, _text)) for at, (_, type_) in enumerate(columns)]
    start = _start([name for name, _ in columns])
    left = iter(rows)
    row = next(left, None)
    sheets: list[str] = []
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION) as package:
        while row is not None or not sheets:
            sheets.append(name if not sheets else f"{name} {len(sheets) + 1}")
            with package.open(f"xl/worksheets/sheet{len(sheets)}.xml", "w") as sheet:
                number, size = 1, sheet.write(start)
                while row is not None and number <= MOST_ROWS and size < MOST_BYTES:
                    number += 1
                    size += sheet.write(_row(number, cells, row).encode())
                    row = next(left, None)
                sheet.write(b"</sheetData></worksheet>")
        for part, text in _parts(sheets):
            package.writestr(part, text)


def letters(at: int) -> str:
    """A column's letters: A, B, ... Z, AA."""
    above, here = divmod(at, 26)
    return (letters(above - 1) if above else "") + chr(ord("A") + here)


def _row(number: int, columns: Sequence[tuple[str, Cell]], row: Sequence[Any]) -> str:
    cells = [
        f'<c r="{at}{number}"{cell(value)}</c>'
        for (at, cell), value in zip(columns, row, strict=True)
        if value is not None
    ]
    return f'<row r="{number}">{"".join(cells)}</row>'


def _start(names: Sequence[str]) -> bytes:
    """A sheet up to its first row of values; the header and the first column stay in sight."""
    widths = [40 if name in _WIDE else max(12, len(name) + 2) for name in names]
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(widths, 1)
    )
    header = "".join(
        f'<c r="{letters(at)}1" s="{_HEAD}"{_text(name)}</c>' for at, name in enumerate(names)
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane xSplit="1" ySplit="1" topLeftCell="B2" activePane="bottomRight" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{columns}</cols>"
        f'<sheetData><row r="1">{header}</row>'
    ).encode()


# Cells

_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def _escaped(match: re.Match[str]) -> str:
    # What XML cannot hold is written as its number; and so is the start of what looks like that.
    return _MARKUP.get(match[0]) or f"_x{ord(match[0]):04X}_"


def _text(text: str) -> str:
    if len(text) > LONGEST_CELL // 2:
        text = _cut(text)
    return f' t="inlineStr"><is><t xml:space="preserve">{_SPECIAL.sub(_escaped, text)}</t></is>'


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST_CELL:
        return text
    return units[: 2 * LONGEST_CELL - 2].decode("utf-16-le", "ignore") + "…"


def _texts(texts: Sequence[str]) -> str:
    return _text(BETWEEN.join(texts)) if texts else ">"


def _number(number: float) -> str:
    return f"><v>{number!r}</v>"


@lru_cache(10_000)
def _day(day: str) -> str:
    return f' s="{_DAY}"><v>{_serial(date.fromisoformat(day))}</v>'


def _moment(moment: str) -> str:
    # A workbook knows no time zones: all its times are in UTC.
    at = datetime.fromisoformat(moment)
    seconds = at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6
    return f' s="{_MOMENT}"><v>{_serial(at.date()) + seconds / 86_400!r}</v>'


def _serial(day: date) -> int:
    """A day as its number; spreadsheets have a 29 February 1900, which there never was."""
    number = (day - date(1899, 12, 31)).days
    return number + 1 if number > 59 else number


_CELLS: dict[str, Cell] = {
    "integer": _number,
    "number": _number,
    "day": _day,
    "moment": _moment,
    "texts": _texts,
}


# What else is in the package


def _parts(sheets: Sequence[str]) -> Iterable[tuple[str, str]]:
    numbers = range(1, len(sheets) + 1)
    overrides = {f"/xl/worksheets/sheet{number}.xml": "worksheet" for number in numbers}
    overrides |= {"/xl/workbook.xml": "sheet.main", "/xl/styles.xml": "styles"}
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        + "".join(
            f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>'
            for part, kind in overrides.items()
        )
        + "</Types>",
    )
    yield "_rels/.rels", _relationships([("officeDocument", "xl/workbook.xml")])
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{sheet}" sheetId="{number}" r:id="rId{number}"/>'
            for number, sheet in enumerate(sheets, 1)
        )
        + "</sheets></workbook>",
    )
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
    yield "xl/_rels/workbook.xml.rels", _relationships([*targets, ("styles", "styles.xml")])
    yield "xl/styles.xml", _STYLES


def _relationships(targets: Iterable[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'
