"""What a POST with an ``Idempotency-Key`` answered, so that it can be said again."""

from datetime import datetime

from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment


class IdempotentAnswer(SQLModel, table=True):
    """The first answer to a client's key, written in the same transaction as what it did."""

    __tablename__ = "idempotent_answer"

    client: str = Column(primary_key=True)
    key: str = Column(primary_key=True)
    fingerprint: str
    status: int
    headers: str = Column(sa_type=TextColumn)
    body: str = Column(sa_type=TextColumn)
    created_at: datetime = Column(sa_type=Moment, index=True)
