"""Subscriptions: where to send the lines of the log, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import Index
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.feed import LineFilters
from app.models.fields import Document, Line, MomentOut, Page, Strict, WebAddress

OVERLAP_HOURS, MOST_OVERLAP_HOURS = 24, 720
"""For how long an older secret signs beside a new one, if nothing else is said; and at most."""


class State(StrEnum):
    """Whether lines are sent."""

    ACTIVE = "active"
    PAUSED = "paused"


class Outcome(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"


class Subscription(SQLModel, table=True):
    """A subscription as it is stored: a cursor over the log, and when to go on from there.

    ``due_at`` is when it may be taken up next. Whoever works on it is its ``owner``, and pushes
    that moment on; so one that was left by a process which died is taken up by another.
    """

    __table_args__ = (Index("ix_subscription_due", "state", "due_at"),)

    id: str = Column(primary_key=True)
    organisation: str = Column(foreign_key="organisation.code", index=True)
    client: str
    """The id of a client, or the name of one with a token, which has no row."""
    curates: bool
    name: str
    url: str
    filters: str = Column(sa_type=TextColumn)
    secret: str
    older_secrets: str = Column(sa_type=TextColumn)
    cursor: int
    state: str
    paused_reason: str | None = None
    retired_elsewhere: bool = False
    """Whether its filters say so: then it goes no further than lines are judged."""
    failures: int
    tried: int
    due_at: datetime = Column(sa_type=Moment)
    owner: str | None = None
    version: int
    sequence: int
    created_at: datetime = Column(sa_type=Moment)
    updated_at: datetime = Column(sa_type=Moment)


class Delivery(SQLModel, table=True):
    """What became of one message that was sent; only the newest of a subscription are kept."""

    subscription: str = Column(primary_key=True, foreign_key="subscription.id")
    number: int = Column(primary_key=True)
    sequence: int | None
    message: str
    attempt: int
    at: datetime = Column(sa_type=Moment)
    outcome: str
    status: int | None
    error: str | None
    milliseconds: int


class SubscriptionFields(Strict):
    """What of a subscription can be changed."""

    name: Line = Field(description="What to call it: the receiving system's name.")
    url: WebAddress = Field(
        description="Where to send: an address with https that the internet can reach.",
        examples=["https://dashboard.example.nhs.uk/hooks/register"],
    )
    filters: LineFilters = Field(
        default=LineFilters(),
        description="Which lines, as for `GET /v1/changes`; all that you may see, if none.",
    )
    state: State = Field(
        default=State.ACTIVE, description="While it is paused, nothing is sent, and nothing lost."
    )


class SubscriptionCreate(SubscriptionFields):
    """A new subscription."""

    after: int | None = Field(
        default=None,
        ge=0,
        le=2**53,
        description="Start after this `sequence`; 0 for all there ever was. If not given, with "
        "what comes from now on.",
    )


class FiltersUpdate(LineFilters):
    """A merge patch of the filters: null takes one away, and what is left out stays."""

    @field_validator("*", mode="before")
    @classmethod
    def _none(cls, given: Any, field: ValidationInfo) -> Any:
        return cls.model_fields[str(field.field_name)].default if given is None else given


class SubscriptionUpdate(Strict):
    """A merge patch: what is given changes, all else stays."""

    name: Line | None = None
    url: WebAddress | None = None
    filters: FiltersUpdate | None = None
    state: State | None = None


class SecretRotation(Strict):
    """How a receiver changes over to a new secret."""

    overlap_hours: int = Field(
        default=OVERLAP_HOURS,
        ge=0,
        le=MOST_OVERLAP_HOURS,
        description="For how long messages are signed with the older secret, too.",
    )


class SubscriptionBase(Document):
    """What is always told of a subscription."""

    id: str = Field(description="A UUIDv7.")
    name: str
    organisation: str = Field(description="The ODS code of the organisation whose it is.")
    client: str = Field(description="The client that made it; what that may see is sent.")
    filters: dict[str, Any] = Field(description="Those that were given.")
    state: State
    version: int
    created_at: MomentOut
    updated_at: MomentOut


class SubscriptionDocument(SubscriptionBase):
    """A subscription as the log keeps it: without its secret, and of its address only the host,
    since there may be a secret in the rest of it.
    """

    receiver: str


class SubscriptionPublic(SubscriptionBase):
    """A subscription, and how far it has come."""

    url: str
    paused_reason: str | None = Field(description="Why it is paused; null while it is active.")
    waits_for: str | None = Field(
        description="With the filter `retired_elsewhere`: what newer lines wait for before they "
        "can be told; null if they do not."
    )
    cursor: int = Field(
        description="The `sequence` of the last line that was delivered, or was not for it."
    )
    failures: int = Field(description="How often the line that is next has failed so far.")
    retry_at: MomentOut | None = Field(
        description="When it is tried again; null if nothing failed."
    )
    older_secrets_end_at: MomentOut | None = Field(
        description="Until when messages are signed with an older secret, too."
    )


class SubscriptionWithSecret(SubscriptionPublic):
    """A subscription, with the secret that was just made for it."""

    secret: str | None = Field(
        description="What messages are signed with. It is shown once: nobody can show it again, so "
        "it is null when an `Idempotency-Key` was sent before.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwFhBXPw0Iu0s="],
    )


class SubscriptionPage(Document):
    """A page of subscriptions, the oldest first."""

    items: list[SubscriptionPublic]
    page: Page


class DeliveryPublic(Document):
    """What became of a message."""

    sequence: int | None = Field(description="The line that was sent; null for a test.")
    message: str = Field(description="Its `webhook-id`; the same each time that it is sent.")
    attempt: int = Field(description="1 for the first time that this line was sent, and so on.")
    at: MomentOut
    outcome: Outcome
    status: int | None = Field(description="The HTTP status of the answer; null without one.")
    error: str | None = Field(description="What went wrong; null if nothing did.")
    milliseconds: int = Field(description="How long it took.")


class DeliveryPage(Document):
    """A page of deliveries, the newest first."""

    items: list[DeliveryPublic]
    page: Page
