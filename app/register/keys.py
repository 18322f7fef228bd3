"""Keys: making them, who has one, and when it was used. Only a key's hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from app.dialects import Reader, rfc3339
from app.models.clients import Client, ClientKey, Scope
from app.register import changes
from app.register.access import Caller

_PREFIX = "inr_"
_KEY_BYTES = 32

USE_IS_NOTED_EVERY = timedelta(minutes=10)
"""A read must not cost a write, so a key's last use is this exact."""


def new(session: Session, client: str) -> tuple[ClientKey, str]:
    """A new key of a client, as it is stored, and as it is shown once."""
    key = _PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    row = ClientKey(hash=_hash(key), client=client, created_at=changes.now(session))
    session.add(row)
    return row, key


def of_client(session: Session, client: str) -> list[ClientKey]:
    """A client's keys, the newest first."""
    rows = session.execute(select(ClientKey).where(col(ClientKey.client) == client)).scalars()
    return sorted(rows, key=lambda key: key.ends_at is not None)


def rotate(session: Session, client: str, overlap: timedelta) -> tuple[list[ClientKey], str]:
    """Gives a client a new key; the one that is in use keeps working for the overlap.

    That is the newest that was ever used: a key that nobody has used was perhaps never received,
    and must not push out one that somebody relies on. All others are forgotten, so that there are
    two at most.
    """
    now = changes.now(session)
    before = of_client(session, client)
    valid = [key for key in before if key.ends_at is None or key.ends_at > now]
    in_use = next((key for key in valid if key.last_used_at is not None), valid[0])
    in_use.ends_at = now + overlap
    for key in before:
        if key is not in_use:
            session.delete(key)
    newest, shown = new(session, client)
    session.flush()
    return [newest, in_use], shown


def note_use(session: Session, key: str) -> None:
    """Notes that a key was used now; this is not a change of the register."""
    session.execute(
        update(ClientKey)
        .where(col(ClientKey.hash) == _hash(key))
        .values(last_used_at=changes.now(session))
    )


def _hash(key: str) -> str:
    # A key is 256 random bits: nobody can try them all, so a slow hash would protect nothing.
    return hashlib.sha256(key.encode()).hexdigest()


# Reading


_HOLDER = (
    select(
        col(Client.id),
        col(Client.organisation),
        col(Client.scopes),
        col(Client.expires_at),
        col(Client.revoked_at),
        col(ClientKey.ends_at),
        col(ClientKey.last_used_at),
    )
    .select_from(ClientKey)
    .join(Client, col(Client.id) == col(ClientKey.client))
    .where(col(ClientKey.hash) == bindparam("hash"))
)


async def holder(reader: Reader, key: str, now: datetime) -> tuple[Caller, bool] | str:
    """Who has this key, and whether its use is to be noted; or why the key is refused."""
    rows = await reader.rows(_HOLDER, {"hash": _hash(key)})
    if not rows:
        return "The register does not know this key."
    client, organisation, scopes, expires_at, revoked_at, ends_at, last_used_at = rows[0]
    moment = rfc3339(now)
    if revoked_at is not None:
        return "This key was revoked."
    if ends_at is not None and ends_at <= moment:
        return "A newer key has taken this key's place."
    if expires_at is not None and expires_at <= moment:
        return "This key has expired."
    due = last_used_at is None or last_used_at < rfc3339(now - USE_IS_NOTED_EVERY)
    return Caller(client, organisation, frozenset(Scope(scope) for scope in scopes.split())), due
