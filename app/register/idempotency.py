"""Safe retries: what a POST with an Idempotency-Key answered, kept with what it did.

The answer is written in the same transaction as the entry, so that either both are there or
neither. The write lock makes the second of two racing requests wait, and then find the first one's
answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import Session, col

from app.errors import IdempotencyKeyReused
from app.models.idempotency import IdempotentAnswer
from app.register import changes

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a client, as it goes over the wire."""

    status: int
    body: str
    headers: dict[str, str]


def recall(session: Session, client: str, key: str, fingerprint: str) -> Answer | None:
    """The first answer to this key, if there was one.

    Raises:
        IdempotencyKeyReused: when the key came with another request.
    """
    known = session.get(IdempotentAnswer, (client, key))
    if known is None or known.created_at < changes.now(session) - KEPT_FOR:
        return None
    if known.fingerprint != fingerprint:
        raise IdempotencyKeyReused("The key was sent before, with another request.")
    return Answer(known.status, known.body, json.loads(known.headers))


def keep(session: Session, client: str, key: str, fingerprint: str, answer: Answer) -> None:
    """Keeps the answer to this key, and forgets the old ones."""
    now = changes.now(session)
    session.execute(
        delete(IdempotentAnswer).where(col(IdempotentAnswer.created_at) < now - KEPT_FOR)
    )
    session.add(
        IdempotentAnswer(
            client=client,
            key=key,
            fingerprint=fingerprint,
            status=answer.status,
            headers=json.dumps(answer.headers),
            body=answer.body,
            created_at=now,
        )
    )
