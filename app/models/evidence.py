"""Evidence: what supports the judgement of an innovation."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Text as TextColumn
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.models.fields import (
    Document,
    Line,
    MomentOut,
    Number,
    Page,
    Period,
    Prose,
    Strict,
    WebAddress,
)


class EvidenceKind(StrEnum):
    """Where the evidence comes from."""

    STAFF_VOICE = "staff_voice"
    PATIENT_VOICE = "patient_voice"
    MEASURE = "measure"
    AUDIT = "audit"
    EVALUATION = "evaluation"
    PUBLICATION = "publication"


class EvidenceStrength(StrEnum):
    """How far it carries, from a hint to a proof."""

    SUGGESTIVE = "suggestive"
    MODERATE = "moderate"
    STRONG = "strong"


class Evidence(SQLModel, table=True):
    """A piece of evidence as it is stored; it stands in its innovation's document, too."""

    id: str = Column(primary_key=True)
    number: int = Column(foreign_key="innovation.number", index=True)
    version: int
    kind: str
    strength: str
    document: str = Column(sa_type=TextColumn)


class Measure(Strict):
    """What was measured, before and after."""

    name: Line = Field(description="What was counted.", examples=["Emergency admissions"])
    unit: Line | None = Field(default=None, examples=["per month"])
    baseline: Number | None = Field(default=None, description="Before.", examples=[50])
    result: Number = Field(description="After.", examples=[40])
    period: Period | None = Field(
        default=None, description="When, as ISO 8601.", examples=["2020-04/2020-09"]
    )


class EvidenceCreate(Strict):
    """A piece of evidence."""

    kind: EvidenceKind
    statement: Prose = Field(description="What it says, in a sentence or a few.")
    strength: EvidenceStrength = EvidenceStrength.SUGGESTIVE
    url: WebAddress | None = Field(default=None, description="Where it can be read.")
    measure: Measure | None = Field(
        default=None, description="The figures; for evidence of kind `measure`."
    )

    @model_validator(mode="after")
    def _figures_of_a_measure(self) -> Self:
        if (self.measure is not None) != (self.kind == EvidenceKind.MEASURE):
            raise PydanticCustomError(
                "measure_mismatch",
                "Evidence of kind `measure` has its figures in `measure`; other kinds have none",
            )
        return self


class MeasureUpdate(Strict):
    """A merge patch of the figures."""

    name: Line | None = None
    unit: Line | None = None
    baseline: Number | None = None
    result: Number | None = None
    period: Period | None = None


class EvidenceUpdate(Strict):
    """A merge patch: what is given changes, null empties, all else stays."""

    kind: EvidenceKind | None = None
    statement: Prose | None = None
    strength: EvidenceStrength | None = None
    url: WebAddress | None = None
    measure: MeasureUpdate | None = None


class MeasurePublic(Document):
    """What was measured, before and after."""

    name: str
    unit: str | None
    baseline: int | float | None
    result: int | float
    period: str | None


class EvidencePublic(Document):
    """A piece of evidence."""

    id: str = Field(description="A UUIDv7.")
    version: int
    kind: EvidenceKind
    statement: str
    strength: EvidenceStrength
    url: str | None
    measure: MeasurePublic | None
    story: str | None = Field(
        description="The `id` of the story that it is; what that says is read there."
    )
    created_at: MomentOut
    updated_at: MomentOut


class EvidencePage(Document):
    """A page of an innovation's evidence, in the order in which it came."""

    items: list[EvidencePublic]
    page: Page
