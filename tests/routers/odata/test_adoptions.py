"""Adoptions in OData: a set of its own, and a way to it from innovations."""

from __future__ import annotations

import httpx

from tests.http.speaking import Submit
from tests.routers.test_adoptions import STOPPED, adopt


def test_adoptions_are_an_entity_set_with_ways_to_what_they_are_of(
    anybody: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    entry, other = submit(title="The zebra"), submit()
    adoption = adopt(curator, entry, organisation="RMC")
    adopt(curator, entry, organisation="RM3", **STOPPED)

    def found(path: str) -> list[dict[str, object]]:
        answer = anybody.get(f"/odata/v4/{path}")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, object]] = answer.json()["value"]
        return items

    (row,) = found("Adoptions?$filter=stage eq 'adopted' and since ge 2024-01-01")
    assert (row["id"], row["organisation"], row["icb"]) == (adoption["id"], "RMC", "QOP")
    (row,) = found("Adoptions?$filter=stage eq 'stopped'&$expand=innovation_detail")
    assert (row["learnt"], row["adopted_on"]) == (STOPPED["learnt"], None)
    assert row["innovation_detail"]["reference"] == entry["reference"]  # type: ignore[index]
    rows = found("Innovations?$orderby=adoption_count desc&$expand=adoptions")
    assert [row["id"] for row in rows] == [entry["id"], other["id"]]
    assert [row["adoption_count"] for row in rows] == [1, 0]
    codes = [each["organisation"] for each in rows[0]["adoptions"]]  # type: ignore[attr-defined]
    assert codes == ["RMC", "RM3"]
    (row,) = found("Adoptions?$filter=organisation eq 'RM3'&$expand=organisation_detail")
    assert row["organisation_detail"]["kind"] == "trust"  # type: ignore[index]
