"""Tokens: from a signed JWT to the caller that it stands for."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from app.database import Database
from app.errors import Forbidden, NotFound, Unauthenticated
from app.models.clients import Scope
from app.oidc.issuer import ALGORITHMS, Issuer
from app.register import organisations
from app.register.access import Caller
from app.settings import Settings

CLIENT_CLAIMS = ("azp", "appid", "client_id", "sub")
"""What names the client, the first that is there: in Entra ID's tokens of version 2, in those of
version 1, in RFC 9068's, in any."""

REMEMBERED_FOR = 300.0
"""For how many seconds a token that was checked is not checked again; and how many tokens."""
MOST_REMEMBERED = 4096

MOST_CHARACTERS = 16 * 1024
"""The longest token that is looked at. Entra ID's for a machine have some 1,500 characters."""

_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_NOTHING_CHECKED: Any = {"verify_signature": False}

_WRONG: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidAudienceError: "The token was made for another audience.",
    jwt.InvalidSignatureError: "The token's signature is wrong.",
}

_log = logging.getLogger("register")


def has_form_of_token(key: str) -> bool:
    """Whether it is three parts in base64url, as a JWT is and a key is not."""
    return _FORM.fullmatch(key) is not None


@dataclass(frozen=True, slots=True)
class _Checked:
    caller: Caller
    generation: int
    until: float


class Tokens:
    """The tokens that are taken, and whom they stand for."""

    def __init__(
        self,
        issuer: str,
        *,
        audience: str,
        callers: Mapping[str, Caller],
        clock_skew: int,
        database: Database,
    ) -> None:
        self._address = issuer
        self._issuer = Issuer(issuer)
        self._audience = audience
        self._callers = callers
        self._clock_skew = clock_skew
        self._database = database
        self._checked: dict[bytes, _Checked] = {}

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Tokens | None:
        """As the settings want it; None where they name no issuer."""
        if settings.oidc_issuer is None or settings.oidc_audience is None:
            return None
        callers = {
            name: Caller(
                f"oidc:{name}",
                client.organisation,
                frozenset(Scope(each) for each in client.scopes),
            )
            for name, client in settings.oidc_clients.items()
        }
        return cls(
            settings.oidc_issuer,
            audience=settings.oidc_audience,
            callers=callers,
            clock_skew=settings.oidc_clock_skew_seconds,
            database=database,
        )

    @property
    def clients(self) -> Iterable[Caller]:
        """All that a token can stand for."""
        return self._callers.values()

    async def caller(self, token: str) -> Caller:
        """Whom the token stands for.

        Raises:
            Unauthenticated: when it is none of the issuer's, not for us, or not at this time.
            Forbidden: when it is good, and its client has no organisation here.
            Unavailable: when it cannot be checked, since the issuer does not answer.
        """
        digest = hashlib.sha256(token.encode()).digest()
        known = self._checked.get(digest)
        now = time.time()
        if known is not None:
            if known.generation == self._issuer.generation and now < known.until:
                return known.caller
            del self._checked[digest]
        claims = await self._claims(token)
        generation = self._issuer.generation
        caller = await self._caller_of(claims)
        until = min(now + REMEMBERED_FOR, int(claims["exp"]) + self._clock_skew)
        self._checked[digest] = _Checked(caller, generation, until)
        if len(self._checked) > MOST_REMEMBERED:
            del self._checked[next(iter(self._checked))]
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        """What the token says, once it is clear that the issuer says so to us, now."""
        if len(token) > MOST_CHARACTERS:
            raise _refused(f"A token has {MOST_CHARACTERS:,} characters at most.")
        try:
            name, algorithm = self._signed_with(token)
            key = await self._issuer.key(name, algorithm)
            if key is None:
                raise _refused("The token is signed with a key that its issuer does not have.")
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._address,
                leeway=self._clock_skew,
                options={"require": ["iss", "aud", "exp"]},
            )
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"The token has no `{error.claim}`.") from None
        except jwt.PyJWTError as error:
            words = _WRONG.get(type(error), "The token is not a JWT that can be read.")
            raise _refused(words) from None

    def _signed_with(self, token: str) -> tuple[str, str]:
        """The name of the token's key, and the algorithm, if it may be asked for at all.

        Another issuer's token is known by its own word, before a key is looked for: ours would
        have none, and the answer would not tell why.
        """
        unchecked = jwt.decode_complete(token, options=_NOTHING_CHECKED)
        header = unchecked["header"]
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise _refused("The token's `typ` is not that of an access token: `JWT` or `at+jwt`.")
        if header.get("alg") not in ALGORITHMS:
            raise _refused(f"A token is signed with one of {', '.join(ALGORITHMS)}.")
        if unchecked["payload"].get("iss") != self._address:
            raise _refused("The token is from another issuer.")
        if not header.get("kid"):
            raise _refused("The token does not name its key (`kid`).")
        return header["kid"], header["alg"]

    async def _caller_of(self, claims: Mapping[str, Any]) -> Caller:
        # Entra ID's `scp` is a text; elsewhere it is a list, which a machine's token has, too.
        if isinstance(claims.get("scp"), str):
            raise Forbidden(
                "The token is good, but a person signed in for it. Only a system's own tokens "
                "(client credentials) are taken here."
            )
        name = next((claims[claim] for claim in CLIENT_CLAIMS if claims.get(claim)), None)
        caller = self._callers.get(name) if isinstance(name, str) else None
        if caller is None or caller.organisation is None:
            _log.warning("REGISTER_OIDC_CLIENTS has no organisation for the client %r", name)
            raise Forbidden(
                "The token is good, but this register has no organisation for its client."
            )
        try:
            await self._database.read(organisations.get, caller.organisation)
        except NotFound:
            _log.warning("REGISTER_OIDC_CLIENTS: no organisation has the code of %r", name)
            raise Forbidden(
                "The token is good, but this register does not know the organisation that it "
                "was set to stand for."
            ) from None
        return caller


def _refused(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, refused=True)
