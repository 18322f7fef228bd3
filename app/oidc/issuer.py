"""The issuer of tokens: which keys it publishes just now."""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
from typing import Any

import httpx
import jwt
from pydantic import BaseModel

from app.errors import Unavailable
from app.settings import HttpsAddress

FRESH_FOR = 3600.0
"""For how many seconds the keys are taken as they are."""

KEPT_FOR = 24 * 3600.0
"""For how many seconds they are good at most, while the issuer cannot be reached."""

RENEWED_EVERY = 30.0
"""At most so often (in seconds) is it asked for a key that it did not have, or again after it
failed: whoever sends forged tokens cannot make us wear it down."""

RETRIED_EVERY = 2.0
"""The same, while there are no keys that could be used: what `Retry-After` tells."""

ANSWERS_WITHIN = 5.0
"""How many seconds it has for both documents."""

PATIENCE = 1.0
"""How many seconds a request waits for newer keys when there are some that will do."""

MOST_BYTES = 256 * 1024
"""The largest document that is read. Entra ID's keys take some 20,000 bytes."""

RSA_BITS = 2048
"""The shortest RSA key that is taken (RFC 7518, section 3.3)."""

ALGORITHMS = ("RS256", "PS256", "ES256")
"""What a token may be signed with: never `none`, nor anything with a shared secret."""

Keys = dict[tuple[str, str], jwt.PyJWK]
"""By name (`kid`) and algorithm: a key verifies nothing but what it was published for."""

_log = logging.getLogger("register")


class Issuer:
    """An issuer, as one process knows it. It is asked by one task at a time, for all who wait."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.generation = 0
        """How often its keys were learnt; what was checked with older ones is checked again."""
        self._keys: Keys = {}
        self._learnt_at = -inf
        self._failed_at = -inf
        self._urged_at = -inf
        self._asking: asyncio.Task[None] | None = None

    async def key(self, name: str, algorithm: str) -> jwt.PyJWK | None:
        """The key of this name, if the issuer has one for this algorithm.

        Raises:
            Unavailable: when that cannot be told, since the issuer does not answer.
        """
        started = time.monotonic()
        await self._renew(started)
        found = self._keys.get((name, algorithm))
        if found is None and self._learnt_at < started:
            # It may be new. Whoever comes while the issuer is being asked waits for that answer.
            if self._asking is None and started - self._urged_at >= RENEWED_EVERY:
                self._urged_at = started
                await self._ask()
            elif self._asking is not None:
                await self._ask()
            found = self._keys.get((name, algorithm))
        if found is None and self._failed_at > self._learnt_at:
            raise _unavailable()
        return found

    async def _renew(self, now: float) -> None:
        """Sees to it that there are keys, and that they are not old if that can be helped."""
        age = now - self._learnt_at
        if age < FRESH_FOR:
            return
        will_do = age < KEPT_FOR
        pause = RENEWED_EVERY if will_do else RETRIED_EVERY
        if self._asking is not None or now - self._failed_at >= pause:
            await self._ask(PATIENCE if will_do else None)
        if time.monotonic() - self._learnt_at >= KEPT_FOR:
            raise _unavailable()

    async def _ask(self, patience: float | None = None) -> None:
        if self._asking is None:
            # A task of its own: a client that goes away does not stop it for the others.
            self._asking = asyncio.create_task(self._learn())
        await asyncio.wait({self._asking}, timeout=patience)

    async def _learn(self) -> None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                self._keys = await _published(self._address)
        except Exception as error:  # whatever it sends, or does not, the keys that are there stay
            self._failed_at = time.monotonic()
            _log.warning("no keys from the issuer %s: %r", self._address, error)
        else:
            self._learnt_at = time.monotonic()
            self.generation += 1
        finally:
            self._asking = None


def _unavailable() -> Unavailable:
    return Unavailable("The token cannot be checked: its issuer does not answer.")


class _Discovery(BaseModel):
    """What is needed of OpenID Connect Discovery 1.0, section 3."""

    issuer: str
    jwks_uri: HttpsAddress


class _KeySet(BaseModel):
    """RFC 7517, section 5."""

    keys: list[dict[str, Any]]


async def _published(address: str) -> Keys:
    # On a thread, since it reads all the certificates that this machine trusts.
    context = await asyncio.to_thread(httpx.create_ssl_context)
    async with httpx.AsyncClient(
        verify=context,
        timeout=ANSWERS_WITHIN,
        follow_redirects=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    ) as client:
        path = "/.well-known/openid-configuration"
        about = _Discovery.model_validate_json(await _get(client, address.rstrip("/") + path))
        if about.issuer != address:
            raise ValueError("its discovery document is another issuer's")
        keys = _usable(_KeySet.model_validate_json(await _get(client, about.jwks_uri)).keys)
    if not keys:
        raise ValueError("it publishes no key that could be used")
    return keys


async def _get(client: httpx.AsyncClient, address: str) -> bytes:
    async with client.stream("GET", address) as answer:
        if answer.status_code != 200:
            raise ValueError(f"{address} answers {answer.status_code}")
        text = bytearray()
        # Raw: what was packed against our wish is not unpacked, however large it might become.
        async for chunk in answer.aiter_raw():
            text += chunk
            if len(text) > MOST_BYTES:
                raise ValueError(f"{address} answers more than {MOST_BYTES} bytes")
        return bytes(text)


_RSA = (("RS256", "PS256"), ("kty", "n", "e"))
_P256 = (("ES256",), ("kty", "crv", "x", "y"))


def _usable(published: list[dict[str, Any]]) -> Keys:
    """The keys that a token may be signed with; what else is published is left alone."""
    keys: Keys = {}
    for each in published:
        name, only = each.get("kid"), each.get("alg")
        kind = (each.get("kty"), each.get("crv"), each.get("use", "sig"))
        if not isinstance(name, str) or kind not in [("RSA", None, "sig"), ("EC", "P-256", "sig")]:
            continue
        algorithms, members = _RSA if kind[0] == "RSA" else _P256
        public = {member: each.get(member) for member in members}
        for algorithm in algorithms:
            if only in (None, algorithm) and (key := _key(public, algorithm)) is not None:
                keys[name, algorithm] = key
    return keys


def _key(public: dict[str, Any], algorithm: str) -> jwt.PyJWK | None:
    try:
        key = jwt.PyJWK(public, algorithm)
    except jwt.PyJWTError:
        return None
    return None if algorithm != "ES256" and key.key.key_size < RSA_BITS else key
