"""The official file of NHS trusts, as the Organisation Data Service publishes it (``etr.csv``).

27 columns, no header: 1 code, 2 name, 3 region, 4 ICB, 5 to 9 address, 10 postcode, 11 opened and
12 closed (YYYYMMDD), and others that are of no use here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from app.models.changes import Action
from app.models.fields import Line
from app.models.organisations import Organisation, OrganisationKind
from app.register import organisations
from app.register.access import OPERATOR
from app.register.organisations import Facts

COLUMNS = 27

_CODE = re.compile(r"[A-Z0-9]{1,12}")
_DAY = re.compile(r"\d{8}", re.ASCII)
_NAME = TypeAdapter[str](Line)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that was not taken, and why."""

    line: int
    code: str
    why: str


@dataclass
class Report:
    """What became of the file's lines."""

    added: int = 0
    closed: int = 0
    renamed: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)


class _NotTaken(Exception):
    """A line cannot be taken; its words say why."""


def import_trusts(session: Session, lines: Iterable[str], report: Report) -> Iterator[int]:
    """Takes over the file's trusts, line by line; yields the number of each line done.

    Repeatable: what is known stays as it is. A line that cannot be taken is reported, and the
    others go on.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        # One by one, so that a quote that is never closed does not take the rest of the file along.
        row = next(csv.reader([line]), [])
        try:
            _take(session, row, seen, report)
        except _NotTaken as why:
            report.skipped.append(Skipped(number, row[0][:12] if row else "", str(why)))
        yield number


def _take(session: Session, row: list[str], seen: set[str], report: Report) -> None:
    if len(row) != COLUMNS:
        raise _NotTaken(f"it has {len(row)} columns, not {COLUMNS}: is it an ODS file?")
    code, name, region, icb = (value.strip() for value in row[:4])
    if not code or not name:
        raise _NotTaken(f"it has no {'name' if code else 'code'}")
    if not _CODE.fullmatch(code):
        raise _NotTaken("its code is not of capital letters and digits, 12 at most")
    try:
        name = _NAME.validate_python(name)
    except ValidationError as error:
        raise _NotTaken(f"its name cannot be taken: {error.errors()[0]['msg']}") from None
    if code in seen:
        raise _NotTaken("the code stands on an earlier line, too")
    seen.add(code)
    _check_place(session, region, icb)
    known = session.get(Organisation, code)
    if known is not None and known.kind != OrganisationKind.TRUST:
        raise _NotTaken(f"the code is that of another kind of organisation ({known.kind})")
    before = (known.name, known.closed) if known else None
    # The file shouts; where that is all that differs, our spelling stays.
    same_name = known is not None and known.name.casefold() == name.casefold()
    facts = Facts(
        code,
        known.name if known is not None and same_name else spelt(name),
        OrganisationKind.TRUST,
        icb,
        _day(row[10]),
        _day(row[11]),
    )
    _count(report, organisations.put(session, facts, by=OPERATOR), before, facts)


def _check_place(session: Session, region: str, icb: str) -> None:
    if not icb:
        raise _NotTaken("it has no ICB, so it is not in England")
    parent = session.get(Organisation, icb)
    if parent is None or parent.kind != OrganisationKind.ICB:
        raise _NotTaken(f"its ICB {icb[:12]} is not known")
    if parent.parent != region:
        raise _NotTaken(f"its ICB {icb[:12]} is not in the region that the line names")


def _count(
    report: Report,
    action: Action | None,
    before: tuple[str, date | None] | None,
    facts: Facts,
) -> None:
    if action is None:
        report.unchanged += 1
    elif before is None:
        report.added += 1
    elif before[0] != facts.name:
        report.renamed += 1
    elif before[1] is None and facts.closed is not None:
        report.closed += 1
    else:
        report.changed += 1


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        if not _DAY.fullmatch(text.strip()):  # which is more than `strptime` asks for
            raise ValueError
        return datetime.strptime(text.strip(), "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise _NotTaken("a date is not of the form YYYYMMDD") from None


_SMALL = {"and", "of", "for", "the", "in", "on", "upon", "with"}
_CAPITALS = {"NHS", "ICB", "UK"}


def spelt(name: str) -> str:
    """A name in capitals as it is usually written."""
    words = []
    for i, word in enumerate(name.split()):
        if word in _CAPITALS:
            words.append(word)
        elif i and word.lower() in _SMALL:
            words.append(word.lower())
        else:
            first, *others = word.split("-")
            small = (
                part.lower() if part.lower() in _SMALL else _capitalised(part) for part in others
            )
            words.append("-".join([_capitalised(first), *small]))
    return " ".join(words)


def _capitalised(part: str) -> str:
    if part.startswith("(") and len(part) > 1:
        return f"({_capitalised(part[1:])}"
    return part.capitalize()
