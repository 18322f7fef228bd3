"""Where a webhook may go: to the internet, and to networks that who runs the service has named.

Whoever may subscribe chooses an address, and this service can reach what the sender cannot: the
machines beside it, and what a cloud tells its machines about themselves. So an address is judged
by what it resolves to, whichever way it is spelled; and the connection is made to just what was
judged, so that a name which resolves to something else a moment later gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOKUPS = 64
"""Names that are looked up at once. A name whose server hangs holds a thread for ten seconds."""

MOST_ADDRESSES = 4
"""Addresses of a name that are tried."""

_V4_REFUSED = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        # IANA's special purposes (RFC 6890 and its registry), whatever Python's version knows.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # what Azure tells its machines, at an address that looks public
    )
)
_V6_UNICAST = ipaddress.IPv6Network("2000::/3")
_V6_REFUSED = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, and other protocols' own
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise, over relays that are no more
        "3fff::/20",
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Refused(Exception):
    """An address that a webhook may not go to; its words are for whoever gave it."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was judged, and what to connect to."""

    url: httpx.URL
    addresses: tuple[Address, ...]


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's; what is hidden in it is looked at, too."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:  # how a host with IPv6 alone reaches IPv4
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        return (
            address.scope_id is None
            and address in _V6_UNICAST
            and not any(address in network for network in _V6_REFUSED)
        )
    return not any(address in network for network in _V4_REFUSED)


def _unmapped(text: str) -> Address:
    address = ipaddress.ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped  # to which the system would connect
    return address


class Addresses:
    """Judges addresses, by what they resolve to at that moment."""

    def __init__(self, allowed: Iterable[Network]) -> None:
        self._allowed = tuple(allowed)
        # Not the event loop's own threads: what hangs here must hold up nothing else.
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="webhook-lookup")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def judge(self, address: str) -> Target:
        """The address, if a webhook may go there.

        Raises:
            Refused
        """
        url = _parsed(address)
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads, _resolved, host, port
            )
        except (OSError, ValueError, OverflowError):
            raise Refused("The address cannot be resolved: no host has this name.") from None
        own = [self._is_allowed(address) for address in found]
        # Every one of them: who connects might take any.
        if not all(mine or is_public(one) for mine, one in zip(own, found, strict=True)):
            raise Refused(
                "The address is not on the internet. A loopback, private, link-local or other "
                "special address is refused unless REGISTER_WEBHOOK_ALLOW names its network."
            )
        if url.scheme != "https" and not all(own):
            raise Refused("Give an address with https.")
        return Target(url, tuple(found[:MOST_ADDRESSES]))

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)


def _parsed(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        raise Refused("The address cannot be read.") from None
    if url.scheme not in ("http", "https") or not url.raw_host:
        raise Refused("Give an address with https.")
    if url.port is not None and not 0 < url.port < 2**16:
        raise Refused("The address's port is none: give one up to 65535.")
    if url.userinfo:
        raise Refused("Give an address without a user and a password; messages are signed.")
    return url.copy_with(fragment=None)


def _resolved(host: str, port: int) -> list[Address]:
    """What the system makes of it: names, and numbers in all their spellings."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_unmapped(str(sockaddr[0])) for *_, sockaddr in found))
