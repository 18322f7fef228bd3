"""Redactions: what was taken out of the register's memory, as the log tells it."""

from pydantic import Field

from app.models.fields import Document, MomentOut

MARKER = "[redacted]"
"""What stands in the place of what was taken out."""

SHORT_MARKER = "[…]"
"""The same, where the text was shorter than that, so that no text becomes too long by it."""

FEWEST = len(SHORT_MARKER)
"""Characters that a text to take out has at least."""


class RedactedLine(Document):
    """A line of the log whose document is no more what was written."""

    sequence: int
    document_digest: str = Field(
        description="SHA-256 of what is left of its document, in hex; the line itself keeps that "
        "of what was written."
    )


class RedactionDocument(Document):
    """A redaction as the log keeps it; what was taken out does not stand in it."""

    id: str
    innovation: str | None = Field(description="The `id` of the innovation, if it was one.")
    # Lines that are older than stories do not have this.
    story: str | None = Field(default=None, description="The `id` of the story, if it was one.")
    reference: str
    reason: str
    lines: list[RedactedLine]
    created_at: MomentOut
