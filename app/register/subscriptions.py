"""Subscriptions: who has one, and where the lines of the log are to be sent."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from app.dialects import rfc3339
from app.errors import Fault, NotFound, TooMany, ValidationFailed
from app.models.changes import Action, Kind
from app.models.feed import LineFilters
from app.models.subscriptions import (
    Delivery,
    SecretRotation,
    State,
    Subscription,
    SubscriptionBase,
    SubscriptionCreate,
    SubscriptionDocument,
    SubscriptionFields,
    SubscriptionPublic,
    SubscriptionUpdate,
    SubscriptionWithSecret,
)
from app.register import changes, judged
from app.register.access import Caller
from app.register.identifiers import new_id
from app.register.judged import Reach
from app.register.lists import search
from app.register.patches import patched
from app.register.stored import Precondition, Stored, etag, must_match

MOST = 100
"""Subscriptions of one organisation."""

MOST_OLDER_SECRETS = 3
"""Each signs every message; an answer with a new secret may be lost a time or two."""

NO_SUCH = "There is no subscription with this id."

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_PAUSED = "It was paused on request."


def add(session: Session, subscription: SubscriptionCreate, *, by: Caller) -> Stored:
    """Adds a subscription of the caller's organisation, which sends what the caller may see.

    Whoever calls this has judged the address (see :mod:`app.webhooks.addresses`).

    Raises:
        TooMany, ValidationFailed
    """
    assert by.client is not None, "whose key is not known cannot be told when it ends"
    assert by.organisation is not None
    own = select(func.count()).where(col(Subscription.organisation) == by.organisation)
    if session.execute(own).scalar_one() >= MOST:
        raise TooMany(f"An organisation has {MOST} subscriptions at most.")
    now = changes.now(session)
    row = Subscription(
        id=new_id(),
        organisation=by.organisation,
        client=by.client,
        curates=by.curates,
        name=subscription.name,
        url=subscription.url,
        filters=_text(subscription.filters),
        secret=_new_secret(),
        older_secrets="[]",
        cursor=_start(session, subscription.after),
        state=subscription.state.value,
        paused_reason=_PAUSED if subscription.state is State.PAUSED else None,
        retired_elsewhere=subscription.filters.retired_elsewhere,
        failures=0,
        tried=0,
        due_at=now,
        version=0,
        sequence=0,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    _log(session, Action.CREATED, row, by)
    return _with_secret(session, row)


def _start(session: Session, after: int | None) -> int:
    created = changes.next_sequence(session)
    if after is not None and after >= created:
        raise ValidationFailed.at(
            "#/after", "after_the_head", f"The newest line is {created - 1}; give that or less."
        )
    return created if after is None else after


def change(
    session: Session,
    subscription: str,
    patch: SubscriptionUpdate,
    *,
    by: Caller,
    precondition: Precondition | None,
) -> Stored:
    """Changes a subscription; a merge patch. One that has failed is tried again at once.

    Raises:
        NotFound, PreconditionRequired, PreconditionFailed, ValidationFailed
    """
    row = _to_write(session, subscription, by)
    must_match(precondition, etag(row.version, row.sequence))
    fields = SubscriptionFields(
        name=row.name, url=row.url, filters=filters_of(row), state=State(row.state)
    )
    wanted = patched(fields, patch)
    now = changes.now(session)
    if wanted == fields:
        if patch.state is State.ACTIVE:
            resume(row, now)  # whoever says so has mended the receiver, and does not want to wait
        return _stored(session, row)
    row.name, row.url, row.filters = wanted.name, wanted.url, _text(wanted.filters)
    row.retired_elsewhere = wanted.filters.retired_elsewhere
    if wanted.state is State.ACTIVE:
        resume(row, now)
    elif fields.state is State.ACTIVE:
        row.state, row.paused_reason = State.PAUSED.value, _PAUSED
    _log(session, Action.UPDATED, row, by)
    return _stored(session, row)


def resume(row: Subscription, now: datetime) -> None:
    """Lets it go on at once, whatever has failed; by whoever works on it just now, if somebody."""
    row.state, row.paused_reason, row.failures = State.ACTIVE.value, None, 0
    if row.owner is None:
        row.due_at = now


def rotate(session: Session, subscription: str, rotation: SecretRotation, *, by: Caller) -> Stored:
    """Gives a subscription a new secret; the older ones sign along for the overlap.

    Raises:
        NotFound
    """
    row = _to_write(session, subscription, by)
    now = changes.now(session)
    until = now + timedelta(hours=rotation.overlap_hours)
    older = [(row.secret, until)]
    older += [(secret, min(end, until)) for secret, end in _older(row.older_secrets)]
    kept = [(secret, rfc3339(end)) for secret, end in older if end > now][:MOST_OLDER_SECRETS]
    row.secret, row.older_secrets = _new_secret(), json.dumps(kept)
    _log(session, Action.ROTATED, row, by)
    return _with_secret(session, row)


def replay(session: Session, subscription: str, start: int, *, by: Caller) -> Stored:
    """Sets a subscription so that this line is sent next, and lets it go on.

    Where a subscription stands is not in the log, and so this makes no line of it.

    Raises:
        NotFound, ValidationFailed
    """
    row = _to_write(session, subscription, by)
    following = changes.next_sequence(session)
    if start > following:
        fault = Fault("?from", "after_the_head", f"The newest line is {following - 1}.")
        raise ValidationFailed("`from` is past the end of the log.", faults=(fault,))
    row.cursor = start - 1
    resume(row, changes.now(session))
    return _stored(session, row)


def remove(
    session: Session, subscription: str, *, by: Caller, precondition: Precondition | None
) -> Stored:
    """Deletes a subscription, and what is known of its deliveries.

    Raises:
        NotFound, PreconditionRequired, PreconditionFailed
    """
    row = _to_write(session, subscription, by)
    must_match(precondition, etag(row.version, row.sequence))
    _log(session, Action.DELETED, row, by)
    stored = _stored(session, row)
    session.execute(delete(Delivery).where(col(Delivery.subscription) == row.id))
    session.delete(row)
    return stored


def _to_write(session: Session, subscription: str, by: Caller) -> Subscription:
    row = session.get(Subscription, subscription.lower())
    if row is None or not may_see(by, row.organisation, curates=row.curates):
        raise NotFound(NO_SUCH)
    return row


def may_see(caller: Caller, organisation: str, *, curates: bool) -> bool:
    """Whether a subscription is the caller's to see and to change.

    One of a curator is sent all drafts, so that only a curator may say where.
    """
    return caller.curates or (caller.organisation == organisation and not curates)


def _log(session: Session, action: Action, row: Subscription, by: Caller) -> None:
    """Appends the line of a change to the log, where no secret ever stands."""
    row.version += 1
    row.updated_at = changes.now(session)
    base = _base(row.model_dump())
    document = SubscriptionDocument(**base, receiver=_receiver(row.url)).model_dump_json()
    thing = changes.Thing(
        Kind.SUBSCRIPTION,
        row.id,
        row.version,
        document,
        public=False,
        organisation=None if row.curates else row.organisation,  # as :func:`may_see` has it
    )
    row.sequence = changes.append(session, action, thing, by=by)


def _receiver(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _text(filters: LineFilters) -> str:
    if filters.q:
        search.alternatives(filters.q, pointer="#/filters/q")
    return filters.model_dump_json(exclude_defaults=True)


def filters_of(row: Subscription) -> LineFilters:
    return LineFilters.model_validate_json(row.filters)


# Secrets


def _new_secret() -> str:
    # As the Standard Webhooks specification writes a symmetric key.
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _older(stored: str) -> list[tuple[str, datetime]]:
    return [(secret, datetime.fromisoformat(end)) for secret, end in json.loads(stored)]


def signing(row: Subscription, now: datetime) -> tuple[str, ...]:
    """All secrets that a message is signed with now, the newest first."""
    older = [secret for secret, end in _older(row.older_secrets) if end > now]
    return (row.secret, *older)


# What is shown


def _base(row: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: row[name] for name in SubscriptionBase.model_fields}
    return {**own, "filters": json.loads(row["filters"])}


def public(row: Mapping[str, Any], now: datetime, reach: Reach) -> SubscriptionPublic:
    """A subscription as its organisation sees it, from its row."""
    ends = [end for _, end in _older(row["older_secrets"]) if end > now]
    active = row["state"] == State.ACTIVE
    fails = active and row["failures"] and row["owner"] is None
    return SubscriptionPublic(
        **_base(row),
        **{name: row[name] for name in ("url", "paused_reason", "cursor", "failures")},
        waits_for=reach.waits_for() if active and row["retired_elsewhere"] else None,
        retry_at=row["due_at"] if fails else None,
        older_secrets_end_at=max(ends, default=None),
    )


def _with_secret(session: Session, row: Subscription) -> Stored:
    """With the secret; but a POST that is repeated is not told it again."""
    fields = public(row.model_dump(), changes.now(session), judged.reach_now(session)).model_dump()
    shown, again = (
        SubscriptionWithSecret(**fields, secret=which).model_dump_json()
        for which in (row.secret, None)
    )
    return replace(_stored(session, row), document=shown, again=again)


def _stored(session: Session, row: Subscription) -> Stored:
    now, reach = changes.now(session), judged.reach_now(session)
    return stored(row.model_dump(), now, row.sequence, reach)


def stored(row: Mapping[str, Any], now: datetime, head: int, reach: Reach) -> Stored:
    """A subscription for an answer. Its ETag names its last change, not how far it has come."""
    return Stored(
        public(row, now, reach).model_dump_json(),
        etag(row["version"], row["sequence"]),
        head,
        f"/v1/subscriptions/{row['id']}",
        lasting=False,
    )


def shown(rows: Iterable[Mapping[str, Any]], now: datetime, reach: Reach) -> list[str]:
    return [public(row, now, reach).model_dump_json() for row in rows]
