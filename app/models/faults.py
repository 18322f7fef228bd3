"""What Pydantic found wrong, in words for the sender, and without what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from app.errors import Fault

_WORDS = {
    "missing": "This is required",
    "extra_forbidden": "There is no such field here",
    "string_type": "Give a text, in quotes",
    "string_too_short": "Give at least {min_length} characters",
    "string_too_long": "Give at most {max_length} characters",
    "too_long": "Give at most {max_length} of these",
    "too_short": "Give at least {min_length} of these",
    "list_type": "Give a list, in brackets",
    "tuple_type": "Give a list, in brackets",
    "model_type": "Give an object, in braces",
    "model_attributes_type": "Give an object, in braces",
    "dict_type": "Give an object, in braces",
    "int_parsing": "Give a whole number",
    "int_parsing_size": "Give a whole number that is not so large",
    "int_type": "Give a whole number",
    "int_from_float": "Give a whole number",
    "float_type": "Give a number",
    "finite_number": "Give a finite number",
    "bool_parsing": "Give true or false",
    "date_parsing": "Give a day as YYYY-MM-DD",
    "date_from_datetime_parsing": "Give a day as YYYY-MM-DD",
    "date_from_datetime_inexact": "Give a day as YYYY-MM-DD",
    "enum": "Give one of {expected}",
    "literal_error": "Give one of {expected}",
    "greater_than_equal": "Give at least {ge}",
    "less_than_equal": "Give at most {le}",
    "greater_than": "Give more than {gt}",
    "json_invalid": "The body is not JSON",
}

MOST_FAULTS = 100
"""What a problem tells at once; with more, something is wrong with the whole."""

_LONGEST_NAME = 60


def faults_of(error: ValidationError, root: str) -> tuple[Fault, ...]:
    """The faults of a validation; ``root`` is ``#`` for a body, or ``?`` for a query."""
    return faults(error.errors(include_url=False, include_input=False), root)


def faults(errors: Iterable[Mapping[str, Any]], root: str) -> tuple[Fault, ...]:
    """As :func:`faults_of`, of Pydantic's list of errors."""
    found = []
    seen_unions: set[str] = set()
    for error in errors:
        pointer = _pointer(error, root)
        # Both members of a union complain of the same value; one of them is enough.
        if pointer in seen_unions:
            continue
        seen_unions.add(pointer)
        found.append(Fault(pointer, _code(error["type"]), _words(error)))
        if len(found) == MOST_FAULTS:
            break
    return tuple(found)


def _words(error: Mapping[str, Any]) -> str:
    words = _WORDS.get(error["type"])
    if words is None:
        return f"{error['msg']}."
    return f"{words.format(**error.get('ctx', {}))}."


def _code(kind: str) -> str:
    return {"missing": "required", "extra_forbidden": "unknown_field"}.get(kind, kind)


def _pointer(error: Mapping[str, Any], root: str) -> str:
    # "function-after[...]" and "int" are steps inside Pydantic's schema, not in the document; but
    # a field that is not known may have any name.
    parts = [
        str(part)[:_LONGEST_NAME]
        for part in error["loc"]
        if isinstance(part, int)
        or error["type"] == "extra_forbidden"
        or not ("[" in part or part in {"int", "float"})
    ]
    if root == "?":
        return "?" + (parts[0] if parts else "")
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join([root, *(f"/{part}" for part in escaped)])
