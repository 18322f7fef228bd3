"""Personal data is refused, wherever it is sent; nobody can forget to look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from app import openapi
from app.main import create_app
from app.models.clients import Scope
from app.register.screening import REFERENCES
from tests.conftest import WARD_ROUNDS, Register, settings_for
from tests.http.speaking import Submit, head_of, problem_of

NUMBER = "943 476 5919"
TEXT = f"Seen 👩‍⚕️ as {NUMBER}."
START = TEXT.index(NUMBER)
SLUG = "possible-personal-data"
INNOVATIONS = "/v1/innovations"

UNSCREENED = {"check_innovation", "check_story"}
"""What takes texts and keeps none."""

DOCUMENT = create_app(settings_for("sqlite:///never-opened.db")).openapi()


def writing() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """All operations that write what they are given."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            query = any(each["in"] == "query" for each in operation.get("parameters", []))
            if method != "get" and ("requestBody" in operation or query):
                yield path, method, operation


def texts(schema: dict[str, Any], pointer: str = "#") -> Iterator[str]:
    """The pointers of all texts that a body can have."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for option in schema.get("anyOf", ()):
        yield from texts(option, pointer)
    for name, part in schema.get("properties", {}).items():
        yield from texts(part, f"{pointer}/{name}")
    if "items" in schema:
        yield from texts(schema["items"], f"{pointer}/0")
    # Enums, slugs, codes and days are not texts: their own form keeps such things out.
    if schema.get("type") == "string" and not schema.keys() & {"enum", "pattern", "format"}:
        yield pointer


def planted(pointer: str, text: str) -> Any:
    """A body with nothing but this text."""
    body: Any = text
    for part in reversed(pointer.split("/")[1:]):
        body = [body] if part == "0" else {part: body}
    return body


def test_each_text_of_each_operation_is_screened(
    register: Register, subtests: pytest.Subtests
) -> None:
    every = (Scope.CONTRIBUTE, Scope.CURATE, Scope.ADMIN)
    client = register.client(register.key("RJ1", *every))
    before = head_of(client)
    tried = 0
    for path, method, operation in writing():
        if operation["operationId"] in UNSCREENED:
            continue
        target = path.replace("{", "").replace("}", "")
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if "items" in schema:  # a file, whose rows are judged each; see test_imports.py
            continue
        for pointer in texts(schema):
            with subtests.test(f"{operation['operationId']} {pointer}"):
                references = REFERENCES & set(pointer.split("/"))
                sent = "jane.doe@example.org" if references else TEXT
                answer = client.request(method, target, json=planted(pointer, sent))
                (error,) = problem_of(answer, 422, SLUG)["errors"]
                assert error["pointer"] == pointer
                assert NUMBER not in answer.text
                tried += 1
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and parameter["schema"].get("type") == "string":
                with subtests.test(f"{operation['operationId']} ?{parameter['name']}"):
                    query = {parameter["name"]: TEXT}
                    answer = client.request(method, target, params=query)
                    (error,) = problem_of(answer, 422, SLUG)["errors"]
                    assert error["pointer"] == f"?{parameter['name']}"
                    tried += 1
    assert tried > 40
    assert head_of(client) == before


def test_only_what_keeps_nothing_is_not_screened() -> None:
    screened = {
        operation["operationId"]
        for _, _, operation in writing()
        if any(each["name"] == "accept_flagged" for each in operation.get("parameters", ()))
    }
    assert {operation["operationId"] for _, _, operation in writing()} - screened == UNSCREENED


def test_it_is_told_where_and_of_which_kind_and_never_what(trust: httpx.Client) -> None:
    body = {
        **WARD_ROUNDS,
        "summary": TEXT,
        "decision": {"status": "keep", "reason": "Ask Mrs Example.", "decided_on": "2021-01-01"},
        "evidence": [{"kind": "audit", "statement": " Mail j.doe\uff20example\uff0eorg "}],
        "source": {"system": "intranet", "id": NUMBER.replace(" ", "")},
    }

    answer = trust.post(INNOVATIONS, json=body)

    told = [
        (error["pointer"], error["code"], error["start"], error["end"])
        for error in problem_of(answer, 422, SLUG)["errors"]
    ]
    assert told == [
        ("#/summary", "nhs_number", START, START + len(NUMBER)),
        ("#/decision/reason", "person_name", 4, 15),
        ("#/evidence/0/statement", "email_address", 6, 23),
    ]
    for value in (NUMBER, "Example", "j.doe"):
        assert value not in answer.text


def test_a_patch_and_a_reason_are_screened_too(trust: httpx.Client, submit: Submit) -> None:
    at = submit()["links"]["self"]
    before = head_of(trust)
    any_version = {"If-Match": "*"}
    for answer in (
        trust.patch(at, json={"title": "Ring 020 7946 0123"}, headers=any_version),
        trust.delete(at, params={"reason": "Mr Example asked."}, headers=any_version),
        trust.put(f"{INNOVATIONS}/by-source/mail/j.doe@example.org", json=WARD_ROUNDS),
    ):
        problem_of(answer, 422, SLUG)
    assert head_of(trust) == before


def test_a_curator_can_accept_what_is_flagged_and_the_log_says_so(
    register: Register, trust: httpx.Client, curator: httpx.Client, anybody: httpx.Client
) -> None:
    flagged = {**WARD_ROUNDS, "summary": "A nurse on Miss Havisham ward.", "organisation": "R0A"}
    accepting = {"accept_flagged": "true"}
    before = head_of(anybody)

    problem_of(trust.post(INNOVATIONS, json=flagged, params=accepting), 403, "forbidden")
    problem_of(curator.post(INNOVATIONS, json=flagged), 422, SLUG)
    problem_of(curator.post(f"{INNOVATIONS}?accept_flagged=1", json=flagged), 422, SLUG_OF_VALUES)
    assert curator.post(INNOVATIONS, json=flagged, params=accepting).status_code == 201
    clean = curator.post(INNOVATIONS, json=WARD_ROUNDS, params=accepting)

    assert clean.status_code == 201
    lines = anybody.get("/v1/changes", params={"after": before}).json()["items"]
    assert [(line["by"], line["accepted_flagged"]) for line in lines] == [
        ("RJ1", True),
        ("RJ1", False),
    ]
    assert register.verify().broken_at is None


SLUG_OF_VALUES = "validation-failed"


def test_what_was_accepted_is_part_of_the_chain(register: Register, curator: httpx.Client) -> None:
    flagged = {**WARD_ROUNDS, "summary": "On Miss Havisham ward."}
    answer = curator.post(INNOVATIONS, json=flagged, params={"accept_flagged": "true"})
    line = int(answer.headers["register-sequence"])

    with register.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE change SET accepted_flagged = (1 = 0) WHERE sequence = {line}"
        )

    assert register.verify().broken_at == line


def test_a_row_of_a_file_is_screened(trust: httpx.Client, curator: httpx.Client) -> None:
    rows = [{**WARD_ROUNDS, "summary": TEXT}, WARD_ROUNDS]
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    for content, kind in ((json.dumps(rows).encode(), "json"), (lines, "x-ndjson")):
        headers = {"Content-Type": f"application/{kind}"}
        at = "/v1/imports?mode=partial&dry_run=true"

        report = trust.post(at, content=content, headers=headers).json()
        accepted = curator.post(f"{at}&accept_flagged=true", content=content, headers=headers)

        assert [row["outcome"] for row in report["rows"]] == ["rejected", "created"]
        (error,) = report["rows"][0]["errors"]
        assert (error["pointer"], error["code"]) == ("#/summary", "nhs_number")
        assert (error["start"], error["end"]) == (START, START + len(NUMBER))
        assert NUMBER not in str(report)
        assert accepted.json()["totals"]["created"] == 2
        refused = trust.post(f"{at}&accept_flagged=true", content=content, headers=headers)
        problem_of(refused, 403, "forbidden")


def test_examples_of_the_docs_are_clean() -> None:
    for path, method, operation in writing():
        if operation["operationId"] not in UNSCREENED:
            _, _, body = openapi.example(path, method, deepcopy(operation))
            assert "possible-personal-data" in str(operation["responses"]["422"]), path
            assert body is None or NUMBER not in json.dumps(body)
