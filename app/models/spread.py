"""Spread: how far innovations have come beyond where they were born."""

from datetime import date
from enum import StrEnum

from pydantic import ConfigDict, Field

from app.models.fields import Document, Page, PageQuery
from app.models.finding import AsOfQuery, InnovationFilters


class SpreadBy(StrEnum):
    """What spread is told by."""

    INNOVATION = "innovation"
    ICB = "icb"
    REGION = "region"
    MONTH = "month"


class SpreadQuery(PageQuery, InnovationFilters, AsOfQuery):
    """How far which innovations have spread, and by what it is told."""

    by: SpreadBy = Field(
        default=SpreadBy.ICB,
        description="The adopters' `icb` or `region`, the `month` in which they adopted, or each "
        "`innovation` by itself, in pages: those that spread furthest first.",
        examples=["innovation"],
    )


class Reach(Document):
    """How many trusts something has reached."""

    trusts_adopted: int = Field(
        description="Open trusts that have adopted any of it, or took over from one that has."
    )
    share_of_trusts: float | None = Field(
        description="That, as a share of all open trusts there: 0 to 1; null where there are none."
    )


class Spread(Reach):
    """Where organisations stand with innovations of others, counted."""

    considering: int
    piloting: int
    adopted: int
    adapted: int
    stopped: int
    adoptions: int = Field(description="`adopted` and `adapted` together.")
    adopters: int = Field(description="Organisations of any kind that have adopted any of it.")


class SpreadRow(Reach):
    """A place, a month or an innovation; it has what fits `by`."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    icb: str | None = Field(default=None, description="Its ODS code; null outside of all ICBs.")
    icb_name: str | None = None
    region: str | None = Field(
        default=None, description="Its ODS code; null outside of all regions."
    )
    region_name: str | None = None
    month: str | None = Field(default=None, examples=["2026-11"])
    innovation: str | None = Field(default=None, description="Its `id`.")
    reference: str | None = None
    title: str | None = None
    considering: int = 0
    piloting: int = 0
    adopted: int = 0
    adapted: int = 0
    stopped: int = 0
    adoptions: int = 0
    adopters: int = 0
    began: int = Field(
        default=0,
        description="In a month: adoptions that began in it, those that have stopped since, too.",
    )
    in_all: int = Field(default=0, description="At the end of a month: adoptions that had begun.")
    first_adopted_on: date | None = Field(
        default=None, description="When an innovation's first adoption began."
    )
    tenth_adopted_on: date | None = Field(
        default=None, description="When its tenth adoption began; null if there are fewer."
    )
    days_to_tenth: int | None = Field(
        default=None, description="Days from its first adoption to its tenth."
    )


class SpreadAnswer(Document):
    """How far innovations have spread."""

    by: SpreadBy
    items: list[SpreadRow]
    total: Spread = Field(description="Of all innovations that fit.")
    page: Page | None = Field(description="By innovation, where the list stands; else null.")
