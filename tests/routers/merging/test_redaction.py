"""What is redacted is taken out of both."""

from __future__ import annotations

import httpx
import pytest

from app.register import redaction
from tests.conftest import Register
from tests.http.speaking import head_of
from tests.routers.merging.merges import MEASURE, REASON, get, merged
from tests.routers.test_adoptions import adopt
from tests.routers.test_innovations import Entry
from tests.routers.test_stories import HUDDLE, STORIES, tell

SECRET = "Havisham of bay nine"


@pytest.mark.parametrize("asked", ["gone", "kept"])
def test_a_redaction_goes_through_both(
    register: Register,
    curator: httpx.Client,
    anybody: httpx.Client,
    pair: tuple[Entry, Entry],
    asked: str,
) -> None:
    ours, theirs = pair
    piece = {**MEASURE, "statement": f"It is {SECRET} who says so."}
    assert curator.post(theirs["links"]["evidence"], json=piece).status_code == 201
    adopt(curator, theirs, organisation="RM3", learnt=f"Ask {SECRET}.")
    adopt(curator, theirs, organisation="R0A", learnt=f"We asked {SECRET}.")
    tell(curator, {**HUDDLE, "text": f"Thanks to {SECRET}."}, innovations=[theirs["id"]])
    merged(curator, theirs, ours)
    name = {"gone": theirs, "kept": ours}[asked]["reference"]

    register.database.transaction(redaction.redact, name, "Somebody was named.", [SECRET])

    pages = [f"/v1/changes?after={after}&limit=100" for after in range(0, head_of(anybody), 100)]
    pages += [each["links"][what] for each in (ours, theirs) for what in ("self", "history")]
    pages += [each["links"][what] for each in (ours, theirs) for what in ("evidence", "adoptions")]
    for at in [*pages, STORIES, "/v1/organisations/RM3/adoptions"]:
        assert SECRET not in curator.get(at).text, at
    assert register.verify().broken_at is None
    kept = get(anybody, ours)
    assert len(kept["evidence"]) == 4
    assert kept["superseded_by"] is None
    assert get(anybody, theirs)["superseded_by"]["reason"] == REASON
