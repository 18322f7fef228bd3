"""Groups of innovations and of stories: their names and order, and which there could be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json
from sqlalchemy import select
from sqlmodel import col

from app.dialects import Reader
from app.models.adoptions import AdoptionStage
from app.models.changes import Kind
from app.models.decisions import Status
from app.models.evidence import EvidenceStrength
from app.models.innovations import CareSetting
from app.models.organisations import Organisation, OrganisationKind
from app.models.statistics import Dimension, Period
from app.models.stories import Role, Verdict
from app.models.story_statistics import StoryDimension
from app.models.themes import Theme, ThemeGroup
from app.register.lists import past
from app.register.lists.memory import Values
from app.register.statistics.steps import steps

Row = dict[str, Any]


class _Organisation(NamedTuple):
    code: str
    name: str
    kind: str
    opened: str | None
    closed: str | None
    icb: str | None
    region: str | None
    successors: tuple[tuple[str, str], ...]
    """Their codes, and since when."""


@lru_cache(4096)
def _organisation(document: str) -> _Organisation:
    said = from_json(document)
    named = {name: said[name] for name in _Organisation._fields}
    named |= {above: (said[above] or {}).get("code") for above in ("icb", "region")}
    named["successors"] = tuple((each["code"], each["date"]) for each in said["successors"])
    return _Organisation(**named)


class Names:
    """Themes and organisations, on a day."""

    def __init__(
        self, day: date, themes: Iterable[str], organisations: Iterable[_Organisation]
    ) -> None:
        self.themes = _by_number(map(from_json, themes))
        self._day = day.isoformat()
        self._organisations = {each.code: each for each in organisations}

    def group_of(self, by: StrEnum, said: Mapping[str, str | None]) -> str | None:
        """The group of a thing whose document says this."""
        if by == Dimension.GROUP:
            slug = said["theme"]
            return str(self.themes[slug]["group"]) if slug else None
        value = said[by.value]
        return self.successor(value) if by == Dimension.ICB and value else value

    def successor(self, code: str) -> str:
        """Who has what was an organisation's. Where several took over, nobody says which."""
        while True:
            its = self._organisations[code]
            after = [next_ for next_, since in its.successors if since <= self._day]
            if its.closed is None or its.closed >= self._day or len(after) != 1:
                return code
            (code,) = after

    def _open(self, its: _Organisation) -> bool:
        opened = its.opened is None or its.opened <= self._day
        return opened and (its.closed is None or its.closed >= self._day)

    def place(self, code: str, by: Dimension) -> str | None:
        """The ICB or the region that an organisation is, or is below."""
        its = self._organisations[code]
        if by is Dimension.REGION:
            return its.region
        return self.successor(its.icb) if its.icb else None

    def open_trusts(self) -> Collection[str]:
        """The trusts that are open."""
        found = self._organisations.values()
        return {its.code for its in found if its.kind == "trust" and self._open(its)}

    def name(self, code: str) -> str:
        return self._organisations[code].name

    def all_of(self, by: StrEnum, rows: Iterable[Values]) -> Iterable[str]:
        """All groups that there could be."""
        if by in _KINDS:
            kinds = _KINDS[by]
            found = self._organisations.values()
            return [its.code for its in found if its.kind in kinds and self._open(its)]
        if by == Dimension.THEME:
            return self.themes
        if by == Dimension.MONTH:
            months = {value for values in rows for value in values if value and _is_month(value)}
            return [f"{step:%Y-%m}" for step in _between(months)] if months else []
        return [each.value for each in _CHOICES[by]]

    def named(self, group_by: Sequence[StrEnum], values: Values) -> Row:
        """A group as it is told."""
        row: Row = {}
        for by, value in zip(group_by, values, strict=True):
            row[by.value] = value
            if by in _KINDS:
                row[f"{by.value}_name"] = self.name(value) if value else None
            elif by == Dimension.THEME:
                row["theme_name"] = self.themes[value]["name"] if value else None
        return row

    def order(self, group_by: Sequence[StrEnum]) -> Any:
        """Themes by their numbers, choices in their order, all else by code; nothing comes last."""
        themes = list(self.themes)

        def place(by: StrEnum, value: str | None) -> tuple[bool, int, str]:
            if value is None:
                return (True, 0, "")
            known = (
                themes if by == Dimension.THEME else [str(each) for each in _CHOICES.get(by, ())]
            )
            return (False, known.index(value) if value in known else 0, value)

        def order(values: Values) -> list[tuple[bool, int, str]]:
            return [place(by, value) for by, value in zip(group_by, values, strict=True)]

        return order


_KINDS: Mapping[str, tuple[OrganisationKind, ...]] = {
    Dimension.ORGANISATION: tuple(OrganisationKind),
    Dimension.ICB: (OrganisationKind.ICB,),
    Dimension.REGION: (OrganisationKind.REGION,),
}
_CHOICES: Mapping[str, Any] = {
    Dimension.GROUP: ThemeGroup,
    Dimension.STATUS: Status,
    Dimension.CARE_SETTING: CareSetting,
    Dimension.EVIDENCE_STRENGTH: EvidenceStrength,
    Dimension.ADOPTION_STAGE: AdoptionStage,
    StoryDimension.VERDICT: Verdict,
    StoryDimension.ROLE: Role,
}

_THEMES = select(col(Theme.document)).order_by(col(Theme.slug))
_ORGANISATIONS = select(col(Organisation.document)).order_by(col(Organisation.code))
_THEMES_THEN = past.things(Kind.THEME, Theme.__table__.c.slug)  # type: ignore[attr-defined]
_ORGANISATIONS_THEN = past.things(
    Kind.ORGANISATION,
    Organisation.__table__.c.code,  # type: ignore[attr-defined]
)


async def names(reader: Reader, day: date, line: int | None = None) -> Names:
    """Themes and organisations, as they are called or were, and as they stood on a day."""
    now = line is None
    values = {} if line is None else {"as_of": line}
    themes = await reader.rows(_THEMES if now else _THEMES_THEN, values)
    bodies = await reader.rows(_ORGANISATIONS if now else _ORGANISATIONS_THEN, values)
    return Names(day, (row[0] for row in themes), (_organisation(row[0]) for row in bodies))


def _by_number(themes: Iterable[Any]) -> dict[str, Any]:
    ordered = sorted(themes, key=lambda theme: int(theme["number"]))
    return {theme["slug"]: theme for theme in ordered}


def _is_month(value: str) -> bool:
    return len(value) == 7 and value[4] == "-"


def _between(months: Collection[str]) -> Iterable[date]:
    first, last = (date.fromisoformat(f"{month}-01") for month in (min(months), max(months)))
    return steps(Period.MONTH, first, last)
