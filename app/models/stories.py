"""Stories: what was told in the listening programme, and what is shown of it.

A story has no field for who told it. Whose it is (``owner``) stands beside the document and not in
it, for the teller may not want to be known by where they work.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.evidence import EvidenceKind
from app.models.fields import Document, Line, MomentOut, OdsCode, Prose, Slug, Strict
from app.models.innovations import CareSetting, Source, Withdrawal
from app.models.merging import InnovationRef
from app.models.organisations import OrganisationRef, Place
from app.models.themes import ThemeRef

MOST_THEMES = 10
MOST_INNOVATIONS = 10


class Verdict(StrEnum):
    """What the teller asks for: to keep it, or never to go back to it."""

    KEEP = "keep"
    NEVER_AGAIN = "never_again"


class Role(StrEnum):
    """What the teller is, in words of a job; wide enough that no role names a person."""

    PATIENT = "patient"
    CARER = "carer"
    MEMBER_OF_THE_PUBLIC = "member_of_the_public"
    NURSE = "nurse"
    MIDWIFE = "midwife"
    DOCTOR = "doctor"
    GENERAL_PRACTITIONER = "general_practitioner"
    ALLIED_HEALTH_PROFESSIONAL = "allied_health_professional"
    PHARMACIST = "pharmacist"
    PARAMEDIC = "paramedic"
    HEALTHCARE_SCIENTIST = "healthcare_scientist"
    HEALTHCARE_SUPPORT_WORKER = "healthcare_support_worker"
    SOCIAL_CARE_WORKER = "social_care_worker"
    ADMINISTRATOR = "administrator"
    MANAGER = "manager"
    SENIOR_LEADER = "senior_leader"
    BOARD_MEMBER = "board_member"
    STUDENT = "student"
    VOLUNTEER = "volunteer"
    OTHER_STAFF = "other_staff"

    @property
    def voice(self) -> EvidenceKind:
        """Which kind of evidence a story of this role is."""
        patients = (Role.PATIENT, Role.CARER, Role.MEMBER_OF_THE_PUBLIC)
        return EvidenceKind.PATIENT_VOICE if self in patients else EvidenceKind.STAFF_VOICE


class StoryVisibility(StrEnum):
    """Who sees it: its own organisation and curators, everybody, or nobody any more."""

    PRIVATE = "private"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


FILTERS = ("verdict", "role", "care_setting", "organisation", "icb", "region")
"""What a story has one of, and lists are filtered by."""

KEYS = ("theme", "innovation")
"""What it may have several of."""

OWNERS = ("owner", "owner_icb", "owner_region")
"""Whose it is: an organisation's, and those's above it."""


class Story(SQLModel, table=True):
    """A story as it is stored: its public document, and the keys by which it is found.

    ``number`` is the order of creation, gap-free, and what the reference ``STY-000123`` shows.
    ``organisation``, ``icb`` and ``region`` are what the teller agreed to have told.
    """

    __table_args__ = (
        UniqueConstraint("submitter", "source_system", "source_id", name="uq_story_source"),
        Index("ix_story_created_at", "created_at", "number"),
        Index("ix_story_number", "visibility", "number", *FILTERS),
        Index("ix_story_updated_at", "visibility", "updated_at", "number"),
        *(Index(f"ix_story_{name}", "visibility", name, "number") for name in FILTERS),
        Index("ix_story_owner", "owner"),
    )

    number: int = Column(primary_key=True, sa_column_kwargs={"autoincrement": False})
    id: str = Column(unique=True)
    version: int
    sequence: int
    visibility: str
    verdict: str
    role: str | None
    care_setting: str | None
    organisation: str | None = Column(foreign_key="organisation.code")
    icb: str | None
    region: str | None
    owner: str = Column(foreign_key="organisation.code")
    owner_icb: str | None
    owner_region: str | None
    created_at: datetime = Column(sa_type=Moment)
    updated_at: datetime = Column(sa_type=Moment)
    submitter: str = Column(foreign_key="organisation.code")
    source_system: str | None
    source_id: str | None
    public: bool
    """Whether it is published, or was until it was withdrawn: others see that tombstone only."""
    document: str = Column(sa_type=TextColumn)


class StoryKey(SQLModel, table=True):
    """A key of which a story may have several: a theme, or the id of an innovation."""

    __tablename__ = "story_key"
    __table_args__ = (
        Index("ix_story_key_number", "number"),
        {"sqlite_with_rowid": False},
    )

    name: str = Column(primary_key=True)
    value: str = Column(primary_key=True)
    number: int = Column(primary_key=True, foreign_key="story.number", index=False)


def _as_word(value: Any) -> Any:
    """A choice as a survey's file may write it: `Never again` is `never_again`."""
    return re.sub(r"[\s-]+", "_", value.strip()).lower() if isinstance(value, str) else value


def _distinct(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _themes_once(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise PydanticCustomError("theme_named_twice", "Name each theme once")
    return values


VerdictIn = Annotated[Verdict, BeforeValidator(_as_word)]
RoleIn = Annotated[Role, BeforeValidator(_as_word)]
CareSettingIn = Annotated[CareSetting, BeforeValidator(_as_word)]
OtherRole = Annotated[Line, Field(max_length=80)]
Themes = Annotated[list[Slug], AfterValidator(_themes_once), Field(max_length=MOST_THEMES)]
InnovationNames = Annotated[
    list[Annotated[Line, Field(max_length=40)]],
    AfterValidator(_distinct),
    Field(max_length=MOST_INNOVATIONS),
]


class StoryFields(Strict):
    """What can be said of a story, and changed later."""

    text: Prose = Field(description="The story, in the teller's own words; no name of anybody.")
    verdict: VerdictIn = Field(description="To be kept, or never again.")
    role: RoleIn | None = Field(
        default=None, description="What the teller is, in words of a job. There is none for a name."
    )
    other_role: OtherRole | None = Field(
        default=None, description="Which other role, in words of a job, with `other_staff`."
    )
    care_setting: CareSettingIn | None = Field(
        default=None, description="Where the teller works, or is cared for."
    )
    themes: Themes = Field(
        default=[], description="The slugs of the themes that it is about; it may fit none yet."
    )
    organisation: OdsCode | None = Field(
        default=None,
        description="The ODS code of where it happened. Name it only if the teller agrees that it "
        "is told; else the story is your key's organisation's, and nobody else learns whose.",
    )
    region: OdsCode | None = Field(
        default=None,
        description="The ODS code of the region, if the teller agrees to have that told and no "
        "more. An organisation tells its region.",
    )
    innovations: InnovationNames = Field(
        default=[],
        description="The ids or references of innovations that it tells of. While it is published, "
        "it is evidence for them: `staff_voice` or `patient_voice`, by its role.",
    )
    consent_to_publish: bool = Field(
        default=False,
        description="Whether the teller agrees that everybody may read it. Without it, only its "
        "own organisation and curators do.",
    )

    @field_validator("other_role")
    @classmethod
    def _with_other_staff(cls, value: str | None, given: ValidationInfo) -> str | None:
        if value is not None and given.data.get("role") is not Role.OTHER_STAFF:
            raise PydanticCustomError("role_mismatch", "This goes with the role `other_staff`")
        return value


class StoryCreate(StoryFields):
    """A new story."""

    source: Source | None = Field(
        default=None,
        description="Your own id for it; it is not shown. It does not change any more.",
    )


class StoryUpdate(Strict):
    """A merge patch: what is given changes, null empties, all else stays."""

    text: Prose | None = None
    verdict: VerdictIn | None = None
    role: RoleIn | None = None
    other_role: OtherRole | None = None
    care_setting: CareSettingIn | None = None
    themes: Themes | None = None
    organisation: OdsCode | None = None
    region: OdsCode | None = None
    innovations: InnovationNames | None = None
    consent_to_publish: bool | None = None


class StoryLinks(Document):
    """Where to go from here."""

    self: str
    history: str


class StoryPublic(Document):
    """A story."""

    id: str = Field(description="A UUIDv7.")
    reference: str = Field(description="What people call it by.", examples=["STY-000123"])
    version: int = Field(description="Counts its changes, from 1.")
    text: str = Field(description="The story, in the teller's own words.")
    verdict: Verdict
    role: Role | None
    other_role: str | None
    care_setting: CareSetting | None
    themes: list[ThemeRef]
    organisation: Place | None = Field(description="Where it happened, if the teller agreed.")
    region: OrganisationRef | None = Field(description="In which region, if the teller agreed.")
    innovations: list[InnovationRef] = Field(description="What it tells of.")
    consent_to_publish: bool
    visibility: StoryVisibility = Field(
        description="`published` with consent, else `private`; or `withdrawn`."
    )
    withdrawal: Withdrawal | None
    created_at: MomentOut
    updated_at: MomentOut
    links: StoryLinks
