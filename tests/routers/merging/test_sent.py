"""What is sent to the one that went: its own text is taken, all else is the other's."""

from __future__ import annotations

import httpx

from tests.conftest import WARD_ROUNDS
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.merging.merges import (
    ANYHOW,
    AUDIT,
    INNOVATIONS,
    KEEP,
    MEASURE,
    VOICE,
    get,
    merge,
    merged,
    successor_of,
)
from tests.routers.test_adoptions import adopt
from tests.routers.test_imports import imported, outcomes
from tests.routers.test_innovations import Entry, lines_since, patch


def test_what_belongs_to_it_is_sent_to_the_other(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    adoption = adopt(curator, theirs, organisation="RM3")
    piece = theirs["evidence"][0]
    merged(curator, theirs, ours)
    before, links = head_of(anybody), theirs["links"]
    piece_at = f"{links['evidence']}/{piece['id']}"
    at = adoption["links"]["self"]
    for answer in (
        other_trust.post(links["decisions"], json=KEEP),
        other_trust.post(links["evidence"], json=AUDIT),
        other_trust.patch(piece_at, json={"strength": "strong"}, headers=ANYHOW),
        other_trust.delete(piece_at, headers=ANYHOW),
        curator.post(links["adoptions"], json={"stage": "adopted", "organisation": "RMC"}),
        curator.patch(at, json={"stage": "piloting"}, headers=ANYHOW),
        curator.delete(at, headers=ANYHOW),
        other_trust.delete(f"{links['self']}?reason=Twice.", headers=ANYHOW),
        merge(curator, theirs, ours),
    ):
        problem = problem_of(answer, 409, "superseded")
        assert ours["reference"] in problem["detail"]
        assert ours["id"] in problem["detail"]
        assert successor_of(answer) == ours["links"]["self"]
    assert head_of(anybody) == before


def test_its_own_organisation_corrects_its_text(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    merged(curator, theirs, ours)
    before = head_of(anybody)

    answer = patch(other_trust, theirs, title="Rounds with a camera", visibility="published")

    assert answer.status_code == 200, answer.text
    assert successor_of(answer) == ours["links"]["self"]
    after = answer.json()
    assert (after["title"], after["visibility"]) == ("Rounds with a camera", "superseded")
    assert after["superseded_by"]["id"] == ours["id"]
    assert get(anybody, theirs) == after
    assert anybody.get(f"{INNOVATIONS}?q=camera").json()["items"] == []
    (line,) = lines_since(anybody, before)
    assert (line["action"], line["document"]["visibility"]) == ("updated", "superseded")
    problem_of(patch(other_trust, theirs, visibility="draft"), 422, "validation-failed")
    assert patch(other_trust, theirs, visibility=None).json() == after


def test_a_nightly_file_goes_on_and_loses_nothing(
    curator: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client, ours: Entry
) -> None:
    source = {"system": "nightly", "id": "1"}
    row = {**WARD_ROUNDS, "source": source, "decision": KEEP, "evidence": [VOICE, AUDIT]}
    assert outcomes(imported(other_trust, [row])) == ["created"]
    at = f"{INNOVATIONS}/by-source/nightly/1"
    theirs = other_trust.get(at).json()
    merged(curator, theirs, ours)
    before = head_of(anybody)

    assert outcomes(imported(other_trust, [row])) == ["unchanged"]
    sent = {name: value for name, value in row.items() if name != "source"}
    assert other_trust.put(at, json=sent, headers=ANYHOW).status_code == 200
    assert head_of(anybody) == before

    more = {**row, "title": "Rounds in the round", "evidence": [VOICE, AUDIT, MEASURE]}
    report = imported(other_trust, [more, {**WARD_ROUNDS, "source": {**source, "id": "2"}}])
    assert outcomes(report) == ["updated", "created"]
    gone = get(anybody, theirs)
    assert (gone["title"], gone["visibility"]) == ("Rounds in the round", "superseded")
    assert [piece["kind"] for piece in gone["evidence"]] == ["audit", "evaluation"]
    assert [piece["kind"] for piece in get(anybody, ours)["evidence"]] == ["audit", "staff_voice"]
    assert outcomes(imported(other_trust, [more])) == ["unchanged"]


def test_a_nightly_file_takes_nothing_away_that_came_with_another(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, submit: Submit, theirs: Entry
) -> None:
    source = {"system": "nightly", "id": "1"}
    row = {**WARD_ROUNDS, "source": source, "evidence": [AUDIT]}
    assert outcomes(imported(trust, [row])) == ["created"]
    kept = trust.get(f"{INNOVATIONS}/by-source/nightly/1").json()
    merged(curator, submit(evidence=[MEASURE]), theirs)
    merged(curator, theirs, kept)
    before = get(anybody, kept)
    assert len(before["evidence"]) == 3

    assert outcomes(imported(trust, [row])) == ["unchanged"]
    assert outcomes(imported(trust, [{**row, "evidence": [MEASURE]}])) == ["updated"]

    kinds = [piece["kind"] for piece in get(anybody, kept)["evidence"]]
    assert kinds == ["staff_voice", "evaluation"], "its own is taken back, and nothing is doubled"
