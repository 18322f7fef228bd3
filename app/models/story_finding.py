"""Finding stories: what can be asked for, and what a list answers."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from app.models.fields import (
    Document,
    Line,
    MomentIn,
    OdsCode,
    Page,
    PageQuery,
    Slug,
    Strict,
    Words,
)
from app.models.finding import CreatedTo, FacetCount, any_of
from app.models.innovations import CareSetting
from app.models.stories import Role, StoryPublic, StoryVisibility, Verdict


class StorySort(StrEnum):
    """In which order; a minus turns it round."""

    CREATED_AT = "created_at"
    NEWEST = "-created_at"
    UPDATED_AT = "updated_at"
    LATEST_UPDATED = "-updated_at"


class StoryFacet(StrEnum):
    """What stories can be counted by."""

    VERDICT = "verdict"
    THEME = "theme"
    ROLE = "role"
    CARE_SETTING = "care_setting"
    ORGANISATION = "organisation"
    ICB = "icb"
    REGION = "region"
    VISIBILITY = "visibility"


class StoryFilters(Strict):
    """Which stories: of one filter any value, and of all filters each."""

    q: Words | None = Field(
        default=None,
        description="Words in the text, as in a web search: "
        '`"an exact phrase"`, `-without`, `this or that`.',
        examples=['discharge or "going home" -forms'],
    )
    verdict: tuple[Verdict, ...] = Field(
        default=(), max_length=2, description=any_of("To be kept, or never again.")
    )
    theme: tuple[Slug, ...] = Field(
        default=(), max_length=50, description=any_of("The slug of one of its themes.")
    )
    role: tuple[Role, ...] = Field(
        default=(), max_length=len(Role), description=any_of("What the teller is.")
    )
    care_setting: tuple[CareSetting, ...] = Field(
        default=(), max_length=12, description=any_of("Where the teller works, or is cared for.")
    )
    organisation: tuple[OdsCode, ...] = Field(
        default=(),
        max_length=50,
        description=any_of("The ODS code of where it happened, as far as that may be told."),
    )
    icb: tuple[OdsCode, ...] = Field(
        default=(), max_length=50, description=any_of("The ODS code of that organisation's ICB.")
    )
    region: tuple[OdsCode, ...] = Field(
        default=(), max_length=10, description=any_of("The ODS code of the region that is told.")
    )
    innovation: tuple[Annotated[Line, Field(max_length=40)], ...] = Field(
        default=(),
        max_length=20,
        description=any_of("The id or the reference of an innovation that it tells of."),
    )
    created_from: MomentIn | None = Field(default=None, description="Created then or later.")
    created_to: CreatedTo | None = Field(default=None, description="Created before then.")
    updated_since: MomentIn | None = Field(default=None, description="Changed then or later.")
    visibility: tuple[StoryVisibility, ...] = Field(
        default=(StoryVisibility.PUBLISHED,),
        max_length=3,
        description="What has no consent to be published, and what was withdrawn, shows to a key "
        "of its own organisation only.",
    )


class StoryQuery(PageQuery, StoryFilters):
    """Which stories, in which order, and which page of them."""

    sort: StorySort = Field(
        default=StorySort.NEWEST, description="The newest first, if not given; with `q`, too."
    )
    facets: str | None = Field(
        default=None,
        max_length=200,
        description="What to count by, separated by commas: "
        + ", ".join(f"`{facet}`" for facet in StoryFacet)
        + ".",
        examples=["verdict,theme"],
    )


class StoryPage(Document):
    """A page of stories."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    items: list[StoryPublic]
    page: Page
    facets: dict[str, list[FacetCount]] = Field(
        default_factory=dict,
        description="Only there if asked for: the 100 most frequent values of each.",
    )
