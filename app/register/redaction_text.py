"""What is taken out of a document, and what is left of it then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pydantic_core import to_json

from app import screening
from app.models.redactions import MARKER, SHORT_MARKER

Edit = Callable[[Any], Any]
"""What is left of a JSON value."""

_WHOLE = {"tags": "redacted", "url": "https://redacted.invalid/"}
"""Where only some texts are valid: what stands there in the place of the whole text."""

_OURS = frozenset(
    {"id", "reference", "links", "theme", "themes", "further_themes", "organisation", "region"}
    | {"kind", "strength", "care_setting", "period", "status", "visibility", "verdict", "role"}
    | {"stage", "since", "innovation", "innovations", "adoptions", "story", "supersedes"}
)
"""What nobody writes in words of their own; no text is looked for there."""


def _is_ours(name: str) -> bool:
    return name in _OURS or name.endswith(("_at", "_on"))


def edited(document: str, edit: Edit) -> str:
    """What is left of a document; the very same, where nothing is taken out."""
    parsed = json.loads(document)
    left = edit(parsed)
    return document if left == parsed else to_json(left).decode()


def editor(secrets: Iterable[str]) -> Edit:
    """What puts markers in the place of these texts; the longest first, as one may hold another."""
    marked = [
        (secret, MARKER if len(secret) >= len(MARKER) else SHORT_MARKER)
        for secret in sorted(secrets, key=len, reverse=True)
    ]

    def edit(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            if name == "source":  # an id with a marker in it would be nobody's
                return value if _same(value, edit) else None
            return {
                part: inside if _is_ours(part) else edit(inside, part)
                for part, inside in value.items()
            }
        if isinstance(value, list):
            left = [edit(part, name) for part in value]
            return list(dict.fromkeys(left)) if name == "tags" else left
        if not isinstance(value, str) or not any(secret in value for secret, _ in marked):
            return value
        if name in _WHOLE:
            return _WHOLE[name]
        for secret, marker in marked:
            value = value.replace(secret, marker)
        return value

    return edit


def _same(source: dict[str, str], edit: Edit) -> bool:
    return all(edit(text) == text for text in source.values())


def findings(value: Any) -> Iterator[str]:
    """What screening finds in a document."""
    if isinstance(value, str):
        for finding in screening.findings(value):
            yield value[finding.start : finding.end]
    elif isinstance(value, dict):
        for part, inside in value.items():
            if not _is_ours(part) and part != "source":
                yield from findings(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from findings(inside)
