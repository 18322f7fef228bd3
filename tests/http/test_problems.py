"""Problems: whatever goes wrong is told in one shape, by a kind that has a page, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import KINDS, PAGES, another_write, drop, head_of, problem_of, refusal_of

ALSO = {
    "/v1/themes/emerging": {"PATCH"},
    "/v1/themes/suggestions": {"GET", "PATCH"},
    "/v1/stories/imports": {"GET", "PATCH", "DELETE"},
}
"""What addresses take, too, since by their form they are those of a theme or a story."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def addresses(client: httpx.Client) -> dict[str, set[str]]:
    """All addresses of the service, with the methods that each takes."""
    paths = client.get("/openapi.json").json()["paths"]
    taken = {path: {name.upper() for name in item} for path, item in paths.items()}
    return taken | {path: {"GET"} for path in PAGES}


def test_each_kind_has_a_page_that_says_what_to_do(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    listed = anybody.get("/problems").text
    for address, kind in KINDS.items():
        with subtests.test(address):
            page = anybody.get(address)
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            assert kind.title in page.text
            assert address in listed


def test_an_address_that_leads_nowhere_is_a_problem(anybody: httpx.Client) -> None:
    for path in (
        "/problems/no-such",
        "/nowhere",
        "/v1/nowhere",
        "/v1/innovations/INN-000001",
        "/assets/no",
    ):
        problem_of(anybody.get(path), 404, "not-found")


def test_a_slash_too_many_is_not_redirected(
    trust: httpx.Client, submit: Callable[..., dict[str, Any]], subtests: pytest.Subtests
) -> None:
    itself = submit()["links"]["self"]
    known = ["/v1", "/v1/innovations", "/v1/themes", itself, "/docs", "/problems", "/livez"]
    for path in known:
        with subtests.test(path):
            assert trust.get(path).status_code == 200
            answer = trust.get(f"{path}/")
            problem_of(answer, 404, "not-found")
            assert "location" not in answer.headers
    problem_of(trust.post("/v1/innovations/", json=WARD_ROUNDS), 404, "not-found")


def test_a_method_that_is_not_taken_is_told_all_that_are(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for path, methods in addresses(anybody).items():
        taken = methods | ALSO.get(path, set())
        # "{system}" and the like stand for any one part of a path.
        address = path.replace("{", "").replace("}", "")
        for method in METHODS:
            if method not in taken:
                with subtests.test(f"{method} {path}"):
                    answer = anybody.request(method, address)
                    refusal_of(answer, 405, "method-not-allowed")
                    heads = {"HEAD"} if "GET" in taken else set()
                    assert set(answer.headers["allow"].split(", ")) == taken | heads


def test_what_breaks_in_a_read_is_a_problem_that_tells_nothing_of_it(register: Register) -> None:
    anybody = register.client()
    drop(register, "organisation_succession")
    drop(register, "innovation_key")

    answer = anybody.get("/v1/innovations", params={"tag": "canary", "limit": 7})

    problem = problem_of(answer, 500, "internal-error")
    assert problem["errors"] == []
    for word in ("canary", "innovation_key", "select", "sql", "traceback", "no such"):
        assert word not in answer.text.lower()
    assert anybody.get("/livez").status_code == 200
    assert anybody.get("/v1/innovations").status_code == 200


def test_what_breaks_in_a_write_writes_nothing(register: Register) -> None:
    trust = register.client(register.key("R0A"))
    before = head_of(trust)
    drop(register, "decision")

    decided = {**WARD_ROUNDS, "decision": {"status": "keep", "reason": "A canary."}}
    answer = trust.post("/v1/innovations", json=decided)

    problem_of(answer, 500, "internal-error")
    assert "canary" not in answer.text
    assert head_of(trust) == before
    assert trust.get("/v1/innovations").json()["items"] == []
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201


def test_a_write_that_waits_too_long_is_asked_to_come_again(
    serve: Callable[..., Register],
) -> None:
    register = serve(lock_timeout_seconds=0.3)
    trust = register.client(register.key("R0A"))
    assert trust.get("/v1").status_code == 200
    before = head_of(trust)
    with another_write(register):
        answer = trust.post("/v1/innovations", json=WARD_ROUNDS)
        assert trust.get("/v1/innovations").status_code == 200
    problem_of(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert head_of(trust) == before
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201


def test_a_database_without_a_schema_is_not_ready_but_the_process_lives(register: Register) -> None:
    anybody = register.client()
    assert anybody.get("/readyz").status_code == 200
    drop(register, "alembic_version")
    problem_of(anybody.get("/readyz"), 503, "unavailable")
    assert anybody.get("/livez").status_code == 200


def test_a_problem_is_for_nobody_to_keep(anybody: httpx.Client) -> None:
    for answer in (anybody.get("/v1/nowhere"), anybody.post("/v1/innovations", json={})):
        assert answer.headers["cache-control"] == "no-store"
