"""The OpenAPI document: what it says of the service as a whole, and of each operation."""

from __future__ import annotations

import json
import shlex
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import FastAPI

from app import __version__
from app.errors import (
    BodyTooLarge,
    Forbidden,
    InternalError,
    MalformedRequest,
    PossiblePersonalData,
    RegisterError,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
    ValidationFailed,
)
from app.http.odata import errors as odata
from app.http.problems import MEDIA_TYPE, Problem, problems
from app.http.query import ACCEPT

DESCRIPTION: dict[str, Any] = {
    "title": "Innovation register",
    "version": __version__,
    "summary": "What the NHS in England learnt in the pandemic, kept or retired.",
    "description": """
After the pandemic, staff were asked what to keep and what never to go back to. The register holds
the answers: single innovations, each with its organisation and theme, with what speaks for it, and
with a decision to keep or retire it.

**Reading** what is published is open to all. **Writing** needs a key: `Authorization: Bearer
inr_...`. Press *Authorize* to try it here.

**Lists** have `items` and `page`; follow `page.next` as `cursor` until it is null. **Errors** are
problems (RFC 9457): `errors` points at each thing that is wrong, and `type` is a page that tells
what to do. **Answers** have an `ETag`: send it back as `If-None-Match` to be told that nothing has
changed, and as `If-Match` to change what you have seen, and nothing newer. `Register-Sequence` is
the line of the change log that an answer was made from.

An innovation that you read here may gain fields: take what you know, and let the rest be.
""",
    "license_info": {"name": "MIT", "identifier": "MIT"},
    "openapi_tags": [
        {"name": "innovations", "description": "What was done, by whom, and whether to keep it."},
        {"name": "likeness", "description": "What says the same in other words; likely themes."},
        {"name": "decisions", "description": "Keep, retire or under review, and why."},
        {"name": "evidence", "description": "What speaks for a judgement."},
        {
            "name": "adoptions",
            "description": "Who else has it, since when, and what they learnt.",
        },
        {"name": "stories", "description": "What staff and patients tell, as far as they agree."},
        {"name": "imports", "description": "Whole files of entries, from sheets and systems."},
        {"name": "history", "description": "Each version of an innovation that there was."},
        {"name": "changes", "description": "The log of all that was accepted, in order."},
        {"name": "subscriptions", "description": "Webhooks: the log's lines, sent as they come."},
        {"name": "statistics", "description": "How many there are, of what, from where, and when."},
        {"name": "exports", "description": "Whole tables as CSV, NDJSON, workbooks and Parquet."},
        {"name": "odata", "description": "The same tables for Power BI, Excel, Tableau and R."},
        {"name": "organisations", "description": "NHS bodies by ODS code (NHS ODS data, OGL v3)."},
        {"name": "themes", "description": "The ten leaps forward, and those added since."},
        {"name": "clients", "description": "Who has a key, and what it may do; for admins."},
        {"name": "service", "description": "Where things are, and whether the service is well."},
    ],
}

METHODS = ("get", "post", "put", "patch", "delete")


def install(app: FastAPI) -> None:
    """Completes the document that FastAPI makes."""
    make = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = make()
            schemas = document["components"]["schemas"]
            schemas |= _schema_of_problems()
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            for path, item in document["paths"].items():
                for method in METHODS:
                    if method in item:
                        schemas |= _schemas_of_query(item[method])
                        _complete(path, method, item[method])
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _schema_of_problems() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions: dict[str, Any] = schema.pop("$defs")
    of_odata = odata.ODataError.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions |= of_odata.pop("$defs")
    return definitions | {"Problem": schema, "ODataError": of_odata}


def _schemas_of_query(operation: dict[str, Any]) -> dict[str, Any]:
    """Takes out of the parameters what they refer to; see ``Query.parameters``."""
    definitions: dict[str, Any] = {}
    for parameter in operation.get("parameters", []):
        definitions |= parameter["schema"].pop("$defs", {})
    return definitions


_SUCCESS = {
    "200": "Here it is.",
    "201": "It is made, and on disk.",
    "204": "It is gone.",
}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is still never null."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    if len(options) != 1:
        return schema
    kept = {key: value for key, value in schema.items() if key != "anyOf" and value is not None}
    return {**options[0], **kept}


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Adds the errors that any operation of its kind can have, and an example to run."""
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _without_null(parameter["schema"])
    own = operation["responses"]
    if "HTTPValidationError" in json.dumps(own.get("422", {})):
        del own["422"]  # FastAPI's own shape, which no answer here has
    for code, words in _SUCCESS.items():
        if own.get(code, {}).get("description") == "Successful Response":
            own[code]["description"] = words
    for status, response in problems(*_kinds(operation)).items():
        own[str(status)] = _joined(own.get(str(status)), response)
    if odata.is_odata(path):
        own = odata.described(own, MEDIA_TYPE)
    operation["responses"] = dict(sorted(own.items()))
    operation["description"] += f"\n\nExample:\n\n```sh\n{curl(path, method, operation)}\n```\n"


def _kinds(operation: dict[str, Any]) -> list[type[RegisterError]]:
    """The errors that any operation of this kind can have."""
    kinds: list[type[RegisterError]] = [MalformedRequest, InternalError]
    if "security" in operation:
        kinds += [Unauthenticated, Forbidden, Unavailable]
    if operation.get("parameters") or "requestBody" in operation:
        kinds.append(ValidationFailed)
    if any(each["name"] == ACCEPT for each in operation.get("parameters", [])):
        kinds.append(PossiblePersonalData)
    if "requestBody" in operation:
        kinds += [UnsupportedMediaType, BodyTooLarge]
    return kinds


def _joined(known: dict[str, Any] | None, response: dict[str, Any]) -> dict[str, Any]:
    """A response's problems, and those of another with the same status."""
    if known is None:
        return response
    examples = known["content"][MEDIA_TYPE]["examples"]
    for slug, example in response["content"][MEDIA_TYPE]["examples"].items():
        if slug not in examples:
            examples[slug] = example
            known["description"] += f" {example['summary']} (`{slug}`)."
    return known


def curl(path: str, method: str, operation: dict[str, Any]) -> str:
    """A command for a shell that runs the operation with its first examples."""
    target, headers, body = example(path, method, operation)
    command = ["curl", "--silent", "--show-error", "--fail-with-body"]
    if method != "get":
        command += ["--request", method.upper()]
    words = [shlex.quote(word) for word in command]
    if operation.get("security", [{}])[0].get("Key", ["read"]) != ["read"]:
        words += ["--header", '"Authorization: Bearer $REGISTER_KEY"']
    for name, value in headers.items():
        words += ["--header", shlex.quote(f"{name}: {value}")]
    if body is not None:
        words += ["--json", shlex.quote(json.dumps(body, ensure_ascii=False))]
    words.append(shlex.quote(f"http://127.0.0.1:8000{target}"))
    return " ".join(words)


def example(path: str, method: str, operation: dict[str, Any]) -> tuple[str, dict[str, str], Any]:
    """The target, the headers and the body of an operation's first examples."""
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for parameter in operation.get("parameters", []):
        named = next(iter(parameter.get("examples", {}).values()), None)
        if named is None:
            continue
        values = named["value"] if isinstance(named["value"], list) else [named["value"]]
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(values[0]), safe=""))
        elif parameter["in"] == "query":
            query += [(parameter["name"], str(value)) for value in values]
        elif method != "put":  # the example of a PUT makes something new
            headers[parameter["name"]] = str(values[0])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    named_bodies = list(content.get("examples", {}).values())
    body = named_bodies[0]["value"] if named_bodies else None
    return f"{path}?{urlencode(query)}" if query else path, headers, body
