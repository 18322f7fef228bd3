"""Filters of OData: what each means, and that random ones find what plain Python finds."""

from __future__ import annotations

import httpx
import pytest

from app.odata.expressions import FUNCTIONS
from tests.odata import meaning
from tests.odata.meaning import Entity, Filters
from tests.routers.odata.asking import ROOT, get, titles
from tests.routers.odata.conftest import ENTRIES

RANDOM_FILTERS = 60

FILTERS = [
    ("title eq 'It''s a huddle'", ["It's a huddle"]),
    ("care_setting eq null and status eq 'keep'", ["Decided"]),
    ("care_setting ne 'acute' and theme eq 'great-teams'", ["CAFÉ ROUNDS", "It's a huddle"]),
    (
        "not (care_setting eq 'acute') and theme ne 'great-teams'",
        ["Zebra", "a small start", "Decided"],
    ),
    ("not (care_setting gt 'b') and status ne 'under_review'", ["Decided", "Retired"]),
    ("not contains(care_setting,'c')", []),
    ("care_setting in ('care_home',null) and tags/any()", ["Zebra"]),
    ("status in ('keep','retire')", ["Decided", "Retired"]),
    ("not (care_setting in ('acute','care_home')) and evidence_count gt 0", ["Decided"]),
    ("title gt 'Z'", ["Zebra", "a small start"]),
    ("tolower(title) eq 'café rounds'", ["Café rounds", "CAFÉ ROUNDS"]),
    ("toupper(title) eq 'CAFÉ ROUNDS'", ["Café rounds", "CAFÉ ROUNDS"]),
    ("contains(title,'afé')", ["Café rounds"]),
    ("contains(tolower(title),tolower('CAFÉ'))", ["Café rounds", "CAFÉ ROUNDS"]),
    ("contains(summary,'_B%')", ["It's a huddle"]),
    ("startswith(title,'ca')", []),
    ("startswith(title,'Ca')", ["Café rounds"]),
    ("endswith(title,'ed') eq true", ["Decided", "Retired"]),
    ("endswith('ed',title)", []),
    ("indexof(title,'huddle') eq 7", ["It's a huddle"]),
    ("indexof(title,'huddle') ne -1", ["It's a huddle"]),
    ("substring(title,2) eq 'bra'", ["Zebra"]),
    ("substring(title,0,2) eq 'Ze'", ["Zebra"]),
    ("length(title) eq 5", ["Zebra"]),
    ("concat(concat(theme,'/'),title) eq 'basics-sorted/Zebra'", ["Zebra"]),
    ("trim(' Zebra ') eq title", ["Zebra"]),
    ("year(started_on) eq 2020", ["CAFÉ ROUNDS"]),
    ("month(started_on) eq 12 and day(started_on) eq 31", ["Zebra"]),
    ("date(created_at) eq started_on", []),
    ("hour(created_at) lt 0 or minute(created_at) gt 59 or second(created_at) eq 60", []),
    ("decided_on ge 2020-04-01 and decided_on lt 2021-01-01", ["Decided"]),
    ("decided_on eq 2024-02-29", ["Retired"]),
    ("review_on ne null", ["Retired"]),
    ("review_on gt 2027-01-30", ["Retired"]),
    ("created_at lt 2020-01-01T00:00:00Z", []),
    ("tags/any(t:t eq 'video')", ["Café rounds"]),
    ("tags/all(t:t eq 'pilot') and theme eq 'basics-sorted'", ["Zebra"]),
    ("not tags/any(t:contains(t,'o')) and tags/any()", []),
    ("evidence_count eq 2.0 or evidence_count eq 2e0", ["Decided"]),
    ("2 le evidence_count", ["Decided"]),
    (
        "null eq started_on and null ne decided_on",
        ["Decided", "Retired"],
    ),
    ("(review_on le review_on) eq false and length(title) eq 5", ["Zebra"]),
    ("(review_on lt 2020-01-01) ne true and title eq 'Zebra'", ["Zebra"]),
    ("tags/all(t:t ne care_setting) and length(title) eq 5", ["Zebra"]),
    ("true and not false and title eq 'Zebra'", ["Zebra"]),
]
"""Filters, and the titles of what they find."""


@pytest.mark.usefixtures("entries")
def test_a_filter_finds_what_it_says(anybody: httpx.Client, subtests: pytest.Subtests) -> None:
    for text, expected in FILTERS:
        with subtests.test(text):
            assert titles(anybody, filter=text) == expected
    for function in FUNCTIONS:
        assert any(f"{function}(" in text for text, _ in FILTERS), function


@pytest.mark.usefixtures("entries")
def test_random_filters_find_what_plain_python_finds(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    assert set(meaning.FUNCTIONS) == set(FUNCTIONS)
    everything = get(anybody, "Innovations")["value"]
    found_some = 0
    for seed in range(RANDOM_FILTERS):
        said = Filters(seed, everything).truth()
        expected = [entity["title"] for entity in everything if said.of(entity) is True]
        with subtests.test(said.text):
            assert titles(anybody, filter=said.text) == expected
            counted = anybody.get(f"{ROOT}/Innovations/$count", params={"$filter": said.text})
            assert counted.text == str(len(expected))
        found_some += 0 < len(expected) < len(everything)
    assert found_some > RANDOM_FILTERS / 3


def test_a_reference_is_found_by_its_number(anybody: httpx.Client, entries: list[Entity]) -> None:
    first, second = entries[0]["reference"], entries[1]["reference"]
    assert titles(anybody, filter=f"reference eq '{first}'") == ["Café rounds"]
    assert titles(anybody, filter=f"'{first}' ne reference") == [e["title"] for e in ENTRIES[1:]]
    assert len(titles(anybody, filter=f"reference in ('{first}','{second}','INN-1','x')")) == 2
    for near in (first.lower(), f" {first}", first.replace("INN-", "INN-0"), "", "0", "1"):
        assert titles(anybody, filter=f"reference eq '{near}'") == []
    of = get(anybody, "Decisions", filter=f"reference eq '{entries[6]['reference']}'")["value"]
    assert [each["status"] for each in of] == ["retire"]
