"""Deliveries to a real receiver: one that works, fails, hangs, redirects, and recovers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.main import create_app
from app.models.changes import Kind
from app.models.clients import Scope
from app.models.feed import LineFilters
from app.models.subscriptions import State, SubscriptionCreate
from app.register import clients, subscriptions
from app.register.access import Caller
from tests.conftest import WARD_ROUNDS, Register, settings_for
from tests.http.speaking import Submit, head_of
from tests.serving import PLAIN, Server
from tests.webhooks.conftest import LOCAL, deliveries, get, subscribe
from tests.webhooks.receiver import Hang, Receiver, answering, break_off, trickle, until

Receivers = Callable[[], Receiver]
ANYHOW = {"If-Match": "*"}


def caught_up(client: httpx.Client, subscription: dict[str, Any]) -> bool:
    sequence: int = get(client, subscription)["cursor"]
    return sequence == head_of(client)


def told_of(receiver: Receiver, entry: dict[str, Any]) -> bool:
    return any(message.body["data"]["id"] == entry["id"] for message in receiver.received)


def test_each_line_is_sent_in_order_and_signed(
    receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    subscription = subscribe(trust, receiver)
    for number in range(25):
        submit(title=f"Number {number}")

    received = receiver.wait_for(25)
    until(lambda: caught_up(trust, subscription))
    lines = trust.get(f"/v1/changes?after={subscription['cursor']}&limit=100").json()["items"]
    assert [message.body["data"] for message in received] == lines
    for message, line in zip(received, lines, strict=True):
        assert message.body["type"] == "innovation.created"
        assert message.body["timestamp"] == line["at"]
        assert Webhook(subscription["secret"]).verify(message.content, message.headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(subscription["secret"]).verify(message.content + b" ", message.headers)
    assert len({message.headers["webhook-id"] for message in received}) == 25
    told = deliveries(trust, subscription)
    assert [each["sequence"] for each in told] == [line["sequence"] for line in lines]
    assert {(each["outcome"], each["status"], each["attempt"]) for each in told} == {
        ("delivered", 200, 1)
    }


def test_news_is_sent_at_once(receiver: Receiver, trust: httpx.Client, submit: Submit) -> None:
    subscribe(trust, receiver)
    submit()
    receiver.wait_for(1)
    submit()
    accepted = time.monotonic()
    assert receiver.wait_for(2)[1].at - accepted < 1


def test_what_fails_is_sent_again_before_anything_later(
    receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    receiver.behaviours = [answering(500), break_off, answering(200), answering(429)]
    subscription = subscribe(trust, receiver)
    for _ in range(3):
        submit()

    received = receiver.wait_for(6)
    until(lambda: caught_up(trust, subscription))
    first = subscription["cursor"] + 1
    assert receiver.sequences == [first, first, first, first + 1, first + 1, first + 2]
    assert len({message.headers["webhook-id"] for message in received}) == 3
    told = deliveries(trust, subscription)
    assert [each["attempt"] for each in told] == [1, 2, 3, 1, 2, 1]
    assert [each["status"] for each in told] == [500, None, 200, 429, 200, 200]
    assert told[0]["error"] == "The receiver answered 500."
    assert "broke off" in told[1]["error"]
    assert get(trust, subscription)["failures"] == 0


def test_while_it_fails_it_tells_how_often_and_when_next(
    serve: Callable[..., Register], receiver: Receiver
) -> None:
    register = serve(**LOCAL | {"webhook_first_retry_seconds": 5})
    client = register.client(register.key("R0A"))
    receiver.always = answering(503)
    subscription = subscribe(client, receiver, after=0)

    until(lambda: get(client, subscription)["failures"] == 1)
    failing = get(client, subscription)
    assert (failing["state"], failing["cursor"]) == ("active", 0)
    assert failing["retry_at"] > failing["updated_at"]

    receiver.always = answering(200)
    at = f"/v1/subscriptions/{subscription['id']}"
    head = head_of(client)
    assert client.patch(at, json={"state": "active"}, headers=ANYHOW).status_code == 200
    asked = time.monotonic()
    until(lambda: get(client, subscription)["cursor"] > 0)
    assert time.monotonic() - asked < 3, "it waited for the next retry"
    assert head_of(client) == head
    assert get(client, subscription)["retry_at"] is None


def test_a_receiver_that_hangs_holds_up_nobody_else(
    receivers: Receivers, trust: httpx.Client, submit: Submit
) -> None:
    stuck = [receivers() for _ in range(5)]
    for each in stuck:
        each.always = Hang()
        subscribe(trust, each)
    works = receivers()
    subscription = subscribe(trust, works)
    first = head_of(trust) + 1
    started = time.monotonic()
    for _ in range(20):
        submit()

    works.wait_for(20)
    assert time.monotonic() - started < 5
    assert works.sequences == list(range(first, first + 20))
    assert all(len(each.received) == 1 for each in stuck)
    until(lambda: caught_up(trust, subscription))


@pytest.mark.parametrize("behaviour", [Hang(), trickle])
def test_whoever_takes_too_long_has_failed(
    serve: Callable[..., Register], receiver: Receiver, behaviour: Any
) -> None:
    register = serve(**LOCAL, webhook_timeout_seconds=0.5)
    client = register.client(register.key("R0A"))
    receiver.behaviours = [behaviour]
    subscription = subscribe(client, receiver, after=head_of(client) - 1)

    receiver.wait_for(2)
    until(lambda: get(client, subscription)["failures"] == 0 and deliveries(client, subscription))
    failed = deliveries(client, subscription)[0]
    assert failed["error"] == "There was no whole answer within 0.5 seconds."
    assert 450 < failed["milliseconds"] < 2_000
    assert failed["status"] is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    receivers: Receivers, trust: httpx.Client, submit: Submit, status: int
) -> None:
    elsewhere, receiver = receivers(), receivers()
    receiver.behaviours = [answering(status, location=elsewhere.url)]
    subscription = subscribe(trust, receiver)
    submit()

    receiver.wait_for(2)
    until(lambda: caught_up(trust, subscription))
    failed = deliveries(trust, subscription)[0]
    assert failed["status"] == status
    assert "redirects are not followed" in failed["error"]
    assert elsewhere.received == []


def test_a_receiver_that_is_gone_pauses_its_subscription_at_once(
    receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    receiver.behaviours = [answering(410)]
    subscription = subscribe(trust, receiver)
    submit()
    submit()

    until(lambda: get(trust, subscription)["state"] == "paused")
    assert "410" in get(trust, subscription)["paused_reason"]
    time.sleep(0.3)
    assert len(receiver.received) == 1

    at = f"/v1/subscriptions/{subscription['id']}"
    resumed = trust.patch(at, json={"state": "active"}, headers=ANYHOW).json()
    assert (resumed["state"], resumed["paused_reason"]) == ("active", None)
    receiver.wait_for(3)
    first = subscription["cursor"] + 1
    assert receiver.sequences == [first, first, first + 1]


def test_after_a_day_of_failures_it_is_paused_with_the_reason(
    serve: Callable[..., Register], receiver: Receiver
) -> None:
    register = serve(**LOCAL | {"webhook_first_retry_seconds": 0.0001})
    client = register.client(register.key("R0A"))
    receiver.always = answering(500)
    subscription = subscribe(client, receiver, after=0)

    until(lambda: get(client, subscription)["state"] == "paused")
    paused = get(client, subscription)
    assert paused["paused_reason"] == "Line 1 failed 10 times: The receiver answered 500."
    assert paused["cursor"] == 0
    times = [message.at for message in receiver.received]
    waits = [later - before for before, later in pairwise(times)]
    assert len(times) == 10
    assert waits[-1] > waits[-3] > 0.2, "it becomes ever more patient"

    receiver.always = answering(200)
    answer = client.post(f"/v1/subscriptions/{subscription['id']}/replay?from=3")
    assert (answer.json()["state"], answer.json()["failures"]) == ("active", 0)
    assert receiver.wait_for(11)[10].sequence == 3


def test_a_replay_sends_the_same_messages_again(
    receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    subscription = subscribe(trust, receiver)
    for _ in range(3):
        submit()
    receiver.wait_for(3)
    until(lambda: caught_up(trust, subscription))

    second = subscription["cursor"] + 2
    answer = trust.post(f"/v1/subscriptions/{subscription['id']}/replay?from={second}")
    assert answer.status_code == 200
    received = receiver.wait_for(5)
    assert receiver.sequences == [second - 1, second, second + 1, second, second + 1]
    assert received[1].headers["webhook-id"] == received[3].headers["webhook-id"]
    assert received[1].content == received[3].content


def test_a_replay_holds_against_what_is_under_way(
    receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    hang = Hang(then=answering(200))
    receiver.behaviours = [hang]
    head = head_of(trust)
    subscription = subscribe(trust, receiver)
    submit()
    receiver.wait_for(1)
    trust.post(f"/v1/subscriptions/{subscription['id']}/replay?from={head - 1}")
    hang.over.set()

    receiver.wait_for(5)
    until(lambda: caught_up(trust, subscription))
    # The line that was under way was delivered, and yet all comes that was asked for.
    assert receiver.sequences == [head + 2, head - 1, head, head + 1, head + 2]


def test_while_a_secret_changes_over_both_check_a_message(
    receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    subscription = subscribe(trust, receiver)
    at = f"/v1/subscriptions/{subscription['id']}"
    old = Webhook(subscription["secret"])
    rotated = trust.post(f"{at}/secret", json={"overlap_hours": 24})
    assert rotated.status_code == 201
    new = Webhook(rotated.json()["secret"])
    submit()
    # The line that tells of the rotation comes first.
    for message in receiver.wait_for(2):
        assert old.verify(message.content, message.headers)
        assert new.verify(message.content, message.headers)
        assert len(message.headers["webhook-signature"].split()) == 2
    assert receiver.received[0].body["type"] == "subscription.rotated"
    assert "whsec_" not in receiver.received[0].content.decode()

    newest = Webhook(trust.post(f"{at}/secret", json={"overlap_hours": 0}).json()["secret"])
    message = receiver.wait_for(3)[2]
    assert newest.verify(message.content, message.headers)
    for ended in (old, new):
        with pytest.raises(WebhookVerificationError):
            ended.verify(message.content, message.headers)


def test_of_two_instances_one_makes_each_delivery(
    register: Register, receivers: Receivers, trust: httpx.Client, submit: Submit
) -> None:
    several = [receivers() for _ in range(6)]
    other = Server()
    other.start()
    try:
        with other.serving(create_app(register.settings)):
            subscribed = [subscribe(trust, each) for each in several]
            first = head_of(trust) + 1
            for _ in range(30):
                submit()
            until(lambda: all(caught_up(trust, each) for each in subscribed))
    finally:
        other.stop()
    for each in several:
        assert [number for number in each.sequences if number >= first] == list(
            range(first, first + 30)
        )
        assert len(each.sequences) == len(set(each.sequences))


def test_what_is_sent_is_what_its_client_may_see_and_what_fits(  # noqa: PLR0917
    receivers: Receivers,
    trust: httpx.Client,
    other_trust: httpx.Client,
    icb: httpx.Client,
    curator: httpx.Client,
    submit: Submit,
) -> None:
    clients = {"own": trust, "above": icb, "elsewhere": other_trust, "curator": curator}
    came = {name: receivers() for name in (*clients, "filtered")}
    for name, client in clients.items():
        subscribe(client, came[name], filters={"kind": ["innovation"]})
    filters = {"tag": ["video"], "visibility": ["published"], "q": "rounds"}
    filtered = subscribe(trust, came["filtered"], filters=filters)
    draft = submit(visibility="draft")
    published = submit(tags=["video"])

    for receiver in came.values():
        until(partial(told_of, receiver, published))
    ids = {name: [each.body["data"]["id"] for each in came[name].received] for name in came}
    both, one = [draft["id"], published["id"]], [published["id"]]
    assert ids == {
        "own": both,
        "above": both,
        "elsewhere": one,
        "curator": both,
        "filtered": one,
    }
    submit()
    until(lambda: caught_up(trust, filtered))
    assert len(came["filtered"].received) == 1


def test_a_subscription_ends_with_its_client(
    register: Register, receiver: Receiver, trust: httpx.Client, submit: Submit
) -> None:
    client, key = register.database.transaction(
        clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="leaves"
    )
    subscription = subscribe(register.client(key), receiver)
    register.database.transaction(clients.revoke, client.id)
    submit()

    until(lambda: get(trust, subscription)["state"] == "paused")
    assert get(trust, subscription)["paused_reason"] == "The client that made it was revoked."
    assert receiver.received == []


def test_the_client_of_a_token_is_told_as_one_with_a_key_while_it_has_access(
    serve: Callable[..., Register], receivers: Receivers
) -> None:
    known = {"intranet": {"organisation": "R0A", "scopes": ["contribute"]}}
    issuer = {"oidc_issuer": "https://issuer.example/", "oidc_audience": "register"}
    register = serve(**LOCAL, **issuer, oidc_clients=known)
    curator = register.client(register.key("RJ1", Scope.CURATE))
    came = {name: receivers() for name in ("intranet", "taken-away")}
    subscribed = {}
    for name, receiver in came.items():
        by = Caller(f"oidc:{name}", "R0A", frozenset({Scope.CONTRIBUTE}))
        filters = LineFilters(kind=(Kind.INNOVATION,))
        wanted = SubscriptionCreate(
            name=name, url=receiver.url, filters=filters, state=State.PAUSED
        )
        stored = register.database.transaction(subscriptions.add, wanted, by=by)
        subscribed[name] = json.loads(stored.document)
        at = f"/v1/subscriptions/{subscribed[name]['id']}"
        assert curator.patch(at, json={"state": "active"}, headers=ANYHOW).status_code == 200
    draft = {**WARD_ROUNDS, "visibility": "draft"}
    curator.post("/v1/innovations", json={**draft, "organisation": "RJ1"})
    own = curator.post("/v1/innovations", json={**draft, "organisation": "R0A"}).json()

    until(lambda: caught_up(curator, subscribed["intranet"]))
    assert [each.body["data"]["id"] for each in came["intranet"].received] == [own["id"]]
    until(lambda: get(curator, subscribed["taken-away"])["state"] == "paused")
    assert "no access" in get(curator, subscribed["taken-away"])["paused_reason"]
    assert came["taken-away"].received == []


def test_an_address_is_judged_again_at_each_connection(
    serve: Callable[..., Register], receiver: Receiver
) -> None:
    register = serve(**LOCAL)
    key = register.key("R0A")
    subscription = subscribe(register.client(key), receiver, state="paused", after=0)

    stricter = serve(webhook_first_retry_seconds=0.05)  # as if the name led elsewhere now
    client = stricter.client(key)
    at = f"/v1/subscriptions/{subscription['id']}"
    client.patch(at, json={"state": "active"}, headers=ANYHOW)
    until(lambda: deliveries(client, subscription))
    assert "not on the internet" in deliveries(client, subscription)[0]["error"]
    tested = client.post(f"{at}/test").json()
    assert tested["outcome"] == "failed"
    assert "not on the internet" in tested["error"]
    assert receiver.received == []


def test_a_change_reaches_what_is_under_way(
    receivers: Receivers, trust: httpx.Client, submit: Submit
) -> None:
    stuck, works = receivers(), receivers()
    hang = Hang()
    stuck.always = hang
    subscription = subscribe(trust, stuck)
    entry = submit()
    stuck.wait_for(1)
    at = f"/v1/subscriptions/{subscription['id']}"
    assert trust.patch(at, json={"url": works.url}, headers=ANYHOW).status_code == 200
    hang.over.set()

    message = works.wait_for(1)[0]
    assert message.body["data"]["id"] == entry["id"]
    until(lambda: caught_up(trust, subscription))
    assert get(trust, subscription)["failures"] == 0


def test_a_service_that_stops_leaves_its_work_to_the_next(
    database_url: str, receiver: Receiver
) -> None:
    receiver.behaviours = [Hang()]
    settings = settings_for(database_url, **LOCAL)
    server = Server()
    server.start()
    try:
        app = create_app(settings)
        with server.serving(app), httpx.Client(base_url=server.url, verify=PLAIN) as client:
            _, key = app.state.database.transaction(
                clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="stays"
            )
            client.headers["Authorization"] = f"Bearer {key}"
            subscribe(client, receiver, after=head_of(client) - 1)
            receiver.wait_for(1)
            stopping = time.monotonic()
        with server.serving(create_app(settings)):
            receiver.wait_for(2)
    finally:
        server.stop()
    assert time.monotonic() - stopping < 10, "it waited for the lease to run out"
