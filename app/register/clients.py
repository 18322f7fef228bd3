"""Clients: machines with a key, each acting for one organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, String, and_, bindparam, func, or_, select, type_coerce
from sqlmodel import Session, col

from app.dialects import Reader, Statement, rfc3339
from app.errors import ClientNotValid, NotFound, UnknownOrganisation
from app.models.changes import Action, Kind, LogHead
from app.models.clients import (
    Client,
    ClientBase,
    ClientCreate,
    ClientDocument,
    ClientFields,
    ClientKey,
    ClientPublic,
    ClientQuery,
    ClientState,
    ClientUpdate,
    ClientWithKey,
    KeyDocument,
    KeyPublic,
    Rotation,
    Scope,
)
from app.models.organisations import Organisation
from app.register import changes, cursors, keys
from app.register.access import OPERATOR, Caller
from app.register.identifiers import new_id
from app.register.patches import patched
from app.register.stored import Listed, Precondition, Stored, etag, must_match

_NO_SUCH = "There is no client with this id."


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
    row = _named(session, name)
    now = changes.now(session)
    if row.expires_at is not None and row.expires_at <= now:
        raise ClientNotValid("The client has expired.")
    both, shown = keys.rotate(session, row.id, overlap)
    return _log(session, Action.ROTATED, row, both, by), shown


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
    return _with_key(session, *rotate(session, row.id, overlap, by=by))


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
        raise NotFound(_NO_SUCH)
    return row


def _not_revoked(row: Client) -> Client:
    if row.revoked_at is not None:
        raise ClientNotValid("The client was revoked.")
    return row


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
    return _public(row.model_dump(), (key.model_dump() for key in own), now)


def _public(
    client: Mapping[str, Any], own: Iterable[Mapping[str, Any]], now: datetime
) -> ClientPublic:
    base = ClientBase.model_validate(
        {name: client[name] for name in ClientBase.model_fields if name != "scopes"}
        | {"scopes": client["scopes"].split()}
    )
    shown = [
        KeyPublic.model_validate({name: key[name] for name in KeyPublic.model_fields})
        for key in own
    ]
    if base.revoked_at is not None:
        state = ClientState.REVOKED
    elif base.expires_at is not None and base.expires_at <= now:
        state = ClientState.EXPIRED
    else:
        state = ClientState.VALID
    return ClientPublic(
        **dict(base),
        state=state,
        last_used_at=max((key.last_used_at for key in shown if key.last_used_at), default=None),
        keys=sorted(shown, key=lambda key: key.ends_at is not None),
    )


def listed(session: Session) -> list[ClientPublic]:
    """All clients, the oldest first."""
    rows = session.execute(select(Client).order_by(col(Client.id))).scalars()
    now = changes.now(session)
    return [_of_row(row, keys.of_client(session, row.id), now) for row in rows]


# Reading


_CLIENT = tuple(Client.model_fields)
_KEY = tuple(ClientKey.model_fields)
_ONE = select(
    *(col(getattr(Client, name)) for name in _CLIENT),
    select(col(LogHead.sequence)).scalar_subquery(),
).where(col(Client.id) == bindparam("id"))
_KEYS: Statement = select(*(col(getattr(ClientKey, name)) for name in _KEY))
_KEYS_OF_ONE = _KEYS.where(col(ClientKey.client) == bindparam("id"))


async def get(reader: Reader, client: str) -> Stored:
    """One client, with the use of its keys."""
    values = {"id": client.lower()}
    rows = await reader.rows(_ONE, values)
    if not rows:
        raise NotFound(_NO_SUCH)
    *row, head = rows[0]
    fields = dict(zip(_CLIENT, row, strict=True))
    own = [dict(zip(_KEY, key, strict=True)) for key in await reader.rows(_KEYS_OF_ONE, values)]
    document = _public(fields, own, datetime.now(UTC)).model_dump_json()
    return Stored(document, etag(fields["version"], fields["sequence"]), head, lasting=False)


async def page(reader: Reader, query: ClientQuery) -> Listed:
    """Clients in the order in which they were made."""
    words = query.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_defaults=True)
    name = to_json(["clients", words]).decode()
    now = datetime.now(UTC)
    values: dict[str, object] = {"limit": query.limit + 1}
    values |= {f"organisation_{i}": code for i, code in enumerate(query.organisation)}
    if query.state:
        values["now"] = rfc3339(now)
    if query.cursor:
        (values["after"],) = cursors.decode(name, query.cursor, (str,))
    shape = tuple(values), tuple(sorted(set(query.state)))
    head = await changes.head(reader)
    rows = await reader.rows(_page(*shape), values)
    owned = await reader.rows(_keys_of_page(*shape), values)
    total = await reader.rows(_total(*shape), values)
    found = [dict(zip(_CLIENT, row, strict=True)) for row in rows[: query.limit]]
    own: dict[str, list[dict[str, Any]]] = {client["id"]: [] for client in found}
    for key in (dict(zip(_KEY, row, strict=True)) for row in owned):
        own.get(key["client"], []).append(key)
    items = [_public(client, own[client["id"]], now).model_dump_json() for client in found]
    following = cursors.encode(name, [found[-1]["id"]]) if len(rows) > query.limit else None
    return Listed(items, query.limit, total[0][0], following, head, lasting=False)


@lru_cache(256)
def _page(given: tuple[str, ...], states: tuple[ClientState, ...]) -> Statement:
    return _which(given, states, *(col(getattr(Client, name)) for name in _CLIENT))


@lru_cache(256)
def _keys_of_page(given: tuple[str, ...], states: tuple[ClientState, ...]) -> Statement:
    return _KEYS.where(col(ClientKey.client).in_(_which(given, states, col(Client.id))))


def _which(given: tuple[str, ...], states: tuple[ClientState, ...], *columns: Any) -> Statement:
    statement: Statement = select(*columns).where(*_conditions(given, states))
    if "after" in given:
        statement = statement.where(col(Client.id) > bindparam("after", type_=String))
    return statement.order_by(col(Client.id)).limit(bindparam("limit"))


@lru_cache(256)
def _total(given: tuple[str, ...], states: tuple[ClientState, ...]) -> Statement:
    statement = select(func.count()).select_from(Client)
    return statement.where(*_conditions(given, states))


def _conditions(
    given: tuple[str, ...], states: tuple[ClientState, ...]
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    codes = [bindparam(name, type_=String) for name in given if name.startswith("organisation_")]
    if codes:
        conditions.append(col(Client.organisation).in_(codes))
    revoked = col(Client.revoked_at).is_not(None)
    # As text, which is how a moment is stored, and how a reader hands it over.
    expired = type_coerce(col(Client.expires_at), String) <= bindparam("now", type_=String)
    of_state = {
        ClientState.REVOKED: revoked,
        ClientState.EXPIRED: and_(~revoked, expired),
        ClientState.VALID: and_(~revoked, or_(col(Client.expires_at).is_(None), ~expired)),
    }
    if states:
        conditions.append(or_(*(of_state[state] for state in states)))
    return conditions
