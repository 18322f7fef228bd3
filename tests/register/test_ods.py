"""The official file of trusts: taken over line by line, again and again."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from app.register import ods
from app.register.ods import COLUMNS, Report, spelt
from tests.conftest import Register
from tests.http.speaking import Submit, head_of

CHRISTIE = "The Christie NHS Foundation Trust"


def line(code: str, name: str, region: str = "Y62", icb: str = "QOP", **more: str) -> list[str]:
    """A line of the file; by default a trust of Greater Manchester."""
    opened, closed = more.get("opened", "19910401"), more.get("closed", "")
    head = [code, name, region, icb, *("WILMSLOW ROAD", "", "", "MANCHESTER", "", "M20 4BX")]
    return [*head, opened, closed, *[""] * (COLUMNS - 12)]


def imported(register: Register, *lines: list[str] | str) -> Report:
    """What became of a file of these lines, in which every cell stands in quotes."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    for each in lines:
        if isinstance(each, str):
            file.write(each + "\r\n")
        else:
            writer.writerow(each)
    report = Report()

    def work(session: Session) -> None:
        text = file.getvalue().splitlines(keepends=True)
        assert list(ods.import_trusts(session, text, report))[-1] == len(text)

    register.database.transaction(work)
    return report


def counts(report: Report) -> dict[str, int]:
    names = ("added", "renamed", "closed", "changed", "unchanged")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def organisation(client: httpx.Client, code: str) -> Any:
    return client.get(f"/v1/organisations/{code}").json()


def test_a_new_trust_is_added_and_can_submit(register: Register, anybody: httpx.Client) -> None:
    report = imported(register, line("X9Z", "SALFORD AND DISTRICT CARE-HOME NHS TRUST"))

    assert counts(report) == {"added": 1}
    trust = organisation(anybody, "X9Z")
    assert trust["name"] == "Salford and District Care-Home NHS Trust"
    assert (trust["kind"], trust["opened"], trust["closed"]) == ("trust", "1991-04-01", None)
    assert (trust["icb"]["code"], trust["region"]["code"]) == ("QOP", "Y62")
    client = register.client(register.key("X9Z"))
    entry = {"title": "Huddle", "summary": "Daily.", "theme": "great-teams"}
    assert client.post("/v1/innovations", json=entry).status_code == 201


def test_the_same_file_again_changes_nothing(register: Register, anybody: httpx.Client) -> None:
    lines = [line("RBV", CHRISTIE.upper()), line("X9Z", "A NEW TRUST")]
    imported(register, *lines)
    before = head_of(anybody)
    assert counts(imported(register, *lines)) == {"unchanged": 2}
    assert head_of(anybody) == before


def test_capitals_alone_are_no_new_name(register: Register, anybody: httpx.Client) -> None:
    report = imported(register, line("RBV", CHRISTIE.upper()))
    assert counts(report) == {"unchanged": 1}
    assert organisation(anybody, "RBV")["name"] == CHRISTIE


def test_a_new_name_shows_in_the_innovations(
    register: Register, anybody: httpx.Client, icb: httpx.Client, submit: Submit
) -> None:
    entry = submit(icb, organisation="RBV")
    before = head_of(anybody)
    tag = anybody.get(entry["links"]["self"]).headers["etag"]

    report = imported(register, line("RBV", "THE MARIE CURIE NHS TRUST"))

    assert counts(report) == {"renamed": 1}
    assert head_of(anybody) == before + 1
    after = anybody.get(entry["links"]["self"])
    entry["organisation"]["name"] = "The Marie Curie NHS Trust"
    assert (after.json(), after.headers["etag"] != tag) == (entry, True)
    assert anybody.get("/v1/organisations?q=marie").json()["page"]["total"] == 1


def test_a_closed_trust_takes_nothing_new(
    register: Register, anybody: httpx.Client, icb: httpx.Client, submit: Submit
) -> None:
    entry = submit(icb, organisation="RBV")
    report = imported(register, line("RBV", CHRISTIE.upper(), closed="20240331"))
    assert counts(report) == {"closed": 1}
    assert organisation(anybody, "RBV")["closed"] == "2024-03-31"
    new = {"title": "New", "summary": "New.", "theme": "great-teams", "organisation": "RBV"}
    assert icb.post("/v1/innovations", json=new).status_code == 422
    # What it submitted can still be put right.
    patched = icb.patch(
        entry["links"]["self"], json={"title": "Corrected"}, headers={"If-Match": "*"}
    )
    assert patched.status_code == 200
    again = imported(register, line("RBV", CHRISTIE.upper()))
    assert counts(again) == {"changed": 1}
    assert icb.post("/v1/innovations", json=new).status_code == 201


def test_innovations_follow_a_trust_to_another_icb(
    register: Register, anybody: httpx.Client, icb: httpx.Client, submit: Submit
) -> None:
    entry = submit(icb, organisation="RBV")
    draft = submit(icb, organisation="RBV", visibility="draft")

    report = imported(register, line("RBV", CHRISTIE.upper(), region="Y56", icb="QKK"))

    assert counts(report) == {"changed": 1}
    after = anybody.get(entry["links"]["self"]).json()
    place = after["organisation"]
    assert (place["icb"]["code"], place["region"]["code"]) == ("QKK", "Y56")
    assert {**after, "organisation": entry["organisation"]} == entry
    for query, items in (("icb=QKK", [after]), ("region=Y56", [after]), ("icb=QOP", [])):
        assert anybody.get(f"/v1/innovations?{query}").json()["items"] == items
    facets = anybody.get("/v1/innovations?facets=icb,region").json()["facets"]
    assert facets == {
        "icb": [{"value": "QKK", "count": 1}],
        "region": [{"value": "Y56", "count": 1}],
    }
    # Whose it was does not see its drafts any more, nor write for it; whose it is does.
    new_icb = register.client(register.key("QKK"))
    at = draft["links"]["self"]
    assert [client.get(at).status_code for client in (icb, new_icb)] == [404, 200]
    body, anyhow = {"title": "New"}, {"If-Match": "*"}
    assert icb.patch(entry["links"]["self"], json=body, headers=anyhow).status_code == 403
    assert new_icb.patch(entry["links"]["self"], json=body, headers=anyhow).status_code == 200


SKIPPED: list[tuple[list[str] | str, str]] = [
    (line("RQF", "VELINDRE NHS TRUST", region="", icb=""), "no ICB"),
    (line("X9Z", "SHORT")[:-1], "26 columns"),
    ([*line("X9Z", "LONG"), ""], "28 columns"),
    (line("X9Z", "NOWHERE", icb="QZZ"), "QZZ is not known"),
    (line("X9Z", "A TRUST'S TRUST", icb="R0A"), "R0A is not known"),
    (line("X9Z", "ELSEWHERE", region="Y56"), "not in the region"),
    (line("X9Z", "BAD DATE", opened="20201301"), "date"),
    (line("X9Z", "BAD DATE", opened="2020-01-01"), "date"),
    (line("X9Z", "BAD DATE", opened="202011"), "date"),
    (line("X9Z", "BAD DATE", closed="soon"), "date"),
    (line("", "NO CODE"), "no code"),
    (line("X9Z", ""), "no name"),
    (line("X-9", "BAD CODE"), "code"),
    (line("x9z", "SMALL CODE"), "code"),
    (line("X" * 13, "LONG CODE"), "code"),
    (line("QOP", "GREATER MANCHESTER"), "another kind"),
    (line("X9Z", "LONG NAME " * 30), "name"),
    (line("X9Z", "NUL \0 NAME"), "name"),
    ("", "0 columns"),
    ('"X9Z","A "QUOTED" NAME"', "columns"),
]


def test_what_cannot_be_taken_is_reported_and_the_others_go_on(
    register: Register, anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    before = head_of(anybody)
    for bad, why in SKIPPED:
        with subtests.test(str(bad)[:60]):
            good = line("RBV", CHRISTIE.upper())
            report = imported(register, bad, good)
            assert counts(report) == {"unchanged": 1}
            (skipped,) = report.skipped
            assert skipped.line == 1
            assert why in skipped.why
    assert head_of(anybody) == before


def test_the_second_line_of_a_code_is_skipped(register: Register, anybody: httpx.Client) -> None:
    report = imported(register, line("X9Z", "ONE"), line("RBV", CHRISTIE), line("X9Z", "TWO"))
    assert counts(report) == {"added": 1, "unchanged": 1}
    assert [(each.line, each.code) for each in report.skipped] == [(3, "X9Z")]
    assert organisation(anybody, "X9Z")["name"] == "One"


@pytest.mark.parametrize(
    ("shouted", "name"),
    [
        ("THE ROYAL MARSDEN NHS FOUNDATION TRUST", "The Royal Marsden NHS Foundation Trust"),
        ("STOKE-ON-TRENT AND THE NORTH", "Stoke-on-Trent and the North"),
        ("NHS (NORTH) OF TYNE", "NHS (North) of Tyne"),
        ("ST. GEORGE'S HOSPITAL", "St. George's Hospital"),
    ],
)
def test_a_name_in_capitals_is_spelt_as_usual(shouted: str, name: str) -> None:
    assert spelt(shouted) == name
