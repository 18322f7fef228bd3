"""Retired elsewhere: lines that submit what another organisation has retired, and what is told."""

from datetime import date, datetime

from pydantic import Field
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.dialects import Moment
from app.models.fields import Document
from app.models.organisations import Place


class LineLikeness(SQLModel, table=True):
    """What a line submits is like a practice that another organisation had retired by then.

    It has no words of either, so that what is told of them is what stands there now.
    """

    __tablename__ = "line_likeness"

    sequence: int = Column(
        primary_key=True, foreign_key="change.sequence", sa_column_kwargs={"autoincrement": False}
    )
    number: int = Column(primary_key=True, foreign_key="innovation.number")
    """The practice's."""
    score: float


class LinesJudged(SQLModel, table=True):
    """The one row that tells up to which line all are judged, and who is at it.

    The ``owner`` has it to itself until ``due_at``; afterwards it is the one who judged last.
    ``usual`` is what the texts up to there have in common, as this ``model`` has it.
    """

    __tablename__ = "lines_judged"

    id: int = Column(primary_key=True)
    sequence: int
    owner: str | None
    due_at: datetime = Column(sa_type=Moment)
    model: str | None
    usual: bytes | None


class RetiredElsewhere(Document):
    """A practice that another organisation has retired, as it stands now."""

    id: str = Field(description="Of the innovation that it is in the register: a UUIDv7.")
    reference: str = Field(examples=["INN-000123"])
    title: str
    organisation: Place
    reason: str | None = Field(description="Why it was retired.")
    decided_on: date | None
    score: float = Field(
        description="How like it is what was submitted: from 0.4, where the two may well be one "
        "practice, up to 1 for the same text. It was found when it was submitted."
    )
