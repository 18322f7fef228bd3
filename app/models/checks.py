"""Checks: what would be said of an entry if it were submitted."""

from pydantic import Field

from app.models.fields import Document
from app.screening import Kind


class CheckFault(Document):
    """One thing that is wrong, and where; as a problem's `errors` say it."""

    pointer: str = Field(description="Where in the entry.", examples=["#/theme"])
    code: str = Field(description="For a machine; it stays the same.", examples=["unknown_theme"])
    detail: str = Field(description="For a person.")


class PersonalData(Document):
    """What may be personal data, and where; never what it says."""

    pointer: str = Field(description="In which text.", examples=["#/summary"])
    kind: Kind
    start: int = Field(description="Where in the text, in characters from 0.")
    end: int = Field(description="The character after the last one.")
    detail: str = Field(description="For a person.")


class CheckAnswer(Document):
    """What would be said of an entry.

    What else is told of one before it is sent (entries that say the same, themes that fit) has its
    place here, a field each.
    """

    valid: bool = Field(description="Whether it would be taken just as it is.")
    errors: list[CheckFault] = Field(description="What is wrong with it.")
    personal_data: list[PersonalData] = Field(
        description="What may be personal data, for which it would be refused."
    )
