"""Likeness: likely themes, similar innovations, possible duplicates; and vectors as stored."""

from pydantic import Field
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.models.decisions import Status
from app.models.fields import Document, Limit, Prose, Strict
from app.models.innovations import InnovationPublic
from app.models.organisations import Place
from app.models.themes import ThemeRef


class InnovationVector(SQLModel, table=True):
    """What a model makes of an innovation's text. It can be made again at any time.

    ``digest`` names the text: while title and summary stay, so does the vector.
    """

    __tablename__ = "innovation_vector"

    number: int = Column(
        primary_key=True, foreign_key="innovation.number", sa_column_kwargs={"autoincrement": False}
    )
    model: str
    digest: str
    vector: bytes


class StoryVector(SQLModel, table=True):
    """The same of a story, as long as that is published."""

    __tablename__ = "story_vector"

    number: int = Column(
        primary_key=True, foreign_key="story.number", sa_column_kwargs={"autoincrement": False}
    )
    model: str
    digest: str
    vector: bytes


class SuggestionQuery(Strict):
    """A text whose themes are asked for."""

    text: Prose = Field(
        description="What is done, or what somebody told. The first 2,000 letters are looked at.",
        examples=["Volunteers ring people who live alone."],
    )
    limit: Limit = Field(default=3, description="How many themes to name.")


class ThemeSuggestion(Document):
    """A theme, and how much speaks for it."""

    theme: ThemeRef
    score: float = Field(
        description="From 0 to 1: its share of what speaks for any theme. All themes' scores "
        "make 1.",
        examples=[0.62],
    )
    words: list[str] = Field(
        description="The words of the text that spoke for it most.", examples=[["volunteers"]]
    )


class ThemeSuggestions(Document):
    """Themes for a text, the likeliest first."""

    items: list[ThemeSuggestion]
    model: str | None = Field(
        description="The model of language that was asked; null where none is installed, and only "
        "letters and words were compared."
    )
    learnt_to: int = Field(description="The line of the change log up to which it has learnt.")


class AlikeWords(Document):
    """A word of the innovation that was asked for, and the nearest one of the other."""

    here: str = Field(examples=["paperwork"])
    there: str = Field(examples=["forms"])


class SimilarInnovation(Document):
    """An innovation that is like another."""

    score: float = Field(
        description="Up to 1, for the same text. From 0.4 on, it may well be the same practice; "
        "below 0.3, it seldom is.",
        examples=[0.71],
    )
    why: list[AlikeWords] = Field(description="The words that are nearest to each other.")
    innovation: InnovationPublic


class SimilarInnovations(Document):
    """What is like an innovation, the likest first."""

    items: list[SimilarInnovation]
    model: str = Field(description="The model of language that was asked.")


class PossibleDuplicate(Document):
    """An innovation that may be the same practice as the one that was submitted."""

    id: str
    reference: str = Field(examples=["INN-000123"])
    title: str
    summary: str
    status: Status
    organisation: Place
    score: float = Field(description="As in `GET /v1/innovations/{innovation}/similar`.")


class InnovationCreated(InnovationPublic):
    """An innovation as it was stored, and beside it what may be the same."""

    possible_duplicates: list[PossibleDuplicate] | None = Field(
        description="Published innovations that may be the same practice, the likest first; three "
        "at most. It is a hint and never a refusal, and no part of the innovation: a GET does not "
        "have it. Null where nobody has looked, because the model is not installed or was not "
        "ready."
    )


class SimilarQuery(Strict):
    """How many."""

    limit: Limit = Field(default=10, description="How many to name at most.", examples=[5])
