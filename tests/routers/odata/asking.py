"""Asking for entities, as an analyst's tool does."""

from __future__ import annotations

from typing import Any

import httpx

from tests.odata.meaning import Entity

ROOT = "/odata/v4"


def get(client: httpx.Client, path: str, /, headers: Any = None, **said: Any) -> Any:
    """The JSON of an answer, as ``filter="..."``."""
    params = {f"${name}": value for name, value in said.items()}
    answer = client.get(f"{ROOT}/{path}", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def titles(client: httpx.Client, **said: Any) -> list[str]:
    found: list[Entity] = get(client, "Innovations", select="title", **said)["value"]
    return [each["title"] for each in found]


def walked(client: httpx.Client, path: str, size: int, **said: Any) -> list[Entity]:
    """All entities, by pages."""
    prefer = {"Prefer": f"odata.maxpagesize={size}"}
    found = get(client, path, headers=prefer, **said)
    entities: list[Entity] = found["value"]
    while "@odata.nextLink" in found:
        assert len(found["value"]) == size
        found = client.get(found["@odata.nextLink"], headers=prefer).json()
        entities += found["value"]
    return entities
