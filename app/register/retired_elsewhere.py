"""Retired elsewhere: what is told of lines that submit what another organisation has retired.

What was found by judging (:mod:`app.register.judging`) is kept by the numbers of practices. What is
told of these is what stands there now: of one that was withdrawn meanwhile, or is retired no more,
nothing, and a line that is like no other is not told at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, FromClause, Select, Table, bindparam, literal_column, select

from app.dialects import Reader
from app.models.decisions import Status
from app.models.innovations import Innovation, Visibility
from app.models.retired_elsewhere import LineLikeness

_FOUND: Table = LineLikeness.__table__  # type: ignore[attr-defined]
_PRACTICES: Table = Innovation.__table__  # type: ignore[attr-defined]

_STANDS = (
    _PRACTICES.c.number == _FOUND.c.number,
    _PRACTICES.c.visibility == literal_column(f"'{Visibility.PUBLISHED}'"),
    _PRACTICES.c.status == literal_column(f"'{Status.RETIRE}'"),
)


def is_told(line: FromClause) -> ColumnElement[bool]:
    """That a line is judged, and submits what is retired elsewhere; ``to`` is the last judged."""
    like = select(_FOUND.c.sequence).where(_FOUND.c.sequence > bindparam("after"), *_STANDS)
    return line.c.sequence.in_(like) & (line.c.sequence <= bindparam("to"))


_TOLD: Select[*tuple[Any, ...]] = (
    select(_FOUND.c.sequence, _FOUND.c.score, _PRACTICES.c.document)
    .where(_FOUND.c.sequence.between(bindparam("first"), bindparam("last")), *_STANDS)
    .order_by(_FOUND.c.sequence, _FOUND.c.score.desc(), _FOUND.c.number)
)


async def told(reader: Reader, sequences: Sequence[int]) -> dict[int, str]:
    """What the lines are like, as JSON each; of such as are like something."""
    if not sequences:
        return {}
    values = {"first": sequences[0], "last": sequences[-1]}
    found: dict[int, list[dict[str, Any]]] = {}
    for sequence, score, document in await reader.rows(_TOLD, values):
        found.setdefault(sequence, []).append(_practice(from_json(document), score))
    return {sequence: to_json(practices).decode() for sequence, practices in found.items()}


def _practice(document: dict[str, Any], score: float) -> dict[str, Any]:
    decision = document["decision"] or {}
    return {
        **{name: document[name] for name in ("id", "reference", "title", "organisation")},
        "reason": decision.get("reason"),
        "decided_on": decision.get("decided_on"),
        "score": score,
    }
