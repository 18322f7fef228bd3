"""Statistics: what can be counted by, and what is told."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.models.decisions import Status
from app.models.fields import Day, Document, MomentOut
from app.models.finding import AsOfQuery, InnovationFilters
from app.models.innovations import InnovationPublic
from app.models.themes import ThemeGroup

MOST_PERIODS = 5_000


class Dimension(StrEnum):
    """What innovations can be grouped by."""

    THEME = "theme"
    GROUP = "group"
    STATUS = "status"
    ORGANISATION = "organisation"
    ICB = "icb"
    REGION = "region"
    CARE_SETTING = "care_setting"
    EVIDENCE_STRENGTH = "evidence_strength"
    ADOPTION_STAGE = "adoption_stage"
    MONTH = "month"


def by_different_things(given: Sequence[str]) -> None:
    """Refuses to group by the same thing twice."""
    if len(set(given)) != len(given):
        raise PydanticCustomError("grouped_twice", "Group by two different things")


class StatisticsQuery(InnovationFilters, AsOfQuery):
    """Which innovations, and by what they are grouped."""

    group_by: tuple[Dimension, ...] = Field(
        default=(),
        max_length=2,
        description="Up to two of "
        + ", ".join(f"`{dimension}`" for dimension in Dimension)
        + ". `group` is the theme's, and `month` that of submission.",
        examples=[["theme", "status"]],
    )
    empty: bool = Field(
        default=False,
        description="With groups that have no innovation: themes, open organisations and so on.",
    )

    @field_validator("group_by")
    @classmethod
    def _by_different_things(cls, given: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
        by_different_things(given)
        return given


class Measured(Document):
    """What there is of innovations."""

    innovations: int
    evidence: int = Field(description="Pieces of evidence for them.")
    adoptions: int = Field(description="Times that another organisation has one of them now.")
    kept: int = Field(description="Those whose status is `keep`.")
    share_kept: float | None = Field(
        description="That, as a share of all of them: 0 to 1; null where there are none."
    )


class StatisticsRow(Measured):
    """A group; it has what it is grouped by, and null for innovations that have none of that."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    theme: str | None = Field(default=None, description="The theme's slug.")
    theme_name: str | None = None
    group: ThemeGroup | None = None
    status: Status | None = None
    organisation: str | None = Field(default=None, description="Its ODS code.")
    organisation_name: str | None = None
    icb: str | None = Field(default=None, description="Its ODS code.")
    icb_name: str | None = None
    region: str | None = Field(default=None, description="Its ODS code.")
    region_name: str | None = None
    care_setting: str | None = None
    evidence_strength: str | None = Field(
        default=None,
        description="An innovation with evidence of two strengths is in the groups of both.",
    )
    adoption_stage: str | None = Field(
        default=None,
        description="An innovation at two stages in two organisations is in the groups of both.",
    )
    month: str | None = Field(default=None, examples=["2026-11"])


class Statistics(Document):
    """Innovations, counted in groups."""

    group_by: list[Dimension]
    items: list[StatisticsRow]
    total: Measured = Field(description="All that fits, each innovation once.")


class Period(StrEnum):
    """How long a step of a timeline is."""

    WEEK = "week"
    MONTH = "month"


class TimelineQuery(InnovationFilters):
    """Which innovations, and in which steps of time."""

    by: Period = Field(default=Period.MONTH, description="In steps of months, or of ISO weeks.")
    since: Day | None = Field(default=None, description="From the step with this day on.")
    until: Day | None = Field(default=None, description="Up to the step with this day.")

    @field_validator("until")
    @classmethod
    def _until_comes_later(cls, until: date | None, given: ValidationInfo) -> date | None:
        since = given.data.get("since")
        if until and since and since > until:
            raise PydanticCustomError("dates_out_of_order", "`until` is before `since`")
        return until


class Happened(Document):
    """What happened to innovations."""

    submitted: int
    decided_keep: int
    decided_retire: int
    adopted: int = Field(
        description="Other organisations that began with one, whether they go on or stopped since."
    )


class TimelineStep(Happened):
    """A week or a month."""

    period: str = Field(description="A month or an ISO week.", examples=["2026-11", "2026-W47"])
    starts_on: date
    in_all: Happened = Field(description="What had happened by its end, since the beginning.")


class Timeline(Document):
    """What happened, step by step; steps in which nothing did are there, too."""

    by: Period
    items: list[TimelineStep]


class OverviewTheme(Measured):
    """A theme, and what there is of it."""

    theme: str
    theme_name: str
    group: ThemeGroup
    retired: int


class OverviewRegion(Measured):
    """A region, and what there is from it."""

    region: str
    region_name: str


class OverviewTotals(Measured):
    """What there is in all."""

    retired: int
    under_review: int
    organisations: int = Field(description="Organisations that have submitted.")
    review_due: int = Field(description="Innovations whose next review was to be before today.")
    submitted_last_30_days: int
    stories: int = Field(description="Stories that are published.")
    never_again: int = Field(description="Those that ask never to go back to something.")


class Overview(Document):
    """The published register at a glance."""

    totals: OverviewTotals
    themes: list[OverviewTheme]
    regions: list[OverviewRegion]
    newest: list[InnovationPublic] = Field(description="The five that came last.")
    as_of: MomentOut = Field(description="When the register changed last.")
