"""Groups of innovations: what they are called, in what order, and which there could be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import select
from sqlmodel import col

from app.dialects import Reader
from app.models.decisions import Status
from app.models.evidence import EvidenceStrength
from app.models.innovations import CareSetting
from app.models.organisations import Organisation, OrganisationKind, Succession
from app.models.statistics import Dimension, Period
from app.models.themes import Theme, ThemeGroup
from app.register.memory import Values
from app.register.steps import steps

Row = dict[str, Any]


class _Organisation(NamedTuple):
    name: str
    kind: str
    opened: date | None
    closed: date | None


class Names:
    """Themes and organisations, on a day."""

    def __init__(
        self,
        day: date,
        themes: Mapping[str, Mapping[str, Any]],
        organisations: Mapping[str, _Organisation],
        successors: Mapping[str, Sequence[tuple[str, date]]],
    ) -> None:
        self.themes = themes
        self._day = day
        self._organisations = organisations
        self._successors = successors

    def group_of(self, by: Dimension, said: Mapping[str, str | None]) -> str | None:
        """The group of an innovation whose document says this."""
        if by is Dimension.GROUP:
            slug = said["theme"]
            return str(self.themes[slug]["group"]) if slug else None
        value = said[by.value]
        return self._successor(value) if by is Dimension.ICB and value else value

    def _successor(self, code: str) -> str:
        """Who has what was an ICB's. Where several took over, nobody says which of them."""
        while self._closed(code):
            successors = [next_ for next_, since in self._successors[code] if since <= self._day]
            if len(successors) != 1:
                break
            code = successors[0]
        return code

    def _closed(self, code: str) -> bool:
        closed = self._organisations[code].closed
        return closed is not None and closed < self._day and code in self._successors

    def _open(self, code: str) -> bool:
        its = self._organisations[code]
        opened = its.opened is None or its.opened <= self._day
        return opened and (its.closed is None or its.closed >= self._day)

    def name(self, code: str) -> str:
        return self._organisations[code].name

    def all_of(self, by: Dimension, rows: Iterable[Values]) -> Iterable[str]:
        """All groups that there could be."""
        if by in _KINDS:
            kinds = _KINDS[by]
            found = self._organisations.items()
            return [code for code, its in found if its.kind in kinds and self._open(code)]
        if by is Dimension.THEME:
            return self.themes
        if by is Dimension.MONTH:
            months = {value for values in rows for value in values if value and _is_month(value)}
            return [f"{step:%Y-%m}" for step in _between(months)] if months else []
        return [each.value for each in _CHOICES[by]]

    def named(self, group_by: Sequence[Dimension], values: Values) -> Row:
        """A group as it is told."""
        row: Row = {}
        for by, value in zip(group_by, values, strict=True):
            row[by.value] = value
            if by in _KINDS:
                row[f"{by.value}_name"] = self.name(value) if value else None
            elif by is Dimension.THEME:
                row["theme_name"] = self.themes[value]["name"] if value else None
        return row

    def order(self, group_by: Sequence[Dimension]) -> Any:
        """Themes by their numbers, choices in their order, all else by code; nothing comes last."""
        themes = list(self.themes)

        def place(by: Dimension, value: str | None) -> tuple[bool, int, str]:
            if value is None:
                return (True, 0, "")
            known = (
                themes if by is Dimension.THEME else [str(each) for each in _CHOICES.get(by, ())]
            )
            return (False, known.index(value) if value in known else 0, value)

        def order(values: Values) -> list[tuple[bool, int, str]]:
            return [place(by, value) for by, value in zip(group_by, values, strict=True)]

        return order


_KINDS: Mapping[Dimension, tuple[OrganisationKind, ...]] = {
    Dimension.ORGANISATION: tuple(OrganisationKind),
    Dimension.ICB: (OrganisationKind.ICB,),
    Dimension.REGION: (OrganisationKind.REGION,),
}
_CHOICES: Mapping[Dimension, Any] = {
    Dimension.GROUP: ThemeGroup,
    Dimension.STATUS: Status,
    Dimension.CARE_SETTING: CareSetting,
    Dimension.EVIDENCE_STRENGTH: EvidenceStrength,
}

_THEMES = select(col(Theme.document)).order_by(col(Theme.number))
_ORGANISATIONS = select(
    *(col(getattr(Organisation, name)) for name in ("code", "name", "kind", "opened", "closed"))
).order_by(col(Organisation.code))
_SUCCESSIONS = select(col(Succession.predecessor), col(Succession.successor), col(Succession.date))


async def names(reader: Reader, day: date) -> Names:
    """Themes and organisations, as they are called, and as they stood on a day."""
    themes = [from_json(row[0]) for row in await reader.rows(_THEMES, {})]
    organisations = {
        row[0]: _Organisation(row[1], row[2], _day(row[3]), _day(row[4]))
        for row in await reader.rows(_ORGANISATIONS, {})
    }
    successors: dict[str, list[tuple[str, date]]] = {}
    for predecessor, successor, since in await reader.rows(_SUCCESSIONS, {}):
        successors.setdefault(predecessor, []).append((successor, known_day(since)))
    return Names(day, {theme["slug"]: theme for theme in themes}, organisations, successors)


def known_day(value: date | str) -> date:
    """A day as the drivers give it: SQLite's has no type for it."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _day(value: date | str | None) -> date | None:
    return None if value is None else known_day(value)


def _is_month(value: str) -> bool:
    return len(value) == 7 and value[4] == "-"


def _between(months: Collection[str]) -> Iterable[date]:
    first, last = (date.fromisoformat(f"{month}-01") for month in (min(months), max(months)))
    return steps(Period.MONTH, first, last)
