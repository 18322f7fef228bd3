"""By a sender's own id: the register is kept in step with a trust's intranet."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import WARD_ROUNDS
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import EVERYTHING, Entry, lines_since, withdraw

AT = "/v1/innovations/by-source/intranet/42"
SENT: Entry = {name: value for name, value in EVERYTHING.items() if name != "source"}


def put(client: httpx.Client, body: Entry, *, at: str = AT, tag: str = "*") -> httpx.Response:
    """Sends an entry over one that is there."""
    return client.put(at, json=body, headers={"If-Match": tag})


@pytest.fixture
def entry(trust: httpx.Client) -> Entry:
    """What the intranet has sent before."""
    answer = trust.put(AT, json=SENT)
    assert answer.status_code == 201, answer.text
    made: Entry = answer.json()
    return made


def test_what_is_new_is_created_under_the_senders_id(trust: httpx.Client) -> None:
    answer = trust.put(AT, json=SENT)

    assert answer.status_code == 201
    entry = answer.json()
    assert entry["source"] == {"system": "intranet", "id": "42"}
    assert answer.headers["location"] == entry["links"]["self"]
    found = trust.get(AT)
    assert (found.json(), found.headers["etag"]) == (entry, answer.headers["etag"])


def test_the_same_again_changes_nothing(trust: httpx.Client, entry: Entry) -> None:
    before = head_of(trust)
    for body in (SENT, EVERYTHING):
        answer = put(trust, body)
        assert (answer.status_code, answer.json()) == (200, entry)
        assert "location" not in answer.headers
    assert head_of(trust) == before


def test_what_is_sent_takes_the_place_of_what_was_there(trust: httpx.Client, entry: Entry) -> None:
    before = head_of(trust)

    after = put(trust, {**WARD_ROUNDS, "title": "Shorter"}).json()

    assert (after["title"], after["version"], after["id"]) == ("Shorter", 2, entry["id"])
    assert (after["description"], after["care_setting"], after["tags"]) == (None, None, [])
    assert after["evidence"] == []
    # A judgement is not taken back by leaving it out.
    assert (after["decision"], after["status"]) == (entry["decision"], "keep")
    (line,) = lines_since(trust, before)
    assert (line["version"], line["document"]) == (2, after)


def test_evidence_is_what_was_sent_and_what_was_known_stays(
    trust: httpx.Client, entry: Entry
) -> None:
    new = {"kind": "audit", "statement": "It held in winter, too."}

    after = put(trust, {**SENT, "evidence": [SENT["evidence"][1], new]}).json()

    assert after["evidence"][0] == entry["evidence"][1]
    assert after["evidence"][1].items() >= new.items()
    listed = trust.get(f"{after['links']['evidence']}").json()["items"]
    assert listed == after["evidence"]
    removed = trust.get(f"{after['links']['evidence']}/{entry['evidence'][0]['id']}")
    problem_of(removed, 404, "not-found")


@pytest.mark.usefixtures("entry")
def test_a_decision_is_added_when_it_differs(
    trust: httpx.Client,
    subtests: pytest.Subtests,
) -> None:
    decision, number = SENT["decision"], 1
    for change in (
        {"status": "retire"},
        {"reason": "Fewer admissions, and calmer nights."},
        {"decided_on": "2022-01-01"},
        {"review_on": "2028-01-01"},
        {"decided_by": "Chief nurse"},
        {"review_on": None},
    ):
        with subtests.test(str(change)):
            decision, number = decision | change, number + 1
            after = put(trust, {**SENT, "decision": decision}).json()
            assert after["counts"]["decisions"] == number
            assert after["decision"].items() >= decision.items()
            assert put(trust, {**SENT, "decision": decision}).json() == after


def test_a_later_judgement_is_not_answered_with_the_old_one_each_night(
    trust: httpx.Client, entry: Entry
) -> None:
    later = {"status": "retire", "reason": "Nobody joined.", "decided_on": "2024-01-01"}
    assert trust.post(entry["links"]["decisions"], json=later).status_code == 201
    put(trust, SENT)
    before = trust.get(AT).json()

    assert put(trust, SENT).json() == before
    assert before["status"] == "retire"


@pytest.mark.usefixtures("entry")
def test_a_change_by_who_has_not_seen_the_newest_version_is_refused(
    trust: httpx.Client,
) -> None:
    old = trust.get(AT).headers["etag"]
    changed = put(trust, {**SENT, "title": "Changed"}, tag=old)
    assert changed.status_code == 200
    problem_of(put(trust, SENT, tag=old), 412, "precondition-failed")
    problem_of(trust.put(AT, json=SENT), 428, "precondition-required")
    assert trust.get(AT).json() == changed.json()


def test_what_was_withdrawn_does_not_come_back(trust: httpx.Client, entry: Entry) -> None:
    withdraw(trust, entry)
    before = head_of(trust)
    problem_of(trust.get(AT), 410, "withdrawn")
    problem_of(put(trust, SENT), 410, "withdrawn")
    assert head_of(trust) == before


def test_two_organisations_ids_do_not_meet(
    trust: httpx.Client, other_trust: httpx.Client, icb: httpx.Client, entry: Entry
) -> None:
    problem_of(other_trust.get(AT), 404, "not-found")
    problem_of(icb.get(AT), 404, "not-found")

    theirs = other_trust.put(AT, json={**WARD_ROUNDS, "title": "Theirs"})

    assert theirs.status_code == 201
    assert theirs.json()["organisation"]["code"] == "RJ1"
    assert other_trust.get(AT).json() == theirs.json()
    assert trust.get(AT).json() == entry


def test_a_source_names_one_entry_however_it_came(trust: httpx.Client, submit: Submit) -> None:
    posted = submit(source={"system": "intranet", "id": "42"})

    assert trust.get(AT).json() == posted
    answer = trust.post("/v1/innovations", json=EVERYTHING)
    (error,) = problem_of(answer, 409, "duplicate-source")["errors"]
    assert error["pointer"] == "#/source"
    other = submit(source={"system": "intranet", "id": "43"})
    taken = trust.patch(
        other["links"]["self"], json={"source": posted["source"]}, headers={"If-Match": "*"}
    )
    problem_of(taken, 409, "duplicate-source")


def test_an_address_and_a_body_name_the_same_source(trust: httpx.Client) -> None:
    for source in ({"system": "intranet", "id": "43"}, {"system": "other", "id": "42"}):
        answer = trust.put(AT, json={**SENT, "source": source})
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert error["pointer"] == "#/source"
    problem_of(trust.get(AT), 404, "not-found")


def test_any_id_that_can_be_submitted_can_be_named_in_the_address(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    for name in ("2020 42", "é-42", "100%25", "a%3Fb%23c", "2020%2F42"):
        with subtests.test(name):
            at = f"/v1/innovations/by-source/intranet/{name}"
            answer = trust.put(at, json=WARD_ROUNDS)
            assert answer.status_code == 201, answer.text
            assert trust.get(at).json() == answer.json()
