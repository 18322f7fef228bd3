"""Decisions: whether an innovation is to be kept or retired, why, and who says so."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Date
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.models.fields import Day, Document, Line, MomentOut, Page, PastDay, Strict, Summary


class Status(StrEnum):
    """Whether to carry an innovation on, or never to go back to it."""

    UNDER_REVIEW = "under_review"
    KEEP = "keep"
    RETIRE = "retire"


class Decision(SQLModel, table=True):
    """A decision as it is stored; it never changes."""

    id: str = Column(primary_key=True)
    number: int = Column(foreign_key="innovation.number", index=True)
    status: str
    decided_on: date = Column(sa_type=Date)
    document: str = Column(sa_type=TextColumn)


class DecisionCreate(Strict):
    """A decision. The newest one, by `decided_on`, is the innovation's status."""

    status: Status
    reason: Summary = Field(description="Why; it is what others learn from.")
    decided_on: PastDay | None = Field(
        default=None, description="When it was decided; today, if not given."
    )
    review_on: Day | None = Field(default=None, description="When to look at it again.")
    decided_by: Line | None = Field(
        default=None,
        description="Who decided, as a role; never a person's name.",
        examples=["Medical director"],
    )

    @model_validator(mode="after")
    def _review_comes_later(self) -> Self:
        if self.review_on and self.decided_on and self.review_on < self.decided_on:
            raise PydanticCustomError(
                "review_before_decision", "`review_on` is before `decided_on`"
            )
        return self


class DecisionPublic(Document):
    """A decision."""

    id: str = Field(description="A UUIDv7.")
    status: Status
    reason: str
    decided_on: date
    review_on: date | None
    decided_by: str | None
    created_at: MomentOut = Field(description="When the register learnt of it.")


class DecisionPage(Document):
    """A page of an innovation's decisions, the newest first."""

    items: list[DecisionPublic]
    page: Page
