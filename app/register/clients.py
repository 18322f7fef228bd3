"""Clients: machines with a key. A key is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select, update
from sqlmodel import Session, col

from app.dialects import Reader, rfc3339
from app.errors import NotFound, UnknownOrganisation
from app.models.changes import Action, Kind
from app.models.clients import Client, ClientDocument, Scope
from app.models.organisations import Organisation
from app.register import changes
from app.register.access import OPERATOR, Caller
from app.register.identifiers import new_id

_PREFIX = "inr_"
_KEY_BYTES = 32

USE_IS_NOTED_EVERY = timedelta(minutes=10)
"""A read must not cost a write, so a key's last use is this exact."""


def add(
    session: Session,
    *,
    organisation: str,
    scopes: Sequence[Scope],
    name: str,
    expires_at: datetime | None = None,
    by: Caller = OPERATOR,
) -> tuple[ClientDocument, str]:
    """Adds a client; returns it with its key, which nobody can show again.

    Raises:
        UnknownOrganisation
    """
    if session.get(Organisation, organisation) is None:
        raise UnknownOrganisation("No organisation has this ODS code.")
    key = _PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    row = Client(
        id=new_id(),
        name=name,
        organisation=organisation,
        scopes=" ".join(dict.fromkeys(scope.value for scope in scopes)),
        key_hash=_hash(key),
        created_at=changes.now(session),
        expires_at=expires_at,
    )
    session.add(row)
    _log(session, Action.CREATED, row, version=1, by=by)
    return _document(row), key


def revoke(session: Session, name: str, *, by: Caller = OPERATOR) -> ClientDocument:
    """Revokes the key of the client with this id or this name; from now on it opens nothing.

    Raises:
        NotFound: when there is no such client, or several of that name have a valid key.
    """
    valid = select(Client).where(
        (col(Client.id) == name) | (col(Client.name) == name), col(Client.revoked_at).is_(None)
    )
    found = session.execute(valid).scalars().all()
    if len(found) != 1:
        raise NotFound(
            "There is no client with a valid key of this id or name."
            if not found
            else "Several clients have this name: give the id."
        )
    row = found[0]
    row.revoked_at = changes.now(session)
    _log(session, Action.REVOKED, row, version=2, by=by)
    return _document(row)


def listed(session: Session) -> list[tuple[ClientDocument, datetime | None]]:
    """All clients, the oldest first, each with the last use of its key."""
    rows = session.execute(select(Client).order_by(col(Client.id))).scalars()
    return [(_document(row), row.last_used_at) for row in rows]


def note_use(session: Session, client: str) -> None:
    """Notes that a client's key was used now; this is not a change of the register."""
    session.execute(
        update(Client).where(col(Client.id) == client).values(last_used_at=changes.now(session))
    )


def _log(session: Session, action: Action, row: Client, *, version: int, by: Caller) -> None:
    text = _document(row).model_dump_json()
    thing = changes.Thing(
        Kind.CLIENT, row.id, version, text, public=False, organisation=row.organisation
    )
    changes.append(session, action, thing, by=by)


def _document(row: Client) -> ClientDocument:
    return ClientDocument(
        scopes=[Scope(scope) for scope in row.scopes.split()],
        **{name: getattr(row, name) for name in ClientDocument.model_fields if name != "scopes"},
    )


def _hash(key: str) -> str:
    # A key is 256 random bits: nobody can try them all, so a slow hash would protect nothing.
    return hashlib.sha256(key.encode()).hexdigest()


# Reading


_OF_KEY = select(
    col(Client.id),
    col(Client.organisation),
    col(Client.scopes),
    col(Client.expires_at),
    col(Client.revoked_at),
    col(Client.last_used_at),
).where(col(Client.key_hash) == bindparam("key_hash"))


async def of_key(reader: Reader, key: str, now: datetime) -> tuple[Caller, bool] | str:
    """Who has this key, and whether its use is to be noted; or why the key is refused."""
    rows = await reader.rows(_OF_KEY, {"key_hash": _hash(key)})
    if not rows:
        return "The register does not know this key."
    client, organisation, scopes, expires_at, revoked_at, last_used_at = rows[0]
    if revoked_at is not None:
        return "This key was revoked."
    if expires_at is not None and expires_at <= rfc3339(now):
        return "This key has expired."
    due = last_used_at is None or last_used_at < rfc3339(now - USE_IS_NOTED_EVERY)
    return Caller(client, organisation, frozenset(Scope(scope) for scope in scopes.split())), due
