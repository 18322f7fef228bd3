"""Subscriptions that are told when somebody submits what another organisation has retired."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import httpx
import pytest
from standardwebhooks import Webhook

from app.likeness import encoding, model
from app.main import create_app
from app.webhooks.dispatch import LINES_READ
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of
from tests.processes import free_port, service
from tests.routers.test_imports import imported
from tests.routers.test_likeness import FORMS, PAPERWORK
from tests.serving import PLAIN, Server
from tests.webhooks.conftest import LOCAL, deliveries, get, subscribe
from tests.webhooks.receiver import Receiver, until
from tests.webhooks.test_crash import SETTINGS, new_key
from tests.webhooks.test_delivery import caught_up

RETIRED = {"status": "retire", "reason": "Nobody read them."}
FILTERS = {"retired_elsewhere": True}
ROWS = 260
PATIENCE = 90

Receivers = Callable[[], Receiver]


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The model is there before the first test."""
    encoding.encoder()


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    return serve(likeness_wait_seconds=0, **LOCAL)


def told(receiver: Receiver) -> list[str]:
    """The ids of what was submitted."""
    return [message.body["data"]["id"] for message in receiver.received]


def test_the_subscriber_is_told_once_and_in_order_and_others_do_not_wait(
    receivers: Receivers, trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    receiver, follows = receivers(), receivers()
    subscription = subscribe(trust, receiver, filters=FILTERS)
    everything = subscribe(trust, follows)
    theirs = submit(other_trust, **FORMS, decision=RETIRED)
    ours = []
    for _ in range(3):
        submit()
        ours.append(submit(**PAPERWORK))
    until(lambda: caught_up(trust, subscription) and caught_up(trust, everything))
    assert told(receiver) == [entry["id"] for entry in ours]
    assert len(follows.received) == 7
    lines = trust.get("/v1/changes", params=FILTERS).json()["items"]
    for message, line in zip(receiver.received, lines, strict=True):
        assert Webhook(subscription["secret"]).verify(message.content, message.headers)
        assert message.body["type"] == "innovation.created"
        assert message.body["data"] == line
        (practice,) = line["retired_elsewhere"]
        assert (practice["id"], practice["reason"]) == (theirs["id"], RETIRED["reason"])
    assert [each["outcome"] for each in deliveries(trust, subscription)] == ["delivered"] * 3
    assert get(trust, subscription)["waits_for"] is None


def test_it_is_told_soon(
    receiver: Receiver, trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    submit(other_trust, **FORMS, decision=RETIRED)
    subscription = subscribe(trust, receiver, filters=FILTERS)
    submit(**PAPERWORK)
    receiver.wait_for(1)
    until(lambda: caught_up(trust, subscription))
    submit(**PAPERWORK)
    accepted = time.monotonic()
    assert receiver.wait_for(2)[1].at - accepted < 2


def test_a_subscription_can_take_the_filter_and_leave_it(
    receiver: Receiver, trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    submit(other_trust, **FORMS, decision=RETIRED)
    subscription = subscribe(trust, receiver, filters={"theme": ["basics-sorted"]})
    at, anyhow = f"/v1/subscriptions/{subscription['id']}", {"If-Match": "*"}
    changed = trust.patch(at, json={"filters": FILTERS}, headers=anyhow)
    assert changed.json()["filters"] == {"theme": ["basics-sorted"], **FILTERS}
    ours = submit(**PAPERWORK)
    submit(title="Free staff parking", theme="basics-sorted")
    until(lambda: caught_up(trust, subscription))
    assert told(receiver) == [ours["id"]]
    trust.patch(at, json={"filters": {"retired_elsewhere": None}}, headers=anyhow)
    last = submit(theme="basics-sorted")
    until(lambda: caught_up(trust, subscription))
    assert told(receiver) == [ours["id"], last["id"]]
    assert "retired_elsewhere" not in receiver.received[-1].body["data"]


def test_of_two_services_one_judges_and_each_line_is_told_once(
    register: Register,
    receivers: Receivers,
    trust: httpx.Client,
    other_trust: httpx.Client,
    submit: Submit,
) -> None:
    several = [receivers() for _ in range(4)]
    submit(other_trust, **PAPERWORK, decision=RETIRED)
    other = Server()
    other.start()
    try:
        with other.serving(create_app(register.settings)):
            subscribed = [subscribe(trust, each, filters=FILTERS) for each in several]
            ours = []
            for number in range(20):
                ours.append(submit(**PAPERWORK))
                if number % 5 == 0:  # whoever asks may be served by either
                    at = f"{other.url}/v1/changes"
                    assert httpx.get(at, params=FILTERS, verify=PLAIN).json()["items"]
            until(lambda: all(caught_up(trust, each) for each in subscribed))
    finally:
        other.stop()
    for each in several:
        assert told(each) == [entry["id"] for entry in ours]


def test_without_the_model_it_says_what_it_waits_for_and_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
    receivers: Receivers,
    trust: httpx.Client,
    other_trust: httpx.Client,
    submit: Submit,
) -> None:
    receiver, follows = receivers(), receivers()
    subscription = subscribe(trust, receiver, filters=FILTERS)
    everything = subscribe(trust, follows)
    submit(other_trust, **FORMS, decision=RETIRED)
    until(lambda: caught_up(trust, subscription))
    judged = head_of(trust)
    with monkeypatch.context() as without:
        without.setattr(model, "find_spec", lambda _: None)
        ours = submit(**PAPERWORK)
        until(lambda: caught_up(trust, everything))
        waiting = get(trust, subscription)
        assert (waiting["state"], waiting["cursor"]) == ("active", judged)
        assert waiting["waits_for"].startswith(f"Lines after {judged} cannot be compared")
        listed = trust.get("/v1/subscriptions").json()["items"]
        assert [each["waits_for"] is None for each in listed] == [False, True]
        assert receiver.received == []
    submit()
    until(lambda: caught_up(trust, subscription))
    assert told(receiver) == [ours["id"]]
    assert get(trust, subscription)["waits_for"] is None


def patiently(condition: Callable[[], object]) -> None:
    """As `until`, for what takes seconds of the processor, which may have much else to do."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def test_kill_9_while_it_judges_loses_nothing(
    database_url: str, serve: Callable[..., Register], receiver: Receiver
) -> None:
    port = free_port()
    base, settings = f"http://127.0.0.1:{port}", {**SETTINGS, "likeness_wait_seconds": "0"}
    keys = [{"Authorization": f"Bearer {new_key(database_url, whose)}"} for whose in ("R0A", "RJ1")]
    trust, other = (
        httpx.Client(base_url=base, headers=key, timeout=PATIENCE, verify=PLAIN) for key in keys
    )
    # More than is judged at once, and with words of their own, so that it takes a while.
    rows = [
        {**(PAPERWORK if number % 10 == 0 else WARD_ROUNDS), "title": f"{title} {number}"}
        for number in range(ROWS)
        for title in [PAPERWORK["title"] if number % 10 == 0 else WARD_ROUNDS["title"]]
    ]
    with trust, other, service(database_url, port, settings=settings) as process:
        subscription = subscribe(trust, receiver, filters=FILTERS)
        theirs = {**PAPERWORK, "decision": RETIRED}
        assert other.post("/v1/innovations", json=theirs).status_code == 201
        imported(trust, rows)
        patiently(lambda: receiver.received)
        os.killpg(process.pid, signal.SIGKILL)
    before = len(receiver.received)
    assert before < ROWS / 10, "some were still to come when it was killed"

    with httpx.Client(base_url=serve(**LOCAL).url, headers=keys[0], verify=PLAIN) as again:
        patiently(lambda: caught_up(again, subscription))
        lines = again.get("/v1/changes", params={**FILTERS, "limit": 100}).json()["items"]
    assert [line["document"]["title"] for line in lines] == [
        f"{PAPERWORK['title']} {number}" for number in range(0, ROWS, 10)
    ]
    came = receiver.sequences
    assert list(dict.fromkeys(came)) == [line["sequence"] for line in lines]
    assert len(came) - len(lines) <= LINES_READ, "only what was not noted yet comes again"
