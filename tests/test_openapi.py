"""The docs: complete, true, and runnable without the internet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app import openapi
from app.cli.serving import DEMONSTRATION_NETWORKS
from app.main import create_app
from app.models.clients import Scope
from app.register import demonstration
from app.settings import Settings
from tests.conftest import Register

ORDER = {"put": 0, "post": 1, "patch": 2, "get": 3, "delete": 4}
"""So that what a later example needs is there, and what it takes away is not."""

ERRORS = (("application/problem+json", "Problem"), ("application/json", "ODataError"))
"""How errors are told, and how below `/odata`."""

Operation = tuple[str, str, dict[str, Any]]


def document() -> dict[str, Any]:
    made: dict[str, Any] = create_app(Settings()).openapi()
    return made


def operations() -> Iterator[Operation]:
    for path, item in document()["paths"].items():
        for method in openapi.METHODS:
            if method in item:
                yield path, method, item[method]


# What belongs to a thing is deleted before the thing.
OPERATIONS = sorted(operations(), key=lambda each: (ORDER[each[1]], -len(each[0])))
NAMES = [operation["operationId"] for _, _, operation in OPERATIONS]


SCHEMAS = document()["components"]["schemas"]


def undeclared(schema: dict[str, Any], value: Any, at: str = "#") -> Iterator[str]:
    """Where a value is not what its schema says: no client made from it could read it."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        tries = [list(undeclared(option, value, at)) for option in schema["anyOf"]]
        yield from min(tries, key=len)
        return
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
    expected = kinds.get(schema.get("type", ""), object)
    if not isinstance(value, expected) or value not in schema.get("enum", [value]):
        yield at
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from undeclared(schema.get("items", {}), item, f"{at}/{number}")
    elif isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        yield from (f"{at}/{name}" for name in schema.get("required", []) if name not in value)
        for name, part in value.items():
            declared = known.get(name, others)
            if declared is False:
                yield f"{at}/{name}"
            elif isinstance(declared, dict):
                yield from undeclared(declared, part, f"{at}/{name}")


@pytest.fixture
def demo(serve: Callable[..., Register]) -> httpx.Client:
    """A client with the key of `make run`, and its content."""
    register = serve(webhook_allow=DEMONSTRATION_NETWORKS)
    register.database.transaction(demonstration.load)
    every = (Scope.CONTRIBUTE, Scope.CURATE, Scope.ADMIN)
    own = register.key(demonstration.SUBMITTER.code, *every)
    register.key("R0A")  # the examples of clients are tried on another than their own
    client = register.client(own)
    receiver = {"name": "receiver", "url": "http://127.0.0.1:9/"}
    assert client.post("/v1/subscriptions", json=receiver).status_code == 201
    return client


def with_an_id(client: httpx.Client, target: str) -> str:
    """The target of an example with the id of a thing that there is.

    These ids are made anew each time; the example shows where one goes.
    """
    match = re.fullmatch(
        r"(.*/(?:evidence|decisions|adoptions|clients|subscriptions))/[0-9a-f-]{36}([/?].*)?",
        target,
    )
    if match is None:
        return target
    return f"{match[1]}/{client.get(match[1]).json()['items'][-1]['id']}{match[2] or ''}"


def test_each_example_does_what_it_says(demo: httpx.Client) -> None:
    for path, method, operation in OPERATIONS:
        target, headers, body = openapi.example(path, method, operation)
        target = with_an_id(demo, target)
        answer = demo.request(method, target, headers=headers, json=body)

        expected = next(status for status in operation["responses"] if status.startswith("2"))
        allowed = {int(expected), 201 if method == "put" else int(expected)}
        assert answer.status_code in allowed, f"{operation['operationId']}: {answer.text}"
        declares = operation["responses"][expected].get("content", {})
        if answer.content and "application/json" not in declares:  # it is a file
            assert answer.headers["content-type"].partition(";")[0] in declares
        elif answer.content:
            declared = declares["application/json"]["schema"]
            answers = [answer]
            if "?" in target and method == "get":
                answers.append(demo.get(target.partition("?")[0]))
            for each in answers:
                assert list(undeclared(declared, each.json())) == [], operation["operationId"]


def test_each_named_example_of_a_body_is_valid(demo: httpx.Client) -> None:
    for path, method, operation in OPERATIONS:
        if method != "post":
            continue
        target, headers, _ = openapi.example(path, method, operation)
        if "requestBody" not in operation:
            continue
        content = operation["requestBody"]["content"]["application/json"]
        for name, example in content["examples"].items():
            at = with_an_id(demo, target)
            answer = demo.post(at, headers=headers, json=example["value"])
            made = min(status for status in operation["responses"] if status < "300")
            assert str(answer.status_code) == made, f"{name}: {answer.text}"


@pytest.mark.parametrize(
    ("path", "operation"), [(path, operation) for path, _, operation in OPERATIONS], ids=NAMES
)
def test_each_operation_is_described(path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert "Use it" in operation["description"]
    assert "```sh\ncurl" in operation["description"]
    assert operation["tags"]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
    for parameter in operation.get("parameters", []):
        assert parameter.get("description") or parameter["in"] == "path", parameter["name"]
    responses = operation["responses"]
    assert {"400", "500"} <= set(responses)
    problems = [response for status, response in responses.items() if int(status) >= 400]
    for problem in problems:
        media_type, schema = ERRORS[path.startswith("/odata")]
        content = problem["content"][media_type]
        assert content["schema"] == {"$ref": f"#/components/schemas/{schema}"}
        assert content["examples"]
    if path.startswith(("/v1", "/odata")):
        (scheme,) = operation["security"]
        assert scheme["Key"], "its scopes show"
        assert "401" in responses


def test_operation_ids_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_the_key_is_a_bearer_scheme() -> None:
    scheme = document()["components"]["securitySchemes"]["Key"]

    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert all(f"`{scope}`" in scheme["description"] for scope in Scope)


def test_nothing_refers_to_a_schema_that_is_not_there() -> None:
    made = document()
    schemas = made["components"]["schemas"]

    assert set(re.findall(r"#/components/schemas/(\w+)", str(made))) <= set(schemas)


def test_an_answer_shows_every_field_as_required() -> None:
    entry = document()["components"]["schemas"]["InnovationPublic"]

    assert set(entry["required"]) == set(entry["properties"])


def test_the_docs_load_nothing_from_elsewhere(anybody: httpx.Client) -> None:
    page = anybody.get("/docs")

    assert page.status_code == 200
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert address.startswith(("/", "data:")), address
        if address.startswith("/"):
            assert anybody.get(address).status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
