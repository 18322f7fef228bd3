"""The same with a client that openapi-python-client made from the register's OpenAPI document.

    pip install openapi-python-client
    openapi-python-client generate --url http://127.0.0.1:8000/openapi.json \
        --meta none --output-path innovation_register_client
    python generated.py
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import TypeVar

from innovation_register_client import AuthenticatedClient
from innovation_register_client.api.changes import list_changes
from innovation_register_client.api.innovations import create_innovation, list_innovations
from innovation_register_client.models import (
    DecisionCreate,
    FollowedChange,
    InnovationCreate,
    InnovationCreated,
    InnovationPublic,
    Problem,
    Status,
)
from innovation_register_client.types import UNSET, Unset

T = TypeVar("T")


def good(answer: T | Problem | None) -> T:
    """The answer, if it is not a problem."""
    if answer is None:
        raise RuntimeError("The register's answer is of a kind that its document does not know.")
    if isinstance(answer, Problem):
        faults = [f"{fault.pointer}: {fault.detail}" for fault in answer.errors]
        raise RuntimeError(" ".join([answer.title, answer.detail, *faults]))
    return answer


def submit(
    register: AuthenticatedClient, entry: InnovationCreate, *, key: str
) -> InnovationCreated:
    """Submits it. With the same key it is safe to repeat."""
    return good(create_innovation.sync(client=register, body=entry, idempotency_key=key))


def everything(register: AuthenticatedClient, *, status: Status) -> Iterator[InnovationPublic]:
    """All innovations of that status, page after page."""
    cursor: str | Unset = UNSET
    while True:
        page = good(
            list_innovations.sync(client=register, status=[status], limit=100, cursor=cursor)
        )
        yield from page.items
        if page.page.next_ is None:
            return
        cursor = page.page.next_


def changes(register: AuthenticatedClient, *, after: int) -> Iterator[FollowedChange]:
    """What is new since that line of the log. Keep the `sequence` of what you have dealt with."""
    while True:
        page = good(list_changes.sync(client=register, after=after, limit=100))
        yield from page.items
        after = page.page.next_
        if after >= page.page.head:
            return


def main() -> None:
    with AuthenticatedClient(
        base_url=os.environ.get("REGISTER_URL", "http://127.0.0.1:8000"),
        token=os.environ["REGISTER_KEY"],
    ) as register:
        huddle = InnovationCreate(
            title="Ten-minute huddle",
            summary="Clinical and other staff share ten minutes at the start of each day.",
            theme="great-teams",
            tags=["huddle"],
            decision=DecisionCreate(status=Status.KEEP, reason="Staff ask for it."),
        )
        made = submit(register, huddle, key=str(uuid.uuid4()))
        print("submitted", made.reference, made.title)
        for entry in everything(register, status=Status.KEEP):
            print("kept", entry.reference, entry.title, entry.organisation.name)
        for change in changes(register, after=0):
            print("line", change.sequence, change.action, change.kind, change.id)


if __name__ == "__main__":
    main()
