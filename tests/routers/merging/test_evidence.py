"""Evidence follows, and what both said stands once."""

from __future__ import annotations

import httpx

from tests.http.speaking import Submit
from tests.routers.merging.merges import (
    ANYHOW,
    AUDIT,
    INNOVATIONS,
    MEASURE,
    VOICE,
    get,
    merged,
    ref,
)
from tests.routers.test_innovations import Entry


def test_evidence_follows(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    submit: Submit,
    ours: Entry,
) -> None:
    theirs = submit(other_trust, evidence=[VOICE, AUDIT, MEASURE])
    voice, audit, measure = theirs["evidence"]

    gone = merged(curator, theirs, ours)

    kept = get(anybody, ours)
    assert kept["evidence"] == [*ours["evidence"], voice, measure]
    assert kept["counts"]["evidence"] == 3
    assert gone["evidence"] == [audit], "what both said is said once, and stays where it was"
    assert kept["supersedes"] == [{**ref(theirs), "evidence": [voice["id"], measure["id"]]}]
    assert anybody.get(ours["links"]["evidence"]).json()["items"] == kept["evidence"]
    for piece in (voice, audit, measure):
        before = anybody.get(f"{theirs['links']['evidence']}/{piece['id']}")
        assert before.json() == piece, "its link still works"
    at = f"{ours['links']['evidence']}/{voice['id']}"
    assert (
        anybody.get(at).headers["etag"]
        == anybody.get(f"{theirs['links']['evidence']}/{voice['id']}").headers["etag"]
    )
    assert curator.patch(at, json={"strength": "strong"}, headers=ANYHOW).status_code == 200
    strong = anybody.get(INNOVATIONS, params={"evidence_kind": "evaluation"}).json()
    assert strong["page"]["total"] == 1
    assert anybody.get("/v1/statistics").json()["total"]["evidence"] == 3
