"""Statistics of stories: what can be counted by, and what is told."""

from enum import StrEnum

from pydantic import ConfigDict, Field, field_validator

from app.models.fields import Document
from app.models.statistics import by_different_things
from app.models.stories import Role, Verdict
from app.models.story_finding import StoryFilters
from app.models.themes import ThemeGroup


class StoryDimension(StrEnum):
    """What stories can be grouped by."""

    VERDICT = "verdict"
    THEME = "theme"
    GROUP = "group"
    ROLE = "role"
    CARE_SETTING = "care_setting"
    ORGANISATION = "organisation"
    ICB = "icb"
    REGION = "region"
    MONTH = "month"


class StoryStatisticsQuery(StoryFilters):
    """Which stories, and by what they are grouped."""

    group_by: tuple[StoryDimension, ...] = Field(
        default=(),
        max_length=2,
        description="Up to two of "
        + ", ".join(f"`{dimension}`" for dimension in StoryDimension)
        + ". `group` is the theme's, and `month` that in which the story was submitted.",
        examples=[["theme", "verdict"]],
    )
    empty: bool = Field(
        default=False, description="With groups that have no story: themes, roles and so on."
    )

    @field_validator("group_by")
    @classmethod
    def _by_different_things(cls, given: tuple[StoryDimension, ...]) -> tuple[StoryDimension, ...]:
        by_different_things(given)
        return given


class MeasuredStories(Document):
    """What there is of stories."""

    stories: int
    keep: int = Field(description="Those that ask to keep something.")
    never_again: int = Field(description="Those that ask never to go back to something.")


class StoryStatisticsRow(MeasuredStories):
    """A group; it has what it is grouped by, and null for stories that have none of that."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    verdict: Verdict | None = None
    theme: str | None = Field(
        default=None, description="The theme's slug. A story of two themes is in both groups."
    )
    theme_name: str | None = None
    group: ThemeGroup | None = None
    role: Role | None = None
    care_setting: str | None = None
    organisation: str | None = Field(default=None, description="Its ODS code.")
    organisation_name: str | None = None
    icb: str | None = Field(default=None, description="Its ODS code.")
    icb_name: str | None = None
    region: str | None = Field(default=None, description="Its ODS code.")
    region_name: str | None = None
    month: str | None = Field(default=None, examples=["2026-11"])


class StoryStatistics(Document):
    """Stories, counted in groups."""

    group_by: list[StoryDimension]
    items: list[StoryStatisticsRow]
    total: MeasuredStories = Field(description="All that fits, each story once.")
