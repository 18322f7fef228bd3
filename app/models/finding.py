"""Finding innovations: what can be asked for, and what a list answers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from app.models.adoptions import AdoptionStage
from app.models.decisions import Status
from app.models.evidence import EvidenceKind, EvidenceStrength
from app.models.fields import (
    AsOf,
    Day,
    Document,
    MomentIn,
    OdsCode,
    Page,
    PageQuery,
    Slug,
    Strict,
    Tag,
    Words,
)
from app.models.innovations import CareSetting, InnovationPublic, Visibility


class FacetCount(Document):
    """How many of the list have this value."""

    value: str
    count: int


class InnovationPage(Document):
    """A page of innovations."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    items: list[InnovationPublic]
    page: Page
    facets: dict[str, list[FacetCount]] = Field(
        default_factory=dict,
        description="Only there if asked for: the 100 most frequent values of each.",
    )


class InnovationSort(StrEnum):
    """In which order; a minus turns it round. By `review_on`, those without one come last."""

    RELEVANCE = "relevance"
    CREATED_AT = "created_at"
    NEWEST = "-created_at"
    UPDATED_AT = "updated_at"
    LATEST_UPDATED = "-updated_at"
    TITLE = "title"
    TITLE_BACKWARDS = "-title"
    REVIEW_ON = "review_on"
    ADOPTION_COUNT = "adoption_count"
    MOST_ADOPTED = "-adoption_count"


class Facet(StrEnum):
    """What can be counted by."""

    THEME = "theme"
    STATUS = "status"
    ORGANISATION = "organisation"
    ICB = "icb"
    REGION = "region"
    CARE_SETTING = "care_setting"
    VISIBILITY = "visibility"
    TAG = "tag"
    EVIDENCE_KIND = "evidence_kind"
    EVIDENCE_STRENGTH = "evidence_strength"
    ADOPTION_STAGE = "adoption_stage"


def any_of(what: str) -> str:
    """How a filter that may be repeated is described."""
    return f"{what} Repeat it for any of several."


def _after_created_from(until: datetime, given: ValidationInfo) -> datetime:
    since = given.data.get("created_from")
    if since and since >= until:
        raise PydanticCustomError("dates_out_of_order", "`created_to` is not after `created_from`")
    return until


CreatedTo = Annotated[MomentIn, AfterValidator(_after_created_from)]
"""Where a span of time ends that begins with ``created_from``, a filter named before it."""


class RetiredFilters(Strict):
    """What a retired practice says of itself: of one filter any value, and of all filters each."""

    q: Words | None = Field(
        default=None,
        description="Words in title, summary, description, tags or evidence, as in a web search: "
        '`"an exact phrase"`, `-without`, `this or that`.',
        examples=['video or "ward round" -pilot'],
    )
    theme: tuple[Slug, ...] = Field(
        default=(), max_length=50, description=any_of("The main theme's slug.")
    )
    organisation: tuple[OdsCode, ...] = Field(
        default=(), max_length=50, description=any_of("The ODS code of whose it is.")
    )
    icb: tuple[OdsCode, ...] = Field(
        default=(),
        max_length=50,
        description=any_of("The ODS code of the ICB that its organisation is, or is below."),
    )
    region: tuple[OdsCode, ...] = Field(
        default=(),
        max_length=10,
        description=any_of("The ODS code of the region that its organisation is, or is below."),
    )
    care_setting: tuple[CareSetting, ...] = Field(
        default=(), max_length=12, description=any_of("Where care is given.")
    )


class EntryFilters(RetiredFilters):
    """What an entry says of itself: of one filter any value, and of all filters each."""

    status: tuple[Status, ...] = Field(
        default=(), max_length=3, description=any_of("Keep, retire or under review.")
    )
    tag: tuple[Tag, ...] = Field(default=(), max_length=20, description=any_of("A tag."))
    evidence_kind: tuple[EvidenceKind, ...] = Field(
        default=(), max_length=6, description=any_of("With evidence of this kind.")
    )
    evidence_strength: tuple[EvidenceStrength, ...] = Field(
        default=(), max_length=3, description=any_of("With evidence of this strength.")
    )
    adopted_by: tuple[OdsCode, ...] = Field(
        default=(),
        max_length=20,
        description="That this organisation, or one below it, has taken from another: `adopted` or "
        "`adapted`. An ICB or a region stands for all below it. Repeat it for any of several.",
    )
    not_adopted_by: tuple[OdsCode, ...] = Field(
        default=(),
        max_length=20,
        description="That this organisation and those below it do not have: neither taken from "
        "another nor their own. Repeat it for none of several.",
    )
    adoption_stage: tuple[AdoptionStage, ...] = Field(
        default=(),
        max_length=len(AdoptionStage),
        description=any_of("That some organisation is at this stage with."),
    )
    created_from: MomentIn | None = Field(default=None, description="Created then or later.")
    created_to: CreatedTo | None = Field(default=None, description="Created before then.")
    updated_since: MomentIn | None = Field(default=None, description="Changed then or later.")
    review_due_before: Day | None = Field(
        default=None, description="To be looked at again before this day."
    )


class InnovationFilters(EntryFilters):
    """Which innovations."""

    visibility: tuple[Visibility, ...] = Field(
        default=(Visibility.PUBLISHED,),
        max_length=len(Visibility),
        description="What is not published (drafts, what was withdrawn, what was merged into "
        "another) shows to a key of its organisation only.",
    )


class AsOfQuery(Strict):
    """As of when."""

    as_of: AsOf | None = Field(
        default=None,
        description="The register as it was: at a time (`2026-04-01T00:00:00Z`; a bare day is its "
        "first moment), or at a line of the change log (a `sequence`).",
    )


class InnovationQuery(PageQuery, InnovationFilters, AsOfQuery):
    """Which innovations, in which order, and which page of them."""

    sort: InnovationSort | None = Field(
        default=None,
        description="The best match first with `q`, else the newest first, if not given.",
    )
    facets: str | None = Field(
        default=None,
        max_length=200,
        description="What to count by, separated by commas: "
        + ", ".join(f"`{facet}`" for facet in Facet)
        + ".",
        examples=["theme,status"],
    )
