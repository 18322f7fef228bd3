"""Workbooks that are written as a stream: what another reader makes of them."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from app.exports import workbooks

COLUMNS = [
    ("text", "text"),
    ("count", "integer"),
    ("figure", "number"),
    ("day", "day"),
    ("moment", "moment"),
    ("tags", "texts"),
]


def written(*rows: list[Any]) -> dict[str, list[list[Any]]]:
    """The rows of each sheet, as they are read."""
    out = io.BytesIO()
    workbooks.write("things", COLUMNS, rows, out)
    out.seek(0)
    book = CalamineWorkbook.from_filelike(out)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def read(*rows: list[Any]) -> list[list[Any]]:
    header, *found = written(*rows)["things"]
    assert header == [name for name, _ in COLUMNS]
    return found


def test_each_type_of_cell_is_read_as_it_was_written() -> None:
    moment = "2026-11-25T22:41:21.500000Z"
    (row,) = read(["A text", 3, -2.5, "2020-03-23", moment, ["video", "paper"]])

    assert row[:4] == ["A text", 3, -2.5, date(2020, 3, 23)]
    assert abs((row[4] - datetime(2026, 11, 25, 22, 41, 21)).total_seconds()) < 1  # noqa: DTZ001
    assert row[5] == "video; paper"


@pytest.mark.parametrize("day", ["1900-01-01", "1900-02-28", "1900-03-01", "2199-12-31"])
def test_days_beside_the_one_that_there_never_was(day: str) -> None:
    assert (
        workbooks._serial(date.fromisoformat(day))
        == {
            "1900-01-01": 1,
            "1900-02-28": 59,
            "1900-03-01": 61,
            "2199-12-31": 109_574,
        }[day]
    )


@pytest.mark.parametrize(
    "text",
    [
        '<b> & "quotes" \' ]]>',
        "  spaces, a\ttab and\nlines  ",
        "=HYPERLINK(A1)",
        "\N{SNOWMAN} \N{GRINNING FACE}",
    ],
)
def test_a_text_stays_as_it_is(text: str) -> None:
    assert read([text, None, None, None, None, []])[0][0] == text


def test_what_xml_cannot_hold_is_written_as_its_number() -> None:
    assert workbooks._text("\r\ufffe").endswith(">_x000D__xFFFE_</t></is>")
    assert workbooks._text("_x0041_ _x_").endswith(">_x005F_x0041_ _x_</t></is>")


def test_a_text_that_no_cell_holds_is_cut() -> None:
    face = "\N{GRINNING FACE}"  # two of the units that a cell is measured in
    for text in ("x" * 32_767, face * 16_383):
        assert read([text, None, None, None, None, []])[0][0] == text
    for text in ("x" * 32_768, face * 16_384):
        cut = read([text, None, None, None, None, []])[0][0]
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])
        assert len(cut.encode("utf-16-le")) // 2 in (32_766, 32_767)


def test_what_one_sheet_does_not_hold_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[list[Any]] = [[f"Row {number}", None, None, None, None, []] for number in range(7)]
    monkeypatch.setattr(workbooks, "MOST_ROWS", 3)
    sheets = written(*rows)
    assert list(sheets) == ["things", "things 2", "things 3"]
    assert [len(found) for found in sheets.values()] == [4, 4, 2]

    monkeypatch.setattr(workbooks, "MOST_BYTES", 1)
    assert len(written()) == 1, "a header alone"


def test_columns_have_letters() -> None:
    assert [workbooks.letters(at) for at in (0, 25, 26, 51, 52, 701, 702)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"),
    ]
