"""Changes: the lines of the log."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field
from sqlalchemy import Index
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.fields import Document, MomentOut, Page


class Action(StrEnum):
    """What a write did."""

    CREATED = "created"
    UPDATED = "updated"
    DECIDED = "decided"
    EVIDENCED = "evidenced"
    ADOPTED = "adopted"
    UNPUBLISHED = "unpublished"
    """A story's teller took the consent back: who has a copy is to take it out."""
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    """An innovation was merged into another: who has a copy is to take it out."""
    MERGED = "merged"
    """An innovation took in another one, with what belonged to that."""
    ROTATED = "rotated"
    REVOKED = "revoked"
    DELETED = "deleted"
    REDACTED = "redacted"


class Kind(StrEnum):
    """What kind of thing a write was about."""

    INNOVATION = "innovation"
    ADOPTION = "adoption"
    STORY = "story"
    THEME = "theme"
    ORGANISATION = "organisation"
    CLIENT = "client"
    SUBSCRIPTION = "subscription"
    REDACTION = "redaction"


class LogHead(SQLModel, table=True):
    """The one row that names the state of the whole register, and that every write locks."""

    __tablename__ = "log_head"

    id: int = Column(primary_key=True)
    sequence: int
    digest: str
    at: datetime = Column(sa_type=Moment)


class Change(SQLModel, table=True):
    """A line of the log as it is stored."""

    __table_args__ = (Index("ix_change_thing", "thing", "kind", "version"),)

    sequence: int = Column(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Column(sa_type=Moment)
    client: str | None
    by: str | None
    action: str
    kind: str
    thing: str
    version: int
    public: bool
    organisation: str | None
    document: str | None = Column(sa_type=TextColumn)
    document_digest: str
    digest: str
    accepted_flagged: bool = False
    """Whether a curator accepted that there may be personal data in it."""
    redacted: bool = False
    """Whether its document is no more what was written; a later line tells what it is instead."""


class ChangePublic(Document):
    """A line of the log: one write that was accepted."""

    sequence: int = Field(description="Its place in the log; there are no gaps in the log.")
    at: MomentOut
    by: str | None = Field(
        description="The code of the organisation whose client did it; of a story, it shows to the "
        "story's own organisation only."
    )
    action: Action
    kind: Kind
    id: str = Field(description="The thing's id: a UUIDv7, a theme's slug, an ODS code.")
    version: int = Field(description="The thing's version from then on.")
    accepted_flagged: bool = Field(
        description="Whether a curator accepted text in it that was flagged as possible personal "
        "data."
    )
    redacted: bool = Field(
        description="Whether text was taken out of the document since; `[redacted]` stands there."
    )
    document: dict[str, Any] | None = Field(
        description="The whole thing as it was from then on; null where nothing of it was kept, "
        "and of a story that is not published any more."
    )
    document_digest: str = Field(
        description="SHA-256 of the document as it was written, in hex; not of what is left of one "
        "that was redacted."
    )
    digest: str = Field(
        description="SHA-256 over this line and the digest of the line before it, in hex."
    )


class HistoryPage(Document):
    """The versions of a thing, the oldest first."""

    items: list[ChangePublic]
    page: Page
