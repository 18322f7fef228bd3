"""Who may do what: every operation declares its access, and keeps to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from app.main import create_app
from app.models.clients import Scope
from tests.conftest import WARD_ROUNDS, Register, settings_for
from tests.http.speaking import head_of, problem_of, refusal_of

Submit = Callable[..., dict[str, Any]]

PROBES = {"/livez", "/readyz", "/version"}
SCOPES = [scope.value for scope in Scope]

CONTRIBUTIONS = {
    "create_innovation",
    "update_innovation",
    "withdraw_innovation",
    "get_innovation_by_source",
    "put_innovation_by_source",
    "create_decision",
    "create_evidence",
    "update_evidence",
    "delete_evidence",
    "create_adoption",
    "update_adoption",
    "withdraw_adoption",
    "import_innovations",
    "create_story",
    "update_story",
    "withdraw_story",
    "get_story_by_source",
    "put_story_by_source",
    "import_stories",
    "check_innovation",
    "check_story",
    "create_subscription",
    "list_subscriptions",
    "get_subscription",
    "update_subscription",
    "delete_subscription",
    "create_subscription_secret",
    "create_subscription_test",
    "list_deliveries",
    "replay_subscription",
}
QUESTIONS = {"suggest_themes"}
"""What is asked with a POST, for its text, and writes nothing."""

CURATION = {"create_theme", "create_theme_of_group", "update_theme", "merge_innovation"}
ADMINISTRATION = {
    "list_clients",
    "get_client",
    "create_client",
    "create_client_key",
    "update_client",
    "revoke_client",
}


class Operation(NamedTuple):
    method: str
    path: str
    id: str
    scopes: list[str] | None

    def send(self, client: httpx.Client) -> httpx.Response:
        """Sends it with names of things that there are not, and with no body."""
        path = self.path.replace("{version}", "1").replace("{code}", "NONE")
        return client.request(self.method, path.replace("{", "").replace("}", ""))


def operations() -> list[Operation]:
    """All operations of the API, each with the scopes that it declares."""
    paths = create_app(settings_for("sqlite:///never-opened.db")).openapi()["paths"]
    found = []
    for path, item in paths.items():
        for method, operation in item.items():
            security = operation.get("security")
            scopes = security[0]["Key"] if security else None
            found.append(Operation(method.upper(), path, operation["operationId"], scopes))
    return found


OPERATIONS = operations()


def answered(operation: Operation) -> tuple[int, ...]:
    """What is answered to who may ask, of things that there are not; or to a question without its
    text."""
    return (422,) if operation.id in QUESTIONS else (200, 404)


def test_every_operation_but_the_probes_declares_its_access() -> None:
    assert len(OPERATIONS) > 20
    assert {operation.path for operation in OPERATIONS if operation.scopes is None} == PROBES
    for operation in OPERATIONS:
        if operation.scopes is not None:
            assert len(operation.scopes) == 1
            assert operation.scopes[0] in SCOPES


def test_each_operation_declares_what_it_is_for() -> None:
    declared = {
        scope: {operation.id for operation in OPERATIONS if operation.scopes == [scope]}
        for scope in SCOPES
    }
    assert declared["contribute"] == CONTRIBUTIONS
    assert declared["curate"] == CURATION
    assert declared["admin"] == ADMINISTRATION
    writes = {operation.id for operation in OPERATIONS if operation.method != "GET"}
    assert declared["read"] & writes == QUESTIONS


def test_an_operation_that_needs_a_scope_is_closed_without_it(
    register: Register, subtests: pytest.Subtests
) -> None:
    nobody = register.client()
    with_scope = {
        scope: register.client(register.key("R0A", scope))
        for scope in (Scope.READ, Scope.CONTRIBUTE, Scope.CURATE, Scope.ADMIN)
    }
    suffice = {
        "read": {Scope.READ, Scope.CONTRIBUTE, Scope.CURATE, Scope.ADMIN},
        "contribute": {Scope.CONTRIBUTE, Scope.CURATE},
        "curate": {Scope.CURATE},
        "admin": {Scope.ADMIN},
    }
    before = head_of(nobody)
    for operation in OPERATIONS:
        if operation.scopes in (None, ["read"]):
            continue
        assert operation.scopes is not None
        with subtests.test(operation.id):
            answer = operation.send(nobody)
            problem_of(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            for scope, client in with_scope.items():
                answer = operation.send(client)
                if scope in suffice[operation.scopes[0]]:
                    assert answer.status_code not in (401, 403)
                else:
                    problem_of(answer, 403, "forbidden")
    assert head_of(nobody) == before


def test_reading_is_open_to_all_unless_it_is_set_otherwise(
    serve: Callable[..., Register], subtests: pytest.Subtests
) -> None:
    register = serve(read_requires_key=True)
    nobody, reader = register.client(), register.client(register.key("R0A", Scope.READ))
    for operation in OPERATIONS:
        with subtests.test(operation.id):
            if operation.scopes is None:
                assert operation.send(nobody).status_code == 200
            else:
                answer = operation.send(nobody)
                refusal_of(answer, 401, "unauthenticated")
                assert 'error="invalid_token"' not in answer.headers["www-authenticate"]
            if operation.scopes == ["read"]:
                assert operation.send(reader).status_code in answered(operation)
    for path in ("/", "/docs", "/openapi.json", "/problems", "/problems/unauthenticated"):
        assert nobody.get(path).status_code == 200


def test_reading_is_open_to_all(anybody: httpx.Client, subtests: pytest.Subtests) -> None:
    for operation in OPERATIONS:
        if operation.scopes == ["read"]:
            with subtests.test(operation.id):
                assert operation.send(anybody).status_code in answered(operation)


# Whose entries a key writes


WRITERS = [
    # The key's organisation, whose entry it is, and whether the one covers the other.
    ("R0A", "R0A", True),
    ("QOP", "R0A", True),
    ("Y62", "R0A", True),
    ("Y62", "QOP", True),
    ("R0A", "RBV", False),
    ("R0A", "QOP", False),
    ("QOP", "RJ1", False),
    ("Y56", "R0A", False),
]


@pytest.mark.parametrize(("own", "other", "covered"), WRITERS)
def test_a_contributor_writes_for_its_organisation_and_those_below_it(
    register: Register, own: str, other: str, covered: bool
) -> None:
    client = register.client(register.key(own))
    curator = register.client(register.key("RJ1", Scope.CURATE))
    entry = curator.post("/v1/innovations", json={**WARD_ROUNDS, "organisation": other}).json()
    before = head_of(curator)
    at, any_version = entry["links"]["self"], {"If-Match": "*"}
    answers = [
        client.post("/v1/innovations", json={**WARD_ROUNDS, "organisation": other}),
        client.put(
            "/v1/innovations/by-source/intranet/1", json={**WARD_ROUNDS, "organisation": other}
        ),
        client.patch(at, json={"title": "Changed"}, headers=any_version),
        client.post(f"{at}/decisions", json={"status": "keep", "reason": "It works."}),
        client.post(f"{at}/evidence", json={"kind": "audit", "statement": "It held."}),
        client.delete(f"{at}?reason=Twice.", headers=any_version),
    ]
    if covered:
        assert [answer.status_code for answer in answers] == [201, 201, 200, 201, 201, 200]
    else:
        for answer in answers:
            problem_of(answer, 403, "forbidden")
        assert head_of(curator) == before


def test_an_entry_cannot_be_handed_to_an_organisation_that_the_key_does_not_cover(
    trust: httpx.Client, submit: Submit
) -> None:
    at = submit()["links"]["self"]
    answer = trust.patch(at, json={"organisation": "RJ1"}, headers={"If-Match": "*"})
    problem_of(answer, 403, "forbidden")
    assert trust.get(at).json()["organisation"]["code"] == "R0A"


def test_another_organisations_draft_does_not_show_even_by_being_refused(
    other_trust: httpx.Client, anybody: httpx.Client, icb: httpx.Client, submit: Submit
) -> None:
    draft = submit(visibility="draft")
    at = draft["links"]["self"]
    for stranger in (other_trust, anybody):
        for path in (at, *draft["links"].values(), f"{at}/history/1"):
            problem_of(stranger.get(path), 404, "not-found")
    patched = other_trust.patch(at, json={"title": "Changed"}, headers={"If-Match": "*"})
    problem_of(patched, 404, "not-found")
    problem_of(other_trust.delete(f"{at}?reason=No.", headers={"If-Match": "*"}), 404, "not-found")
    both = "/v1/innovations?visibility=draft&visibility=published"
    for path in (at, "/v1/innovations?visibility=draft", both, f"{both}&facets=visibility"):
        assert draft["id"] in icb.get(path).text
    assert other_trust.get(both).json()["items"] == []
    problem_of(anybody.get("/v1/innovations?visibility=draft"), 401, "unauthenticated")


@pytest.mark.parametrize(("key", "organisation"), [("Y61", "QHG"), ("QHG", None)])
def test_a_closed_organisation_is_told_with_who_took_over(
    register: Register, key: str, organisation: str | None
) -> None:
    client = register.client(register.key(key))
    answer = client.post("/v1/innovations", json={**WARD_ROUNDS, "organisation": organisation})
    (error,) = problem_of(answer, 422, "organisation-closed")["errors"]
    assert error["pointer"] == "#/organisation"
    assert "NHS Central East Integrated Care Board (S1Y5D)" in error["detail"]


def test_a_closed_organisation_may_have_several_that_took_over(curator: httpx.Client) -> None:
    answer = curator.post("/v1/innovations", json={**WARD_ROUNDS, "organisation": "QM7"})
    (error,) = problem_of(answer, 422, "organisation-closed")["errors"]
    assert all(code in error["detail"] for code in ("S1Y5D", "D7T5G"))
