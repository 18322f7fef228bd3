"""Adoptions: where another organisation stands with an innovation, and what it learnt."""

from datetime import date
from enum import StrEnum

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.models.decisions import Status
from app.models.fields import Document, MomentOut, OdsCode, Page, PageQuery, PastDay, Prose, Strict
from app.models.organisations import OrganisationRef, Place

MOST_ADOPTIONS = 500
"""Positions on one innovation. They stand in its document in short; the NHS has some 250 trusts
and ICBs."""


class AdoptionStage(StrEnum):
    """How far an organisation has come with what another one did first."""

    CONSIDERING = "considering"
    PILOTING = "piloting"
    ADOPTED = "adopted"
    ADAPTED = "adapted"
    STOPPED = "stopped"


TAKEN = (AdoptionStage.ADOPTED, AdoptionStage.ADAPTED)
"""The stages at which an organisation has an innovation: as it is, or made to fit. Only these are
counted as adoptions."""


class Adoption(SQLModel, table=True):
    """An organisation's current position on an innovation, as it is stored.

    Where the organisation stands in the hierarchy is kept here, too, and follows when it moves.
    Days are ISO 8601, and so sort as texts.
    """

    __table_args__ = (
        UniqueConstraint("number", "organisation", name="uq_adoption_position"),
        Index("ix_adoption_number", "number", "id"),
        # By whose they are, in the order in which they came; and what recommendations ask for.
        Index("ix_adoption_organisation", "organisation", "id"),
        Index("ix_adoption_icb", "icb", "id"),
        Index("ix_adoption_region", "region", "id"),
        Index("ix_adoption_near", "region", "stage", "number", "icb"),
    )

    id: str = Column(primary_key=True)
    number: int = Column(foreign_key="innovation.number")
    organisation: str = Column(foreign_key="organisation.code")
    icb: str | None
    region: str | None
    stage: str
    since: str
    adopted_on: str | None
    version: int
    sequence: int
    document: str = Column(sa_type=TextColumn)


class AdoptionFields(Strict):
    """What can be said of an adoption, and changed later."""

    stage: AdoptionStage = Field(
        description="`adopted` is as it is, `adapted` is made to fit. Whoever `stopped` says why "
        "in `learnt`."
    )
    since: PastDay | None = Field(
        default=None, description="Since when it has been at this stage; today, if not given."
    )
    outcome: Prose | None = Field(
        default=None, description="What came of it: what is better or worse than before."
    )
    learnt: Prose | None = Field(
        default=None,
        validate_default=True,
        description="What the next one should know: what it took, what to change, why it stopped.",
    )

    @field_validator("learnt")
    @classmethod
    def _why_it_stopped(cls, learnt: str | None, given: ValidationInfo) -> str | None:
        if learnt is None and given.data.get("stage") is AdoptionStage.STOPPED:
            raise PydanticCustomError(
                "reason_needed", "Say why it stopped: that is what others learn from"
            )
        return learnt


class AdoptionCreate(AdoptionFields):
    """An organisation's position on an innovation."""

    organisation: OdsCode | None = Field(
        default=None, description="The ODS code of whose it is; the key's own, if not given."
    )


class AdoptionUpdate(Strict):
    """A merge patch: what is given changes, null empties, all else stays.

    Another stage without a day has been since today.
    """

    stage: AdoptionStage | None = None
    since: PastDay | None = None
    outcome: Prose | None = None
    learnt: Prose | None = None


class Position(Document):
    """An adoption in short, as it stands in its innovation's document."""

    organisation: str = Field(description="The ODS code of whose it is.")
    icb: str | None = Field(description="The ODS code of its ICB.")
    region: str | None = Field(description="The ODS code of its region.")
    stage: AdoptionStage
    since: date
    adopted_on: date | None

    @property
    def covered(self) -> list[str]:
        """The codes that stand for whose it is: its own, and those of the bodies above it."""
        return [code for code in (self.organisation, self.icb, self.region) if code is not None]


class AdoptedInnovation(Document):
    """Which innovation an adoption is of."""

    id: str
    reference: str


class AdoptionLinks(Document):
    """Where to go from here."""

    self: str
    innovation: str
    history: str


class AdoptionPublic(Document):
    """An organisation's position on an innovation of another one."""

    id: str = Field(description="A UUIDv7.")
    version: int = Field(description="Counts its changes, from 1.")
    innovation: AdoptedInnovation
    organisation: Place
    stage: AdoptionStage
    since: date = Field(description="Since when it has been at this stage.")
    adopted_on: date | None = Field(
        description="Since when it first was `adopted` or `adapted`; it stays when that stopped."
    )
    outcome: str | None
    learnt: str | None
    created_at: MomentOut
    updated_at: MomentOut
    links: AdoptionLinks

    def in_short(self) -> Position:
        place = self.organisation
        return Position(
            organisation=place.code,
            icb=place.icb.code if place.icb else None,
            region=place.region.code if place.region else None,
            stage=self.stage,
            since=self.since,
            adopted_on=self.adopted_on,
        )


class AdoptionPage(Document):
    """A page of an innovation's adoptions, in the order in which they came."""

    items: list[AdoptionPublic]
    page: Page


class AdoptionsQuery(PageQuery):
    """Which of an organisation's adoptions, and which page of them."""

    below: bool = Field(
        default=False,
        description="With those of the organisations below it: an ICB's trusts, a region's ICBs "
        "and trusts.",
    )
    stage: tuple[AdoptionStage, ...] = Field(
        default=(),
        max_length=len(AdoptionStage),
        description="At this stage. Repeat it for any of several.",
    )


class AboutInnovation(Document):
    """What an innovation is, in short."""

    title: str
    theme: str = Field(description="Its main theme's slug.")
    status: Status
    organisation: OrganisationRef


class AdoptionOfOrganisation(AdoptionPublic):
    """An adoption, with what it is of."""

    about: AboutInnovation


class AdoptionsOfOrganisation(Document):
    """A page of an organisation's adoptions, the newest first."""

    items: list[AdoptionOfOrganisation]
    page: Page
