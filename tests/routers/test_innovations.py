"""The main job: a trust submits an innovation, and an ICS finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.conftest import WARD_ROUNDS

Submit = Callable[..., dict[str, Any]]


def test_what_a_trust_submits_an_ics_finds(trust: httpx.Client, anybody: httpx.Client) -> None:
    submitted = trust.post("/v1/innovations", json=WARD_ROUNDS)

    assert submitted.status_code == 201
    entry = submitted.json()
    assert entry["organisation"]["code"] == "R0A"
    assert entry["organisation"]["icb"]["code"] == "QOP"
    assert entry["status"] == "under_review"
    found = anybody.get("/v1/innovations", params={"icb": "QOP", "q": "ward rounds"})
    assert found.json()["items"] == [entry]
    assert anybody.get(submitted.headers["location"]).json() == entry
    assert anybody.get(f"/v1/innovations/{entry['reference']}").json() == entry
