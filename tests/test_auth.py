"""Who asks: a key opens what it is for, for as long as it is good."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.models.clients import Scope
from app.register import clients
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import another_write, head_of, problem_of

JSON = {"Content-Type": "application/json"}

NO_KEYS: dict[str, str | bytes] = {
    "another scheme": "Basic Y2FuYXJ5OmNhbmFyeQ==",
    "only the scheme": "Bearer",
    "no scheme": "inr_canary",
    "a wrong key": "Bearer inr_canary",
    "a wrong key of the right length": f"Bearer inr_{'canary_' * 6}a",
    "a key with a NUL escaped": "Bearer inr_canary%00",
    "two keys": "Bearer inr_canary inr_canary",
    "bytes that are no text": b"Bearer inr_canary\xff\xfe",
    "a very long key": f"Bearer {'canary' * 2_000}",
}

WRONG_BESIDES: dict[str, dict[str, Any]] = {
    "nothing": {"json": WARD_ROUNDS},
    "no body": {},
    "malformed JSON": {"content": b"{", "headers": JSON},
    "an unknown field": {"json": {**WARD_ROUNDS, "colour": "canary"}},
    "an unknown parameter": {"json": WARD_ROUNDS, "params": {"colour": "canary"}},
    "a body of no type": {"content": b"canary"},
    "a body too large": {"content": b" " * (2**20 + 1), "headers": JSON},
    "a malformed key of a retry": {"json": WARD_ROUNDS, "headers": {"Idempotency-Key": ""}},
}


def unauthenticated(answer: httpx.Response, *, refused: bool) -> None:
    """The answer asks for a (better) key, and says how to send it (RFC 6750, section 3)."""
    problem_of(answer, 401, "unauthenticated")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer realm=")
    assert ('error="invalid_token"' in challenge) is refused
    assert "canary" not in answer.text


def revoked(register: Register) -> str:
    key = register.key("R0A")
    register.database.transaction(clients.revoke, "client of R0A")
    return key


def expired(register: Register) -> str:
    return register.key("RJ1", expires_at=datetime.now(UTC) - timedelta(seconds=1))


def test_a_key_that_is_none_opens_nothing_not_even_what_is_open_to_all(
    register: Register, subtests: pytest.Subtests
) -> None:
    stranger = register.client()
    before = head_of(stranger)
    for what, header in NO_KEYS.items():
        headers: dict[str, Any] = {"Authorization": header}
        with subtests.test(what):
            for path in ("/v1/innovations", "/v1/themes", "/v1"):
                unauthenticated(stranger.get(path, headers=headers), refused=True)
            answer = stranger.post("/v1/innovations", json=WARD_ROUNDS, headers=headers)
            unauthenticated(answer, refused=True)
    assert head_of(stranger) == before


@pytest.mark.parametrize("wrong", [expired, revoked])
def test_a_key_that_was_good_once_opens_nothing(register: Register, wrong: Any) -> None:
    late = register.client(wrong(register))
    for answer in (late.post("/v1/innovations", json=WARD_ROUNDS), late.get("/v1/themes")):
        unauthenticated(answer, refused=True)
    assert register.client().get("/v1/innovations").json()["items"] == []


def test_a_key_is_good_until_it_expires_or_is_revoked(register: Register) -> None:
    trust = register.client(register.key("R0A", expires_at=datetime.now(UTC) + timedelta(hours=1)))
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201
    register.database.transaction(clients.revoke, "client of R0A")
    unauthenticated(trust.post("/v1/innovations", json=WARD_ROUNDS), refused=True)


def test_the_scheme_is_written_in_any_case(register: Register) -> None:
    key = register.key("R0A")
    anybody = register.client()
    for scheme in ("bearer", "BEARER", "Bearer "):
        headers = {"Authorization": f"{scheme} {key}"}
        answer = anybody.post("/v1/innovations", json=WARD_ROUNDS, headers=headers)
        assert answer.status_code == 201


def test_a_stranger_learns_nothing_of_what_else_is_wrong(
    register: Register, subtests: pytest.Subtests
) -> None:
    clients_of = {
        "no key": register.client(),
        "a wrong key": register.client("inr_canary"),
        "an expired key": register.client(expired(register)),
        "a revoked key": register.client(revoked(register)),
    }
    for who, stranger in clients_of.items():
        for what, request in WRONG_BESIDES.items():
            with subtests.test(f"{who} and {what}"):
                answer = stranger.post("/v1/innovations", **request)
                unauthenticated(answer, refused=who != "no key")


def test_a_key_of_too_little_scope_learns_nothing_of_what_else_is_wrong(
    register: Register, subtests: pytest.Subtests
) -> None:
    reader = register.client(register.key("R0A", Scope.READ))
    for what, request in WRONG_BESIDES.items():
        with subtests.test(what):
            problem_of(reader.post("/v1/innovations", **request), 403, "forbidden")


def last_use(register: Register) -> datetime | None:
    (client,) = register.database.transaction(clients.listed)
    return client.last_used_at


def noted_use(register: Register) -> datetime:
    """The last use, once it is noted: nobody waits for that."""
    end = time.monotonic() + 10
    while (used := last_use(register)) is None:
        assert time.monotonic() < end, "the use was never noted"
        time.sleep(0.01)
    return used


def test_the_last_use_of_a_key_is_noted(register: Register) -> None:
    key = register.key("R0A")
    assert last_use(register) is None
    before = datetime.now(UTC)
    register.client(key).get("/v1")
    assert before <= noted_use(register) <= datetime.now(UTC)


def test_noting_a_use_is_no_change_of_the_register(register: Register) -> None:
    trust = register.client(register.key("R0A"))
    before = head_of(register.client())
    trust.get("/v1")
    noted_use(register)
    assert head_of(trust) == before


def test_a_read_does_not_wait_for_a_write_to_note_its_keys_use(register: Register) -> None:
    reader = register.client(register.key("R0A", Scope.READ))
    with another_write(register):
        started = time.monotonic()
        try:
            answer = reader.get("/v1/innovations", timeout=1.5)
        except httpx.ReadTimeout:
            pytest.fail("it waited for the write")
        assert answer.status_code == 200
        assert time.monotonic() - started < 1


def test_a_key_is_nowhere_in_what_is_stored(register: Register) -> None:
    key = register.key("R0A")
    curator = register.client(register.key("RJ1", Scope.CURATE))
    last = head_of(curator) - 2
    lines = curator.get("/v1/changes", params={"after": last}).json()["items"]
    assert [line["kind"] for line in lines] == ["client", "client"]
    assert "hash" not in str(lines)
    assert key not in str(lines)
