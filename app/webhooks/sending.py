"""Sending one message: signed as Standard Webhooks says, to an address that was judged.

The scheme: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import httpx

from app import __version__
from app.models.subscriptions import DeliveryPublic, Outcome
from app.register.feed import Line
from app.webhooks.addresses import Address, Addresses, Refused, Target

CONNECT_TIMEOUT = 5.0
"""Seconds for one of the addresses of a name; a host may name one that leads nowhere."""

MOST_READ = 16 * 1024
"""Bytes of an answer that are read, for the connection to be used again; none of them is kept."""

_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    id: str
    body: bytes
    sequence: int | None = None


def message(subscription: str, line: Line) -> Message:
    """A line of the log as a message; each time that it is sent to a subscription, the same."""
    body = f'{{"type":"{line.event}","timestamp":"{line.at}","data":{line.text}}}'
    # No point in the id: it stands between points where it is signed.
    id = f"msg_{subscription.replace('-', '')}_{line.sequence}"
    return Message(id, body.encode(), line.sequence)


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """A signature of the version 1: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


@cache
def trusted() -> ssl.SSLContext:
    """Whom a receiver's certificate may come from: made once, as that takes longer than to send.

    `SSL_CERT_FILE` or `SSL_CERT_DIR` name others than those that come with the software.
    """
    return httpx.create_ssl_context()


class Sender:
    """Sends to one receiver, over a connection that is kept while it goes on.

    Never to two: a connection is found again by the address's number, and another name might have
    the same one.
    """

    def __init__(self, addresses: Addresses, timeout: float) -> None:
        self._addresses = addresses
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            verify=trusted(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=1),
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout)),
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def send(
        self, url: str, message: Message, secrets: Sequence[str], *, attempt: int = 1
    ) -> DeliveryPublic:
        """Sends it once; what became of it."""
        at, started = datetime.now(UTC), time.monotonic()
        status, error = None, None
        try:
            async with asyncio.timeout(self._timeout):
                target = await self._addresses.judge(url)
                status = await self._post(target, message, secrets)
        except Refused as refused:
            error = str(refused)
        except TimeoutError:
            error = f"There was no whole answer within {self._timeout:g} seconds."
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as failure:
            error = _words(failure)
        if status is not None:
            error = _judged(status)
        return DeliveryPublic(
            sequence=message.sequence,
            message=message.id,
            attempt=attempt,
            at=at,
            outcome=Outcome.DELIVERED if error is None else Outcome.FAILED,
            status=status,
            error=error,
            milliseconds=round((time.monotonic() - started) * 1000),
        )

    async def _post(self, target: Target, message: Message, secrets: Sequence[str]) -> int:
        """The status of the answer, from the first address that can be connected to."""
        for address in target.addresses[:-1]:
            try:
                return await self._post_to(address, target.url, message, secrets)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._post_to(target.addresses[-1], target.url, message, secrets)

    async def _post_to(
        self, address: Address, url: httpx.URL, message: Message, secrets: Sequence[str]
    ) -> int:
        now = int(time.time())
        signatures = [sign(secret, message.id, now, message.body) for secret in secrets]
        request = self._client.build_request(
            "POST",
            url.copy_with(host=str(address)),
            content=message.body,
            headers={
                "Host": url.netloc.decode("ascii"),
                "Content-Type": "application/json",
                "User-Agent": f"innovation-register/{__version__}",
                "Webhook-Id": message.id,
                "Webhook-Timestamp": str(now),
                "Webhook-Signature": " ".join(signatures),
            },
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        try:
            read = 0
            async for piece in response.aiter_raw():
                read += len(piece)
                if read > MOST_READ:
                    break
        finally:
            await response.aclose()
        return response.status_code


def _judged(status: int) -> str | None:
    """What is wrong with an answer."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The receiver answered {status}, and redirects are not followed."
    return f"The receiver answered {status}."


def _words(failure: Exception) -> str:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "No secure connection: the receiver's certificate, or its TLS, is not valid."
        cause = cause.__cause__ or cause.__context__
    if isinstance(failure, httpx.ConnectError | httpx.ConnectTimeout):
        return "The receiver could not be connected to."
    return "The connection broke off before there was a whole answer."
