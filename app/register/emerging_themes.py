"""A theme made of a group of innovations and stories, in one unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from sqlalchemy import select
from sqlmodel import Session, col

from app.errors import Fault, NotFound, ValidationFailed
from app.models.emerging import (
    MOST_MEMBERS,
    LeftOut,
    LeftOutBecause,
    MemberKind,
    MemberRef,
    ThemeMade,
    ThemeOfGroup,
)
from app.models.innovations import Innovation, Visibility
from app.models.organisations import Organisation
from app.models.stories import Story, StoryVisibility
from app.models.themes import Theme, ThemeDocument
from app.register import held, innovations, stories, themes
from app.register.access import Caller
from app.register.identifiers import INNOVATION, STORY, identifier, reference
from app.register.stored import Stored

NO_SUCH = (
    "No group has this member now: it may have gone, or be a theme by now. "
    "`GET /v1/themes/emerging` lists the groups that there are."
)

M = TypeVar("M", Innovation, Story)


class Chosen(NamedTuple):
    """A member of a group."""

    kind: MemberKind
    number: int
    id: str

    @property
    def reference(self) -> str:
        return reference(self.number, PREFIXES[self.kind])

    def is_called(self, name: str) -> bool:
        """Whether this is its id or its reference."""
        return identifier(name, PREFIXES[self.kind]) in (self.id, self.number)


PREFIXES = {MemberKind.INNOVATION: INNOVATION, MemberKind.STORY: STORY}


def make(
    session: Session, group: Sequence[Chosen] | None, wanted: ThemeOfGroup, *, by: Caller
) -> Stored:
    """Adds a theme, and gives it to the members of a group, as far as they can have it.

    Raises:
        NotFound: when there is no such group.
        ValidationFailed: when what is to be left out is no member, or nothing would be left.
        And what :func:`app.register.themes.add` raises.
    """
    if group is None:
        raise NotFound(NO_SUCH)
    chosen = _without(group, wanted.without)
    stored = themes.add(session, wanted, by=by)
    # The words of the theme, flagged or not, are in none of those that have it.
    by = replace(by, accepts_flagged=False)
    left_out: dict[Chosen, LeftOutBecause] = dict.fromkeys(
        chosen[MOST_MEMBERS:], LeftOutBecause.TOO_MANY
    )
    left_out |= _give(session, chosen[:MOST_MEMBERS], wanted.slug, by=by)
    made = ThemeMade(
        theme=ThemeDocument.model_validate_json(stored.document),
        members=[
            MemberRef(kind=each.kind, id=each.id, reference=each.reference)
            for each in chosen
            if each not in left_out
        ],
        left_out=[
            LeftOut(kind=each.kind, id=each.id, reference=each.reference, because=left_out[each])
            for each in chosen
            if each in left_out
        ],
    )
    return replace(stored, answer=made.model_dump_json())


def _without(group: Sequence[Chosen], names: Sequence[str]) -> list[Chosen]:
    unwanted: set[Chosen] = set()
    faults = []
    for i, name in enumerate(names):
        called = {each for each in group if each.is_called(name)}
        unwanted |= called
        if not called:
            detail = "No member of the group has this id or reference."
            faults.append(Fault(f"#/without/{i}", "no_member", detail))
    if faults:
        raise ValidationFailed("What is to be left out is no member.", faults=tuple(faults))
    left = [each for each in group if each not in unwanted]
    if not left:
        detail = "Nothing would be left of the group; `POST /v1/themes` adds a theme by itself."
        raise ValidationFailed.at("#/without", "nothing_left", detail)
    return left


def _give(
    session: Session, chosen: Sequence[Chosen], theme: str, *, by: Caller
) -> dict[Chosen, LeftOutBecause]:
    """Gives the theme to members; returns those that do not have it."""
    entries = _rows(session, Innovation, chosen, MemberKind.INNOVATION, Visibility.PUBLISHED)
    told = _rows(session, Story, chosen, MemberKind.STORY, StoryVisibility.PUBLISHED)
    there = {row.id for row in entries} | {row.id for row in told}
    _hold(session, told)
    has = {row.id for row in innovations.put_under(session, entries, theme, by=by)}
    has |= {row.id for row in stories.put_under(session, told, theme, by=by)}
    return {
        each: LeftOutBecause.MOST_THEMES if each.id in there else LeftOutBecause.GONE
        for each in chosen
        if each.id not in has
    }


def _hold(session: Session, told: Sequence[Story]) -> None:
    """Fetches the themes, and the organisations that stories name, once for all members."""
    codes = {code for row in told for code in (row.submitter, row.region) if code}
    named = session.scalars(select(Organisation).where(col(Organisation.code).in_(codes)))
    every = session.scalars(select(Theme))
    held.hold(session, [*((row.slug, row) for row in every), *((row.code, row) for row in named)])


def _rows(
    session: Session, table: type[M], chosen: Sequence[Chosen], kind: MemberKind, visibility: str
) -> list[M]:
    """The members of a kind that are still published, the nearest to the middle first."""
    numbers = [each.number for each in chosen if each.kind is kind]
    found = session.execute(
        select(table).where(
            col(table.number).in_(numbers), col(table.visibility) == str(visibility)
        )
    )
    by_number = {row.number: row for row in found.scalars()}
    return [by_number[number] for number in numbers if number in by_number]
