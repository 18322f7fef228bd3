"""OData v4: the register's tables as an analyst's tool asks for them."""

from __future__ import annotations

import httpx
import pytest

from app.models.tables import TABLES
from app.odata.sets import SETS
from tests.http.speaking import Submit, odata_error_of
from tests.odata.meaning import Entity
from tests.routers.odata.asking import ROOT, get, titles, walked
from tests.routers.odata.conftest import ENTRIES


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
