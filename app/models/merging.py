"""Merging: an innovation that says the same as another one becomes superseded by it."""

from typing import Annotated

from pydantic import Field

from app.models.fields import Document, Line, MomentOut, Strict, Summary


class InnovationRef(Document):
    """An innovation, named in another thing's document."""

    id: str
    reference: str


class MergedInnovation(InnovationRef):
    """An innovation that was merged into another, and what came with it."""

    evidence: list[str] = Field(
        description="The ids of the evidence that came with it. A PUT or an import of the other "
        "leaves that where it is, though it was not sent with it."
    )


class Supersession(Document):
    """Which innovation took the place of another, why, and since when."""

    id: str
    reference: str
    reason: str
    superseded_at: MomentOut


class MergeCreate(Strict):
    """Into which innovation another one is merged, and why."""

    into: Annotated[Line, Field(max_length=40)] = Field(
        description="The `id` or the reference of the published innovation that stays.",
        examples=["INN-000039"],
    )
    reason: Summary = Field(
        description="Why they are one; it is shown to whoever looks for the one that went."
    )
