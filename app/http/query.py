"""Query strings, strictly: what is not known is refused, with the name that was perhaps meant.

FastAPI can take a model for the query, too; at some 150 microseconds a request, it costs more than
the read behind it. Here the model validates the parsed string as a whole, and OpenAPI's parameters
are made from its schema.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import Any, Generic, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ValidationError

from app.errors import Fault, ValidationFailed
from app.models.faults import faults_of

ACCEPT = "accept_flagged"
"""What every operation that writes takes beside its own; see :mod:`app.http.screened`."""

Q = TypeVar("Q", bound=BaseModel)


class Query(Generic[Q]):
    """A dependency that parses the query string into a model."""

    def __init__(self, model: type[Q]) -> None:
        self.model = model
        self._repeatable = {
            name
            for name, field in model.model_fields.items()
            if get_origin(field.annotation) is tuple
        }
        self._known = [field.alias or name for name, field in model.model_fields.items()]

    async def __call__(self, request: Request) -> Q:
        """The query, validated.

        Raises:
            ValidationFailed
        """
        values: dict[str, Any] = {}
        for name, value in self.pairs(request):
            if name == ACCEPT and name not in self._known and request.method != "GET":
                continue  # the route has read it
            if name in self._repeatable:
                values.setdefault(name, []).append(value)
            elif name in values:
                raise _once(name)
            else:
                values[name] = value
        refuse_unknown(values, self._known)
        try:
            return self.model.model_validate(values)
        except ValidationError as error:
            raise ValidationFailed(
                "A parameter is not valid.", faults=faults_of(error, "?")
            ) from None

    def pairs(self, request: Request) -> list[tuple[str, str]]:
        """What the model is made from."""
        return pairs(request)

    def parameters(self) -> list[dict[str, Any]]:
        """The model's fields as OpenAPI parameters.

        What a schema refers to stands in its ``$defs``; `app/openapi.py` puts it with the others,
        so that a generated client has one type for it, in a query and in a body.
        """
        schema = self.model.model_json_schema(ref_template="#/components/schemas/{model}")
        found = []
        for name, of_field in schema["properties"].items():
            details = dict(of_field)
            parameter = {"name": name, "in": "query", "required": False}
            parameter["description"] = details.pop("description", "").strip()
            examples = details.pop("examples", None)
            if examples:
                parameter["examples"] = {"example": {"value": examples[0]}}
            parameter["schema"] = _untitled(details) | {"$defs": schema.get("$defs", {})}
            found.append(parameter)
        return found


def pairs(request: Request) -> list[tuple[str, str]]:
    """The names and values of the query string; the middleware has seen that it is text."""
    query: bytes = request.scope["query_string"]
    if not query:
        return []
    try:
        return parse_qsl(query.decode("utf-8"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise ValidationFailed(
            "There are too many parameters.",
            faults=(Fault("?", "too_many", "Give at most 200 parameters."),),
        ) from None


def refuse_unknown(names: Iterable[str], known: Collection[str]) -> None:
    """Refuses parameters that an operation does not have.

    Raises:
        ValidationFailed: with the nearest name that there is.
    """
    faults = []
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name[:60], known, 1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            detail = f"There is no such parameter here.{hint}"
            faults.append(Fault(f"?{name[:60]}", "unknown_parameter", detail))
    if faults:
        raise ValidationFailed("There is a parameter that is not known.", faults=tuple(faults))


def _once(name: str) -> ValidationFailed:
    fault = Fault(f"?{name[:60]}", "repeated", "Give this parameter once.")
    return ValidationFailed("A parameter is repeated.", faults=(fault,))


def _untitled(schema: Any) -> Any:
    """The schema without what only a body's schema needs."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _untitled(value) for key, value in schema.items() if key != "title"}
