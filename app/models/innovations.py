"""Innovations: what a POST takes, what is stored, what is answered, what can be asked for."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.adoptions import Position
from app.models.decisions import DecisionCreate, DecisionPublic, Status
from app.models.evidence import EvidenceCreate, EvidencePublic
from app.models.fields import (
    Day,
    Document,
    Line,
    MomentOut,
    OdsCode,
    Prose,
    Slug,
    SourceId,
    SourceSystem,
    Strict,
    Summary,
    Tag,
)
from app.models.merging import MergedInnovation, Supersession
from app.models.organisations import Place
from app.models.themes import ThemeRef

MOST_FURTHER_THEMES = 9

MOST_EVIDENCE = 50
"""Pieces of evidence of one innovation, beside stories. They stand in its document, which lists
send whole."""


NO_REVIEW = "9999-12-31"


class CareSetting(StrEnum):
    """Where care is given."""

    ACUTE = "acute"
    PRIMARY_CARE = "primary_care"
    COMMUNITY = "community"
    MENTAL_HEALTH = "mental_health"
    AMBULANCE = "ambulance"
    CARE_HOME = "care_home"
    SOCIAL_CARE = "social_care"
    MATERNITY = "maternity"
    URGENT_CARE = "urgent_care"
    PUBLIC_HEALTH = "public_health"
    CORPORATE = "corporate"
    CROSS_SETTING = "cross_setting"


class Visibility(StrEnum):
    """Who sees it: its own organisation, everybody, or nobody any more; or, of what was merged into
    another, whoever has its address."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class OwnVisibility(StrEnum):
    """What a sender can set; withdrawing is a DELETE, with a reason."""

    DRAFT = "draft"
    PUBLISHED = "published"


PLACES = ("organisation", "icb", "region")
"""Whose an innovation is: its organisation's, and those's above it."""

FILTERS = ("theme", "status", *PLACES, "care_setting")
"""What an innovation has one of, and lists are filtered by."""

SORT_KEYS = ("updated_at", "title_key", "review_on", "adoption_count")
"""What lists are ordered by, beside the order of creation."""


def _others(name: str) -> list[str]:
    return [other for other in FILTERS if other != name]


class Innovation(SQLModel, table=True):
    """An innovation as it is stored: its public document, and the keys by which it is found.

    ``number`` is the order of creation, gap-free, and what the reference ``INN-000123`` shows.
    Times in the log never run backwards, so it is the order of ``created_at``, too.
    ``review_on`` is :data:`NO_REVIEW` where none is planned, so that it sorts last.
    """

    __table_args__ = (
        UniqueConstraint("submitter", "source_system", "source_id", name="uq_innovation_source"),
        Index("ix_innovation_created_at", "created_at", "number"),
        # The ways that `app/register/lists/walks.py` chooses from: in the order of creation by each
        # of the filters, in the other orders over all, and within an organisation or an ICB. The
        # filters stand in the index, so that what does not fit is passed over there.
        Index("ix_innovation_number", "visibility", "number", *FILTERS),
        *(
            Index(f"ix_innovation_{name}", "visibility", name, "number", *_others(name))
            for name in FILTERS
        ),
        *(
            Index(f"ix_innovation_{key}", "visibility", key, "number", *FILTERS)
            for key in SORT_KEYS
        ),
        *(
            Index(f"ix_innovation_{name}_{key}", "visibility", name, key, "number")
            for name in ("organisation", "icb")
            for key in SORT_KEYS
        ),
    )

    number: int = Column(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Column(unique=True)
    version: int
    sequence: int
    visibility: str
    status: str
    theme: str = Column(foreign_key="theme.slug")
    organisation: str = Column(foreign_key="organisation.code")
    icb: str | None
    region: str | None
    care_setting: str | None
    title_key: str
    created_at: datetime = Column(sa_type=Moment)
    updated_at: datetime = Column(sa_type=Moment)
    review_on: str
    adoption_count: int
    submitter: str = Column(foreign_key="organisation.code")
    source_system: str | None
    source_id: str | None
    public: bool
    """Whether it is published, or was: a withdrawn draft does not even show its tombstone."""
    document: str = Column(sa_type=TextColumn)


class InnovationKey(SQLModel, table=True):
    """A key of which an innovation may have several: a tag, a kind or a strength of evidence, a
    stage of its adoptions, an organisation that has adopted it or is above one that has.

    What else lists are filtered by stands here, too, so that those with a tag can be walked along
    without a look at each one's entry.
    """

    __tablename__ = "innovation_key"
    __table_args__ = (
        Index("ix_innovation_key_number", "number"),
        {"sqlite_with_rowid": False},
    )

    name: str = Column(primary_key=True)
    value: str = Column(primary_key=True)
    number: int = Column(primary_key=True, foreign_key="innovation.number", index=False)
    visibility: str
    theme: str
    status: str
    organisation: str
    icb: str | None
    region: str | None
    care_setting: str | None


class Source(Strict):
    """The entry's id where it comes from, unique among what your organisation submitted."""

    system: SourceSystem = Field(examples=["intranet"])
    id: SourceId = Field(examples=["42"])


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Tags = Annotated[list[Tag], AfterValidator(_distinct), Field(max_length=20)]


def _other_themes(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("theme_named_twice", "Name each further theme once")
    return values


FurtherThemes = Annotated[
    list[Slug], AfterValidator(_other_themes), Field(max_length=MOST_FURTHER_THEMES)
]


class InnovationFields(Strict):
    """What can be said of an innovation, and changed later."""

    title: Line = Field(description="What it is, in a few words.")
    summary: Summary = Field(description="What is done and for whom, in a sentence or two.")
    description: Prose | None = Field(
        default=None, description="All that somebody needs who wants to do the same."
    )
    theme: Slug = Field(description="The `slug` of its main theme; lists count by this one.")
    further_themes: FurtherThemes = Field(
        default=[], description="Other themes that it touches; shown, but not counted."
    )
    organisation: OdsCode | None = Field(
        default=None, description="The ODS code of whose it is; the key's own, if not given."
    )
    care_setting: CareSetting | None = None
    tags: Tags = Field(default=[], description="Words to find it by; kept in lower case.")
    started_on: Day | None = Field(default=None, description="Since when it has been done.")
    visibility: OwnVisibility = OwnVisibility.PUBLISHED
    source: Source | None = Field(default=None, description="Your own id for it.")


class InnovationCreate(InnovationFields):
    """A new innovation, with its first decision and its evidence if there are any."""

    decision: DecisionCreate | None = Field(
        default=None, description="Without one, it starts as `under_review`."
    )
    evidence: list[EvidenceCreate] = Field(default=[], max_length=MOST_EVIDENCE)


class SourceUpdate(Strict):
    """A merge patch of the source."""

    system: SourceSystem | None = None
    id: SourceId | None = None


class InnovationUpdate(Strict):
    """A merge patch: what is given changes, null empties, all else stays.

    Decisions and evidence have addresses of their own.
    """

    title: Line | None = None
    summary: Summary | None = None
    description: Prose | None = None
    theme: Slug | None = None
    further_themes: FurtherThemes | None = None
    organisation: OdsCode | None = None
    care_setting: CareSetting | None = None
    tags: Tags | None = None
    started_on: Day | None = None
    visibility: OwnVisibility | None = None
    source: SourceUpdate | None = None


class SourcePublic(Document):
    """The submitter's own id."""

    system: str
    id: str


class Withdrawal(Document):
    """When and why an innovation was withdrawn."""

    reason: str
    withdrawn_at: MomentOut


class InnovationCounts(Document):
    """How much there is about it."""

    decisions: int
    evidence: int
    adoptions: int = Field(
        description="Other organisations that have it now: at `adopted` or `adapted`."
    )


class InnovationLinks(Document):
    """Where to go from here."""

    self: str
    decisions: str
    evidence: str
    adoptions: str
    history: str


class InnovationPublic(Document):
    """An innovation."""

    id: str = Field(description="A UUIDv7.")
    reference: str = Field(description="What people call it by.", examples=["INN-000123"])
    version: int = Field(description="Counts its changes, from 1.")
    title: str
    summary: str
    description: str | None
    theme: ThemeRef
    further_themes: list[ThemeRef]
    organisation: Place
    care_setting: CareSetting | None
    status: Status
    tags: list[str]
    started_on: date | None
    visibility: Visibility
    source: SourcePublic | None
    decision: DecisionPublic | None = Field(description="The newest one.")
    evidence: list[EvidencePublic]
    adoptions: list[Position] = Field(
        description="Where other organisations stand with it, in the order in which they came; "
        "each in full at `links.adoptions`."
    )
    counts: InnovationCounts
    withdrawal: Withdrawal | None
    superseded_by: Supersession | None = Field(
        description="What it was merged into; all that came after stands there."
    )
    supersedes: list[MergedInnovation] = Field(description="What was merged into it.")
    created_at: MomentOut
    updated_at: MomentOut
    links: InnovationLinks
