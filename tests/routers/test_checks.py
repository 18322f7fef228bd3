"""Checks: what would be said of an entry, before it is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import WARD_ROUNDS
from tests.http.speaking import head_of

AT = "/v1/checks"


def checked(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(AT, json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_what_is_well_is_told_to_be_so_and_nothing_is_written(trust: httpx.Client) -> None:
    before = head_of(trust)
    assert checked(trust, WARD_ROUNDS) == {"valid": True, "errors": [], "personal_data": []}
    assert head_of(trust) == before


def test_personal_data_is_told_beside_what_else_is_wrong(trust: httpx.Client) -> None:
    told = checked(trust, {"title": "Huddle", "summary": "Ask Mr Example.", "theme": "none"})

    assert not told["valid"]
    assert [error["code"] for error in told["errors"]] == ["unknown_theme"]
    (found,) = told["personal_data"]
    assert (found["pointer"], found["kind"]) == ("#/summary", "person_name")
    assert (found["start"], found["end"]) == (4, 14)
    assert "Example" not in str(told)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {**WARD_ROUNDS, "colour": "red"},
        {**WARD_ROUNDS, "theme": "none"},
        {**WARD_ROUNDS, "organisation": "RJ1"},
        {**WARD_ROUNDS, "organisation": "XXX"},
        {**WARD_ROUNDS, "further_themes": ["21st-century-tools"]},
        {**WARD_ROUNDS, "evidence": [{"kind": "measure", "statement": "Fewer."}]},
        {**WARD_ROUNDS, "source": {"system": "intranet", "id": "42"}},
    ],
)
def test_the_same_is_wrong_as_when_it_is_sent(trust: httpx.Client, body: dict[str, Any]) -> None:
    taken = {**WARD_ROUNDS, "source": {"system": "intranet", "id": "42"}}
    assert trust.post("/v1/innovations", json=taken).status_code == 201

    told, sent = checked(trust, body), trust.post("/v1/innovations", json=body)

    assert sent.status_code in (403, 409, 422)
    if sent.json()["errors"]:
        assert told["errors"] == sent.json()["errors"]
    assert not told["valid"]
    assert told["errors"]
