"""What can be set from outside, by environment variables that start with ``REGISTER_``."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


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

    @field_validator("allowed_hosts", mode="before")
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
