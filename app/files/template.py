"""The template of a table: all columns, a row of example, and what each column takes."""

from __future__ import annotations

import csv
import io
from functools import cache
from typing import Any

import xlsxwriter

from app.files.columns import LISTS, REQUIRED, names
from app.models.decisions import DecisionCreate, Status
from app.models.evidence import EvidenceCreate, EvidenceKind, EvidenceStrength, Measure
from app.models.innovations import CareSetting, InnovationCreate, OwnVisibility, Source

EXAMPLE = {
    "title": "Virtual care-home ward rounds",
    "summary": "A GP sees residents by video twice a week.",
    "theme": "21st-century-tools",
    "further_themes": "local-system",
    "care_setting": "care_home",
    "tags": "video; ward-round",
    "started_on": "2020-04-01",
    "visibility": "published",
    "source.system": "spreadsheet",
    "source.id": "1",
    "decision.status": "keep",
    "decision.reason": "Fewer admissions.",
    "decision.decided_on": "2021-06-30",
    "decision.review_on": "2027-06-30",
    "decision.decided_by": "Medical director",
    "evidence.1.kind": "measure",
    "evidence.1.statement": "Admissions from homes fell by a fifth.",
    "evidence.1.strength": "moderate",
    "evidence.1.url": "https://example.org/report",
    "evidence.1.measure.name": "Emergency admissions",
    "evidence.1.measure.unit": "per month",
    "evidence.1.measure.baseline": "50",
    "evidence.1.measure.result": "40",
    "evidence.1.measure.period": "2020-04/2020-09",
}

_CHOICES = {
    "care_setting": CareSetting,
    "visibility": OwnVisibility,
    "decision.status": Status,
    "evidence.1.kind": EvidenceKind,
    "evidence.1.strength": EvidenceStrength,
}
_ROWS = 1000
"""Rows of the sheet that offer the choices."""


@cache
def as_csv() -> bytes:
    """The template as CSV; with a byte order mark, by which spreadsheets know that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names())
    writer.writerow([EXAMPLE.get(name, "") for name in names()])
    return text.getvalue().encode("utf-8-sig")


@cache
def as_xlsx() -> bytes:
    """The template as a workbook, with a second sheet that tells what each column takes."""
    file = io.BytesIO()
    # All cells are texts: what looks like a formula or a number stays as it is typed.
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8EDEE", "num_format": "@"})
        plain = book.add_format({"num_format": "@"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("innovations")
        sheet.freeze_panes(1, 1)
        for at, name in enumerate(names()):
            sheet.set_column(at, at, max(14, len(name) + 2), plain)
            sheet.write_string(0, at, name, head)
            sheet.write_string(1, at, EXAMPLE.get(name, ""), plain)
            if name in _CHOICES:
                choices = {"validate": "list", "source": [str(each) for each in _CHOICES[name]]}
                sheet.data_validation(1, at, _ROWS, at, choices)
        told = book.add_worksheet("columns")
        told.set_column(0, 0, 30)
        told.set_column(1, 1, 90)
        for at, (left, right) in enumerate([("column", "what it takes"), *_told()]):
            told.write_string(at, 0, left, head if at == 0 else wrapped)
            told.write_string(at, 1, right, head if at == 0 else wrapped)
    return file.getvalue()


def _told() -> list[tuple[str, str]]:
    told = [(name, _words(name)) for name in names()]
    more = "For more evidence, add columns with 2, 3 and so on in place of the 1."
    return [*told, ("evidence.2.kind ...", more)]


def _words(name: str) -> str:
    """What a column takes, from the field that it is."""
    words = []
    if name in REQUIRED:
        words.append("Required.")
    described = _field(name).description
    if described:
        words.append(described.replace("`", ""))
    if name in LISTS:
        words.append("Several, with semicolons between them.")
    if name in _CHOICES:
        words.append(f"One of {', '.join(_CHOICES[name])}.")
    if name.endswith("_on"):
        words.append("A day, as 2020-04-01.")
    return " ".join(words)


_MODELS: dict[str, Any] = {
    "source": Source,
    "decision": DecisionCreate,
    "evidence": EvidenceCreate,
    "measure": Measure,
}


def _field(name: str) -> Any:
    *path, last = (part for part in name.split(".") if not part.isdigit())
    model = _MODELS[path[-1]] if path else InnovationCreate
    return model.model_fields[last]
