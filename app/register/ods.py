"""The official file of NHS trusts, as the Organisation Data Service publishes it (``etr.csv``).

27 columns, no header: 1 code, 2 name, 3 region, 4 ICB, 5 to 9 address, 10 postcode, 11 opened and
12 closed (YYYYMMDD), and others that are of no use here.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Session

from app.models.changes import Action
from app.models.organisations import Organisation, OrganisationKind
from app.register import organisations
from app.register.access import OPERATOR
from app.register.organisations import Facts

COLUMNS = 27


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


def import_trusts(session: Session, lines: Iterable[str], report: Report) -> Iterator[int]:
    """Takes over the file's trusts, line by line; yields the number of each line done.

    Repeatable: what is known stays as it is. A line that cannot be taken is reported, and the
    others go on.
    """
    seen: Counter[str] = Counter()
    for number, row in enumerate(csv.reader(lines, strict=True), start=1):
        why = _take(session, row, seen, report)
        if why is not None:
            report.skipped.append(Skipped(number, row[0][:12] if row else "", why))
        yield number


def _take(session: Session, row: list[str], seen: Counter[str], report: Report) -> str | None:
    """Takes one line; returns why not, if it cannot."""
    if len(row) != COLUMNS:
        return f"it has {len(row)} columns, not {COLUMNS}: is it an ODS file?"
    code, name, region, icb = (value.strip() for value in row[:4])
    if not code.isalnum() or not code.isascii() or not name:
        return "it has no code or no name"
    seen[code] += 1
    if seen[code] > 1:
        return "the code stands on an earlier line, too"
    if not icb:
        return "it has no ICB, so it is not in England"
    parent = session.get(Organisation, icb)
    if parent is None or parent.kind != OrganisationKind.ICB:
        return f"its ICB {icb[:12]} is not known"
    if parent.parent != region:
        return f"its ICB {icb[:12]} is not in the region that the line names"
    try:
        opened, closed = _day(row[10]), _day(row[11])
    except ValueError:
        return "a date is not of the form YYYYMMDD"
    known = session.get(Organisation, code)
    if known is not None and known.kind != OrganisationKind.TRUST:
        return f"the code is that of another kind of organisation ({known.kind})"
    before = (known.name, known.closed) if known else None
    # The file shouts; where that is all that differs, our spelling stays.
    same_name = known is not None and known.name.casefold() == name.casefold()
    facts = Facts(
        code,
        known.name if known is not None and same_name else spelt(name),
        OrganisationKind.TRUST,
        icb,
        opened,
        closed,
    )
    _count(report, organisations.put(session, facts, by=OPERATOR), before, facts)
    return None


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
    return datetime.strptime(text.strip(), "%Y%m%d").date() if text.strip() else None  # noqa: DTZ007


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
            words.append("-".join(_capitalised(part) for part in word.split("-")))
    return " ".join(words)


def _capitalised(part: str) -> str:
    if part.startswith("(") and len(part) > 1:
        return f"({_capitalised(part[1:])}"
    return part.capitalize()
