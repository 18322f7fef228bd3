"""The template of a table: all columns, a row of example, and what each column takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import xlsxwriter
from pydantic import BaseModel

from app.files.columns import Columns
from app.models.decisions import DecisionCreate, Status
from app.models.evidence import EvidenceCreate, EvidenceKind, EvidenceStrength, Measure
from app.models.innovations import CareSetting, OwnVisibility, Source
from app.models.stories import Role, Verdict

_INNOVATION = {
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

_STORY = {
    "text": "Four forms became one, and people went home the day that they were well enough. Keep "
    "it at one.",
    "verdict": "keep",
    "role": "nurse",
    "care_setting": "acute",
    "themes": "basics-sorted; valued-staff",
    "consent_to_publish": "yes",
    "source.system": "survey",
    "source.id": "1",
}

EXAMPLES: Mapping[str, Mapping[str, str]] = {"innovations": _INNOVATION, "stories": _STORY}
"""A row of example for each kind of entry."""

_CHOICES: Mapping[str, Sequence[str]] = {
    "verdict": list(Verdict),
    "role": list(Role),
    "consent_to_publish": ["yes", "no"],
    "care_setting": list(CareSetting),
    "visibility": list(OwnVisibility),
    "decision.status": list(Status),
    "evidence.1.kind": list(EvidenceKind),
    "evidence.1.strength": list(EvidenceStrength),
}
_ROWS = 1000
"""Rows of the sheet that offer the choices."""


@cache
def as_csv(columns: Columns) -> bytes:
    """The template as CSV; with a byte order mark, by which spreadsheets know that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    example = EXAMPLES[columns.sheet]
    writer.writerow(columns.names)
    writer.writerow([example.get(name, "") for name in columns.names])
    return text.getvalue().encode("utf-8-sig")


@cache
def as_xlsx(columns: Columns) -> bytes:
    """The template as a workbook, with a second sheet that tells what each column takes."""
    file = io.BytesIO()
    # All cells are texts: what looks like a formula or a number stays as it is typed.
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8EDEE", "num_format": "@"})
        plain = book.add_format({"num_format": "@"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(columns.sheet)
        sheet.freeze_panes(1, 1)
        for at, name in enumerate(columns.names):
            sheet.set_column(at, at, max(14, len(name) + 2), plain)
            sheet.write_string(0, at, name, head)
            sheet.write_string(1, at, EXAMPLES[columns.sheet].get(name, ""), plain)
            if name in _CHOICES:
                _offer(sheet, at, _CHOICES[name])
        told = book.add_worksheet("columns")
        told.set_column(0, 0, 30)
        told.set_column(1, 1, 90)
        for at, (left, right) in enumerate([("column", "what it takes"), *_told(columns)]):
            told.write_string(at, 0, left, head if at == 0 else wrapped)
            told.write_string(at, 1, right, head if at == 0 else wrapped)
    return file.getvalue()


def _offer(sheet: Any, at: int, choices: Sequence[str]) -> None:
    """Offers choices below a column's head; a spreadsheet takes 255 letters of them at most."""
    source = [str(each) for each in choices]
    if len(",".join(source)) <= 255:
        sheet.data_validation(1, at, _ROWS, at, {"validate": "list", "source": source})


def _told(columns: Columns) -> list[tuple[str, str]]:
    told = [(name, _words(name, columns)) for name in columns.names]
    if "evidence.1.kind" not in columns.names:
        return told
    more = "For more evidence, add columns with 2, 3 and so on in place of the 1."
    return [*told, ("evidence.2.kind ...", more)]


def _words(name: str, columns: Columns) -> str:
    """What a column takes, from the field that it is."""
    words = []
    if name in columns.required:
        words.append("Required.")
    described = _field(name, columns.entry).description
    if described:
        words.append(described.replace("`", ""))
    if name in columns.lists:
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


def _field(name: str, entry: type[BaseModel]) -> Any:
    *path, last = (part for part in name.split(".") if not part.isdigit())
    model = _MODELS[path[-1]] if path else entry
    return model.model_fields[last]
