"""Counting innovations, by what they say; a count that was made is carried on along the log.

To count all that fits takes as long as there is much of it. So that is done once: the lines that
came since tell, each with its document and the one before, what left which count and what joined
another. What they cannot tell (an organisation that moved with all its own) is counted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Table, bindparam, func, select
from sqlmodel import col

from app.dialects import Reader, Statement, TextIn
from app.models.changes import Change, Kind
from app.models.decisions import Status
from app.register import changes
from app.register.lists import shapes
from app.register.lists.fitting import VALUES, Entry
from app.register.lists.memory import NOTHING, Counts, Measures, Memory, Values, together
from app.register.lists.wanted import Wanted

TRIES = 3
"""How often what is counted and what goes with it are read again, until both are of one moment."""

MOST_CARRIED = 500
"""Lines that a count is carried on over; after more of them, to count anew is as good."""


async def of(
    reader: Reader,
    wanted: Wanted,
    by: tuple[str, ...],
    memory: Memory,
    *,
    at: int,
    measured: bool = False,
) -> Counts:
    """What fits, counted by this, as of a head that was seen or a newer one.

    Evidence, adoptions and what is kept are counted only where it is to be measured.
    """
    asked = f"{wanted.name} {by} {measured}"
    known = memory.counted.get(asked)
    if known is not None:
        if known.head >= at:
            return known
        carried = await (
            _kept(reader, known, at)
            if wanted.shape.past
            else _carried(reader, wanted, by, known, at)
        )
        if carried is not None:
            memory.counted.put(asked, carried)
            return carried
    rows = await reader.rows(shapes.counting(wanted.shape, by, measured=measured), wanted.values)
    if not rows and await changes.head(reader) != at:
        return Counts(-1, {})  # nothing tells of which moment it is
    n = len(by)
    cells = {row[1 : n + 1]: _measures(row[n + 1 :]) for row in rows}
    counts = Counts(rows[0][0] if rows else at, cells)
    memory.counted.put(asked, counts)
    return counts


def _measures(row: Sequence[int]) -> Measures:
    return (row[0], row[1], row[2], row[3]) if len(row) > 1 else (row[0], 0, 0, 0)


_REDACTIONS = select(func.count()).where(
    col(Change.kind) == Kind.REDACTION.value,
    col(Change.sequence) > bindparam("after"),
    col(Change.sequence) <= bindparam("until"),
)


async def _kept(reader: Reader, known: Counts, at: int) -> Counts | None:
    """What was counted of the past; it stays as it was, unless text was taken out of it."""
    values = {"after": known.head, "until": at}
    redacted = (await reader.rows(_REDACTIONS, values))[0][0]
    return None if redacted else Counts(at, known.cells)


@cache
def _since(words_in: TextIn | None) -> Statement:
    """Lines, each with its document and the one before; and whether each of them has the words."""
    line: Table = Change.__table__  # type: ignore[attr-defined]
    earlier = line.alias("earlier")
    before = select(earlier.c.document).where(
        earlier.c.thing == line.c.thing,
        earlier.c.kind == line.c.kind,
        earlier.c.version == line.c.version - 1,
    )
    documents = (line.c.document, before.scalar_subquery())
    since = select(line.c.kind, line.c.version, *documents)
    if words_in:
        since = since.add_columns(*map(words_in, documents))
    here = (line.c.sequence > bindparam("after"), line.c.sequence <= bindparam("until"))
    return since.where(*here).order_by(line.c.sequence)


async def _carried(
    reader: Reader, wanted: Wanted, by: tuple[str, ...], known: Counts, at: int
) -> Counts | None:
    """The counts as of a newer head; None where the lines between do not tell."""
    fits = wanted.fitting() if at - known.head <= MOST_CARRIED else None
    if fits is None:
        return None
    cells = dict(known.cells)
    searched = wanted.shape.searched
    since = _since(reader.dialect.text_in if searched else None)
    values = {**wanted.values, "after": known.head, "until": at}
    for kind, version, text, text_before, *found in await reader.rows(since, values):
        has_words, had_words = found or (True, True)
        # It may have moved, with all its entries; and what was redacted does not tell any more
        # what was counted.
        if (kind == Kind.ORGANISATION and version > 1) or kind == Kind.REDACTION:
            return None
        if kind != Kind.INNOVATION:
            continue
        if text is None or (text_before is None and version > 1):
            return None  # nothing was kept of it
        entry = from_json(text)
        if text_before is not None:
            before = from_json(text_before)
            if not _placed_like(before, entry):
                return None
            if had_words and fits(before):
                _add(cells, by, before, -1)
        if has_words and fits(entry):
            _add(cells, by, entry, 1)
    return Counts(at, cells)


def _placed_like(before: dict[str, Any], entry: Entry) -> bool:
    """Puts whose an earlier document is, and who adopted it, where they stand now: they may have
    moved since. False where a later document does not tell: of those that it does not name."""
    if before["organisation"]["code"] != entry["organisation"]["code"]:
        return False
    before["organisation"] = entry["organisation"]
    now = {each["organisation"]: each for each in entry.get("adoptions", ())}
    for position in before.get("adoptions", ()):
        if position["organisation"] not in now:
            return False
        position |= {name: now[position["organisation"]][name] for name in ("icb", "region")}
    return True


def _add(cells: dict[Values, Measures], by: Iterable[str], entry: Entry, sign: int) -> None:
    kept = sign * (entry["status"] == Status.KEEP)
    evidence = sign * entry["counts"]["evidence"]
    adoptions = sign * entry["counts"].get("adoptions", 0)
    one = (sign, kept, evidence, adoptions)
    each: list[Any] = [set(VALUES[name](entry)) or {None} for name in by]
    for values in product(*each):
        cell = together(cells.get(values, NOTHING), one)
        if cell[0] or not by:
            cells[values] = cell
        else:
            del cells[values]
