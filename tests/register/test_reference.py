"""The themes and organisations that come with the software."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx

from app.register import reference
from tests.conftest import Register
from tests.http.speaking import head_of

LEAPS = {
    "sorted": ["valued-staff", "21st-century-tools", "engaged-leaders", "basics-sorted"],
    "seen": ["local-system", "great-teams", "acting-professionally"],
    "now_have": ["needs-based-decisions", "patient-as-partner", "community-collaboration"],
}


def all_organisations(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    answer = client.get("/v1/organisations?limit=100")
    while True:
        found += answer.json()["items"]
        if "next" not in answer.links:
            return found
        answer = client.get(answer.links["next"]["url"])


def test_there_are_ten_leaps_in_three_groups(anybody: httpx.Client) -> None:
    themes = anybody.get("/v1/themes").json()["items"]

    assert [theme["number"] for theme in themes] == list(range(1, 11))
    slugs = [(group, slug) for group, members in LEAPS.items() for slug in members]
    assert [(theme["group"], theme["slug"]) for theme in themes] == slugs
    assert all(len(theme["description"]) > 60 for theme in themes)


def test_organisations_stand_in_their_hierarchy(anybody: httpx.Client) -> None:
    organisations = all_organisations(anybody)
    kinds = {each["code"]: each["kind"] for each in organisations}

    assert Counter(kinds.values()) == {"region": 7, "icb": 48, "trust": 199}
    above = {"trust": "icb", "icb": "region"}
    for each in organisations:
        parent = each["parent"]["code"] if each["parent"] else None
        assert kinds.get(parent or "") == above.get(each["kind"]), each["code"]
        assert (each["icb"] is None) == (each["kind"] == "region")
        assert each["region"]["code"] in kinds


def test_twelve_icbs_are_closed_and_all_trusts_are_open(anybody: httpx.Client) -> None:
    def total(query: str) -> int:
        found: int = anybody.get(f"/v1/organisations?{query}&limit=1").json()["page"]["total"]
        return found

    assert (total("kind=icb&open=true"), total("kind=icb&open=false")) == (36, 12)
    assert (total("kind=trust&open=true"), total("kind=trust&open=false")) == (199, 0)


def test_who_took_over_is_known_on_both_sides(anybody: httpx.Client) -> None:
    organisations = {each["code"]: each for each in all_organisations(anybody)}
    closed = {code for code, each in organisations.items() if each["closed"]}
    links = {
        (code, successor["code"], successor["date"])
        for code, each in organisations.items()
        for successor in each["successors"]
    }

    assert len(links) == 16
    assert len(closed) == 12
    assert not closed & {successor for _, successor, _ in links}
    assert {since for _, _, since in links} == {"2026-04-01"}
    assert {predecessor for predecessor, _, _ in links} >= closed
    assert links == {
        (predecessor["code"], code, predecessor["date"])
        for code, each in organisations.items()
        for predecessor in each["predecessors"]
    }


def test_loading_again_changes_nothing(register: Register, anybody: httpx.Client) -> None:
    before = head_of(anybody)
    assert register.database.transaction(reference.load) == 0
    assert head_of(anybody) == before


def test_what_a_curator_changed_stays(
    register: Register, anybody: httpx.Client, curator: httpx.Client
) -> None:
    tag = anybody.get("/v1/themes/great-teams").headers["etag"]
    changed = curator.patch(
        "/v1/themes/great-teams", json={"name": "Greater teams"}, headers={"If-Match": tag}
    )
    assert changed.status_code == 200, changed.text
    register.database.transaction(reference.load)
    assert anybody.get("/v1/themes/great-teams").json()["name"] == "Greater teams"
