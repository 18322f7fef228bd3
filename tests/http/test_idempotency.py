"""Idempotency-Key: a POST that is sent again is carried out once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database import Database
from app.dialects import rfc3339
from app.register import clients
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import another_write, head_of, problem_of

Submit = Callable[..., dict[str, Any]]

INNOVATIONS = "/v1/innovations"
BODIES: dict[str, dict[str, Any]] = {
    INNOVATIONS: WARD_ROUNDS,
    "/v1/innovations/{innovation}/decisions": {"status": "keep", "reason": "Fewer admissions."},
    "/v1/innovations/{innovation}/evidence": {"kind": "audit", "statement": "It held."},
    "/v1/innovations/{innovation}/adoptions": {"stage": "adopted", "since": "2024-03-01"},
    "/v1/stories": {"text": "The huddle is the best of my day.", "verdict": "keep"},
    "/v1/themes": {
        "slug": "greener-care",
        "name": "Greener care",
        "group": "now_have",
        "description": "Fewer journeys.",
    },
}


WITH_A_SECRET = {
    "/v1/clients",
    "/v1/clients/{client}/keys",
    "/v1/subscriptions",
    "/v1/subscriptions/{subscription}/secret",
}
"""What these answer first is not kept: `test_clients.py`, `test_subscriptions.py`."""

SENDING = {"/v1/subscriptions/{subscription}/test", "/v1/subscriptions/{subscription}/replay"}
"""These make nothing. To be asked again is to send again, which is what they are for."""


CHANGING = {"/v1/innovations/{innovation}/merge"}
"""These take a key and make nothing new: `routers/merging/test_asking.py`."""

QUESTIONS = {"/v1/themes/suggestions"}
"""These write nothing, and may be asked as often as one likes."""


def keyed(key: str | bytes = "a-key") -> dict[str, Any]:
    return {"Idempotency-Key": key}


def post(client: httpx.Client, key: str = "a-key", **fields: Any) -> httpx.Response:
    return client.post(INNOVATIONS, json={**WARD_ROUNDS, **fields}, headers=keyed(key))


def test_every_post_takes_a_key(anybody: httpx.Client) -> None:
    paths = anybody.get("/openapi.json").json()["paths"]
    assert {path for path, item in paths.items() if "post" in item} == {
        *BODIES,
        *WITH_A_SECRET,
        *CHANGING,
        *QUESTIONS,
        *SENDING,
        *("/v1/imports", "/v1/stories/imports"),  # have tests of their own
        *("/v1/checks", "/v1/checks/stories"),  # write nothing
        "/v1/themes/emerging/{group}/theme",  # needs a group: `test_emerging.py`
    }


@pytest.mark.parametrize("path", BODIES)
def test_the_same_again_gets_the_first_answer_again(
    curator: httpx.Client, submit: Submit, path: str
) -> None:
    body = BODIES[path]
    path = path.format(innovation=submit()["id"])
    first = curator.post(path, json=body, headers=keyed())
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    before = head_of(curator)

    again = curator.post(path, json=body, headers=keyed())

    assert (again.status_code, again.content) == (201, first.content)
    for header in ("location", "etag", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert again.headers["idempotency-replayed"] == "true"
    assert head_of(curator) == before
    assert curator.get(first.headers["location"]).json()


def test_without_a_key_the_same_again_is_another(trust: httpx.Client) -> None:
    made = [trust.post(INNOVATIONS, json=WARD_ROUNDS).json()["id"] for _ in range(2)]
    assert len(set(made)) == 2


def test_the_first_answer_stands_whatever_came_after(trust: httpx.Client) -> None:
    first = post(trust)
    at = first.headers["location"]
    withdrawn = trust.delete(f"{at}?reason=Twice.", headers={"If-Match": "*"})
    assert withdrawn.status_code == 200
    assert post(trust).content == first.content


def test_a_key_with_another_request_is_refused(trust: httpx.Client) -> None:
    first = post(trust)
    before = head_of(trust)
    at = first.headers["location"]
    piece = {"kind": "audit", "statement": "A canary"}
    elsewhere = trust.post(f"{at}/evidence", json=piece, headers=keyed())
    for answer in (post(trust, title="A canary"), elsewhere):
        problem_of(answer, 422, "idempotency-key-reused")
        assert "canary" not in answer.text
    assert head_of(trust) == before


def test_a_key_is_each_clients_own(trust: httpx.Client, register: Register) -> None:
    first = post(trust)
    for other in (register.client(register.key("R0A")), register.client(register.key("RJ1"))):
        answer = post(other)
        assert answer.status_code == 201
        assert "idempotency-replayed" not in answer.headers
        assert answer.json()["id"] != first.json()["id"]


def test_while_the_first_runs_the_second_is_asked_to_wait(register: Register) -> None:
    key = register.key("R0A")
    trust = register.client(key)
    assert trust.get("/v1").status_code == 200  # so that the key's use is noted already
    first: list[httpx.Response] = []
    sender = threading.Thread(target=lambda: first.append(post(trust)))
    with another_write(register):
        sender.start()
        time.sleep(0.2)  # it has no way to tell that it waits now
        second = post(register.client(key))
    sender.join(10)
    problem_of(second, 409, "still-running")
    assert first[0].status_code == 201
    assert post(trust).content == first[0].content


def test_twenty_equal_requests_at_once_make_one_entry(trust: httpx.Client) -> None:
    assert trust.get("/v1").status_code == 200
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(trust), range(20)))
    for answer in answers:
        if answer.status_code != 201:
            problem_of(answer, 409, "still-running")
    created = {answer.content for answer in answers if answer.status_code == 201}
    assert len(created) == 1
    assert trust.get(INNOVATIONS).json()["page"]["total"] == 1
    assert post(trust).content in created


def test_a_request_that_failed_leaves_its_key_free(trust: httpx.Client) -> None:
    problem_of(post(trust, theme="no-such-theme"), 422, "unknown-theme")
    problem_of(post(trust, organisation="RJ1"), 403, "forbidden")
    problem_of(post(trust, limit=1), 422, "validation-failed")
    answer = post(trust)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers


def test_an_entry_whose_answer_cannot_be_kept_is_not_there_either(register: Register) -> None:
    trust = register.client(register.key("R0A"))
    assert post(trust, "first").status_code == 201
    hurt(register, "CREATE UNIQUE INDEX only_one ON idempotent_answer (status)")
    before = head_of(trust)

    problem_of(post(trust, "second"), 500, "internal-error")

    assert head_of(trust) == before
    assert trust.get(INNOVATIONS).json()["page"]["total"] == 1
    hurt(register, "DROP INDEX only_one")
    assert "idempotency-replayed" not in post(trust, "second").headers


def test_a_request_that_came_too_late_for_the_lock_leaves_its_key_free(
    serve: Callable[..., Register],
) -> None:
    register = serve(lock_timeout_seconds=0.3)
    trust = register.client(register.key("R0A"))
    assert trust.get("/v1").status_code == 200
    with another_write(register):
        problem_of(post(trust), 503, "unavailable")
    assert post(trust).status_code == 201


def hurt(register: Register, sql: str, **values: str) -> int:
    """Does something to the database behind the service's back; tells how many rows it met."""
    with Database(register.settings) as other, other.engine.begin() as connection:
        return connection.execute(text(sql), values).rowcount


def age(register: Register, age: timedelta) -> int:
    """Makes all kept answers so old; tells how many there are."""
    then = rfc3339(datetime.now(UTC) - age)
    return hurt(register, "UPDATE idempotent_answer SET created_at = :then", then=then)


def test_an_answer_is_kept_for_a_day_and_then_forgotten(register: Register) -> None:
    trust = register.client(register.key("R0A"))
    first = post(trust)
    age(register, timedelta(hours=23, minutes=59))
    assert post(trust).content == first.content

    age(register, timedelta(hours=24, minutes=1))
    second = post(trust)
    assert second.status_code == 201
    assert "idempotency-replayed" not in second.headers
    assert second.json()["id"] != first.json()["id"]
    assert post(trust).content == second.content


def test_what_is_forgotten_takes_no_room(register: Register) -> None:
    trust = register.client(register.key("R0A"))
    for key in "abc":
        post(trust, key)
    assert age(register, timedelta(hours=24, minutes=1)) == 3
    post(trust, "d")
    assert age(register, timedelta()) == 1


def test_a_key_that_is_none_is_refused(trust: httpx.Client, subtests: pytest.Subtests) -> None:
    before = head_of(trust)
    for key in (b"", b"two words", b"caf\xe9", b"a\tb", b"x" * 256):
        with subtests.test(repr(key[:20])):
            answer = trust.post(INNOVATIONS, json=WARD_ROUNDS, headers=keyed(key))
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"].lower() == "header:idempotency-key"
    assert head_of(trust) == before
    for good in ("x", "x" * 255, '"8e03978e"', "!~"):
        assert post(trust, good).status_code == 201


def test_a_revoked_key_gets_no_first_answer_again(register: Register) -> None:
    trust = register.client(register.key("R0A"))
    assert post(trust).status_code == 201
    register.database.transaction(clients.revoke, "client of R0A")
    problem_of(post(trust), 401, "unauthenticated")
