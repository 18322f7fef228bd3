"""Clients: machines with a key, each acting for one organisation."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.fields import Document, Line, MomentIn, MomentOut, OdsCode, Page, PageQuery, Strict

OVERLAP_HOURS, MOST_OVERLAP_HOURS = 24, 720
"""For how long an old key works beside a new one, if nothing else is said; and at most."""


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    CONTRIBUTE = "contribute"
    CURATE = "curate"
    ADMIN = "admin"


class ClientState(StrEnum):
    """Whether a client's keys open anything."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Client(SQLModel, table=True):
    """A client as it is stored; its keys have a table of their own."""

    id: str = Column(primary_key=True)
    name: str
    organisation: str = Column(foreign_key="organisation.code", index=True)
    scopes: str
    version: int
    sequence: int
    created_at: datetime = Column(sa_type=Moment)
    updated_at: datetime = Column(sa_type=Moment)
    expires_at: datetime | None = Column(default=None, sa_type=Moment)
    revoked_at: datetime | None = Column(default=None, sa_type=Moment)


class ClientKey(SQLModel, table=True):
    """A key as it is stored: only its hash. A client has one, or two while it changes over."""

    __tablename__ = "client_key"

    hash: str = Column(primary_key=True)
    client: str = Column(foreign_key="client.id", index=True)
    created_at: datetime = Column(sa_type=Moment)
    ends_at: datetime | None = Column(default=None, sa_type=Moment)
    """When a newer key takes its place; null for the newest."""
    last_used_at: datetime | None = Column(default=None, sa_type=Moment)


def _distinct(values: list[Scope]) -> list[Scope]:
    return list(dict.fromkeys(values))


def _to_come(value: datetime) -> datetime:
    if value <= datetime.now(UTC):
        raise PydanticCustomError("moment_in_the_past", "This time has passed")
    return value


Scopes = Annotated[list[Scope], Field(min_length=1, max_length=4), AfterValidator(_distinct)]
FutureMoment = Annotated[MomentIn, AfterValidator(_to_come)]


class ClientFields(Strict):
    """What of a client can be changed."""

    name: Line = Field(description="What to call it: the system's name, not a person's.")
    scopes: Scopes = Field(description="What it may do.")
    expires_at: MomentIn | None = Field(
        default=None, description="From when on its keys open nothing; null for never."
    )


class ClientCreate(ClientFields):
    """A new client."""

    organisation: OdsCode = Field(description="The ODS code of the organisation it acts for.")
    expires_at: FutureMoment | None = Field(
        default=None, description="From when on its keys open nothing; null for never."
    )


class ClientUpdate(Strict):
    """A merge patch: what is given changes, all else stays. The organisation stays for good."""

    name: Line | None = None
    scopes: Scopes | None = None
    expires_at: FutureMoment | None = None


class Rotation(Strict):
    """How a client changes over to a new key."""

    overlap_hours: int = Field(
        default=OVERLAP_HOURS,
        ge=0,
        le=MOST_OVERLAP_HOURS,
        description="For how long the key that is in use still opens what it did.",
    )


class KeyDocument(Document):
    """A key as the log knows of it: not itself, nor its hash."""

    created_at: MomentOut
    ends_at: MomentOut | None = Field(
        description="When the overlap with a newer key ends; null for the newest."
    )


class KeyPublic(KeyDocument):
    """A key, which only its holder knows."""

    last_used_at: MomentOut | None = Field(
        description="When it was last used, to ten minutes; null if it never was."
    )


class ClientBase(Document):
    """What is always told of a client."""

    id: str
    name: str
    organisation: str = Field(description="The ODS code of the organisation that it acts for.")
    scopes: list[Scope]
    version: int
    created_at: MomentOut
    updated_at: MomentOut
    expires_at: MomentOut | None
    revoked_at: MomentOut | None


class ClientDocument(ClientBase):
    """A client as the log keeps it: without its keys, and without a person's name."""

    keys: list[KeyDocument]


class ClientPublic(ClientBase):
    """A client, as an admin sees it."""

    state: ClientState
    last_used_at: MomentOut | None = Field(description="The last use of any of its `keys`.")
    keys: list[KeyPublic] = Field(description="The newest first; two while one takes over.")


class ClientWithKey(ClientPublic):
    """A client, with the key that was just made for it."""

    key: str | None = Field(
        description="The new key. It is shown once: nobody can show it again, so it is null when "
        "an `Idempotency-Key` was sent before.",
        examples=["inr_ruWW3dIHDhfWl6jzRkfSIhRl-FPfXYTlkAvBc1IaPQQ"],
    )


class ClientPage(Document):
    """A page of clients, the oldest first."""

    items: list[ClientPublic]
    page: Page


class ClientQuery(PageQuery):
    """Which clients, and which page of them."""

    organisation: tuple[OdsCode, ...] = Field(
        default=(), max_length=20, description="Acting for one of these.", examples=[["LSBU"]]
    )
    state: tuple[ClientState, ...] = Field(
        default=(), max_length=3, description="In one of these states.", examples=[["valid"]]
    )
