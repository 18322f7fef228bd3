"""Receivers, and a register that may send to them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.conftest import Register
from tests.webhooks.receiver import Receiver, receiving

LOCAL = {"webhook_allow": "127.0.0.0/8", "webhook_first_retry_seconds": 0.05}
"""Settings under which webhooks reach the tests' receivers, and retries come soon."""


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    """Starts receivers."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(receiving())


@pytest.fixture
def receiver(receivers: Callable[[], Receiver]) -> Receiver:
    return receivers()


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    return serve(**LOCAL)


class Names(dict[str, list[str]]):
    """Host names of a test's own, which no server of names would tell, and who asked for them."""

    looked_up: list[str]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What the system makes of host names, as far as a test says."""
    names = Names()
    names.looked_up = []
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in names:
            return resolve(host, port, *args, **kwargs)
        names.looked_up.append(host)
        found = [resolve(address, port, *args, **kwargs) for address in names[host]]
        return [entry for entries in found for entry in entries]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


def subscribe(client: httpx.Client, receiver: Receiver, **fields: Any) -> dict[str, Any]:
    """Subscribes a receiver; returns what the register made of it."""
    fields = {"name": "receiver", "url": receiver.url, **fields}
    answer = client.post("/v1/subscriptions", json=fields)
    assert answer.status_code == 201, answer.text
    subscription: dict[str, Any] = answer.json()
    return subscription


def get(client: httpx.Client, subscription: dict[str, Any]) -> dict[str, Any]:
    """The subscription as it is now."""
    answer = client.get(f"/v1/subscriptions/{subscription['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def deliveries(client: httpx.Client, subscription: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of its messages, the oldest first."""
    answer = client.get(f"/v1/subscriptions/{subscription['id']}/deliveries?limit=100")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items[::-1]
