"""Clients: machines with a key, each acting for one organisation."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.fields import Document, MomentOut


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    CONTRIBUTE = "contribute"
    CURATE = "curate"
    ADMIN = "admin"


class Client(SQLModel, table=True):
    """A client as it is stored. Of its key there is only the hash."""

    id: str = Column(primary_key=True)
    name: str
    organisation: str = Column(foreign_key="organisation.code", index=True)
    scopes: str
    key_hash: str = Column(unique=True)
    created_at: datetime = Column(sa_type=Moment)
    expires_at: datetime | None = Column(default=None, sa_type=Moment)
    revoked_at: datetime | None = Column(default=None, sa_type=Moment)
    last_used_at: datetime | None = Column(default=None, sa_type=Moment)


class ClientDocument(Document):
    """A client as the log keeps it: without its key, and without a person's name."""

    id: str
    name: str
    organisation: str
    scopes: list[Scope]
    created_at: MomentOut
    expires_at: MomentOut | None
    revoked_at: MomentOut | None
