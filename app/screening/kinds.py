"""What may be found in a text."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Identifying(StrEnum):
    """A kind of personal data."""

    NHS_NUMBER = "nhs_number"
    EMAIL_ADDRESS = "email_address"
    PHONE_NUMBER = "phone_number"
    DATE_OF_BIRTH = "date_of_birth"
    PERSON_NAME = "person_name"


class Finding(NamedTuple):
    """Something in a text that may be personal data; it never has the value itself."""

    kind: Identifying
    start: int
    """In characters (Unicode code points) of the text, from 0."""
    end: int
    """The character after the last one."""
