"""Evidence: adding, changing and removing what supports a judgement."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.models.innovations import MOST_EVIDENCE
from tests.conftest import WARD_ROUNDS
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import Entry, lines_since

FIGURES: Entry = {
    "name": "Emergency admissions",
    "unit": "per month",
    "baseline": 50,
    "result": 40,
    "period": "2020-04/2020-09",
}
MEASURE: Entry = {"kind": "measure", "statement": "They fell.", "measure": FIGURES}
VOICE: Entry = {"kind": "staff_voice", "statement": "We get home on time."}


def add(client: httpx.Client, entry: Entry, piece: Entry) -> httpx.Response:
    answer = client.post(entry["links"]["evidence"], json=piece)
    assert answer.status_code == 201, answer.text
    return answer


def patch(client: httpx.Client, at: str, tag: str = "*", **fields: Any) -> httpx.Response:
    return client.patch(at, json=fields, headers={"If-Match": tag})


def test_evidence_that_is_added_stands_in_the_innovation(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry, before = submit(), head_of(trust)

    answers = [add(trust, entry, piece) for piece in (MEASURE, VOICE)]

    pieces = [answer.json() for answer in answers]
    assert pieces[0].items() >= MEASURE.items()
    assert pieces[1].items() >= {**VOICE, "strength": "suggestive", "url": None}.items()
    document = anybody.get(entry["links"]["self"]).json()
    assert (document["evidence"], document["version"]) == (pieces, 3)
    assert document["counts"]["evidence"] == 2
    listed = anybody.get(entry["links"]["evidence"]).json()
    assert (listed["items"], listed["page"]["total"]) == (pieces, 2)
    for answer, piece in zip(answers, pieces, strict=True):
        found = anybody.get(answer.headers["location"])
        assert (found.json(), found.headers["etag"]) == (piece, answer.headers["etag"])
    lines = lines_since(anybody, before)
    assert [line["action"] for line in lines] == ["evidenced", "evidenced"]
    for query, total in (("evidence_kind=measure", 1), ("evidence_kind=audit", 0)):
        assert anybody.get(f"/v1/innovations?{query}").json()["page"]["total"] == total


def test_evidence_is_changed_where_it_stands(trust: httpx.Client, submit: Submit) -> None:
    entry = submit(evidence=[MEASURE, VOICE])
    at = f"{entry['links']['evidence']}/{entry['evidence'][1]['id']}"
    tag = trust.get(at).headers["etag"]

    changed = patch(trust, at, tag, strength="strong", url="https://example.org/")

    assert changed.status_code == 200
    piece = changed.json()
    assert (piece["strength"], piece["version"], piece["id"]) == ("strong", 2, at[-36:])
    assert piece["created_at"] == entry["evidence"][1]["created_at"] < piece["updated_at"]
    document = trust.get(entry["links"]["self"]).json()
    assert document["evidence"] == [entry["evidence"][0], piece]
    assert trust.get("/v1/innovations?evidence_strength=strong").json()["items"] == [document]
    problem_of(patch(trust, at, tag, strength="moderate"), 412, "precondition-failed")
    bare = trust.patch(at, json={"strength": "moderate"})
    problem_of(bare, 428, "precondition-required")
    assert patch(trust, at, url=None).json()["url"] is None
    before = head_of(trust)
    assert patch(trust, at, strength="strong").json()["version"] == 3
    assert head_of(trust) == before


def test_a_patch_merges_into_what_is_nested(trust: httpx.Client, submit: Submit) -> None:
    # RFC 7396: an object in the patch is itself a patch of the object that is there.
    entry = submit(evidence=[MEASURE])
    at = f"{entry['links']['evidence']}/{entry['evidence'][0]['id']}"
    named = patch(trust, at, measure={"name": "Admissions", "result": 41})
    assert named.json()["measure"] == {**FIGURES, "name": "Admissions", "result": 41}
    answer = patch(trust, at, measure={"result": 42, "unit": None})
    assert answer.status_code == 200, answer.text
    assert answer.json()["measure"] == {
        **FIGURES,
        "name": "Admissions",
        "result": 42,
        "unit": None,
    }


def test_evidence_that_is_removed_stays_in_the_history(trust: httpx.Client, submit: Submit) -> None:
    entry = submit(evidence=[MEASURE, VOICE])
    at = f"{entry['links']['evidence']}/{entry['evidence'][0]['id']}"
    tag = trust.get(at).headers["etag"]
    problem_of(trust.delete(at), 428, "precondition-required")
    problem_of(trust.delete(at, headers={"If-Match": '"9-9"'}), 412, "precondition-failed")

    removed = trust.delete(at, headers={"If-Match": tag})

    assert (removed.status_code, removed.content) == (204, b"")
    problem_of(trust.get(at), 404, "not-found")
    problem_of(trust.delete(at, headers={"If-Match": "*"}), 404, "not-found")
    document = trust.get(entry["links"]["self"]).json()
    assert (document["evidence"], document["version"]) == ([entry["evidence"][1]], 2)
    assert trust.get(entry["links"]["evidence"]).json()["items"] == document["evidence"]
    first = trust.get(f"{entry['links']['history']}/1").json()["document"]
    assert first["evidence"] == entry["evidence"]
    assert trust.get("/v1/innovations?evidence_kind=measure").json()["items"] == []


def test_there_is_an_end_to_evidence(trust: httpx.Client, submit: Submit) -> None:
    entry = submit(evidence=[VOICE] * (MOST_EVIDENCE - 1))
    add(trust, entry, VOICE)
    before = head_of(trust)
    problem_of(trust.post(entry["links"]["evidence"], json=VOICE), 422, "too-many")
    too_many = {**WARD_ROUNDS, "evidence": [VOICE] * (MOST_EVIDENCE + 1)}
    answer = trust.post("/v1/innovations", json=too_many)
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert error["pointer"] == "#/evidence"
    assert head_of(trust) == before
    seen: list[Entry] = []
    page = trust.get(f"{entry['links']['evidence']}?limit=20")
    while True:
        seen += page.json()["items"]
        if "next" not in page.links:
            break
        page = trust.get(page.links["next"]["url"])
    assert seen == trust.get(entry["links"]["self"]).json()["evidence"]
    at = f"{entry['links']['evidence']}/{seen[0]['id']}"
    assert trust.delete(at, headers={"If-Match": "*"}).status_code == 204
    add(trust, entry, MEASURE)


INVALID: list[tuple[Entry, str]] = [
    ({"kind": "audit"}, "#/statement"),
    ({"statement": "So it was."}, "#/kind"),
    ({**VOICE, "kind": "rumour"}, "#/kind"),
    ({**VOICE, "strength": "weak"}, "#/strength"),
    ({**VOICE, "url": "ftp://example.org"}, "#/url"),
    ({**VOICE, "url": "javascript:alert(1)"}, "#/url"),
    ({**VOICE, "measure": FIGURES}, "#"),
    ({**MEASURE, "measure": None}, "#"),
    ({**MEASURE, "measure": {**FIGURES, "result": "40"}}, "#/measure/result"),
    ({**MEASURE, "measure": {**FIGURES, "result": True}}, "#/measure/result"),
    ({**MEASURE, "measure": {**FIGURES, "baseline": 1e16}}, "#/measure/baseline"),
    ({**MEASURE, "measure": {**FIGURES, "period": "2020-09/2020-04"}}, "#/measure/period"),
    ({**MEASURE, "measure": {**FIGURES, "period": "spring"}}, "#/measure/period"),
    ({**MEASURE, "measure": {**FIGURES, "colour": "red"}}, "#/measure/colour"),
]


def test_what_is_no_evidence_is_refused_where_it_is_wrong(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    entry = submit()
    before = head_of(trust)
    for fields, pointer in INVALID:
        with subtests.test(f"{pointer} {fields}"[:90]):
            answer = trust.post(entry["links"]["evidence"], json=fields)
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == pointer
    assert head_of(trust) == before


def test_a_change_keeps_evidence_whole(trust: httpx.Client, submit: Submit) -> None:
    entry = submit(evidence=[MEASURE, VOICE])
    measure, voice = (f"{entry['links']['evidence']}/{p['id']}" for p in entry["evidence"])
    for at, fields in (
        (measure, {"measure": None}),
        (measure, {"kind": "audit"}),
        (voice, {"kind": "measure"}),
        (voice, {"statement": None}),
    ):
        problem_of(patch(trust, at, **fields), 422, "validation-failed")
    assert trust.get(entry["links"]["self"]).json() == entry
    assert patch(trust, measure, kind="audit", measure=None).json()["measure"] is None
    assert patch(trust, voice, kind="measure", measure=FIGURES).json()["measure"] == FIGURES


def test_numbers_come_back_as_they_were_sent(trust: httpx.Client, submit: Submit) -> None:
    for number in (0, -1, 0.1, 1e-9, 123456789012345, 0.30000000000000004, 1e15):
        sent = {**MEASURE, "measure": {**FIGURES, "result": number}}
        entry = submit(evidence=[sent])
        assert (
            trust.get(entry["links"]["self"]).json()["evidence"][0]["measure"]["result"] == number
        )
