"""JSON Merge Patch (RFC 7396) over a validated model."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.errors import ValidationFailed
from app.models.faults import faults_of

T = TypeVar("T", bound=BaseModel)


def patched(current: T, patch: BaseModel) -> T:
    """The model with what the patch sets; null takes a field back to its default.

    Raises:
        ValidationFailed: when the result would not be valid; null for what is required, say.
    """
    merged = current.model_dump()
    for name, value in patch.model_dump(exclude_unset=True).items():
        field = type(current).model_fields[name]
        if value is None and not field.is_required():
            merged.pop(name, None)
        else:
            merged[name] = value
    try:
        return type(current).model_validate(merged)
    except ValidationError as error:
        raise ValidationFailed(
            "The entry would not be valid with these changes.", faults=faults_of(error, "#")
        ) from None
