"""Organisations: NHS bodies by their ODS code, and where each stands in the hierarchy."""

from datetime import date
from enum import StrEnum

from pydantic import Field
from sqlalchemy import Date
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.models.fields import Document, MomentOut, OdsCode, Page, PageQuery, Strict, Words


class OrganisationKind(StrEnum):
    """What an organisation is."""

    REGION = "region"
    ICB = "icb"
    TRUST = "trust"
    OTHER = "other"


class Organisation(SQLModel, table=True):
    """An organisation as it is stored: its document, and the keys by which it is found."""

    code: str = Column(primary_key=True)
    kind: str
    name: str
    name_key: str = Column(index=True)
    parent: str | None = Column(default=None, index=True)
    icb: str | None = None
    region: str | None = None
    opened: date | None = Column(default=None, sa_type=Date)
    closed: date | None = Column(default=None, sa_type=Date)
    version: int
    sequence: int
    document: str = Column(sa_type=TextColumn)


class Succession(SQLModel, table=True):
    """Who took over from whom, from which day on."""

    __tablename__ = "organisation_succession"

    predecessor: str = Column(primary_key=True)
    successor: str = Column(primary_key=True, index=True)
    date: date


class OrganisationRef(Document):
    """An organisation, named in another thing's document."""

    code: str
    name: str


class SuccessionRef(OrganisationRef):
    """Another organisation, and since when it is this one's successor or predecessor."""

    date: date


class OrganisationPublic(Document):
    """An organisation."""

    code: str = Field(description="Its ODS code.")
    name: str
    kind: OrganisationKind
    parent: OrganisationRef | None = Field(description="A trust's ICB, an ICB's region.")
    icb: OrganisationRef | None = Field(description="The ICB that it belongs to, or is.")
    region: OrganisationRef | None = Field(description="The region that it belongs to, or is.")
    opened: date | None
    closed: date | None = Field(description="The last day that it was open; null while it is open.")
    successors: list[SuccessionRef]
    predecessors: list[SuccessionRef]
    version: int
    created_at: MomentOut
    updated_at: MomentOut

    def ref(self) -> OrganisationRef:
        return OrganisationRef(code=self.code, name=self.name)


class Place(Document):
    """The organisation of an innovation, and its place in the hierarchy."""

    code: str
    name: str
    kind: OrganisationKind
    icb: OrganisationRef | None
    region: OrganisationRef | None


class OrganisationPage(Document):
    """A page of organisations, in the order of their names."""

    items: list[OrganisationPublic]
    page: Page


class OrganisationFilters(Strict):
    """Which organisations."""

    q: Words | None = Field(
        default=None, description="A part of the name, or the code.", examples=["Manchester"]
    )
    kind: tuple[OrganisationKind, ...] = Field(
        default=(), max_length=4, description="Of one of these kinds.", examples=[["trust"]]
    )
    parent: tuple[OdsCode, ...] = Field(
        default=(), max_length=20, description="Directly below one of these.", examples=[["QOP"]]
    )
    open: bool | None = Field(
        default=None, description="True for those open today, false for the closed ones."
    )


class OrganisationQuery(PageQuery, OrganisationFilters):
    """Which organisations, and which page of them."""
