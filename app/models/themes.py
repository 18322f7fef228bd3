"""Themes: the ten leaps of the report, and those that a curator adds."""

from enum import StrEnum

from pydantic import Field
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.models.fields import Document, Line, MomentOut, Slug, Strict, Summary


class ThemeGroup(StrEnum):
    """The report's three groups: what was sorted, what was seen, what there now is."""

    SORTED = "sorted"
    SEEN = "seen"
    NOW_HAVE = "now_have"


class Theme(SQLModel, table=True):
    """A theme as it is stored: its document, and the keys by which it is found."""

    slug: str = Column(primary_key=True)
    number: int = Column(unique=True)
    version: int
    sequence: int
    document: str = Column(sa_type=TextColumn)


class ThemeCreate(Strict):
    """A new theme: what keeps coming up and fits none of the others."""

    slug: Slug = Field(description="Its name in addresses and filters; it never changes.")
    name: Line
    group: ThemeGroup
    description: Summary = Field(description="What belongs under it, so that people can choose.")


class ThemeUpdate(Strict):
    """A merge patch: what is given changes, all else stays."""

    name: Line | None = None
    group: ThemeGroup | None = None
    description: Summary | None = None


class ThemeRef(Document):
    """A theme, named in another thing's document."""

    slug: str
    number: int
    name: str


class ThemeDocument(Document):
    """A theme as the log keeps it."""

    slug: str
    number: int = Field(description="The leap's number in the report; later ones count on.")
    name: str
    group: ThemeGroup
    description: str
    version: int
    created_at: MomentOut
    updated_at: MomentOut

    def ref(self) -> ThemeRef:
        return ThemeRef(slug=self.slug, number=self.number, name=self.name)


class StatusCounts(Document):
    """How many published innovations stand at each status."""

    under_review: int
    keep: int
    retire: int


class ThemePublic(ThemeDocument):
    """A theme, with how many published innovations have it as their main theme."""

    counts: StatusCounts


class ThemeList(Document):
    """All themes, in the order of their numbers; they fit on one page."""

    items: list[ThemePublic]
