"""Subscriptions: made, changed, tried and deleted. What is sent is in `tests/webhooks`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session

from app.models.clients import Scope
from app.models.subscriptions import DeliveryPublic, Outcome
from app.register import deliveries
from app.register.subscriptions import MOST
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, kept_in, problem_of

SUBSCRIPTIONS = "/v1/subscriptions"
# Nobody listens on this port: what these tests look at is not what is sent.
RECEIVER = {"name": "dashboard", "url": "http://127.0.0.1:9/hook?token=in-the-address"}
PAUSED = {**RECEIVER, "state": "paused"}
ANYHOW = {"If-Match": "*"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
NO_ID = "01a20840-c36c-7661-a4fc-b9ec025e2a1f"


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    return serve(webhook_allow="127.0.0.0/8")


def add(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post(SUBSCRIPTIONS, json={**PAUSED, **fields})
    assert answer.status_code == 201, answer.text
    subscription: dict[str, Any] = answer.json()
    return subscription


def at(subscription: dict[str, Any]) -> str:
    return f"{SUBSCRIPTIONS}/{subscription['id']}"


def pointers(answer: httpx.Response) -> list[str]:
    problem = problem_of(answer, 422, "validation-failed")
    return [error["pointer"] for error in problem["errors"]]


# Adding


def test_a_new_subscription_starts_at_the_head_and_shows_its_secret_once(
    trust: httpx.Client,
) -> None:
    answer = trust.post(SUBSCRIPTIONS, json=RECEIVER)

    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == at(made)
    assert answer.headers["cache-control"] == "no-store"
    assert SECRET.fullmatch(made["secret"])
    assert (made["organisation"], made["state"], made["version"]) == ("R0A", "active", 1)
    assert made["cursor"] == head_of(trust), "its own line is not sent"
    got = trust.get(at(made))
    assert got.headers["etag"] == answer.headers["etag"]
    assert got.json() == {name: value for name, value in made.items() if name != "secret"}


def test_it_may_start_anywhere_in_the_log(trust: httpx.Client) -> None:
    head = head_of(trust)
    assert add(trust, after=0)["cursor"] == 0
    assert add(trust, after=head)["cursor"] == head
    too_far = trust.post(SUBSCRIPTIONS, json={**PAUSED, "after": head_of(trust) + 1})
    assert pointers(too_far) == ["#/after"]


def test_words_that_are_no_search_are_refused(trust: httpx.Client) -> None:
    without = {**PAUSED, "filters": {"q": "-video"}}
    assert pointers(trust.post(SUBSCRIPTIONS, json=without)) == ["#/filters/q"]


def test_a_repeated_request_makes_one_and_is_not_told_the_secret_again(
    trust: httpx.Client,
) -> None:
    headers = {"Idempotency-Key": "a-key"}
    first = trust.post(SUBSCRIPTIONS, json=PAUSED, headers=headers)
    again = trust.post(SUBSCRIPTIONS, json=PAUSED, headers=headers)

    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json() | {"secret": None}
    assert trust.get(SUBSCRIPTIONS).json()["page"]["total"] == 1


def test_no_secret_is_in_the_log_nor_among_what_is_kept_for_retries(
    register: Register, trust: httpx.Client
) -> None:
    headers = {"Idempotency-Key": "first"}
    made = trust.post(SUBSCRIPTIONS, json=PAUSED, headers=headers).json()
    rotated = trust.post(f"{at(made)}/secret", json={}, headers={"Idempotency-Key": "second"})
    secrets = made["secret"], rotated.json()["secret"]
    trust.delete(at(made), headers=ANYHOW)

    kept = kept_in(register, "change", "idempotent_answer")
    assert made["id"] in kept
    assert all(secret not in kept for secret in secrets)
    page = trust.get("/v1/changes?kind=subscription").json()["items"]
    assert [line["action"] for line in page] == ["created", "rotated", "deleted"]
    assert page[0]["document"]["receiver"] == "http://127.0.0.1:9"
    assert "in-the-address" not in json.dumps(page)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "#/name"),
    ({"url": "not an address"}, "#/url"),
    ({"url": "ftp://127.0.0.1/"}, "#/url"),
    ({"url": "http://user:hunter2@127.0.0.1/"}, "#/url"),
    ({"url": "https://10.0.0.1/"}, "#/url"),
    ({"url": "https://169.254.169.254/latest"}, "#/url"),
    ({"url": "https://0x7f000001:99999/"}, "#/url"),
    ({"url": "http://8.8.8.8/"}, "#/url"),
    ({"url": "https://no-such-host.invalid/"}, "#/url"),
    ({"filters": {"colour": ["red"]}}, "#/filters/colour"),
    ({"filters": {"status": ["kept"]}}, "#/filters/status/0"),
    ({"after": -1}, "#/after"),
    ({"state": "asleep"}, "#/state"),
    ({"secret": "whsec_mine"}, "#/secret"),
]


def test_what_is_wrong_is_pointed_at(trust: httpx.Client, subtests: pytest.Subtests) -> None:
    before = head_of(trust)
    for changed, pointer in WRONG:
        with subtests.test(str(changed)):
            answer = trust.post(SUBSCRIPTIONS, json={**PAUSED, **changed})
            assert pointers(answer) == [pointer]
            assert "hunter2" not in answer.text
            assert head_of(trust) == before


def test_without_the_setting_no_network_of_ones_own_is_reached(
    serve: Callable[..., Register],
) -> None:
    register = serve()
    client = register.client(register.key("R0A"))
    for url in ("http://127.0.0.1:9/", "https://localhost/", "https://2130706433/"):
        answer = client.post(SUBSCRIPTIONS, json={**PAUSED, "url": url})
        assert pointers(answer) == ["#/url"]


def test_an_organisation_has_a_hundred_at_most(
    trust: httpx.Client, other_trust: httpx.Client
) -> None:
    for _ in range(MOST):
        add(trust)
    problem_of(trust.post(SUBSCRIPTIONS, json=PAUSED), 422, "too-many")
    add(other_trust)


# Whose they are


def test_a_subscription_shows_to_its_organisation_and_to_curators(
    register: Register,
    trust: httpx.Client,
    other_trust: httpx.Client,
    icb: httpx.Client,
    curator: httpx.Client,
) -> None:
    made = add(trust)
    colleague = register.client(register.key("R0A"))
    for client in (trust, colleague, curator):
        assert client.get(at(made)).status_code == 200
        assert [each["id"] for each in client.get(SUBSCRIPTIONS).json()["items"]] == [made["id"]]
    for client in (other_trust, icb):
        assert client.get(SUBSCRIPTIONS).json()["items"] == []
        for method, path, body in (
            ("GET", at(made), None),
            ("PATCH", at(made), {"name": "mine"}),
            ("DELETE", at(made), None),
            ("POST", f"{at(made)}/secret", {}),
            ("POST", f"{at(made)}/test", None),
            ("GET", f"{at(made)}/deliveries", None),
            ("POST", f"{at(made)}/replay?from=1", None),
        ):
            answer = client.request(method, path, json=body, headers=ANYHOW)
            problem_of(answer, 404, "not-found")
    assert colleague.get(at(made)).json()["version"] == 1


def test_what_a_curator_is_sent_no_other_can_turn_to_oneself(
    register: Register, curator: httpx.Client
) -> None:
    made = add(curator)
    colleague = register.client(register.key("RJ1"))
    problem_of(colleague.patch(at(made), json={"name": "mine"}, headers=ANYHOW), 404, "not-found")
    assert colleague.get(SUBSCRIPTIONS).json()["items"] == []
    lines = [
        client.get("/v1/changes?kind=subscription").json()["items"]
        for client in (colleague, curator)
    ]
    assert [len(found) for found in lines] == [0, 1]


def test_a_list_has_pages(trust: httpx.Client) -> None:
    made = [add(trust)["id"] for _ in range(5)]
    answer = trust.get(SUBSCRIPTIONS, params={"limit": 2})
    found = [each["id"] for each in answer.json()["items"]]
    assert answer.json()["page"]["total"] == 5
    while "next" in answer.links:
        answer = trust.get(answer.links["next"]["url"])
        found += [each["id"] for each in answer.json()["items"]]
    assert found == made


# Changing


def test_a_change_is_a_merge_patch_on_condition(trust: httpx.Client) -> None:
    filters = {"status": ["keep"], "created_from": "2026-01-01"}
    made = add(trust, filters=filters)
    assert made["filters"] == filters | {"created_from": "2026-01-01T00:00:00Z"}
    tag = trust.get(at(made)).headers["etag"]
    patch = {"name": "other", "filters": {"created_from": None, "tag": ["video"]}}

    problem_of(trust.patch(at(made), json=patch), 428, "precondition-required")
    changed = trust.patch(at(made), json=patch, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["filters"] == {"status": ["keep"], "tag": ["video"]}
    assert (changed.json()["name"], changed.json()["version"]) == ("other", 2)
    assert changed.json()["url"] == made["url"]
    stale = trust.patch(at(made), json={"name": "third"}, headers={"If-Match": tag})
    problem_of(stale, 412, "precondition-failed")
    same = trust.patch(at(made), json={"name": "other"}, headers=ANYHOW)
    assert same.json()["version"] == 2


def test_null_takes_a_filter_away(trust: httpx.Client) -> None:
    made = add(trust, filters={"status": ["keep"], "q": "huddle", "tag": ["video"]})
    for name, left in (("status", {"q", "tag"}), ("q", {"tag"}), ("tag", set())):
        changed = trust.patch(at(made), json={"filters": {name: None}}, headers=ANYHOW)
        assert changed.status_code == 200, changed.text
        assert set(changed.json()["filters"]) == left
    answer = trust.post(SUBSCRIPTIONS, json={**PAUSED, "filters": {"status": "keep"}})
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert error["detail"] == "Give a list, in brackets."


def test_it_cannot_be_moved_to_where_it_could_not_be_made(trust: httpx.Client) -> None:
    made = add(trust)
    answer = trust.patch(at(made), json={"url": "https://10.0.0.1/"}, headers=ANYHOW)
    assert pointers(answer) == ["#/url"]
    assert trust.get(at(made)).json()["url"] == made["url"]


@pytest.mark.parametrize("name", ["theme", "organisation", "icb", "region"])
def test_what_it_is_about_has_to_be_there(trust: httpx.Client, name: str) -> None:
    made, before = add(trust, filters={"icb": ["QOP"]}), head_of(trust)
    slug = "unknown-theme" if name == "theme" else "unknown-organisation"
    fields = {"filters": {name: ["canary"]}}
    for answer in (
        trust.post(SUBSCRIPTIONS, json={**PAUSED, **fields}),
        trust.patch(at(made), json=fields, headers=ANYHOW),
    ):
        (error,) = problem_of(answer, 422, slug)["errors"]
        assert error["pointer"] == f"#/filters/{name}"
    assert head_of(trust) == before


def test_a_pause_on_request_says_so(trust: httpx.Client) -> None:
    made = add(trust, state="active")
    paused = trust.patch(at(made), json={"state": "paused"}, headers=ANYHOW).json()
    assert (paused["state"], paused["paused_reason"]) == ("paused", "It was paused on request.")
    active = trust.patch(at(made), json={"state": "active"}, headers=ANYHOW).json()
    assert (active["state"], active["paused_reason"]) == ("active", None)


def test_what_is_deleted_is_gone_with_its_deliveries(
    register: Register, trust: httpx.Client
) -> None:
    made = add(trust)
    assert trust.post(f"{at(made)}/test").status_code == 200
    problem_of(trust.delete(at(made)), 428, "precondition-required")
    assert trust.delete(at(made), headers=ANYHOW).status_code == 204
    problem_of(trust.get(at(made)), 404, "not-found")
    problem_of(trust.delete(at(made), headers=ANYHOW), 404, "not-found")

    def left(session: Session) -> int:
        return int(session.execute(text("SELECT count(*) FROM delivery")).scalar_one())

    assert register.database.transaction(left) == 0


def test_a_new_secret_leaves_the_older_ones_for_the_overlap(trust: httpx.Client) -> None:
    made = add(trust)
    rotated = trust.post(f"{at(made)}/secret", json={"overlap_hours": 2})
    assert rotated.status_code == 201
    assert SECRET.fullmatch(rotated.json()["secret"])
    assert rotated.json()["secret"] != made["secret"]
    ends = datetime.fromisoformat(rotated.json()["older_secrets_end_at"])
    assert timedelta(hours=1.9) < ends - datetime.now(UTC) < timedelta(hours=2)
    ended = trust.post(f"{at(made)}/secret", json={"overlap_hours": 0}).json()
    assert ended["older_secrets_end_at"] is None
    problem = trust.post(f"{at(made)}/secret", json={"overlap_hours": 721})
    assert pointers(problem) == ["#/overlap_hours"]


def test_a_replay_starts_within_the_log(trust: httpx.Client, submit: Submit) -> None:
    made = add(trust)
    submit()
    head = head_of(trust)
    replay = f"{at(made)}/replay"
    replayed = trust.post(f"{replay}?from={head + 1}")
    assert (replayed.status_code, replayed.json()["cursor"]) == (200, head)
    assert replayed.json()["state"] == "active"
    assert pointers(trust.post(f"{replay}?from={head + 2}")) == ["?from"]
    assert pointers(trust.post(f"{replay}?from=0")) == ["?from"]
    assert pointers(trust.post(replay)) == ["?from"]
    assert head_of(trust) == head


# What came of it


def test_a_test_tells_what_came_of_it_and_is_kept(trust: httpx.Client) -> None:
    made = add(trust)
    tested = trust.post(f"{at(made)}/test")
    assert tested.status_code == 200
    assert tested.json()["outcome"] == "failed"
    assert tested.json()["error"] == "The receiver could not be connected to."
    assert tested.json()["sequence"] is None
    listed = trust.get(f"{at(made)}/deliveries").json()
    assert listed["items"] == [tested.json()]
    assert trust.get(at(made)).json()["failures"] == 0


def test_the_newest_deliveries_are_kept_and_listed_in_pages(
    register: Register, trust: httpx.Client
) -> None:
    made, other = add(trust), add(trust)
    number = deliveries.KEPT + 5

    def try_often(session: Session) -> None:
        for sequence in range(1, number + 1):
            delivery = DeliveryPublic(
                sequence=sequence,
                message=f"msg_{sequence}",
                attempt=1,
                at=datetime.now(UTC),
                outcome=Outcome.DELIVERED,
                status=204,
                error=None,
                milliseconds=1,
            )
            deliveries.keep_test(session, made["id"], delivery)

    register.database.transaction(try_often)
    answer = trust.get(f"{at(made)}/deliveries?limit=90")
    assert answer.json()["page"]["total"] == deliveries.KEPT
    found = answer.json()["items"]
    while "next" in answer.links:
        answer = trust.get(answer.links["next"]["url"])
        found += answer.json()["items"]
    assert [each["sequence"] for each in found] == list(range(number, number - deliveries.KEPT, -1))
    assert trust.get(f"{at(other)}/deliveries").json()["items"] == []
    cursor = trust.get(f"{at(made)}/deliveries?limit=1").json()["page"]["next"]
    problem_of(trust.get(f"{at(other)}/deliveries?cursor={cursor}"), 400, "invalid-cursor")


@pytest.mark.parametrize("id", [NO_ID, "none", "x" * 500])
def test_there_is_no_such_subscription(trust: httpx.Client, id: str) -> None:
    problem_of(trust.get(f"{SUBSCRIPTIONS}/{id}"), 404, "not-found")
    problem_of(trust.post(f"{SUBSCRIPTIONS}/{id}/test"), 404, "not-found")


def test_a_client_that_only_reads_has_no_subscriptions(register: Register) -> None:
    reader = register.client(register.key("R0A", Scope.READ))
    problem_of(reader.get(SUBSCRIPTIONS), 403, "forbidden")


def test_what_goes_on_without_a_line_in_the_log_is_for_nobody_to_keep(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    made = add(trust)
    for path in (SUBSCRIPTIONS, at(made), f"{at(made)}/deliveries"):
        with subtests.test(path):
            answer = trust.get(path)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["vary"] == "Accept, Authorization"
            assert trust.head(path).headers["content-length"] == str(len(answer.content))
            tag = answer.headers.get("etag", "*")
            assert trust.get(path, headers={"If-None-Match": tag}).status_code == 200
            assert pointers(trust.get(f"{path}?colour=red")) == ["?colour"]
