"""Never again: the practices that were retired, why, and what people tell of them."""

from datetime import date

from pydantic import Field

from app.models.fields import Document, Page, PageQuery
from app.models.finding import RetiredFilters
from app.models.innovations import CareSetting
from app.models.organisations import Place
from app.models.stories import Role
from app.models.themes import ThemeRef


class NeverAgainQuery(PageQuery, RetiredFilters):
    """Which retired practices, and which page of them."""


class StoryBehind(Document):
    """A story that asks never to go back to a practice."""

    id: str
    reference: str = Field(examples=["STY-000123"])
    text: str
    role: Role | None
    care_setting: CareSetting | None
    link: str


class RetiredLinks(Document):
    """Where to go from here."""

    innovation: str
    stories: str


class RetiredPractice(Document):
    """A practice that is retired."""

    id: str = Field(description="Of the innovation that it is in the register: a UUIDv7.")
    reference: str = Field(examples=["INN-000123"])
    title: str
    summary: str
    theme: ThemeRef
    organisation: Place
    care_setting: CareSetting | None
    reason: str | None = Field(description="Why it was retired.")
    decided_on: date | None
    decided_by: str | None = Field(description="Who decided, as a role.")
    story_count: int = Field(description="How many published stories ask never to go back to it.")
    stories: list[StoryBehind] = Field(description="The newest three of these.")
    links: RetiredLinks


class NeverAgainPage(Document):
    """A page of retired practices, those that came last first."""

    items: list[RetiredPractice]
    page: Page
