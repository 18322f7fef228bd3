"""Merging two entries, and what they then say."""

from __future__ import annotations

import httpx

from tests.routers.test_innovations import Entry

INNOVATIONS = "/v1/innovations"
ANYHOW = {"If-Match": "*"}
REASON = "Both are the same rounds."
AUDIT: Entry = {"kind": "audit", "statement": "It held.", "strength": "strong"}
VOICE: Entry = {"kind": "staff_voice", "statement": "We get home on time."}
MEASURE: Entry = {"kind": "evaluation", "statement": "Fewer admissions."}
KEEP: Entry = {"status": "keep", "reason": "It works.", "decided_on": "2021-06-30"}


def merge(
    client: httpx.Client, gone: Entry, into: Entry | str, *, tag: str | None = "*", **headers: str
) -> httpx.Response:
    name = into if isinstance(into, str) else into["reference"]
    headers |= {} if tag is None else {"If-Match": tag}
    at = f"{gone['links']['self']}/merge"
    return client.post(at, json={"into": name, "reason": REASON}, headers=headers)


def merged(client: httpx.Client, gone: Entry, into: Entry) -> Entry:
    answer = merge(client, gone, into)
    assert answer.status_code == 200, answer.text
    document: Entry = answer.json()
    return document


def get(client: httpx.Client, entry: Entry) -> Entry:
    answer = client.get(entry["links"]["self"])
    assert answer.status_code == 200, answer.text
    document: Entry = answer.json()
    return document


def ref(entry: Entry) -> Entry:
    return {"id": entry["id"], "reference": entry["reference"]}


def successor_of(answer: httpx.Response) -> str:
    """The address that the answer's `Link` leads to."""
    return answer.links["successor-version"]["url"]
