"""Emerging themes: groups of innovations and stories that no theme says well enough."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.models.fields import Document, Limit, Line, MomentIn, MomentOut, Strict
from app.models.themes import ThemeCreate, ThemeDocument, ThemeRef

FEWEST = 3
"""Members of a group."""

MOST_MEMBERS = 500
"""Members of a group that are shown, and that a theme is given to in one call."""


class Fit(StrEnum):
    """How a group stands to the themes: none fits it well; it lies across several; it is a strong
    group within one."""

    UNPLACED = "unplaced"
    ACROSS_THEMES = "across_themes"
    WITHIN_THEME = "within_theme"


class MemberKind(StrEnum):
    """What a group is made of."""

    INNOVATION = "innovation"
    STORY = "story"


class LeftOutBecause(StrEnum):
    """Why a member of a group was not given its theme: it has as many themes as it may; it went
    meanwhile; there are more members than are taken in one call."""

    MOST_THEMES = "most_themes"
    GONE = "gone"
    TOO_MANY = "too_many"


def _past(value: datetime) -> datetime:
    # The zone is there: a time without one is no moment.
    if value > datetime.now(value.tzinfo):
        raise PydanticCustomError("in_the_future", "This is still to come; give a time before now")
    return value


Since = Annotated[MomentIn, AfterValidator(_past)]


class GroupQuery(Strict):
    """Since when."""

    since: Since | None = Field(
        default=None,
        description="A day or a time, such as that of your last look: `since` then tells what is "
        "new in a group.",
        examples=["2026-01-01"],
    )


class EmergingQuery(GroupQuery):
    """Which groups, how many, and how much of each."""

    kind: tuple[Fit, ...] = Field(
        default=(),
        max_length=len(Fit),
        description="How the groups stand to the themes; any of those that are given.",
    )
    limit: Limit = Field(default=20, description="How many groups to name.", examples=[5])
    members: int = Field(
        default=5, ge=0, le=100, description="How many members of each to show.", examples=[3]
    )


class Member(Document):
    """An innovation or a story of a group."""

    kind: MemberKind
    id: str
    reference: str = Field(examples=["INN-000123"])
    title: str = Field(description="An innovation's title; of a story, the first words.")
    score: float = Field(
        description="How near it is to the middle of the others; 1 if it says the same.",
        examples=[0.62],
    )
    published_at: MomentOut = Field(description="When it was first published.")


class ThemeCount(Document):
    """A theme, and how many of a group's members have it."""

    theme: ThemeRef
    members: int


class Verdicts(Document):
    """What is asked for in a group."""

    keep: int = Field(description="Innovations that are kept, and stories that ask for it.")
    retire: int = Field(description="Innovations that are retired.")
    under_review: int = Field(description="Innovations without a judgement.")
    never_again: int = Field(description="Stories that ask never to go back.")


class News(Document):
    """What is new in a group since a time."""

    at: MomentOut
    new_members: int = Field(description="Members that were published since.")
    is_new: bool = Field(description="Whether there were too few members by then for a group.")


class EmergingTheme(Document):
    """A group of innovations and stories that say much the same."""

    id: str = Field(
        description="The `id` of its oldest member, which stays while others come. The id or "
        "reference of any other member leads to the group, too."
    )
    words: list[str] = Field(
        description="Words that are frequent in it and rare elsewhere, in the form in which people "
        "wrote them. At least two members have each.",
        examples=[["volunteers", "phone", "shopping"]],
    )
    kind: Fit
    theme: ThemeRef | None = Field(
        description="The theme that it lies within; null for other kinds."
    )
    themes: list[ThemeCount] = Field(
        description="The themes that its members have, with further ones; the most frequent first."
    )
    size: int = Field(description="How many members it has.")
    strength: float = Field(
        description="How near its members are to each other on average, up to 1.", examples=[0.38]
    )
    verdicts: Verdicts
    since: News | None = Field(description="What is new in it; null if `since` was not given.")
    members: list[Member] = Field(description="The nearest to its middle first.")


class EmergingThemes(Document):
    """Groups that emerge: those that fit no theme first, then across themes, then within one; of
    each kind, the largest and closest first."""

    items: list[EmergingTheme]
    total: int = Field(description="How many groups there are, with those that are not shown.")
    model: str = Field(description="The model of language that was asked.")
    looked_at: int = Field(description="How many innovations and stories were grouped.")
    read_to: int = Field(
        description="The line of the change log as of which they were grouped. What went since is "
        "in none of them any more."
    )


MemberName = Annotated[Line, Field(max_length=40)]


class ThemeOfGroup(ThemeCreate):
    """A new theme for a group, and which of its members are none of it."""

    without: list[MemberName] = Field(
        default=[],
        max_length=MOST_MEMBERS,
        description="The ids or references of members that are not to have it.",
    )


class MemberRef(Document):
    """A member of a group, by its names."""

    kind: MemberKind
    id: str
    reference: str


class LeftOut(MemberRef):
    """A member of a group that was not given its theme."""

    because: LeftOutBecause


class ThemeMade(Document):
    """The theme that was made of a group."""

    theme: ThemeDocument
    members: list[MemberRef] = Field(
        description="Those that have it now: innovations among their further themes, stories among "
        "their themes."
    )
    left_out: list[LeftOut] = Field(
        description="Those that could not be given it; not those in `without`."
    )
