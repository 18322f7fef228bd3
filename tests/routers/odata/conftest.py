"""What the sets have in these tests."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.speaking import Submit
from tests.odata.meaning import Entity

ENTRIES: list[dict[str, Any]] = [
    {"title": "Café rounds", "care_setting": "acute", "tags": ["video", "huddle"]},
    {"title": "CAFÉ ROUNDS", "theme": "great-teams", "started_on": "2020-04-01"},
    {"title": "It's a huddle", "summary": "Who's in? A_B%", "theme": "great-teams", "tags": []},
    {"title": "Zebra", "theme": "basics-sorted", "tags": ["pilot"], "started_on": "2021-12-31"},
    {"title": "a small start", "care_setting": "care_home", "description": "All of it."},
    {
        "title": "Decided",
        "decision": {"status": "keep", "reason": "It's kept.", "decided_on": "2020-04-01"},
        "evidence": [
            {"kind": "audit", "statement": "Looked at.", "strength": "strong"},
            {
                "kind": "measure",
                "statement": "Fewer.",
                "measure": {"name": "Infections", "baseline": 2.5, "result": -3},
            },
        ],
    },
    {
        "title": "Retired",
        "care_setting": "acute",
        "decision": {
            "status": "retire",
            "reason": "Too dear.",
            "decided_on": "2024-02-29",
            "review_on": "2027-01-31",
        },
    },
]


@pytest.fixture
def entries(submit: Submit, trust: httpx.Client, icb: httpx.Client) -> list[Entity]:
    """Some innovations of different kinds, with two of all that belongs to them; and a draft, and a
    story of its own organisation, that nobody may see."""
    found = [submit(**each) for each in ENTRIES]
    submit(title="A draft", visibility="draft")
    for entry in found[:2]:
        adopted = icb.post(entry["links"]["adoptions"], json={"stage": "considering"})
        assert adopted.status_code == 201
    for consent in (True, True, False):
        told = {"text": "It is better so.", "verdict": "keep", "consent_to_publish": consent}
        assert trust.post("/v1/stories", json=told).status_code == 201
    return [trust.get(entry["links"]["self"]).json() for entry in found]
