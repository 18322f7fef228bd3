"""OData v4: the register's tables as an analyst's tool asks for them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.models.tables import TABLES
from app.odata.expressions import FUNCTIONS
from app.odata.sets import SETS
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, odata_error_of
from tests.odata import meaning
from tests.odata.meaning import Entity, Filters

ROOT = "/odata/v4"
RANDOM_FILTERS = 60

ENTRIES: list[dict[str, Any]] = [
    {"title": "Café rounds", "care_setting": "acute", "tags": ["video", "huddle"]},
    {"title": "CAFÉ ROUNDS", "theme": "great-teams", "started_on": "2020-04-01"},
    {"title": "It's a huddle", "summary": "Who's in? A_B%", "theme": "great-teams", "tags": []},
    {"title": "Zebra", "theme": "basics-sorted", "tags": ["pilot"], "started_on": "2021-12-31"},
    {"title": "a small start", "care_setting": "care_home", "description": "All of it."},
    {
        "title": "Decided",
        "decision": {"status": "keep", "reason": "It's kept.", "decided_on": "2020-04-01"},
        "evidence": [
            {"kind": "audit", "statement": "Looked at.", "strength": "strong"},
            {
                "kind": "measure",
                "statement": "Fewer.",
                "measure": {"name": "Infections", "baseline": 2.5, "result": -3},
            },
        ],
    },
    {
        "title": "Retired",
        "care_setting": "acute",
        "decision": {
            "status": "retire",
            "reason": "Too dear.",
            "decided_on": "2024-02-29",
            "review_on": "2027-01-31",
        },
    },
]


@pytest.fixture
def entries(submit: Submit, trust: httpx.Client, icb: httpx.Client) -> list[Entity]:
    """Some innovations of different kinds, with two of all that belongs to them; and a draft, and a
    story of its own organisation, that nobody may see."""
    found = [submit(**each) for each in ENTRIES]
    submit(title="A draft", visibility="draft")
    for entry in found[:2]:
        adopted = icb.post(entry["links"]["adoptions"], json={"stage": "considering"})
        assert adopted.status_code == 201
    for consent in (True, True, False):
        told = {"text": "It is better so.", "verdict": "keep", "consent_to_publish": consent}
        assert trust.post("/v1/stories", json=told).status_code == 201
    return [trust.get(entry["links"]["self"]).json() for entry in found]


def get(client: httpx.Client, path: str, /, headers: Any = None, **said: Any) -> Any:
    """The JSON of an answer, as ``filter="..."``."""
    params = {f"${name}": value for name, value in said.items()}
    answer = client.get(f"{ROOT}/{path}", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def titles(client: httpx.Client, **said: Any) -> list[str]:
    found: list[Entity] = get(client, "Innovations", select="title", **said)["value"]
    return [each["title"] for each in found]


def walked(client: httpx.Client, path: str, size: int, **said: Any) -> list[Entity]:
    """All entities, by pages."""
    prefer = {"Prefer": f"odata.maxpagesize={size}"}
    found = get(client, path, headers=prefer, **said)
    entities: list[Entity] = found["value"]
    while "@odata.nextLink" in found:
        assert len(found["value"]) == size
        found = client.get(found["@odata.nextLink"], headers=prefer).json()
        entities += found["value"]
    return entities


# What there is


def test_each_table_is_a_set_and_the_service_document_names_it(anybody: httpx.Client) -> None:
    assert {each.table.name for each in SETS.values()} == {table.name for table in TABLES}
    answer = anybody.get(f"{ROOT}/")
    assert answer.headers["odata-version"] == "4.0"
    document = answer.json()
    assert document["@odata.context"] == f"{anybody.base_url}{ROOT}/$metadata"
    assert [each["url"] for each in document["value"]] == list(SETS)
    assert anybody.get(ROOT).json() == document


@pytest.mark.usefixtures("entries")
def test_each_set_has_all_that_there_is(anybody: httpx.Client, subtests: pytest.Subtests) -> None:
    organisations = anybody.get("/v1/organisations?limit=1").json()["page"]["total"]
    sizes = {"Innovations": len(ENTRIES), "Organisations": organisations, "Themes": 10}
    for each in SETS.values():
        with subtests.test(each.name):
            size = sizes.get(each.name, 2)
            found = walked(anybody, each.name, 100)
            assert len({entity[each.table.key] for entity in found}) == len(found) == size
            for entity in found:
                assert list(entity) == [column.name for column in each.table.columns]
            assert get(anybody, each.name, top=0, count="true")["@odata.count"] == size
            counted = anybody.get(f"{ROOT}/{each.name}/$count")
            assert counted.text == str(size)
            assert counted.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_entity_is_what_the_list_shows(anybody: httpx.Client, entries: list[Entity]) -> None:
    entry = entries[5]
    found = get(anybody, f"Innovations('{entry['id']}')")
    assert found.pop("@odata.context").endswith("$metadata#Innovations/$entity")
    assert found["reference"] == entry["reference"]
    assert found["theme_name"] == entry["theme"]["name"]
    assert found["tags"] == entry["tags"]
    assert found["decided_on"] == "2020-04-01"
    assert found["created_at"] == entry["created_at"]
    piece = get(anybody, "Evidence", filter="kind eq 'measure'")["value"][0]
    assert (piece["baseline"], piece["result"]) == (2.5, -3)
    assert (piece["innovation"], piece["reference"]) == (entry["id"], entry["reference"])


@pytest.mark.usefixtures("entries")
def test_what_is_not_published_shows_nowhere(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    pieces = {"evidence": [{"kind": "audit", "statement": "Hidden."}]}
    decided = {"decision": {"status": "keep", "reason": "Hidden."}}
    hidden = [submit(title="Hidden", visibility="draft", **pieces, **decided)]
    hidden.append(submit(title="Hidden", **pieces, **decided))
    at = hidden[1]["links"]["self"]
    assert trust.delete(f"{at}?reason=Twice.", headers={"If-Match": "*"}).status_code == 200
    for client in (anybody, trust):
        assert titles(client, filter="title eq 'Hidden' or visibility ne 'published'") == []
        assert get(client, "Evidence", filter="statement eq 'Hidden.'")["value"] == []
        assert get(client, "Decisions", filter="reason eq 'Hidden.'")["value"] == []
        for entry in hidden:
            for path in (f"Innovations('{entry['id']}')", f"Innovations('{entry['id']}')/evidence"):
                odata_error_of(client.get(f"{ROOT}/{path}"), 404, "not-found")
            piece = entry["evidence"][0]["id"]
            odata_error_of(client.get(f"{ROOT}/Evidence('{piece}')"), 404, "not-found")


# Filters

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


# Order, parts, and what belongs together


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


# How it speaks


def test_metadata_come_as_much_as_is_asked_for(
    anybody: httpx.Client, entries: list[Entity]
) -> None:
    at = f"{ROOT}/Innovations('{entries[5]['id']}')"
    accepts = {
        "application/json;odata.metadata=none": "none",
        "application/json;odata.metadata=full, */*;q=0.1": "full",
        "application/json;odata.streaming=true;IEEE754Compatible=false": "minimal",
        "text/html, */*;q=0.5": "minimal",
    }
    for accept, level in accepts.items():
        answer = anybody.get(at, headers={"Accept": accept})
        assert answer.headers["content-type"] == f"application/json;odata.metadata={level}"
        assert ("@odata.context" in answer.json()) == (level != "none")
        assert ("@odata.id" in answer.json()) == (level == "full")
    full = anybody.get(f"{at}?$format=application/json;odata.metadata=full").json()
    assert full["@odata.type"] == "#InnovationRegister.Innovation"
    assert full["decided_on@odata.type"] == "#Date"
    assert full["tags@odata.type"] == "#Collection(String)"
    assert anybody.get(full["@odata.id"]).json()["id"] == full["id"]
    assert len(anybody.get(full["evidence@odata.navigationLink"]).json()["value"]) == 2


def test_other_formats_and_versions_are_refused(anybody: httpx.Client) -> None:
    refused: list[tuple[str, dict[str, str]]] = [
        ("Themes", {"Accept": "application/atom+xml"}),
        ("Themes?$format=atom", {}),
        ("$metadata", {"Accept": "application/json"}),
        ("Themes", {"OData-MaxVersion": "3.0"}),
        ("Themes", {"OData-MaxVersion": "four"}),
    ]
    for path, headers in refused:
        odata_error_of(anybody.get(f"{ROOT}/{path}", headers=headers), 406, "not-acceptable")
    for version in ("4.0", "4.01", "5.0"):
        answer = anybody.get(f"{ROOT}/Themes", headers={"OData-MaxVersion": version})
        assert (answer.status_code, answer.headers["odata-version"]) == (200, "4.0")
    assert anybody.get(f"{ROOT}/$metadata?$format=xml").status_code == 200


def test_what_was_read_before_is_not_sent_again(anybody: httpx.Client, submit: Submit) -> None:
    before = submit()
    for path in ("Innovations?$filter=theme ne 'x'", "Innovations/$count", "$metadata", ""):
        answer = anybody.get(f"{ROOT}/{path}")
        known = {"If-None-Match": answer.headers["etag"]}
        unmodified = anybody.get(f"{ROOT}/{path}", headers=known)
        assert (unmodified.status_code, unmodified.content) == (304, b"")
        assert unmodified.headers["odata-version"] == "4.0"
        other = {**known, "Accept": "application/json;odata.metadata=full"}
        if path.startswith("Innovations?"):
            assert anybody.get(f"{ROOT}/{path}", headers=other).status_code == 200
        head = anybody.head(f"{ROOT}/{path}")
        assert (head.content, head.headers["etag"]) == (b"", answer.headers["etag"])
        submit()
        assert anybody.get(f"{ROOT}/{path}", headers=known).status_code == 200
    assert head_of(anybody) > before["version"]


BAD = [
    # What is sent, the status, and what the answer says of it.
    ("Innovations?$filter=titel eq 'x'", 400, "malformed-query", "Did you mean `title`"),
    ("Innovations?$filter=version add 1 eq 2", 501, "not-supported", "does not calculate"),
    ("Innovations?$search=video", 501, "not-supported", "`q` of `/v1/innovations`"),
    ("Innovations?$apply=aggregate($count as n)", 501, "not-supported", "/v1/statistics"),
    ("Innovations?$serch=x", 400, "malformed-query", "not known"),
    ("Innovations?filter=x", 400, "malformed-query", "not known"),
    ("Innovations?$top=-1", 400, "malformed-query", "not valid"),
    ("Innovations?$top=9999999999", 400, "malformed-query", "not valid"),
    ("Innovations?$count=maybe", 400, "malformed-query", "not valid"),
    ("Innovations?$top=1&$top=2", 400, "malformed-query", "repeated"),
    ("Innovations?$skiptoken=x", 400, "invalid-cursor", ""),
    ("Innovations/$count?$top=1", 400, "malformed-query", "A count takes no `$top`"),
    ("Innovations('x')", 404, "not-found", "nothing with this key"),
    ("Innovations('%00')", 400, "", ""),
    ("Innovations(1)", 404, "not-found", "single quotes"),
    ("Innovations(name='x')", 404, "not-found", "`id`"),
    ("Inovations", 404, "not-found", "Did you mean Innovations"),
    ("Themes('great-teams')/nothing", 404, "not-found", "no such property"),
    ("Innovations('x')/decisions('y')", 501, "not-supported", "Decisions('...')"),
    ("Innovations('x')/tags/$count", 501, "not-supported", ""),
    ("Innovations/$ref", 501, "not-supported", ""),
    ("$batch", 501, "not-supported", ""),
    ("$all", 501, "not-supported", ""),
    ("Themes('great-teams')?$top=1", 400, "malformed-query", "takes no `$top`"),
    ("?$top=1", 400, "malformed-query", "not known"),
    ("Innovations?$filter=title eq '%00'", 400, "", ""),
    ("Innovations?$filter=version eq 1e400", 400, "malformed-query", "not a number"),
    ("Innovations?$filter=" + "(" * 500, 400, "malformed-query", "nested too deep"),
    ("Innovations?$filter=" + "a" * 20_001, 400, "malformed-query", "not valid"),
    ("Innovations?$filter=" + "not " * 4_000, 400, "malformed-query", "too long"),
]


def test_what_is_wrong_is_an_error_that_says_what_would_be_right(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for path, status, slug, said in BAD:
        with subtests.test(path[:60]):
            answer = anybody.get(f"{ROOT}/{path}")
            assert answer.status_code == status, answer.text
            if slug:
                error = odata_error_of(answer, status, slug)
                assert said in error["message"]
            assert "titel" not in answer.text, "what was sent is not echoed"
    answer = anybody.post(f"{ROOT}/Innovations", json={})
    odata_error_of(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_page_of_another_query_is_refused(anybody: httpx.Client, entries: list[Entity]) -> None:
    prefer = {"Prefer": "odata.maxpagesize=1"}
    link = get(anybody, "Innovations", headers=prefer, filter="version eq 1")["@odata.nextLink"]
    assert anybody.get(link).status_code == 200
    for other in (
        link.replace("version", "evidence_count"),
        link.replace("Innovations", "Themes"),
        f"{link}&$orderby=title",
        link.replace("Innovations?", f"Innovations('{entries[5]['id']}')/evidence?"),
        f"{link}x",
    ):
        odata_error_of(anybody.get(other), 400, "invalid-cursor")


@pytest.mark.usefixtures("entries")
def test_a_long_filter_is_answered(anybody: httpx.Client) -> None:
    references = [f"reference eq 'INN-{number:06}'" for number in range(1, 240)]
    assert len(titles(anybody, filter=" or ".join(references))) == len(ENTRIES)
    names = ",".join(f"'{number}'" for number in range(399))
    assert titles(anybody, filter=f"title in ({names},'Zebra')") == ["Zebra"]
    deep = "(" * 35 + "title eq 'Zebra'" + ")" * 35
    assert titles(anybody, filter=deep) == ["Zebra"]


def test_power_bi_opens_on_it(register: Register) -> None:
    answer = register.client().get("/v1/exports/register.pbids")
    (connection,) = answer.json()["connections"]
    assert connection["details"] == {
        "protocol": "odata",
        "address": {"url": f"{register.url}{ROOT}/"},
    }
    assert "register.pbids" in answer.headers["content-disposition"]
