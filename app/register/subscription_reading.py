"""Reading subscriptions, and what became of their messages."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import String, bindparam, func, select
from sqlmodel import col

from app.dialects import Reader, Statement
from app.errors import NotFound
from app.models.changes import LogHead
from app.models.fields import PageQuery
from app.models.subscriptions import Delivery, DeliveryPublic, Subscription
from app.register import changes, judged, subscriptions
from app.register.access import Caller
from app.register.lists import cursors
from app.register.stored import Listed, Stored
from app.register.subscriptions import NO_SUCH

_COLUMNS = tuple(Subscription.model_fields)
_ALL: Statement = select(*(col(getattr(Subscription, name)) for name in _COLUMNS))
_ONE: Statement = _ALL.add_columns(select(col(LogHead.sequence)).scalar_subquery()).where(
    col(Subscription.id) == bindparam("id")
)


async def _one(reader: Reader, subscription: str, caller: Caller) -> tuple[dict[str, Any], int]:
    rows = await reader.rows(_ONE, {"id": subscription.lower()})
    for *values, head in rows:
        row = dict(zip(_COLUMNS, values, strict=True))
        if subscriptions.may_see(caller, row["organisation"], curates=bool(row["curates"])):
            return row, head
    raise NotFound(NO_SUCH)


async def get(reader: Reader, subscription: str, caller: Caller) -> Stored:
    """One subscription, and how far it has come."""
    row, head = await _one(reader, subscription, caller)
    reach = await judged.reach(reader)
    return subscriptions.stored(row, datetime.now(UTC), head, reach)


async def target(
    reader: Reader, subscription: str, caller: Caller
) -> tuple[str, str, tuple[str, ...]]:
    """A subscription's id, its address, and what its messages are signed with."""
    row, _ = await _one(reader, subscription, caller)
    signing = subscriptions.signing(Subscription(**row), datetime.now(UTC))
    return row["id"], row["url"], signing


async def page(reader: Reader, query: PageQuery, caller: Caller) -> Listed:
    """The organisation's subscriptions, or all for a curator; the oldest first."""
    own = None if caller.curates else caller.organisation
    name = to_json(["subscriptions", own]).decode()
    values: dict[str, object] = {"limit": query.limit + 1}
    if own is not None:
        values |= {"own": own, "curates": False}
    if query.cursor:
        (values["after"],) = cursors.decode(name, query.cursor, (str,))
    shape = tuple(values)
    head = await changes.head(reader)
    rows = await reader.rows(_page(shape), values)
    total = await reader.rows(_total(shape), values)
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows[: query.limit]]
    following = cursors.encode(name, [found[-1]["id"]]) if len(rows) > query.limit else None
    items = subscriptions.shown(found, datetime.now(UTC), await judged.reach(reader))
    return Listed(items, query.limit, total[0][0], following, head, lasting=False)


@lru_cache(8)
def _page(given: tuple[str, ...]) -> Statement:
    statement = _visible(_ALL, given)
    if "after" in given:
        statement = statement.where(col(Subscription.id) > bindparam("after", type_=String))
    return statement.order_by(col(Subscription.id)).limit(bindparam("limit"))


@lru_cache(8)
def _total(given: tuple[str, ...]) -> Statement:
    return _visible(select(func.count()).select_from(Subscription), given)


def _visible(statement: Statement, given: tuple[str, ...]) -> Statement:
    if "own" not in given:
        return statement
    return statement.where(
        col(Subscription.organisation) == bindparam("own", type_=String),
        col(Subscription.curates) == bindparam("curates"),
    )


# Deliveries


_DELIVERY = ("number", *DeliveryPublic.model_fields)
_OF_SUBSCRIPTION = col(Delivery.subscription) == bindparam("id")
_DELIVERIES: Statement = (
    select(*(col(getattr(Delivery, name)) for name in _DELIVERY))
    .where(_OF_SUBSCRIPTION, col(Delivery.number) < bindparam("before"))
    .order_by(col(Delivery.number).desc())
    .limit(bindparam("limit"))
)
_KEPT: Statement = select(func.count()).select_from(Delivery).where(_OF_SUBSCRIPTION)


async def deliveries(reader: Reader, subscription: str, query: PageQuery, caller: Caller) -> Listed:
    """What became of a subscription's newest messages, the newest first."""
    row, head = await _one(reader, subscription, caller)
    name = to_json(["deliveries", row["id"]]).decode()
    before: object = 2**31 - 1
    if query.cursor:
        (before,) = cursors.decode(name, query.cursor, (int,))
    values = {"id": row["id"], "before": before, "limit": query.limit + 1}
    rows = await reader.rows(_DELIVERIES, values)
    kept = await reader.rows(_KEPT, {"id": row["id"]})
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    items = [
        DeliveryPublic.model_validate(dict(zip(_DELIVERY[1:], values, strict=True)))
        for _, *values in rows
    ]
    following = cursors.encode(name, [rows[-1][0]]) if more else None
    documents = [item.model_dump_json() for item in items]
    return Listed(documents, query.limit, kept[0][0], following, head, lasting=False)
