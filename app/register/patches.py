"""JSON Merge Patch (RFC 7396) over a validated model."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.errors import ValidationFailed
from app.models.faults import faults_of

T = TypeVar("T", bound=BaseModel)


def patched(current: T, patch: BaseModel) -> T:
    """The model with what the patch sets; null takes a field back to its default.

    Raises:
        ValidationFailed: when the result would not be valid; null for what is required, say.
    """
    merged = _merged(current.model_dump(), patch.model_dump(exclude_unset=True))
    try:
        return type(current).model_validate(merged)
    except ValidationError as error:
        raise ValidationFailed(
            "The entry would not be valid with these changes.", faults=faults_of(error, "#")
        ) from None


def _merged(current: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396, section 2."""
    merged = dict(current) if isinstance(current, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = _merged(merged.get(name), value)
        else:
            merged[name] = value
    return merged
