"""Clients: added, changed over to new keys, and revoked, by an admin over HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.database import Database
from app.dialects import rfc3339
from app.models.clients import Scope
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import head_of, kept_in, problem_of

CLIENTS = "/v1/clients"
INTRANET = {"name": "intranet", "organisation": "R0A", "scopes": ["contribute"]}
ANYHOW = {"If-Match": "*"}
KEY = re.compile(r"inr_[\w-]{43}")
NO_ID = "01a20840-c36c-7661-a4fc-b9ec025e2a1f"


def add(admin: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = admin.post(CLIENTS, json={**INTRANET, **fields})
    assert answer.status_code == 201, answer.text
    client: dict[str, Any] = answer.json()
    return client


def at(client: dict[str, Any]) -> str:
    return f"{CLIENTS}/{client['id']}"


def rotate(admin: httpx.Client, client: dict[str, Any], **rotation: int) -> dict[str, Any]:
    answer = admin.post(f"{at(client)}/keys", json=rotation)
    assert answer.status_code == 201, answer.text
    rotated: dict[str, Any] = answer.json()
    return rotated


def get(admin: httpx.Client, client: dict[str, Any]) -> dict[str, Any]:
    answer = admin.get(at(client))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def opens(register: Register, key: str) -> bool:
    status = register.client(key).get("/v1").status_code
    assert status in (200, 401)
    return status == 200


def settle(admin: httpx.Client) -> None:
    """Waits for the writes that nobody waits for: a key's use is noted before this one's turn."""
    assert admin.post(CLIENTS, json=INTRANET).status_code == 201


def listed(admin: httpx.Client, **query: Any) -> list[str]:
    """The names on all pages."""
    answer = admin.get(CLIENTS, params=query)
    names: list[str] = []
    while True:
        assert answer.status_code == 200, answer.text
        names += [client["name"] for client in answer.json()["items"]]
        if "next" not in answer.links:
            assert answer.json()["page"]["total"] == len(names)
            return names
        answer = admin.get(answer.links["next"]["url"])


def move_on(register: Register, by: timedelta) -> None:
    """As if so much time had passed for the ends of keys and clients."""
    with Database(register.settings) as other, other.engine.begin() as connection:
        for table, column in (("client_key", "ends_at"), ("client", "expires_at")):
            found = connection.execute(text(f"SELECT DISTINCT {column} FROM {table}")).scalars()
            for moment in [moment for moment in found if moment is not None]:
                earlier = rfc3339(datetime.fromisoformat(moment) - by)
                connection.execute(
                    text(f"UPDATE {table} SET {column} = :earlier WHERE {column} = :moment"),
                    {"earlier": earlier, "moment": moment},
                )


# Adding


def test_a_new_clients_key_is_shown_once_and_opens_the_register(
    register: Register, admin: httpx.Client
) -> None:
    answer = admin.post(CLIENTS, json=INTRANET)

    client = answer.json()
    assert answer.headers["location"] == at(client)
    assert answer.headers["cache-control"] == "no-store"
    assert KEY.fullmatch(client["key"])
    entry = register.client(client["key"]).post("/v1/innovations", json=WARD_ROUNDS)
    assert entry.json()["organisation"]["code"] == "R0A"
    shown = get(admin, client)
    assert "key" not in shown
    assert {name: shown[name] for name in INTRANET} == INTRANET
    assert (shown["state"], shown["version"], shown["expires_at"]) == ("valid", 1, None)
    assert admin.get(at(client)).headers["etag"] == answer.headers["etag"]


def test_a_repeated_request_adds_one_client_and_is_not_told_the_key_again(
    register: Register, admin: httpx.Client
) -> None:
    headers = {"Idempotency-Key": "a-key"}
    first = admin.post(CLIENTS, json=INTRANET, headers=headers)
    again = admin.post(CLIENTS, json=INTRANET, headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | {"key": None}
    assert again.headers["etag"] == first.headers["etag"]
    assert listed(admin).count("intranet") == 1
    rotation = [
        admin.post(f"{at(first.json())}/keys", json={}, headers={"Idempotency-Key": "another"})
        for _ in range(2)
    ]
    assert KEY.fullmatch(rotation[0].json()["key"])
    assert rotation[1].json() == rotation[0].json() | {"key": None}
    kept = kept_in(register, "idempotent_answer")
    assert first.json()["id"] in kept
    assert not KEY.search(kept)


NO_SENSE: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "#/name"),
    ({"name": "can\nary"}, "#/name"),
    ({"scopes": []}, "#/scopes"),
    ({"scopes": ["everything"]}, "#/scopes/0"),
    ({"scopes": "admin"}, "#/scopes"),
    ({"organisation": "can/ary"}, "#/organisation"),
    ({"expires_at": "2020-04-01T00:00:00Z"}, "#/expires_at"),
    ({"expires_at": "2099-04-01T00:00:00"}, "#/expires_at"),
    ({"expires_at": 4_000_000_000}, "#/expires_at"),
    ({"key": "inr_canary"}, "#/key"),
]


def test_a_client_that_makes_no_sense_is_refused(
    admin: httpx.Client, subtests: pytest.Subtests
) -> None:
    before = head_of(admin)
    for fields, pointer in NO_SENSE:
        with subtests.test(str(fields)):
            answer = admin.post(CLIENTS, json={**INTRANET, **fields})
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == pointer
            assert "canary" not in answer.text
            assert head_of(admin) == before


def test_a_client_acts_for_an_organisation_that_there_is(admin: httpx.Client) -> None:
    answer = admin.post(CLIENTS, json={**INTRANET, "organisation": "XXX"})
    (error,) = problem_of(answer, 422, "unknown-organisation")["errors"]
    assert error["pointer"] == "#/organisation"


def test_an_admin_may_give_any_scope(register: Register, admin: httpx.Client) -> None:
    other = register.client(add(admin, scopes=[*Scope])["key"])
    assert other.get(CLIENTS).json()["items"][-1]["scopes"] == [*Scope]
    assert other.post(CLIENTS, json=INTRANET).status_code == 201


# Changing over to a new key


def test_the_old_key_works_beside_the_new_one_until_the_overlap_ends(
    register: Register, admin: httpx.Client
) -> None:
    client = add(admin)
    before = datetime.now(UTC)
    rotated = rotate(admin, client, overlap_hours=2)

    assert rotated["version"] == 2
    new, old = rotated["keys"]
    assert new["ends_at"] is None
    ends = datetime.fromisoformat(old["ends_at"])
    assert timedelta(0) <= ends - before - timedelta(hours=2) < timedelta(minutes=1)
    move_on(register, timedelta(hours=1, minutes=58))
    assert opens(register, client["key"])
    assert opens(register, rotated["key"])
    move_on(register, timedelta(minutes=3))
    refused = register.client(client["key"]).get("/v1")
    assert "newer key" in problem_of(refused, 401, "unauthenticated")["detail"]
    assert opens(register, rotated["key"])


def test_a_day_is_the_overlap_unless_it_is_said_otherwise(
    register: Register, admin: httpx.Client
) -> None:
    client = add(admin)
    rotate(admin, client)
    move_on(register, timedelta(hours=23, minutes=58))
    assert opens(register, client["key"])
    move_on(register, timedelta(minutes=3))
    assert not opens(register, client["key"])


def test_without_an_overlap_every_older_key_ends_at_once(
    register: Register, admin: httpx.Client
) -> None:
    client = add(admin)
    assert opens(register, client["key"])
    second = rotate(admin, client)
    third = rotate(admin, client, overlap_hours=0)
    keys = [each["key"] for each in (client, second, third)]
    assert [opens(register, key) for key in keys] == [False, False, True]


def test_two_keys_are_valid_at_most(register: Register, admin: httpx.Client) -> None:
    keys = []
    client = add(admin)
    for _ in range(4):
        keys.append(client["key"])
        assert opens(register, client["key"])
        client = rotate(admin, client)
        assert len(client["keys"]) == 2
    keys.append(client["key"])
    assert [opens(register, key) for key in keys] == [False, False, False, True, True]


def test_a_key_that_was_never_received_does_not_push_out_the_one_in_use(
    register: Register, admin: httpx.Client
) -> None:
    client = add(admin)
    assert opens(register, client["key"])
    lost = rotate(admin, client)
    received = rotate(admin, client)
    assert opens(register, client["key"])
    assert not opens(register, lost["key"])
    assert opens(register, received["key"])


def test_a_key_that_has_ended_does_not_come_back(register: Register, admin: httpx.Client) -> None:
    client = add(admin)
    assert opens(register, client["key"])
    rotate(admin, client, overlap_hours=0)
    rotate(admin, client)
    assert not opens(register, client["key"])


@pytest.mark.parametrize("overlap", [-1, 721, 1.5, "day", None])
def test_an_overlap_has_bounds(admin: httpx.Client, overlap: Any) -> None:
    answer = admin.post(f"{at(add(admin))}/keys", json={"overlap_hours": overlap})
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert error["pointer"] == "#/overlap_hours"


def test_a_client_that_is_not_valid_gets_no_new_key(
    register: Register, admin: httpx.Client
) -> None:
    late = add(admin, expires_at=rfc3339(datetime.now(UTC) + timedelta(hours=1)))
    move_on(register, timedelta(hours=2))
    gone = add(admin)
    assert admin.delete(at(gone), headers=ANYHOW).status_code == 200
    before = head_of(admin)
    for client in (late, gone):
        problem_of(admin.post(f"{at(client)}/keys", json={}), 409, "client-not-valid")
    assert head_of(admin) == before
    later = {"expires_at": "2099-04-01"}
    assert admin.patch(at(late), json=later, headers=ANYHOW).json()["state"] == "valid"
    assert opens(register, late["key"])
    assert opens(register, rotate(admin, late)["key"])


# Changing and revoking


def test_a_change_holds_from_the_next_request_on(register: Register, admin: httpx.Client) -> None:
    client = add(admin, expires_at="2099-04-01T00:00:00Z")
    trust = register.client(client["key"])
    assert trust.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201

    patch = {"name": "dashboard", "scopes": ["read"], "expires_at": None}
    tag = admin.get(at(client)).headers["etag"]
    changed = admin.patch(at(client), json=patch, headers={"If-Match": tag})

    assert changed.status_code == 200, changed.text
    assert patch.items() <= changed.json().items()
    assert changed.json()["version"] == 2
    problem_of(trust.post("/v1/innovations", json=WARD_ROUNDS), 403, "forbidden")
    assert trust.get("/v1").status_code == 200
    assert changed.headers["etag"] == admin.get(at(client)).headers["etag"] != tag


def test_a_change_asks_which_version_it_changes(
    admin: httpx.Client, subtests: pytest.Subtests
) -> None:
    client = add(admin)
    stale = admin.get(at(client)).headers["etag"]
    rotate(admin, client)
    before = head_of(admin)
    for method, body in (("PATCH", {"name": "other"}), ("DELETE", None)):
        with subtests.test(method):
            problem_of(admin.request(method, at(client), json=body), 428, "precondition-required")
            headers = {"If-Match": stale}
            answer = admin.request(method, at(client), json=body, headers=headers)
            problem_of(answer, 412, "precondition-failed")
    same = {"name": "intranet", "scopes": ["contribute", "contribute"]}
    assert admin.patch(at(client), json=same, headers=ANYHOW).json()["version"] == 2
    assert head_of(admin) == before


NO_CHANGE: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "#/name"),
    ({"scopes": None}, "#/scopes"),
    ({"scopes": []}, "#/scopes"),
    ({"expires_at": "2020-04-01"}, "#/expires_at"),
    ({"organisation": "RJ1"}, "#/organisation"),
    ({"revoked_at": None}, "#/revoked_at"),
]


def test_a_change_that_makes_no_sense_is_refused(
    admin: httpx.Client, subtests: pytest.Subtests
) -> None:
    client = at(add(admin))
    for patch, pointer in NO_CHANGE:
        with subtests.test(str(patch)):
            answer = admin.patch(client, json=patch, headers=ANYHOW)
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == pointer


def test_an_expired_client_can_be_renamed(register: Register, admin: httpx.Client) -> None:
    client = add(admin, expires_at=rfc3339(datetime.now(UTC) + timedelta(hours=1)))
    move_on(register, timedelta(hours=2))
    changed = admin.patch(at(client), json={"name": "old intranet"}, headers=ANYHOW)
    assert (changed.json()["name"], changed.json()["state"]) == ("old intranet", "expired")


def test_a_revoked_client_is_revoked_for_good(register: Register, admin: httpx.Client) -> None:
    client = add(admin)
    both = [client["key"], rotate(admin, client)["key"]]
    revoked = admin.delete(at(client), headers=ANYHOW)

    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert [opens(register, key) for key in both] == [False, False]
    assert get(admin, client) == revoked.json()
    for method, body in (("PATCH", {"expires_at": "2099-04-01"}), ("DELETE", None)):
        answer = admin.request(method, at(client), json=body, headers=ANYHOW)
        problem_of(answer, 409, "client-not-valid")


def test_an_admin_may_revoke_its_own_client(register: Register) -> None:
    admin = register.client(register.key("RJ1", Scope.ADMIN))
    (own,) = admin.get(CLIENTS).json()["items"]
    assert admin.delete(at(own), headers=ANYHOW).status_code == 200
    problem_of(admin.get(CLIENTS), 401, "unauthenticated")


def test_a_client_that_there_is_not_is_not_found(
    admin: httpx.Client, subtests: pytest.Subtests
) -> None:
    for name in (NO_ID, "intranet", "INN-000001", "%20"):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "other"}),
            ("DELETE", "", None),
            ("POST", "/keys", {}),
        ):
            with subtests.test(f"{method} {name}"):
                headers = {} if method in ("GET", "POST") else ANYHOW
                answer = admin.request(
                    method, f"{CLIENTS}/{name}{path}", json=body, headers=headers
                )
                problem_of(answer, 404, "not-found")


# Finding


@pytest.fixture
def several(register: Register, admin: httpx.Client) -> httpx.Client:
    """An admin, beside whom there are clients in each state."""
    soon = rfc3339(datetime.now(UTC) + timedelta(hours=1))
    add(admin, name="expired", expires_at=soon)
    revoked = add(admin, name="revoked", expires_at=soon)
    admin.delete(at(revoked), headers=ANYHOW)
    move_on(register, timedelta(hours=2))
    add(admin, name="dated", organisation="QOP", expires_at="2099-04-01")
    add(admin, name="undated", organisation="RBV")
    rotate(admin, add(admin, name="rotated"))
    return admin


def test_clients_are_listed_by_organisation_and_state(
    several: httpx.Client, subtests: pytest.Subtests
) -> None:
    queries: list[tuple[dict[str, Any], list[str]]] = [
        ({"organisation": "R0A"}, ["expired", "revoked", "rotated"]),
        ({"organisation": ["qop", "RBV"]}, ["dated", "undated"]),
        ({"state": "valid"}, ["client of RJ1", "dated", "undated", "rotated"]),
        ({"state": "expired"}, ["expired"]),
        ({"state": "revoked"}, ["revoked"]),
        ({"state": ["revoked", "expired"]}, ["expired", "revoked"]),
        ({"state": "valid", "organisation": "R0A"}, ["rotated"]),
        ({"organisation": "NOWHERE"}, []),
    ]
    for query, names in queries:
        with subtests.test(str(query)):
            for limit in (100, 1):
                assert listed(several, **query, limit=limit) == names
    everything = several.get(CLIENTS).json()["items"]
    assert [get(several, client) for client in everything] == everything


def test_a_query_that_makes_no_sense_is_refused(several: httpx.Client) -> None:
    page = several.get(f"{CLIENTS}?limit=1").json()["page"]
    other = several.get(f"{CLIENTS}?state=valid&cursor={page['next']}")
    problem_of(other, 400, "invalid-cursor")
    for query in ("state=lost", "organisation=a/b", "limit=0", "colour=red"):
        problem_of(several.get(f"{CLIENTS}?{query}"), 422, "validation-failed")
    problem_of(several.get(f"{CLIENTS}/{NO_ID}?colour=red"), 422, "validation-failed")


def test_the_last_use_of_each_key_shows(register: Register, admin: httpx.Client) -> None:
    client = add(admin)
    assert get(admin, client)["last_used_at"] is None
    assert opens(register, client["key"])
    rotated = rotate(admin, client)

    shown = get(admin, client)
    assert shown["keys"][0]["last_used_at"] is None
    assert shown["keys"][1]["last_used_at"] == shown["last_used_at"] is not None
    assert opens(register, rotated["key"])
    settle(admin)
    assert get(admin, client)["last_used_at"] > shown["last_used_at"]


def test_no_answer_about_clients_is_taken_for_unchanged(
    register: Register, admin: httpx.Client
) -> None:
    client = add(admin)
    tag = admin.get(at(client)).headers["etag"]
    assert opens(register, client["key"])
    settle(admin)
    for path in (CLIENTS, at(client)):
        for sent in (tag, "*"):
            answer = admin.get(path, headers={"If-None-Match": sent})
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            assert "Authorization" in answer.headers["vary"]
            assert answer.json() == admin.get(path).json()
    assert "etag" not in admin.get(CLIENTS).headers
    assert admin.head(CLIENTS).status_code == 200


def test_the_log_tells_what_was_done_but_no_key_and_not_to_everybody(
    register: Register, admin: httpx.Client, anybody: httpx.Client, curator: httpx.Client
) -> None:
    before = head_of(admin)
    client = add(admin)
    rotated = rotate(admin, client)
    admin.patch(at(client), json={"name": "dashboard"}, headers=ANYHOW)
    admin.delete(at(client), headers=ANYHOW)

    answer = curator.get("/v1/changes", params={"after": before})
    lines = answer.json()["items"]
    assert [(line["kind"], line["action"], line["version"]) for line in lines] == [
        ("client", "created", 1),
        ("client", "rotated", 2),
        ("client", "updated", 3),
        ("client", "revoked", 4),
    ]
    assert {line["by"] for line in lines} == {"RJ1"}
    assert lines[1]["document"]["keys"][1]["ends_at"] == rotated["keys"][1]["ends_at"]
    assert not KEY.search(answer.text)
    assert "hash" not in lines[1]["document"]
    assert anybody.get("/v1/changes", params={"after": before}).json()["items"] == []
    assert register.verify().broken_at is None
