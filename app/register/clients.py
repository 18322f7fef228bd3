"""Clients: machines with a key, each acting for one organisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from app.errors import ClientNotValid, NotFound, UnknownOrganisation
from app.models.changes import Action, Kind
from app.models.clients import (
    Client,
    ClientBase,
    ClientCreate,
    ClientDocument,
    ClientFields,
    ClientKey,
    ClientPublic,
    ClientUpdate,
    ClientWithKey,
    KeyDocument,
    Rotation,
    Scope,
)
from app.models.organisations import Organisation
from app.register import changes, client_reading, keys
from app.register.access import OPERATOR, Caller
from app.register.client_reading import NO_SUCH
from app.register.identifiers import new_id
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match


def add(
    session: Session,
    *,
    organisation: str,
    scopes: Sequence[Scope],
    name: str,
    expires_at: datetime | None = None,
    by: Caller = OPERATOR,
) -> tuple[ClientPublic, str]:
    """Adds a client; returns it with its key, which nobody can show again.

    Raises:
        UnknownOrganisation
    """
    if session.get(Organisation, organisation) is None:
        raise UnknownOrganisation.at(
            "#/organisation", "unknown_organisation", "No organisation has this ODS code."
        )
    now = changes.now(session)
    row = Client(
        id=new_id(),
        name=name,
        organisation=organisation,
        scopes=_joined(scopes),
        version=0,
        sequence=0,
        created_at=now,
        updated_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    key, shown = keys.new(session, row.id)
    return _log(session, Action.CREATED, row, [key], by), shown


def revoke(session: Session, name: str, *, by: Caller = OPERATOR) -> ClientPublic:
    """Revokes the client of this id or this name for good; from now on its keys open nothing.

    Raises:
        NotFound: when there is no such client, or several of that name are not revoked.
    """
    return _revoke(session, _named(session, name), by)


def rotate(
    session: Session, name: str, overlap: timedelta, *, by: Caller = OPERATOR
) -> tuple[ClientPublic, str]:
    """Gives the client of this id or this name a new key, which nobody can show again.

    The key that is in use keeps working for the overlap.

    Raises:
        NotFound: as for :func:`revoke`.
        ClientNotValid: when it has expired, so that no key of its opens anything.
    """
    return _rotate(session, _named(session, name), overlap, by)


def _named(session: Session, name: str) -> Client:
    not_revoked = select(Client).where(
        (col(Client.id) == name) | (col(Client.name) == name), col(Client.revoked_at).is_(None)
    )
    found: Sequence[Client] = session.execute(not_revoked).scalars().all()
    if len(found) != 1:
        raise NotFound(
            "There is no client of this id or name that is not revoked."
            if not found
            else "Several clients have this name: give the id."
        )
    return found[0]


# What an admin does


def create(session: Session, client: ClientCreate, *, by: Caller) -> Stored:
    """As :func:`add`."""
    return _with_key(session, *add(session, **dict(client), by=by))


def replace_key(session: Session, client: str, rotation: Rotation, *, by: Caller) -> Stored:
    """As :func:`rotate`.

    Raises:
        NotFound, ClientNotValid
    """
    row = _not_revoked(_of_id(session, client))
    overlap = timedelta(hours=rotation.overlap_hours)
    return _with_key(session, *_rotate(session, row, overlap, by))


def change(
    session: Session,
    client: str,
    patch: ClientUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes a client's name, what it may do, or until when; its keys stay.

    Raises:
        NotFound, PreconditionRequired, PreconditionFailed, ClientNotValid, ValidationFailed
    """
    row = _of_id(session, client)
    must_match(precondition, etag(row.version, row.sequence))
    _not_revoked(row)
    own = keys.of_client(session, row.id)
    fields = ClientFields(name=row.name, scopes=_scopes(row.scopes), expires_at=row.expires_at)
    wanted = patched(fields, patch)
    if wanted == fields:
        return _stored(session, _of_row(row, own, changes.now(session)))
    row.name, row.scopes, row.expires_at = wanted.name, _joined(wanted.scopes), wanted.expires_at
    return _stored(session, _log(session, Action.UPDATED, row, own, by))


def remove(
    session: Session, client: str, *, by: Caller, precondition: Precondition | None
) -> Stored:
    """As :func:`revoke`.

    Raises:
        NotFound, PreconditionRequired, PreconditionFailed, ClientNotValid
    """
    row = _of_id(session, client)
    must_match(precondition, etag(row.version, row.sequence))
    return _stored(session, _revoke(session, _not_revoked(row), by))


def _of_id(session: Session, client: str) -> Client:
    row = session.get(Client, client.lower())
    if row is None:
        raise NotFound(NO_SUCH)
    return row


def _not_revoked(row: Client) -> Client:
    if row.revoked_at is not None:
        raise ClientNotValid("The client was revoked.")
    return row


def _rotate(
    session: Session, row: Client, overlap: timedelta, by: Caller
) -> tuple[ClientPublic, str]:
    if row.expires_at is not None and row.expires_at <= changes.now(session):
        raise ClientNotValid("The client has expired.")
    both, shown = keys.rotate(session, row.id, overlap)
    return _log(session, Action.ROTATED, row, both, by), shown


def _revoke(session: Session, row: Client, by: Caller) -> ClientPublic:
    row.revoked_at = changes.now(session)
    return _log(session, Action.REVOKED, row, keys.of_client(session, row.id), by)


def _log(
    session: Session, action: Action, row: Client, own: Sequence[ClientKey], by: Caller
) -> ClientPublic:
    """Appends the line of a change to the log, where no key and no hash ever stands."""
    row.version += 1
    row.updated_at = changes.now(session)
    public = _of_row(row, own, row.updated_at)
    document = ClientDocument(
        **{name: getattr(public, name) for name in ClientBase.model_fields},
        keys=[KeyDocument(created_at=key.created_at, ends_at=key.ends_at) for key in own],
    )
    text = document.model_dump_json()
    thing = changes.Thing(
        Kind.CLIENT, row.id, row.version, text, public=False, organisation=row.organisation
    )
    row.sequence = changes.append(session, action, thing, by=by)
    return public


def _joined(scopes: Sequence[Scope]) -> str:
    return " ".join(dict.fromkeys(scope.value for scope in scopes))


def _scopes(joined: str) -> list[Scope]:
    return [Scope(scope) for scope in joined.split()]


# What is shown


def _with_key(session: Session, client: ClientPublic, key: str) -> Stored:
    """The client with its new key; but a POST that is repeated is not told the key again."""
    fields = client.model_dump()
    shown, again = (ClientWithKey(**fields, key=which).model_dump_json() for which in (key, None))
    return replace(_stored(session, client), document=shown, again=again)


def _stored(session: Session, client: ClientPublic) -> Stored:
    sequence = session.get_one(Client, client.id).sequence
    return Stored(
        client.model_dump_json(),
        etag(client.version, sequence),
        sequence,
        f"/v1/clients/{client.id}",
        lasting=False,
    )


def _of_row(row: Client, own: Iterable[ClientKey], now: datetime) -> ClientPublic:
    return client_reading.public(row.model_dump(), (key.model_dump() for key in own), now)


def listed(session: Session) -> list[ClientPublic]:
    """All clients, the oldest first."""
    rows = session.execute(select(Client).order_by(col(Client.id))).scalars()
    now = changes.now(session)
    return [_of_row(row, keys.of_client(session, row.id), now) for row in rows]
