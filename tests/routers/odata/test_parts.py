"""The order of entities, pages and parts of them, and what belongs to each."""

from __future__ import annotations

import httpx
import pytest

from tests.http.speaking import Submit
from tests.odata.meaning import Entity
from tests.routers.odata.asking import ROOT, get, titles, walked
from tests.routers.odata.conftest import ENTRIES


@pytest.mark.usefixtures("entries")
def test_null_comes_first_in_an_order_and_last_backwards(anybody: httpx.Client) -> None:
    everything = get(anybody, "Innovations")["value"]

    def key(entity: Entity) -> tuple[bool, str]:
        return entity["care_setting"] is not None, entity["care_setting"] or ""

    forwards = titles(anybody, orderby="care_setting,title")
    by_title = sorted(everything, key=lambda entity: entity["title"])
    assert forwards == [entity["title"] for entity in sorted(by_title, key=key)]
    backwards = titles(anybody, orderby="care_setting desc,title asc")
    assert backwards == [
        entity["title"] for entity in sorted(by_title, key=key, reverse=True)
    ] or backwards == [
        entity["title"]
        for setting in ("care_home", "acute", None)
        for entity in by_title
        if entity["care_setting"] == setting
    ]


ORDERS = [
    "title",
    "care_setting desc",
    "started_on,title desc",
    "evidence_count desc,review_on",
    "length(title) desc",
    "tolower(title),created_at desc",
    "decided_on desc",
]


@pytest.mark.usefixtures("entries")
def test_pages_in_any_order_lose_and_double_nothing(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for order in ORDERS:
        with subtests.test(order):
            whole = titles(anybody, orderby=order)
            assert len(whole) == len(ENTRIES)
            for size in (1, 2, 3):
                pages = walked(anybody, "Innovations", size, orderby=order)
                assert [entity["title"] for entity in pages] == whole

    numbers = walked(anybody, "Evidence", 1, orderby="baseline desc,result")
    assert [each["baseline"] for each in numbers] == [2.5, None]


def test_pages_go_on_while_others_write(
    anybody: httpx.Client, trust: httpx.Client, entries: list[Entity], submit: Submit
) -> None:
    prefer = {"Prefer": "odata.maxpagesize=2"}
    found = get(anybody, "Innovations", headers=prefer)
    seen = [entity["title"] for entity in found["value"]]
    submit(title="New")
    gone = entries[4]["links"]["self"]
    trust.delete(f"{gone}?reason=Twice.", headers={"If-Match": "*"})
    while "@odata.nextLink" in found:
        found = anybody.get(found["@odata.nextLink"], headers=prefer).json()
        seen += [entity["title"] for entity in found["value"]]
    expected = [entry["title"] for entry in entries if entry["title"] != "a small start"]
    assert seen == [*expected, "New"]


@pytest.mark.usefixtures("entries")
def test_top_and_skip_and_count_are_of_the_whole(anybody: httpx.Client) -> None:
    everything = [entry["title"] for entry in ENTRIES]
    found = get(anybody, "Innovations", skip=1, top=5, count="true", select="title")
    assert found["@odata.count"] == len(everything)
    assert [entity["title"] for entity in found["value"]] == everything[1:6]
    assert "@odata.nextLink" not in found, "the client asked for no more"
    paged = walked(anybody, "Innovations", 2, skip=1, top=4, orderby="created_at")
    assert [entity["title"] for entity in paged] == everything[1:5]
    assert get(anybody, "Innovations", top=0)["value"] == []
    assert "@odata.count" not in get(anybody, "Innovations", count="false")


def test_a_preferred_page_is_said_to_be_so(anybody: httpx.Client) -> None:
    for preferred, applied in (("odata.maxpagesize=3", 3), ("maxpagesize=2000", 1000)):
        answer = anybody.get(f"{ROOT}/Organisations", headers={"Prefer": f"x, {preferred}"})
        assert answer.headers["preference-applied"] == f"odata.maxpagesize={applied}"
        assert len(answer.json()["value"]) <= applied
    answer = anybody.get(f"{ROOT}/Themes", headers={"Prefer": "odata.maxpagesize=0"})
    assert "preference-applied" not in answer.headers


@pytest.mark.usefixtures("entries")
def test_select_says_in_the_context_what_there_is(anybody: httpx.Client) -> None:
    found = get(anybody, "Innovations", select="title,id", top=1)
    assert found["@odata.context"].endswith("$metadata#Innovations(title,id)")
    assert list(found["value"][0]) == ["title", "id"]
    found = get(anybody, "Innovations", select="*,decisions", top=1)
    assert found["@odata.context"].endswith("$metadata#Innovations(*,decisions)")
    assert "decisions" not in found["value"][0]


def test_expand_brings_what_belongs_to_each(anybody: httpx.Client, entries: list[Entity]) -> None:
    found = get(
        anybody,
        "Innovations",
        select="title,evidence",
        expand="evidence($select=kind),theme_detail($select=name),organisation_detail",
    )
    assert found["@odata.context"].endswith(
        "#Innovations(title,evidence,evidence(kind),theme_detail(name))"
    )
    for entity, entry in zip(found["value"], entries, strict=True):
        assert entity["evidence"] == [{"kind": piece["kind"]} for piece in entry["evidence"]]
        assert entity["theme_detail"] == {"name": entry["theme"]["name"]}
        assert entity["organisation_detail"]["code"] == "R0A"
    region = get(anybody, "Organisations('Y62')", expand="*")
    assert region["parent_detail"] is None


def test_expanded_things_are_filtered_and_in_an_order(
    anybody: httpx.Client, trust: httpx.Client, entries: list[Entity]
) -> None:
    entry = entries[6]
    for day in ("2025-01-01", "2023-01-01"):
        decision = {"status": "keep", "reason": day, "decided_on": day}
        assert trust.post(entry["links"]["decisions"], json=decision).status_code == 201

    def days(options: str) -> list[str]:
        found = get(anybody, f"Innovations('{entry['id']}')", expand=f"decisions({options})")
        return [each["decided_on"] for each in found["decisions"]]

    assert days("$orderby=decided_on desc") == ["2025-01-01", "2024-02-29", "2023-01-01"]
    assert days("$orderby=decided_on;$top=1") == ["2023-01-01"]
    assert days("$filter=status eq 'keep';$orderby=decided_on") == ["2023-01-01", "2025-01-01"]
    assert days("$filter=year(decided_on) eq 2024;$select=decided_on") == ["2024-02-29"]
    assert days("$top=0") == []


def test_more_than_fits_into_an_entity_has_a_link(
    anybody: httpx.Client, entries: list[Entity], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("app.register.odata.reading", "app.http.odata.payload"):
        monkeypatch.setattr(f"{module}.MOST_RELATED", 1)
    options = "evidence($select=kind;$filter=kind ne 'x''&';$orderby=kind desc)"
    at = f"Innovations('{entries[5]['id']}')"
    found = get(anybody, at, expand=options)
    assert found["evidence"] == [{"kind": "measure"}]
    rest = anybody.get(found["evidence@odata.nextLink"]).json()
    assert rest["value"] == [{"kind": "audit"}]
    found = get(anybody, at, expand="evidence($top=1)")
    assert "evidence@odata.nextLink" not in found


def test_an_address_goes_on_to_what_belongs_and_to_properties(
    anybody: httpx.Client, entries: list[Entity]
) -> None:
    at = f"Innovations('{entries[5]['id']}')"
    kinds = get(anybody, f"{at}/evidence", select="kind", filter="strength eq 'strong'")
    assert kinds["value"] == [{"kind": "audit"}]
    assert anybody.get(f"{ROOT}/{at}/evidence/$count").text == "2"
    assert get(anybody, f"{at}/theme_detail")["slug"] == "21st-century-tools"
    found = get(anybody, f"{at}/title")
    assert found["@odata.context"].endswith(f"#{at}/title")
    assert found["value"] == "Decided"
    assert anybody.get(f"{ROOT}/{at}/title/$value").text == "Decided"
    assert get(anybody, f"{at}/tags")["value"] == []
    for nothing in (f"{at}/care_setting", "Organisations('Y62')/parent_detail"):
        answer = anybody.get(f"{ROOT}/{nothing}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["odata-version"] == "4.0"
    assert get(anybody, f"Innovations(id='{entries[5]['id']}')")["title"] == "Decided"
