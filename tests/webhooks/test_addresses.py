"""Where a webhook may go: what an address resolves to is judged, whichever way it is spelled."""

from __future__ import annotations

import asyncio
import ipaddress

import httpx
import pytest

from app.webhooks.addresses import Addresses, Refused, Target
from tests.webhooks.conftest import Names
from tests.webhooks.receiver import Receiver

LOOPBACK = [
    "localhost",
    "LOCALHOST.",
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "0177.0x0.0.01",
    "017700000001",
    "127。0。0。1",
    "127%2e0%2e0%2e1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "0.0.0.0",  # noqa: S104
    "0",
    "[::]",
]
OTHERS = [
    "10.0.0.1",
    "0xa000001",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.168.257",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[5f00::1]",
]


def judge(url: str, *allowed: str) -> Target:
    async def judged() -> Target:
        addresses = Addresses(ipaddress.ip_network(network) for network in allowed)
        try:
            return await addresses.judge(url)
        finally:
            addresses.close()

    return asyncio.run(judged())


@pytest.mark.parametrize("host", LOOPBACK + OTHERS)
def test_what_is_not_on_the_internet_is_refused_in_any_spelling(host: str) -> None:
    for url in (f"https://{host}/hook", f"https://{host}:8443", f"HTTPS://{host}"):
        with pytest.raises(Refused):
            judge(url)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "134744072", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::808:808]"]
)
def test_what_is_on_the_internet_may_be_reached_with_https(host: str) -> None:
    assert judge(f"https://{host}/hook").addresses
    with pytest.raises(Refused, match="https"):
        judge(f"http://{host}/hook")


def test_it_is_connected_to_what_was_judged() -> None:
    target = judge("https://[::ffff:8.8.4.4]:8443/hook?a=b")
    assert target.addresses == (ipaddress.IPv4Address("8.8.4.4"),)
    assert (target.url.port, target.url.raw_path) == (8443, b"/hook?a=b")


@pytest.mark.parametrize(
    ("url", "network", "passes"),
    [
        ("http://127.0.0.1:9000/", "127.0.0.0/8", True),
        ("http://2130706433:9000/", "127.0.0.1/32", True),
        ("http://[::ffff:127.0.0.1]/", "127.0.0.0/8", True),
        ("http://[::1]/", "::1/128", True),
        ("https://10.1.2.3/", "10.1.0.0/16", True),
        ("http://[fd00:1::2]/", "fd00:1::/64", True),
        ("http://127.0.0.1/", "10.0.0.0/8", False),
        ("http://10.2.2.3/", "10.1.0.0/16", False),
        ("https://169.254.169.254/", "10.0.0.0/8", False),
        ("http://8.8.8.8/", "10.0.0.0/8", False),
        ("http://[64:ff9b::7f00:1]/", "127.0.0.0/8", False),
    ],
)
def test_a_network_that_is_named_may_be_reached(url: str, network: str, passes: bool) -> None:
    if passes:
        assert judge(url, network).addresses
    else:
        with pytest.raises(Refused):
            judge(url, network)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:password@8.8.8.8/",
        "https://user@8.8.8.8/",
        "https://8.8.8.8@127.0.0.1/",
        "https://no-such-host.invalid/",
        "https://127.0.0.1 .example.org/",
        "https://" + "a" * 300 + ".example/",
        "https://xn--/",
        "https://8.8.8.8:99999/",
        "ftp://8.8.8.8/",
        "https:///hook",
        "//8.8.8.8/",
        "",
    ],
)
def test_what_cannot_be_an_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        judge(url)


def test_one_address_of_several_that_is_refused_is_enough(names: Names) -> None:
    names["two.example"] = ["8.8.8.8", "10.0.0.1"]
    with pytest.raises(Refused):
        judge("https://two.example/")
    assert judge("https://two.example/", "10.0.0.0/8").addresses


def test_a_name_that_leads_elsewhere_later_gains_nothing(
    names: Names, trust: httpx.Client, receiver: Receiver
) -> None:
    names["rebinds.example"] = ["8.8.8.8"]
    url = f"https://rebinds.example:{receiver.port}/hook"
    fields = {"name": "receiver", "url": url, "state": "paused"}
    at = trust.post("/v1/subscriptions", json=fields).headers["location"]
    names["rebinds.example"] = ["10.0.0.1"]

    tested = trust.post(f"{at}/test").json()
    assert tested["outcome"] == "failed"
    assert "not on the internet" in tested["error"]


def test_a_message_goes_to_the_address_that_was_judged_and_names_the_host(
    names: Names, trust: httpx.Client, receiver: Receiver
) -> None:
    # Whoever would look the name up a second time would not find it.
    names["once.example"] = ["127.0.0.1"]
    names.looked_up.clear()
    url = f"http://once.example:{receiver.port}/hook?key=1"
    fields = {"name": "receiver", "url": url, "state": "paused"}
    at = trust.post("/v1/subscriptions", json=fields).headers["location"]
    assert names.looked_up == ["once.example"]

    assert trust.post(f"{at}/test").json()["outcome"] == "delivered"
    assert names.looked_up == ["once.example"] * 2
    (ping,) = receiver.received
    assert (ping.headers["host"], ping.path) == (f"once.example:{receiver.port}", "/hook?key=1")


def test_of_several_addresses_one_that_works_is_enough(
    names: Names, trust: httpx.Client, receiver: Receiver
) -> None:
    names["half.example"] = ["127.0.0.2", "127.0.0.1"]  # the receiver listens on the last
    url = f"http://half.example:{receiver.port}/hook"
    fields = {"name": "receiver", "url": url, "state": "paused"}
    at = trust.post("/v1/subscriptions", json=fields).headers["location"]
    assert trust.post(f"{at}/test").json()["outcome"] == "delivered"
