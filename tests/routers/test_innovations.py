"""The main job: a trust submits an innovation, and an ICS finds it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of, problem_of

Entry = dict[str, Any]

EVERYTHING: Entry = {
    "title": "Virtual care-home ward rounds",
    "summary": "A GP sees residents by video twice a week.",
    "description": "The nurse joins with a tablet.\nIt replaces a visit.",
    "theme": "21st-century-tools",
    "further_themes": ["local-system", "great-teams"],
    "organisation": "R0A",
    "care_setting": "care_home",
    "tags": ["video", "ward-round"],
    "started_on": "2020-04-01",
    "visibility": "published",
    "source": {"system": "intranet", "id": "42"},
    "decision": {
        "status": "keep",
        "reason": "Fewer admissions.",
        "decided_on": "2021-06-30",
        "review_on": "2027-06-30",
        "decided_by": "Medical director",
    },
    "evidence": [
        {
            "kind": "measure",
            "statement": "Admissions from homes fell by a fifth.",
            "strength": "moderate",
            "url": "https://example.org/report",
            "measure": {
                "name": "Emergency admissions",
                "unit": "per month",
                "baseline": 50,
                "result": 40.5,
                "period": "2020-04/2020-09",
            },
        },
        {"kind": "staff_voice", "statement": "We get home on time.", "strength": "suggestive"},
    ],
}
EMPTIED: Entry = {
    **dict.fromkeys(("description", "care_setting", "started_on", "source")),
    "tags": [],
    "further_themes": [],
}


def patch(client: httpx.Client, entry: Entry, **fields: Any) -> httpx.Response:
    return client.patch(entry["links"]["self"], json=fields, headers={"If-Match": "*"})


def withdraw(client: httpx.Client, entry: Entry, reason: str = "Submitted twice.") -> Entry:
    """Withdraws an entry; returns its tombstone."""
    answer = client.delete(
        entry["links"]["self"], params={"reason": reason}, headers={"If-Match": "*"}
    )
    assert answer.status_code == 200, answer.text
    tombstone: Entry = answer.json()
    return tombstone


def lines_since(client: httpx.Client, head: int) -> list[Entry]:
    """The lines of the log after a place in it, as this client sees them."""
    items: list[Entry] = client.get(f"/v1/changes?after={head}&limit=100").json()["items"]
    return items


def test_what_a_trust_submits_an_ics_finds(trust: httpx.Client, anybody: httpx.Client) -> None:
    submitted = trust.post("/v1/innovations", json=WARD_ROUNDS)

    assert submitted.status_code == 201
    entry = submitted.json()
    del entry["possible_duplicates"]  # it is told beside the innovation
    assert entry["organisation"]["code"] == "R0A"
    assert entry["organisation"]["icb"]["code"] == "QOP"
    assert entry["status"] == "under_review"
    found = anybody.get("/v1/innovations", params={"icb": "QOP", "q": "ward rounds"})
    assert found.json()["items"] == [entry]
    assert anybody.get(submitted.headers["location"]).json() == entry
    assert anybody.get(f"/v1/innovations/{entry['reference']}").json() == entry


def test_only_title_summary_and_theme_are_required(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    for name in WARD_ROUNDS:
        with subtests.test(name):
            rest = {key: value for key, value in WARD_ROUNDS.items() if key != name}
            answer = trust.post("/v1/innovations", json=rest)
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert (error["pointer"], error["code"]) == (f"#/{name}", "required")
    entry = trust.post("/v1/innovations", json=WARD_ROUNDS).json()
    assert entry.items() >= EMPTIED.items()
    assert (entry["visibility"], entry["decision"], entry["evidence"]) == ("published", None, [])
    assert entry["counts"] == {"decisions": 0, "evidence": 0, "adoptions": 0}


def test_every_field_comes_back_with_the_names_of_what_it_refers_to(trust: httpx.Client) -> None:
    answer = trust.post("/v1/innovations", json=EVERYTHING)

    entry = answer.json()
    named = {"theme", "further_themes", "organisation", "decision", "evidence"}
    assert {name: entry[name] for name in EVERYTHING if name not in named} == {
        name: value for name, value in EVERYTHING.items() if name not in named
    }
    tools = {"slug": "21st-century-tools", "number": 2, "name": "21st century tools"}
    assert entry["theme"] == tools
    assert [theme["name"] for theme in entry["further_themes"]] == ["Local system", "Great teams"]
    assert entry["organisation"] == {
        "code": "R0A",
        "name": "Manchester University NHS Foundation Trust",
        "kind": "trust",
        "icb": {"code": "QOP", "name": "NHS Greater Manchester Integrated Care Board"},
        "region": {"code": "Y62", "name": "NHS England North West"},
    }
    assert entry["decision"].items() >= EVERYTHING["decision"].items()
    for piece, sent in zip(entry["evidence"], EVERYTHING["evidence"], strict=True):
        assert piece.items() >= sent.items()
    assert (entry["status"], entry["version"]) == ("keep", 1)
    assert entry["counts"] == {"decisions": 1, "evidence": 2, "adoptions": 0}
    assert answer.headers["location"] == entry["links"]["self"]
    for link in entry["links"].values():
        assert trust.get(link).status_code == 200


def test_an_innovation_is_found_by_each_of_its_names(submit: Submit, anybody: httpx.Client) -> None:
    submit()
    entry = submit(title="The second one")
    assert entry["reference"] == "INN-000002"
    for name in (entry["id"], entry["id"].upper(), "INN-000002", "inn-000002", "INN-2"):
        assert anybody.get(f"/v1/innovations/{name}").json() == entry
    for name in ("INN-000003", "INN-0", "2", entry["id"][:-1], "0" * 8 + entry["id"][8:]):
        problem_of(anybody.get(f"/v1/innovations/{name}"), 404, "not-found")


def test_a_patch_changes_what_it_names_and_nothing_else(
    trust: httpx.Client, submit: Submit
) -> None:
    before = submit(**EVERYTHING)

    after = patch(trust, before, title="Rounds", theme="great-teams", further_themes=[]).json()

    changed = {"title", "theme", "further_themes", "version", "updated_at"}
    assert {name for name in before if before[name] != after[name]} == changed
    assert (after["theme"]["name"], after["version"]) == ("Great teams", 2)
    assert after["updated_at"] > before["updated_at"]
    assert trust.get(after["links"]["self"]).json() == after


def test_null_empties_what_may_be_empty(trust: httpx.Client, submit: Submit) -> None:
    entry = submit(**EVERYTHING)

    emptied = patch(trust, entry, **dict.fromkeys(EMPTIED)).json()

    assert emptied.items() >= EMPTIED.items()
    assert emptied["evidence"] == entry["evidence"]
    # Its source is free again.
    assert submit(source=EVERYTHING["source"])["source"] == EVERYTHING["source"]


def test_null_for_what_is_required_is_refused_where_it_stands(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    entry = submit()
    for name in WARD_ROUNDS:
        with subtests.test(name):
            answer = patch(trust, entry, **{name: None})
            (error,) = problem_of(answer, 422, "validation-failed")["errors"]
            assert error["pointer"] == f"#/{name}"
    assert trust.get(entry["links"]["self"]).json() == entry


def test_a_patch_that_changes_nothing_leaves_no_trace(trust: httpx.Client, submit: Submit) -> None:
    entry = submit(**EVERYTHING)
    before = head_of(trust)
    names = set(EVERYTHING) - {"decision", "evidence"}

    for fields in ({}, {name: EVERYTHING[name] for name in names}):
        assert patch(trust, entry, **fields).json() == entry
    assert head_of(trust) == before


def test_what_a_patch_names_must_be_there(trust: httpx.Client, submit: Submit) -> None:
    entry = submit()
    for fields, pointer, slug in (
        ({"theme": "nowhere"}, "#/theme", "unknown-theme"),
        ({"further_themes": ["great-teams", "nowhere"]}, "#/further_themes/1", "unknown-theme"),
        ({"organisation": "NOWHERE"}, "#/organisation", "unknown-organisation"),
        ({"further_themes": [WARD_ROUNDS["theme"]]}, "#/further_themes", "validation-failed"),
    ):
        (error,) = problem_of(patch(trust, entry, **fields), 422, slug)["errors"]
        assert error["pointer"] == pointer


def test_an_entry_moves_within_what_the_key_covers(
    icb: httpx.Client, register: Register, submit: Submit
) -> None:
    entry = submit()

    moved = patch(icb, entry, organisation="RBV").json()

    assert moved["organisation"]["name"] == "The Christie NHS Foundation Trust"
    for code, total in (("R0A", 0), ("RBV", 1)):
        found = icb.get(f"/v1/innovations?organisation={code}").json()
        assert found["page"]["total"] == total
    problem_of(patch(icb, entry, organisation="RJ1"), 403, "forbidden")
    region = register.client(register.key("Y62"))
    assert patch(region, entry, organisation="QOP").json()["organisation"]["kind"] == "icb"


def test_a_withdrawn_innovation_leaves_a_tombstone_with_the_reason(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit(tags=["video"], decision={"status": "keep", "reason": "It works."})
    before = head_of(anybody)

    tombstone = withdraw(trust, entry, "Submitted twice.")

    assert (tombstone["visibility"], tombstone["version"]) == ("withdrawn", 2)
    assert tombstone["withdrawal"]["reason"] == "Submitted twice."
    at = entry["links"]["self"]
    for path in (at, f"/v1/innovations/{entry['reference']}", f"{at}/decisions", f"{at}/evidence"):
        assert "Submitted twice." in problem_of(anybody.get(path), 410, "withdrawn")["detail"]
    for query in ("", "?tag=video", "?q=ward", "?status=keep", "?sort=title"):
        assert anybody.get(f"/v1/innovations{query}").json()["page"]["total"] == 0
    history = anybody.get(f"{at}/history").json()["items"]
    assert [line["document"] for line in history] == [entry, tombstone]
    (line,) = lines_since(anybody, before)
    assert (line["action"], line["id"], line["version"]) == ("withdrawn", entry["id"], 2)


def test_a_withdrawn_innovation_does_not_change_any_more(
    trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    withdraw(trust, entry)
    at, anyhow, before = entry["links"]["self"], {"If-Match": "*"}, head_of(trust)
    answers = [
        patch(trust, entry, title="Back again"),
        trust.delete(f"{at}?reason=Again.", headers=anyhow),
        trust.post(f"{at}/decisions", json={"status": "keep", "reason": "It works."}),
        trust.post(f"{at}/evidence", json={"kind": "audit", "statement": "It held."}),
    ]
    for answer in answers:
        problem_of(answer, 410, "withdrawn")
    assert head_of(trust) == before
