"""Reading clients, with the use of their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import ColumnElement, String, and_, bindparam, func, or_, select, type_coerce
from sqlmodel import col

from app.dialects import Reader, Statement, rfc3339
from app.errors import NotFound
from app.models.changes import LogHead
from app.models.clients import (
    Client,
    ClientBase,
    ClientKey,
    ClientPublic,
    ClientQuery,
    ClientState,
    KeyPublic,
)
from app.register import changes
from app.register.lists import cursors
from app.register.stored import Listed, Stored, etag

NO_SUCH = "There is no client with this id."


def public(
    client: Mapping[str, Any], own: Iterable[Mapping[str, Any]], now: datetime
) -> ClientPublic:
    """A client as an admin sees it, from its row and those of its keys."""
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
        raise NotFound(NO_SUCH)
    *row, head = rows[0]
    fields = dict(zip(_CLIENT, row, strict=True))
    own = [dict(zip(_KEY, key, strict=True)) for key in await reader.rows(_KEYS_OF_ONE, values)]
    document = public(fields, own, datetime.now(UTC)).model_dump_json()
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
    items = [public(client, own[client["id"]], now).model_dump_json() for client in found]
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
