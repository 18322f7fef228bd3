"""A stored document, and what proves which version of it somebody has seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.errors import PreconditionFailed, PreconditionRequired


def etag(version: int, sequence: int) -> str:
    """A strong ETag (RFC 9110, section 8.8.3): the version, and the line that last made the text.

    The line is needed because a renamed organisation re-makes the documents in which it stands.
    """
    return f'"{version}-{sequence}"'


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it stands in the register, made from the log up to ``head``."""

    document: str
    etag: str
    head: int | None = None
    location: str | None = None
    again: str | None = None
    """What a repeated POST is told instead, where the document holds what is shown once."""
    lasting: bool = True
    """Whether it stays as it is while its ETag does; what does not is for nobody to keep."""
    answer: str | None = None
    """What the answer to a POST says, where it tells of more than the document."""
    successor: str | None = None
    """The address of what it was merged into."""

    @property
    def body(self) -> str:
        return self.document if self.answer is None else self.answer


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of documents, and where the list stands."""

    items: list[str]
    limit: int
    total: int
    next: str | None
    head: int
    day: date | None = None
    """The day that it holds for, where the answer depends on the day, too."""
    lasting: bool = True
    """Whether it stays as it is while the head does; what does not is for nobody to keep."""


@dataclass(frozen=True, slots=True)
class Precondition:
    """What an ``If-Match`` header asks for (RFC 9110, section 13.1.1); ``*`` is any version."""

    tags: frozenset[str]

    def allows(self, current: str) -> bool:
        return "*" in self.tags or current in self.tags


def must_match(precondition: Precondition | None, current: str) -> None:
    """Refuses a change by somebody who has not seen the current version."""
    if precondition is None:
        raise PreconditionRequired("Send `If-Match` with the ETag of the version that you changed.")
    if not precondition.allows(current):
        raise PreconditionFailed("Somebody changed it after the version that `If-Match` names.")
