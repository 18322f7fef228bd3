"""The names of things: UUIDv7, and the references that people use."""

from __future__ import annotations

import re

from uuid_utils import uuid7

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_REFERENCE = re.compile(r"(INN|STY)-0*([1-9][0-9]{0,8})", re.IGNORECASE)

INNOVATION, STORY = "INN", "STY"
"""How the references of a kind of thing begin."""


def new_id() -> str:
    """A UUIDv7 (RFC 9562): unique everywhere, and in the order of time."""
    return str(uuid7())


def reference(number: int, of: str = INNOVATION) -> str:
    """What people call an innovation by, like ``INN-000123``; or another kind of thing."""
    return f"{of}-{number:06}"


def identifier(text: str, of: str = INNOVATION) -> str | int | None:
    """The UUID, or the number of a reference, that the text is; None when it is neither."""
    if match := _REFERENCE.fullmatch(text):
        return int(match[2]) if match[1].upper() == of else None
    return text.lower() if _UUID.fullmatch(text) else None


def number_of(reference: str) -> int:
    """The number that a reference shows."""
    return int(reference.removeprefix("INN-"))
