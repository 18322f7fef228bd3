"""Query strings: what is not understood is refused, with the name that was perhaps meant."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidCursor
from app.models.finding import InnovationQuery
from app.register.lists import cursors
from tests.conftest import Register
from tests.http.speaking import KINDS, MEMBERS, full, get, gettable, head_of, problem_of, raw

Submit = Callable[..., dict[str, Any]]

HUGE = "9" * 40
UNREADABLE = ["%FF", "%C3", "%ED%A0%80", "%00", "a%00b", "%F4%90%80%80", "%C0%AF"]
SINGLE = ["q", "sort", "facets", "limit", "cursor", "created_from", "created_to", "updated_since"]

INVALID: dict[str, list[str]] = {
    "limit": ["0", "-1", "101", "canary", "", "1.5", "1e2", "NaN", HUGE, "9" * 5_000],
    "status": ["canary", "", "KEEP"],
    "theme": ["Canary Theme", "../canary", "canary'--", "c" * 61],
    "organisation": ["can-ary", "canary'--", "C" * 13],
    "visibility": ["canary"],
    "sort": ["canary", "relevance", "-relevance", ""],
    "facets": ["canary", "theme,canary", "theme,,status", "theme;status"],
    "created_from": ["0000-00-00", "2026-13-01", "2026-02-30", "1700000000", "canary", "", HUGE],
    "updated_since": ["2026-01-01T00:00:00", "2026-01-01T25:00:00Z", "0001-01-01T00:00:00+23:59"],
    "created_to": ["9999-12-31T23:59:59-23:59", "10000-01-01", "-0001-01-01"],
    "review_due_before": ["0000-00-00", "20260101", "1700000000", "2026-1-1", "9999-99-99", "1e3"],
    "tag": ["", "c" * 41, "canary--canary", "%0A"],
    "evidence_kind": ["canary"],
    "care_setting": ["canary"],
    "q": ["", "-canary", "canary%01", "a " * 33, "c" * 201, '""', "or", "canary or -canary"],
}


def refused(answer: httpx.Response, parameter: str, status: int = 422) -> dict[str, Any]:
    problem = problem_of(answer, status, "validation-failed")
    assert {error["pointer"] for error in problem["errors"]} == {f"?{parameter}"}
    assert "canary" not in answer.text.lower()
    return problem


def test_a_value_that_makes_no_sense_is_refused_where_it_stands(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    before = head_of(anybody)
    for parameter, values in INVALID.items():
        for value in values:
            with subtests.test(f"{parameter}={value[:30]}"):
                sent = value if "%" in value else quote(value)
                refused(anybody.get(f"/v1/innovations?{parameter}={sent}"), parameter)
    assert head_of(anybody) == before


def test_a_place_in_the_log_that_there_is_not_is_refused(anybody: httpx.Client) -> None:
    for after in ("-1", "1.5", "canary", "9007199254740992", HUGE):
        refused(anybody.get(f"/v1/changes?after={after}"), "after")


def test_an_address_with_a_number_that_no_database_holds_leads_nowhere(
    trust: httpx.Client, submit: Submit
) -> None:
    at = submit()["links"]["self"]
    for number in ("9999999999", "9999999999999999999", HUGE):
        problem_of(trust.get(f"/v1/innovations/INN-{number}"), 404, "not-found")
        answer = trust.patch(f"/v1/innovations/INN-{number}", json={}, headers={"If-Match": "*"})
        problem_of(answer, 404, "not-found")
    for number in ("0", "-1", "2147483648", HUGE, "1.5", "canary"):
        problem = problem_of(trust.get(f"{at}/history/{number}"), 422, "validation-failed")
        assert [error["pointer"] for error in problem["errors"]] == ["{version}"]
    problem_of(trust.get(f"{at}/history/2147483647"), 404, "not-found")


def test_an_address_that_is_no_text_is_refused(
    register: Register, subtests: pytest.Subtests
) -> None:
    places = ["/v1/innovations?q=", "/v1/innovations?", "/v1/innovations/", "/v1/themes/", "/docs/"]
    for place in places:
        for bad in UNREADABLE:
            with subtests.test(f"{place}{bad}"):
                (answer,) = raw(register.url, get(f"{place}canary{bad}".encode()))
                problem_of(answer, 400, "malformed-request")
                assert "canary" not in answer.text


def test_a_parameter_that_is_not_known_is_refused_with_the_one_that_is_near(
    anybody: httpx.Client,
) -> None:
    (error,) = refused(anybody.get("/v1/innovations?stauts=canary"), "stauts")["errors"]
    assert error["code"] == "unknown_parameter"
    assert "Did you mean `status`?" in error["detail"]
    assert "Did you mean" not in anybody.get("/v1/innovations?zzz=canary").text


def test_no_operation_ignores_a_parameter(
    trust: httpx.Client, icb: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    entry = full(submit, icb)
    paths = gettable(trust, entry)
    before = head_of(trust)
    for path in paths:
        if path.startswith("/v1"):
            with subtests.test(path):
                refused(trust.get(f"{path}?colour=canary"), "colour")
    at, anyhow = entry["links"]["self"], {"If-Match": "*"}
    refused(trust.post("/v1/innovations?colour=canary", json={}), "colour")
    refused(trust.patch(f"{at}?colour=canary", json={}, headers=anyhow), "colour")
    refused(trust.delete(f"{at}?colour=canary&reason=No", headers=anyhow), "colour")
    refused(trust.delete(at, headers=anyhow), "reason")
    assert head_of(trust) == before


def test_a_parameter_of_one_value_is_given_once(anybody: httpx.Client) -> None:
    for name in SINGLE:
        (error,) = refused(anybody.get(f"/v1/innovations?{name}=1&{name}=1"), name)["errors"]
        assert error["code"] == "repeated"


def test_there_is_an_end_to_parameters(anybody: httpx.Client) -> None:
    for query in ("&".join(["tag=a"] * 201), "&".join(["theme=great-teams"] * 51)):
        problem_of(anybody.get(f"/v1/innovations?{query}"), 422, "validation-failed")


@pytest.mark.parametrize(
    ("name", "known", "unknown"),
    [
        ("theme", "21st-century-tools", "canary"),
        ("organisation", "R0A", "CANARY"),
        ("icb", "QOP", "CANARY"),
        ("region", "Y62", "CANARY"),
    ],
)
def test_a_filter_by_what_there_is_not_is_refused_whatever_else_is_found(
    anybody: httpx.Client, submit: Submit, name: str, known: str, unknown: str
) -> None:
    submit()
    slug = "unknown-theme" if name == "theme" else "unknown-organisation"
    assert anybody.get(f"/v1/innovations?{name}={known}").json()["page"]["total"] == 1
    for query in (f"{name}={unknown}", f"{name}={known}&{name}={unknown}"):
        answer = anybody.get(f"/v1/innovations?{query}")
        (error,) = problem_of(answer, 422, slug)["errors"]
        assert error["pointer"] == f"?{name}"
        assert "canary" not in answer.text.lower()


def test_a_time_long_ago_is_before_everything(
    anybody: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    submit()
    for since in ("0001-01-01", "0999-12-31T00:00:00Z", "1970-01-01T00:00:00Z"):
        for name, total in (("updated_since", 1), ("created_from", 1), ("created_to", 0)):
            with subtests.test(f"{name}={since}"):
                found = anybody.get("/v1/innovations", params={name: since}).json()
                assert found["page"]["total"] == total


# Cursors


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_a_cursor_that_was_made_up_is_refused(
    anybody: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    links = submit()["links"]
    submit()
    cursor = anybody.get("/v1/innovations?limit=1").json()["page"]["next"]
    seal, key = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    forged = ["canary", "%", "====", "é", "A" * 500, cursor[:-1], cursor + "A", cursor * 2]
    nothing: list[object] = [{}, [], None, 1, "canary", [seal], [[seal], key]]
    forged += [encoded(value) for value in nothing]
    forged += [encoded([seal, *edited]) for edited in ([key + 1], [str(key)], [key, key], [10**30])]
    forged += [encoded([seal, None]), encoded([seal, float("nan")]), encoded([seal, [key]])]
    forged += [base64.urlsafe_b64encode(b"[" * 300).decode(), encoded(["\ud800", key])]
    lists = ["/v1/innovations", "/v1/organisations"]
    for path in lists + [links[name] for name in ("decisions", "evidence", "history")]:
        for value in forged:
            with subtests.test(f"{path} {value[:30]}"):
                answer = anybody.get(
                    f"{path}?limit=1&cursor={quote(value)}",
                    headers={"X-Request-ID": "1"},  # in a random one there may be such a value
                )
                problem_of(answer, 400, "invalid-cursor")
                assert value not in answer.text


def test_a_cursor_of_another_query_is_refused(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    submit()
    cursor = anybody.get("/v1/innovations?limit=1").json()["page"]["next"]
    assert anybody.get(f"/v1/innovations?cursor={cursor}").status_code == 200
    for other in ("status=keep", "sort=created_at", "sort=title", "q=innovation", "icb=QOP"):
        answer = anybody.get(f"/v1/innovations?limit=1&{other}&cursor={cursor}")
        problem_of(answer, 400, "invalid-cursor")
    problem_of(anybody.get(f"/v1/organisations?cursor={cursor}"), 400, "invalid-cursor")


@pytest.mark.parametrize(
    ("key", "kinds"),
    [([2**63], [int]), ([-(2**70)], [int]), (["a\0b", 1], [str, int]), (["a", 2**64], [str, int])]
    + [([value, 1], [float, int]) for value in (float("nan"), float("inf"))],
)
def test_not_even_a_cursor_with_a_right_seal_holds_what_a_database_could_not(
    key: list[Any], kinds: list[Any]
) -> None:
    # How a cursor is sealed is no secret: the software is open.
    sealed = cursors.encode("a query", key)
    with pytest.raises(InvalidCursor):
        cursors.decode("a query", sealed, kinds)


# Anything at all

NAMES = st.sampled_from([*InnovationQuery.model_fields, "colour", "Q", ""])
VALUES = st.one_of(
    st.text(max_size=60),
    st.integers().map(str),
    st.floats().map(str),
    st.dates().map(str),
    st.sampled_from(["great-teams", "keep", "R0A", "draft", "theme,tag", "-title", '"a" or -b']),
)


def test_whatever_is_asked_gets_an_answer(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    submit(tags=["video"], evidence=[{"kind": "audit", "statement": "It held."}])

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.tuples(NAMES, VALUES), max_size=4), st.booleans())
    def ask(pairs: list[tuple[str, str]], with_key: bool) -> None:
        text = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        answer = (trust if with_key else anybody).get(f"/v1/innovations?{text}")
        if answer.status_code != 200:
            assert answer.status_code in (400, 401, 422)
            assert set(answer.json()) == MEMBERS
            assert answer.json()["type"] in KINDS

    ask()
