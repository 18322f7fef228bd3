"""What can be set from outside, by environment variables that start with ``REGISTER_``."""

from __future__ import annotations

import json
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _https(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not value.isascii() or parts.username is not None or parts.fragment:
        raise PydanticCustomError("not_an_address", "Give an address with https://")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise PydanticCustomError(
            "not_https", "Give an address with https://; http:// is for 127.0.0.1 only"
        )
    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _without_query(value: str) -> str:
    if "?" in value:
        raise PydanticCustomError("with_a_query", "The address of an issuer has no query")
    return value


def _some(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise PydanticCustomError("no_scope", "Give one scope at least")
    return values


HttpsAddress = Annotated[str, AfterValidator(_https)]
"""An address that nobody on the way can answer for: with https, or on this machine."""


class OidcClient(BaseModel):
    """Whom a client of the issuer acts for, and what it may do here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organisation: Annotated[
        str,
        # The pattern is looked at before the letters become capitals.
        StringConstraints(strip_whitespace=True, to_upper=True, pattern="^[A-Za-z0-9]{1,12}$"),
    ]
    # The words of app.models.clients.Scope, which is above this module.
    scopes: Annotated[
        tuple[Literal["read", "contribute", "curate", "admin"], ...], AfterValidator(_some)
    ]


OidcClientId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")]


class Settings(BaseSettings):
    """One frozen set of settings; made once, at the start, and handed to what needs it."""

    model_config = SettingsConfigDict(env_prefix="REGISTER_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(
        default=SecretStr("sqlite:///register.db"),
        description="`sqlite:///FILE`, or `postgresql://user:password@host/name`.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("localhost", "127.0.0.1", "[::1]"),
        description="Host names that the service answers to, separated by commas; `*` for any.",
    )
    read_requires_key: bool = Field(
        default=False, description="Whether reading what is published needs a key, too."
    )
    max_body_bytes: int = Field(
        default=1024 * 1024, gt=0, description="The largest request body that is taken, in bytes."
    )
    max_import_bytes: int = Field(
        default=512 * 1024 * 1024, gt=0, description="The largest file of an import, in bytes."
    )
    lock_timeout_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How long a write waits for the one before it; then the answer is a 503.",
    )
    oidc_issuer: Annotated[HttpsAddress, AfterValidator(_without_query)] | None = Field(
        default=None,
        description="The issuer whose tokens are taken beside keys, as it calls itself.",
    )
    oidc_audience: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="What a token must be made for: its claim `aud`."
    )
    oidc_clients: Annotated[dict[OidcClientId, OidcClient], NoDecode] = Field(
        default={},
        description='JSON: `{"client id": {"organisation": "RJ1", "scopes": ["contribute"]}}`.',
    )
    oidc_clock_skew_seconds: int = Field(
        default=60,
        ge=0,
        le=300,
        description="How far the issuer's clock and this one may be apart.",
    )
    webhook_allow: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Networks of your own that webhooks may reach, without https too, as "
        "`10.1.0.0/16,fd00:1::/64`.",
    )
    webhook_timeout_seconds: float = Field(
        default=15.0,
        gt=0,
        le=60,
        description="How long a receiver of webhooks may take, from first to last.",
    )
    webhook_first_retry_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="After how long a failed webhook is sent again. Later retries are in "
        "proportion: of 5 seconds, up to a day.",
    )

    likeness_wait_seconds: float = Field(
        default=0.004,
        ge=0,
        le=60,
        description="How long the answer to a submission waits for what may be a duplicate, once "
        "all else is done; with 0, nobody looks.",
    )

    @field_validator("allowed_hosts", "webhook_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A comma list is what a shell and a compose file write most easily; JSON works too."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            try:
                return json.loads(value)
            except ValueError:  # "[::1],localhost" is a comma list that starts like JSON
                pass
        return tuple(name.strip() for name in value.split(",") if name.strip())

    @field_validator("oidc_clients", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise PydanticCustomError("not_json", "This is not JSON") from None

    @model_validator(mode="after")
    def _go_together(self) -> Settings:
        given = [bool(self.oidc_issuer), bool(self.oidc_audience), bool(self.oidc_clients)]
        if any(given) and not all(given):
            raise PydanticCustomError(
                "incomplete",
                "REGISTER_OIDC_ISSUER, REGISTER_OIDC_AUDIENCE and REGISTER_OIDC_CLIENTS go "
                "together: set all three, or none",
            )
        return self
