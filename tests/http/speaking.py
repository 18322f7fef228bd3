"""What tests of HTTP have in common: reading problems, and sending what no client would."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from typing import Any

import httpx
from sqlalchemy import text
from sqlmodel import Session, select

from app import errors
from app.database import Database
from app.models.changes import LogHead
from tests.conftest import Register

Submit = Callable[..., dict[str, Any]]

MEMBERS = {"type", "title", "status", "detail", "instance", "errors"}
KINDS = {f"/problems/{kind.slug}": kind for kind in errors.kinds()}
PAGES = ["/", "/docs", "/problems", "/problems/not-found", "/assets/register.css", "/openapi.json"]


def problem_of(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem that the answer is: whole, of this kind, and named like the request."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) == MEMBERS
    assert (problem["status"], problem["type"]) == (status, f"/problems/{slug}")
    assert KINDS[problem["type"]].title == problem["title"]
    assert problem["detail"].endswith(".")
    assert problem["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    assert int(answer.headers["register-sequence"]) >= 0
    for error in problem["errors"]:
        assert set(error) - {"start", "end"} == {"pointer", "code", "detail"}
        assert all(error[name] for name in ("pointer", "code", "detail"))
    return problem


def odata_error_of(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The error that the answer is, as OData's clients read it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["odata-version"] == "4.0"
    assert answer.headers["link"] == f'</problems/{slug}>; rel="help"'
    (error,) = answer.json().values()
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == slug
    assert error["message"].endswith((".", "?"))
    for detail in error["details"]:
        assert set(detail) == {"code", "message", "target"}
        assert all(isinstance(value, str) and value for value in detail.values())
    told: dict[str, Any] = error
    return told


def refusal_of(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem, or below `/odata` the error, that the answer is."""
    is_odata = answer.request.url.path.startswith("/odata/")
    return (odata_error_of if is_odata else problem_of)(answer, status, slug)


def head_of(client: httpx.Client) -> int:
    """The newest line of the log."""
    sequence: int = client.get("/v1").json()["sequence"]
    return sequence


@contextmanager
def another_write(register: Register) -> Iterator[None]:
    """What another process does that is in the middle of a write: it holds the log's head."""
    with Database(register.settings) as other, Session(other.engine) as session, session.begin():
        session.execute(select(LogHead).with_for_update())
        yield


def drop(register: Register, table: str) -> None:
    """Hurts the database."""
    cascade = "" if register.database.dialect.embedded else " CASCADE"
    with Database(register.settings) as other, other.engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {table}{cascade}"))


def kept_in(register: Register, *tables: str) -> str:
    """All that tables hold, each value whole; a row that is shown shows long ones in part."""
    with Database(register.settings) as other, other.engine.connect() as connection:
        rows = [row for each in tables for row in connection.execute(text(f"SELECT * FROM {each}"))]
    return "\n".join(str(value) for row in rows for value in row)


def raw(url: str, *requests: bytes) -> list[httpx.Response]:
    """The answers to requests that no client would send, over one connection."""
    answers = []
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        for request in requests:
            connection.sendall(request)
            method = request.partition(b" ")[0].decode()
            with closing(HTTPResponse(connection, method=method)) as answer:
                answer.begin()
                told = list(answer.msg.items())
                answers.append(httpx.Response(answer.status, headers=told, content=answer.read()))
    return answers


def get(path: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    """A request as it goes over the wire."""
    if not any(header.startswith(b"Host:") for header in headers):
        headers = (b"Host: localhost", *headers)
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", *headers, b"", b""])


def gettable(client: httpx.Client, entry: dict[str, Any]) -> list[str]:
    """Every address that takes GET, with this entry's names in the place of `{innovation}`.

    A story that tells of it is there, too, under the same source.

    Those for admins, and what goes on without a line in the log, are left out: `test_clients.py`
    and `test_subscriptions.py` know them. A group takes more entries than one: `test_emerging.py`.
    """
    source = "{system}/{id}".format(**entry["source"])
    told = {"text": "It is better so.", "verdict": "keep", "innovations": [entry["id"]]}
    story = client.put(f"/v1/stories/by-source/{source}", json=told)
    assert story.status_code == 201, story.text
    names = {
        "innovation": entry["reference"],
        "story": story.json()["reference"],
        "decision": entry["decision"]["id"],
        "evidence": entry["evidence"][0]["id"],
        "adoption": client.get(entry["links"]["adoptions"]).json()["items"][0]["id"],
        "version": 1,
        "code": "R0A",
        "theme": entry["theme"]["slug"],
        "table": "innovations",
        "format": "csv",
        "resource": "Innovations",
        **entry["source"],
    }
    paths = client.get("/openapi.json").json()["paths"]
    return [
        path.format(**names)
        for path, item in paths.items()
        if "get" in item
        and item["get"].get("security") != [{"Key": ["admin"]}]
        and item["get"]["tags"] != ["subscriptions"]
        and "{group}" not in path
    ] + PAGES


def full(submit: Submit, adopter: httpx.Client) -> dict[str, Any]:
    """An entry that has one of each thing; somebody else adopts it."""
    entry = submit(
        decision={"status": "keep", "reason": "Fewer admissions."},
        evidence=[{"kind": "audit", "statement": "It held."}],
        source={"system": "intranet", "id": "42"},
    )
    answer = adopter.post(entry["links"]["adoptions"], json={"stage": "adopted"})
    assert answer.status_code == 201, answer.text
    return entry
