"""Checks: what would be said of an entry if it were submitted."""

from pydantic import Field

from app.models.fields import Document
from app.models.likeness import PossibleDuplicate, ThemeSuggestion
from app.screening import Identifying


class CheckFault(Document):
    """One thing that is wrong, and where; as a problem's `errors` say it."""

    pointer: str = Field(description="Where in the entry.", examples=["#/theme"])
    code: str = Field(description="For a machine; it stays the same.", examples=["unknown_theme"])
    detail: str = Field(description="For a person.")


class PersonalData(Document):
    """What may be personal data, and where; never what it says."""

    pointer: str = Field(description="In which text.", examples=["#/summary"])
    kind: Identifying
    start: int = Field(description="Where in the text, in characters from 0.")
    end: int = Field(description="The character after the last one.")
    detail: str = Field(description="For a person.")


class Checked(Document):
    """What the rules say of an entry."""

    valid: bool = Field(description="Whether it would be taken just as it is.")
    errors: list[CheckFault] = Field(description="What is wrong with it.")
    personal_data: list[PersonalData] = Field(
        description="What may be personal data, for which it would be refused."
    )


class CheckAnswer(Checked):
    """What would be said of an entry, and what it may be about."""

    suggested_themes: list[ThemeSuggestion] | None = Field(
        description="The likeliest themes for what is written so far, the likeliest first; three "
        "at most. A hint: it makes nothing invalid. Empty while there is no text; null where the "
        "register is still being read, just after a start."
    )


class InnovationCheckAnswer(CheckAnswer):
    """What would be said of an innovation, and what it may be the same as."""

    possible_duplicates: list[PossibleDuplicate] | None = Field(
        description="Published innovations that may be the same practice as what is written so "
        "far, the likest first; three at most. A hint: it makes nothing invalid. Empty where there "
        "are none, or no text; null where nobody could look: the model of language is not "
        "installed, or the register is still being read, just after a start."
    )
