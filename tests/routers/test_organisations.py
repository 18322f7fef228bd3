"""Organisations: found by name or code, each with its place in the hierarchy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.models.organisations import OrganisationKind
from app.register import organisations
from app.register.access import OPERATOR
from app.register.organisations import Facts
from tests.conftest import Register
from tests.http.speaking import problem_of

QUERIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"q": "Greater Manchester"}, ["RXV", "QOP"]),
    ({"q": "gReAtEr mAnChEsTeR mental"}, ["RXV"]),
    ({"q": "r0a"}, ["R0A"]),
    ({"q": " R0A "}, ["R0A"]),
    ({"q": "S1Y5D"}, ["S1Y5D"]),
    ({"q": "Wrightington, Wigan"}, ["RRF"]),
    ({"q": "%"}, []),
    ({"q": "_"}, []),
    ({"q": "\\"}, []),
    ({"q": "' OR 1=1 --"}, []),
    ({"q": "North West", "kind": "region"}, ["Y62"]),
    ({"q": "manchester", "kind": ["icb", "region"]}, ["QOP"]),
    ({"parent": "Y62"}, ["QYG", "QOP", "QE1"]),
    ({"parent": "Y61", "open": "false"}, ["QHG", "QUE", "QM7", "QH8", "QMM", "QJG"]),
    ({"parent": ["QOP"], "q": "bolton"}, ["RMC"]),
    ({"parent": "R0A"}, []),
]


def listed(client: httpx.Client, **query: Any) -> list[str]:
    """The codes on all pages."""
    codes: list[str] = []
    answer = client.get("/v1/organisations", params={"limit": 100, **query})
    while True:
        assert answer.status_code == 200, answer.text
        codes += [each["code"] for each in answer.json()["items"]]
        if "next" not in answer.links:
            assert answer.json()["page"]["total"] == len(codes)
            return codes
        answer = client.get(answer.links["next"]["url"])


def test_organisations_are_found_by_name_code_kind_and_parent(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for query, codes in QUERIES:
        with subtests.test(str(query)):
            assert sorted(listed(anybody, **query)) == sorted(codes)


def test_a_parent_that_there_is_not_is_refused(anybody: httpx.Client) -> None:
    for parent in (["CANARY"], ["QOP", "CANARY"]):
        answer = anybody.get("/v1/organisations", params={"parent": parent, "open": "true"})
        (error,) = problem_of(answer, 422, "unknown-organisation")["errors"]
        assert error["pointer"] == "?parent"
        assert "CANARY" not in answer.text


def test_kinds_and_open_ones_are_counted(anybody: httpx.Client) -> None:
    for query, number in (
        ({}, 254),
        ({"kind": "region"}, 7),
        ({"kind": "icb"}, 48),
        ({"kind": "icb", "open": "true"}, 36),
        ({"kind": "icb", "open": "false"}, 12),
        ({"kind": "trust"}, 199),
        ({"kind": ["region", "icb"]}, 55),
        ({"kind": "other"}, 0),
        ({"open": "false"}, 12),
    ):
        assert len(listed(anybody, **query)) == number, query


def test_pages_are_the_list_in_the_order_of_names(anybody: httpx.Client) -> None:
    whole = listed(anybody)
    assert listed(anybody, limit=7) == whole
    names = [
        anybody.get("/v1/organisations", params={"q": code}).json()["items"][0]["name"]
        for code in whole[:10]
    ]
    assert names == sorted(names, key=str.casefold)


def test_pages_go_on_after_any_name(register: Register, anybody: httpx.Client) -> None:
    def add(session: Any) -> None:
        for i, name in enumerate(("Zz a", "Zz\N{ZERO WIDTH SPACE}b", "Zz " + "Π" * 190, "Zz ω")):
            facts = Facts(f"X{i}", name, OrganisationKind.OTHER)
            organisations.put(session, facts, by=OPERATOR)

    register.database.transaction(add)
    assert sorted(listed(anybody, q="zz", limit=1)) == ["X0", "X1", "X2", "X3"]


def test_an_organisation_has_its_icb_and_its_region(anybody: httpx.Client) -> None:
    icb = {"code": "QOP", "name": "NHS Greater Manchester Integrated Care Board"}
    region = {"code": "Y62", "name": "NHS England North West"}
    for code, places in (
        ("R0A", {"parent": icb, "icb": icb, "region": region, "opened": "2017-10-01"}),
        ("QOP", {"parent": region, "icb": icb, "region": region, "kind": "icb"}),
        ("Y62", {"parent": None, "icb": None, "region": region, "kind": "region"}),
    ):
        found = anybody.get(f"/v1/organisations/{code}")
        assert found.status_code == 200
        assert found.json().items() >= {"code": code, "closed": None, **places}.items()
    assert anybody.get("/v1/organisations/r0a").json()["code"] == "R0A"
    for code in ("XXX", "r0a0", "NOWHERE"):
        problem_of(anybody.get(f"/v1/organisations/{code}"), 404, "not-found")


def test_a_closed_organisation_names_who_took_over_and_they_name_it(
    anybody: httpx.Client,
) -> None:
    closed = anybody.get("/v1/organisations/QM7").json()
    assert closed["closed"] == "2026-03-31"
    assert closed["successors"] == [
        {
            "code": "D7T5G",
            "name": anybody.get("/v1/organisations/D7T5G").json()["name"],
            "date": "2026-04-01",
        },
        {
            "code": "S1Y5D",
            "name": "NHS Central East Integrated Care Board",
            "date": "2026-04-01",
        },
    ]
    successor = anybody.get("/v1/organisations/S1Y5D").json()
    codes = [each["code"] for each in successor["predecessors"]]
    assert (codes, successor["closed"]) == (["QHG", "QM7", "QUE"], None)


def test_an_organisation_is_open_on_its_last_day(register: Register, anybody: httpx.Client) -> None:
    today = datetime.now(UTC).date()

    def add(session: Any) -> None:
        for i, closed in enumerate((today - timedelta(days=1), today, today + timedelta(days=1))):
            facts = Facts(f"X{i}", "Zzz", OrganisationKind.OTHER, closed=closed)
            organisations.put(session, facts, by=OPERATOR)

    register.database.transaction(add)
    assert listed(anybody, q="zzz", open="true") == ["X1", "X2"]
    assert listed(anybody, q="zzz", open="false") == ["X0"]
    for code, status in (("X0", 422), ("X1", 201)):
        client = register.client(register.key(code))
        entry = {"title": "Huddle", "summary": "Daily.", "theme": "great-teams"}
        assert client.post("/v1/innovations", json=entry).status_code == status
