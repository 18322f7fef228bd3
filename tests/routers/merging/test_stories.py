"""Stories that told of the one that went tell of the one that stays."""

from __future__ import annotations

import httpx

from tests.http.speaking import head_of, problem_of
from tests.routers.merging.merges import ANYHOW, get, merged, ref
from tests.routers.test_innovations import Entry
from tests.routers.test_stories import HUDDLE, STORIES, tell
from tests.routers.test_stories import withdraw as withdraw_story


def test_stories_tell_of_the_one_that_stays(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    one = tell(other_trust, HUDDLE, innovations=[theirs["id"]])
    both = tell(curator, HUDDLE, innovations=[theirs["id"], ours["id"]])
    private = tell(other_trust, HUDDLE, innovations=[theirs["id"]], consent_to_publish=False)
    gone_story = tell(other_trust, HUDDLE, innovations=[theirs["id"]])
    assert withdraw_story(other_trust, gone_story).status_code == 200
    piece = next(each for each in get(anybody, theirs)["evidence"] if each["story"] == one["id"])

    gone = merged(curator, theirs, ours)

    for story, client in ((one, anybody), (both, anybody), (private, other_trust)):
        assert client.get(story["links"]["self"]).json()["innovations"] == [ref(ours)]
    pieces = {each["story"]: each for each in get(anybody, ours)["evidence"] if each["story"]}
    assert set(pieces) == {one["id"], both["id"]}
    assert pieces[one["id"]] == piece
    assert [each for each in gone["evidence"] if each["story"]] == []
    for name in (theirs["reference"], theirs["id"], ours["id"]):
        found = anybody.get(STORIES, params={"innovation": name}).json()
        assert {each["id"] for each in found["items"]} == {one["id"], both["id"]}
        assert found["page"]["total"] == 2
    # And what becomes of them is seen there.
    assert withdraw_story(other_trust, one).status_code == 200
    stories = [each["story"] for each in get(anybody, ours)["evidence"] if each["story"]]
    assert stories == [both["id"]]


def test_a_survey_that_names_the_one_that_went_is_taken_as_before(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    at = f"{STORIES}/by-source/survey/1"
    sent = {**HUDDLE, "innovations": [theirs["reference"]]}
    assert other_trust.put(at, json=sent).status_code == 201
    merged(curator, theirs, ours)
    before = head_of(anybody)

    again = other_trust.put(at, json=sent, headers=ANYHOW)

    assert again.status_code == 200, again.text
    assert again.json()["innovations"] == [ref(ours)]
    assert head_of(anybody) == before
    new = tell(other_trust, HUDDLE, innovations=[theirs["id"]])
    assert new["innovations"] == [ref(ours)]
    assert new["id"] in {piece["story"] for piece in get(anybody, ours)["evidence"]}
    refused = trust.post(STORIES, json={**HUDDLE, "innovations": [theirs["id"]]})
    problem_of(refused, 403, "forbidden")
