"""Who asks: from a key or a token to a :class:`~app.register.access.Caller`, and what it may do.

Each operation declares its access with one of the four names at the end. The route checks it before
it reads anything else of the request (see :mod:`app.http.route`), so that a bad key is told so, and
not what else might be wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from app.database import Database
from app.errors import Forbidden, Unauthenticated
from app.models.clients import Scope
from app.oidc import Tokens, has_form_of_token
from app.register import keys
from app.register.access import ANYBODY, Caller


class Access(SecurityBase):
    """The access that an operation declares: the least scope that its caller needs."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.scheme_name = "Key"
        self.model = HTTPBearerModel(
            bearerFormat="an API key, or a JWT",
            description="An API key, as `Authorization: Bearer inr_...`. Who runs the register "
            "makes one with `register clients add`, and an admin with `POST /v1/clients`. Scopes: "
            "`read` what is published, also where the service asks for a key; `contribute` for "
            "your own organisation and those below it; `curate` for any organisation, and themes; "
            "`admin` for clients. Where the service is set so, an access token (JWT) that your "
            "organisation's issuer, Entra ID for example, made for your system opens the same.",
        )

    async def __call__(self, request: Request) -> Caller:
        """The caller, as the route found it; see :meth:`check`."""
        caller: Caller = request.scope["caller"]
        return caller

    async def check(self, request: Request) -> Caller:
        """The caller of the request, if its access reaches.

        Raises:
            Unauthenticated: when the key is missing, unknown, expired or revoked.
            Forbidden: when it does not have the scope.
            Unavailable: when a token cannot be checked just now.
        """
        database: Database = request.app.state.database
        caller = await _caller(request, database)
        if caller is ANYBODY:
            if self.scope is Scope.READ and not request.app.state.settings.read_requires_key:
                return caller
            raise Unauthenticated("Send a key: `Authorization: Bearer <key>`.")
        if not caller.may(self.scope):
            raise Forbidden(f"This needs a key with the scope `{self.scope}`.")
        return caller


async def _caller(request: Request, database: Database) -> Caller:
    header = request.headers.get("authorization")
    if header is None:
        return ANYBODY
    scheme, _, key = header.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("Send the key as `Authorization: Bearer <key>`.", refused=True)
    tokens: Tokens | None = request.app.state.tokens
    if tokens is not None and has_form_of_token(key):
        return await tokens.caller(key)
    found = await database.read(keys.holder, key, datetime.now(UTC))
    if isinstance(found, str):
        raise Unauthenticated(found, refused=True)
    caller, due = found
    if due:
        database.write_soon(keys.note_use, key)
    return caller


Reader = Annotated[Caller, Security(Access(Scope.READ), scopes=[Scope.READ.value])]
Contributor = Annotated[Caller, Security(Access(Scope.CONTRIBUTE), scopes=[Scope.CONTRIBUTE.value])]
Curator = Annotated[Caller, Security(Access(Scope.CURATE), scopes=[Scope.CURATE.value])]
Admin = Annotated[Caller, Security(Access(Scope.ADMIN), scopes=[Scope.ADMIN.value])]
