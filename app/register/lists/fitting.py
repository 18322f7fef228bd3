"""What a document says of each filter, and whether it fits them.

A list asks its indexes. Who holds one document, as the change feed does, and the counts that are
carried on from line to line, asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.dialects import rfc3339
from app.models.adoptions import TAKEN
from app.models.feed import LineFilters
from app.models.finding import EntryFilters
from app.models.innovations import NO_REVIEW, PLACES

Entry = Mapping[str, Any]
"""An innovation's or a story's document, parsed."""

Fits = Callable[[Entry], bool]


def _code(of: Mapping[str, Any] | None) -> list[str | None]:
    return [of["code"] if of else None]


def _positions(entry: Entry) -> Sequence[Mapping[str, Any]]:
    positions: Sequence[Mapping[str, Any]] = entry.get("adoptions", ())
    return positions  # a line of the log from before there were adoptions says nothing of them


def _adopters(entry: Entry) -> list[str | None]:
    """Who has it, and the bodies above them."""
    taken = [position for position in _positions(entry) if position["stage"] in TAKEN]
    return [position[place] for position in taken for place in PLACES if position[place]]


def _position(position: Mapping[str, Any]) -> str:
    """What spread is counted by: who, at which stage, and in which month it was adopted first."""
    month = (position["adopted_on"] or "-")[:7]
    return f"{position['organisation']} {position['stage']} {month}"


VALUES: Mapping[str, Callable[[Entry], Sequence[str | None]]] = {
    "theme": lambda entry: [entry["theme"]["slug"]],
    "status": lambda entry: [entry["status"]],
    "organisation": lambda entry: _code(entry["organisation"]),
    "icb": lambda entry: _code(entry["organisation"]["icb"]),
    "region": lambda entry: _code(entry["organisation"]["region"]),
    "care_setting": lambda entry: [entry["care_setting"]],
    "visibility": lambda entry: [entry["visibility"]],
    "tag": lambda entry: entry["tags"],
    "evidence_kind": lambda entry: [piece["kind"] for piece in entry["evidence"]],
    "evidence_strength": lambda entry: [piece["strength"] for piece in entry["evidence"]],
    "adoption_stage": lambda entry: [position["stage"] for position in _positions(entry)],
    "adopted_by": _adopters,
    "position": lambda entry: [_position(position) for position in _positions(entry)],
    "month": lambda entry: [entry["created_at"][:7]],
    "day": lambda entry: [entry["created_at"][:10]],
}
"""What a document says of each filter, and of what is counted by."""


STORY_VALUES: Mapping[str, Callable[[Entry], Sequence[str | None]]] = {
    "theme": lambda story: [theme["slug"] for theme in story["themes"]],
    "verdict": lambda story: [story["verdict"]],
    "role": lambda story: [story["role"]],
    "organisation": lambda story: _code(story["organisation"]),
    "icb": lambda story: _code((story["organisation"] or {}).get("icb")),
    "region": lambda story: _code(story["region"]),
    "care_setting": lambda story: [story["care_setting"]],
    "visibility": lambda story: [story["visibility"]],
}
"""What a story's document says of each filter."""


def fitting(filters: EntryFilters) -> Fits | None:
    """Whether a document fits the filters; None where all do. Words are not looked for."""
    bounds = [*_bounds(filters), *_not_theirs(filters)]
    if filters.review_due_before is not None:
        due = filters.review_due_before.isoformat()
        bounds.append(lambda entry: (_review_on(entry) or NO_REVIEW) < due)
    return _fitting(VALUES, filters, bounds)


def story_fitting(filters: LineFilters) -> Fits | None:
    """As :func:`fitting`, of a story's document."""
    return _fitting(STORY_VALUES, filters, _bounds(filters))


def _fitting(
    says: Mapping[str, Callable[[Entry], Sequence[str | None]]],
    filters: EntryFilters,
    bounds: Sequence[Fits],
) -> Fits | None:
    wanted = {name: set(given) for name in says if (given := getattr(filters, name, ()))}
    if not wanted and not bounds:
        return None

    def fits(entry: Entry) -> bool:
        return all(
            not values.isdisjoint(says[name](entry)) for name, values in wanted.items()
        ) and all(within(entry) for within in bounds)

    return fits


def _bounds(filters: EntryFilters) -> list[Fits]:
    """The filters by time; all times of a document are written alike, and so compare as texts."""
    bounds: list[Fits] = []
    if filters.created_from is not None:
        since = rfc3339(filters.created_from)
        bounds.append(lambda entry: entry["created_at"] >= since)
    if filters.created_to is not None:
        until = rfc3339(filters.created_to)
        bounds.append(lambda entry: entry["created_at"] < until)
    if filters.updated_since is not None:
        changed = rfc3339(filters.updated_since)
        bounds.append(lambda entry: entry["updated_at"] >= changed)
    return bounds


def _not_theirs(filters: EntryFilters) -> list[Fits]:
    """That these organisations and those below them do not have it."""
    codes = set(filters.not_adopted_by)
    whose = [VALUES[name] for name in ("adopted_by", *PLACES)]
    if not codes:
        return []
    return [lambda entry: all(codes.isdisjoint(values(entry)) for values in whose)]


def _review_on(entry: Entry) -> str | None:
    return entry["decision"]["review_on"] if entry["decision"] else None
