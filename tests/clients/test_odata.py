"""OData through `python-odata`, a client that makes its classes from our metadata."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from odata import ODataService
from odata.exceptions import ODataError

from app.odata.sets import SETS
from tests.conftest import Register
from tests.http.speaking import Submit


@pytest.fixture
def service(register: Register) -> Iterator[Any]:
    """The register as the client sees it."""
    found = ODataService(f"{register.url}/odata/v4/", reflect_entities=True, quiet_progress=True)
    yield found
    found.default_context.connection.session.close()


@pytest.fixture
def entries(submit: Submit, trust: httpx.Client, icb: httpx.Client) -> list[dict[str, Any]]:
    piece = {"kind": "audit", "statement": "It's held.", "strength": "strong"}
    decision = {"status": "keep", "reason": "It's kept.", "decided_on": "2020-04-01"}
    found = [
        submit(title="It's a huddle", theme="great-teams", tags=["video", "pilot"]),
        submit(title="Zebra", decision=decision, evidence=[piece]),
        submit(title="Another zebra", care_setting="acute"),
    ]
    adopted = icb.post(found[1]["links"]["adoptions"], json={"stage": "considering"})
    assert adopted.status_code == 201
    told = {"text": "It is better so.", "verdict": "keep", "consent_to_publish": True}
    assert trust.post("/v1/stories", json=told).status_code == 201
    return found


def titles(query: Any) -> list[str]:
    return [each.title for each in query]


def test_it_reads_every_set_and_every_property(
    service: Any, entries: list[dict[str, Any]], subtests: pytest.Subtests
) -> None:
    assert set(service.entities) == set(SETS)
    for each in SETS.values():
        with subtests.test(each.name):
            query = service.query(service.entities[each.name])
            found = query.all()
            assert len(found) == query.count() > 0
            for column in each.table.columns:
                getattr(found[0], column.name)
    first = service.query(service.entities["Innovations"]).first()
    assert first.title == "It's a huddle"
    assert first.tags == ["video", "pilot"]
    assert first.created_at == datetime.datetime.fromisoformat(entries[0]["created_at"])


@pytest.mark.usefixtures("entries")
def test_it_filters_and_orders(service: Any) -> None:
    innovation = service.entities["Innovations"]
    query = service.query(innovation)
    assert titles(query.filter(innovation.title == "It's a huddle")) == ["It's a huddle"]
    assert titles(query.filter(innovation.title.contains("ebra"))) == ["Zebra", "Another zebra"]
    assert titles(query.filter(innovation.title.startswith("Z"))) == ["Zebra"]
    assert titles(query.filter(innovation.care_setting != None)) == ["Another zebra"]  # noqa: E711
    later = datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)
    assert titles(query.filter(innovation.created_at > later)) == []
    both = (innovation.status == "keep") | (innovation.theme == "great-teams")
    ordered = query.filter(both).order_by(innovation.title.desc())
    assert titles(ordered) == ["Zebra", "It's a huddle"]
    assert titles(query.order_by(innovation.title.asc()).offset(1).limit(1)) == ["It's a huddle"]
    assert query.select(innovation.reference, innovation.title).limit(1).all() == [
        {"reference": "INN-000001", "title": "It's a huddle"}
    ]


def test_it_expands_and_goes_on_to_what_belongs(
    service: Any, entries: list[dict[str, Any]]
) -> None:
    innovation = service.entities["Innovations"]
    query = service.query(innovation).filter(innovation.title == "Zebra")
    found = query.expand(innovation.decisions, innovation.theme_detail).first()
    assert [decision.reason for decision in found.decisions] == ["It's kept."]
    assert found.theme_detail.slug == "21st-century-tools"
    assert [piece.statement for piece in found.evidence] == ["It's held."], "asked for by itself"
    piece = service.query(service.entities["Evidence"]).first()
    assert piece.innovation_detail.id == entries[1]["id"]


def test_it_follows_pages_to_the_end(service: Any, register: Register) -> None:
    organisation = service.entities["Organisations"]
    service.default_context.connection.session.headers["Prefer"] = "odata.maxpagesize=50"
    codes = [each.code for each in service.query(organisation)]
    whole = register.client().get("/v1/organisations?limit=1").json()["page"]["total"]
    assert len(set(codes)) == len(codes) == whole > 150


def test_it_reads_what_is_wrong(service: Any) -> None:
    innovation = service.entities["Innovations"]
    with pytest.raises(ODataError) as caught:
        service.query(innovation).raw({"$filter": "titel eq 'x'"})
    assert (caught.value.code, "Did you mean `title`" in caught.value.message) == (
        "malformed-query",
        True,
    )
