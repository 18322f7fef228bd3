"""Recommendations: what an organisation's neighbours keep that it does not have."""

from pydantic import Field

from app.models.fields import Document, Page
from app.models.innovations import InnovationPublic


class Figures(Document):
    """What speaks for a recommendation, in figures."""

    adopters_in_icb: int = Field(description="Organisations of the same ICB that have adopted it.")
    adopters_in_region: int = Field(
        description="Organisations of the same region that have, those of the ICB included."
    )
    adopters: int = Field(description="Organisations anywhere that have.")
    stopped: int = Field(description="Organisations anywhere that stopped; see what they learnt.")
    strong_evidence: int = Field(description="Pieces of strong evidence for it.")


class Recommendation(Document):
    """An innovation that is worth a look, and why."""

    innovation: InnovationPublic
    reasons: list[str] = Field(description="Why, in words; the weightiest first.")
    figures: Figures


class RecommendationPage(Document):
    """A page of recommendations, the best first."""

    items: list[Recommendation]
    page: Page
