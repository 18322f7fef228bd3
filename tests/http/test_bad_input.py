"""Bad bodies: a clear problem, never a 5xx, no echo of what was sent, and nothing is written."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models.innovations import InnovationCreate
from tests.conftest import WARD_ROUNDS
from tests.http.speaking import KINDS, MEMBERS, head_of, problem_of

Submit = Callable[..., dict[str, Any]]

INNOVATIONS = "/v1/innovations"
JSON = {"Content-Type": "application/json"}
MERGE_PATCH = "application/merge-patch+json"
DEEP = 100_000


def entry(field: str, value: str) -> bytes:
    """An entry as JSON text, with this text as a field's value."""
    return (
        json.dumps({**WARD_ROUNDS, field: "@"})
        .replace('"@"', value)
        .encode("utf-8", "surrogatepass")
    )


UNREADABLE: dict[str, bytes] = {
    "nothing but space": b"  ",
    "half of it": b'{"title": "canary',
    "no JSON": b"title=canary",
    "single quotes": b"{'title': 'canary'}",
    "two values": b'{"title": "canary"} {}',
    "NaN": entry("title", "NaN"),
    "Infinity": entry("title", "-Infinity"),
    "half a pair of surrogates": entry("title", r'"canary \ud800"'),
    "the other half": entry("title", r'"canary \udc00\ud800"'),
    "a name with half a pair": b'{"canary \\ud800": 1}',
    "surrogates as UTF-8": entry("title", '"canary \ud800"'),
    "invalid UTF-8": b'{"title": "canary \xff"}',
    "UTF-16": json.dumps(WARD_ROUNDS).encode("utf-16"),
    "brackets": b"[" * DEEP,
    "brackets that close": b"[" * DEEP + b"]" * DEEP,
    "braces": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "brackets in a field": entry("title", "[" * DEEP + "]" * DEEP),
    "a control character": entry("title", '"canary \x01"'),
    "a number that is none": entry("title", "01"),
}

MEASURE = "#/evidence/0/measure/result"


def measured(value: str) -> bytes:
    measure = {"name": "Admissions", "result": "#"}
    piece = [{"kind": "measure", "statement": "Fewer.", "measure": measure}]
    return entry("evidence", json.dumps(piece).replace('"#"', value))


def decided(**fields: Any) -> bytes:
    return entry("decision", json.dumps({"status": "keep", "reason": "Fewer.", **fields}))


HUGE = [str(2**63), str(2**64), "-" + "9" * 400, "9" * 4_000]
NO_DAYS = [
    "0000-00-00",
    "2026-02-30",
    "1899-12-31",
    "2200-01-01",
    "2020-04-01T00:00Z",
    r"\u0662020-01-01",
]
AUDIT = {"kind": "audit", "statement": "canary"}

INVALID: list[tuple[str, bytes]] = [
    *(("#", body) for body in (b"null", b"[]", b'"canary"', b"17", b"true")),
    *(("#/title", entry("title", value)) for value in ('""', '" "', "17", "null", "[]", "true")),
    *(("#/title", entry("title", f'"canary{bad}."')) for bad in (r"\u0000", r"\u0007", r"\n")),
    ("#/title", entry("title", f'"{"canary" * 40}"')),
    ("#/summary", entry("summary", r'"a \u0000 canary"')),
    ("#/description", entry("description", f'"{"canary" * 4_000}"')),
    *(("#/theme", entry("theme", bad)) for bad in ('"Canary theme"', '"../canary"', "null", "3")),
    ("#/further_themes", entry("further_themes", '["great-teams", "great-teams"]')),
    ("#/tags", entry("tags", json.dumps([f"canary{number}" for number in range(21)]))),
    ("#/tags/1", entry("tags", r'["video", "can\u0000ary"]')),
    ("#/care_setting", entry("care_setting", '"canary"')),
    ("#/visibility", entry("visibility", '"withdrawn"')),
    ("#/source/id", entry("source", r'{"system": "canary", "id": "a\u0000"}')),
    ("#/organisation", entry("organisation", '"can/ary"')),
    *(("#/started_on", entry("started_on", bad)) for bad in ("0", "1600000000", "1e400", "true")),
    *(("#/started_on", entry("started_on", f'"{day}"')) for day in NO_DAYS),
    *((MEASURE, measured(bad)) for bad in ("1e400", "-1e400", '"17"', "true", "null", "[]")),
    *((MEASURE, measured(bad)) for bad in HUGE),
    ("#/evidence/0", entry("evidence", json.dumps([AUDIT | {"kind": "measure"}]))),
    ("#/evidence/0/url", entry("evidence", json.dumps([AUDIT | {"url": "canary:a"}]))),
    ("#/evidence", entry("evidence", json.dumps([AUDIT] * 51))),
    ("#/decision/decided_on", decided(decided_on="2199-01-01")),
    ("#/decision/decided_on", decided(decided_on=20200101)),
    ("#/decision/decided_by", decided(decided_by="can\nary")),
    ("#/colour", entry("colour", '"canary"')),
    ("#/decision/colour", decided(colour="canary")),
    ("#/a~1b~0c", entry("a/b~c", '"canary"')),
]


@pytest.fixture
def nothing_written(trust: httpx.Client) -> Iterator[None]:
    """The test leaves the register as it was."""
    before = head_of(trust)
    yield
    assert head_of(trust) == before
    assert trust.get(INNOVATIONS).json()["items"] == []


def send(client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    answer = client.post(INNOVATIONS, content=body, headers={**JSON, **headers})
    assert "canary" not in answer.text.lower()
    return answer


@pytest.mark.usefixtures("nothing_written")
def test_a_body_that_cannot_be_read_is_refused(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    for what, body in UNREADABLE.items():
        with subtests.test(what):
            assert problem_of(send(trust, body), 400, "malformed-request")["errors"] == []


@pytest.mark.usefixtures("nothing_written")
def test_a_field_that_makes_no_sense_is_refused_where_it_stands(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    for pointer, body in INVALID:
        with subtests.test(f"{pointer} {body[-60:]!r}"):
            problem = problem_of(send(trust, body), 422, "validation-failed")
            assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.usefixtures("nothing_written")
def test_a_body_with_a_thousand_faults_gets_a_short_answer(trust: httpx.Client) -> None:
    body = json.dumps({f"colour {number}": "canary" for number in range(10_000)})
    problem = problem_of(send(trust, body.encode()), 422, "validation-failed")
    assert len(problem["errors"]) <= 100


@pytest.mark.usefixtures("nothing_written")
def test_a_body_of_one_mebibyte_is_taken_and_of_a_byte_more_is_not(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    full = b" " * (2**20 - 2) + b"{}"
    for what, more in (("just fits", b""), ("a byte more", b" "), ("twice", b" " * 2**20)):
        body = full + more
        for how in ("with its length", "in chunks"):
            with subtests.test(f"{what}, {how}"):
                content = body if how == "with its length" else iter([body[:9], body[9:]])
                answer = trust.post(INNOVATIONS, content=content, headers=JSON)
                status, slug = (413, "body-too-large") if more else (422, "validation-failed")
                problem_of(answer, status, slug)
                assert trust.get("/livez").status_code == 200


@pytest.mark.usefixtures("nothing_written")
def test_a_body_of_another_type_is_refused(trust: httpx.Client, subtests: pytest.Subtests) -> None:
    body = json.dumps({**WARD_ROUNDS, "title": "canary"}).encode()
    for kind in ("text/plain", "text/json", MERGE_PATCH, "canary", ""):
        with subtests.test(kind):
            answer = send(trust, body, **{"Content-Type": kind})
            problem_of(answer, 415, "unsupported-media-type")
    problem_of(trust.post(INNOVATIONS, content=body), 415, "unsupported-media-type")
    problem_of(trust.post(INNOVATIONS), 422, "validation-failed")


def test_a_body_that_is_packed_is_refused(trust: httpx.Client) -> None:
    packed, headers = gzip.compress(json.dumps(WARD_ROUNDS).encode()), {"Content-Encoding": "gzip"}
    for path in ("/v1/innovations", "/v1/imports"):
        sent = {"Content-Type": "application/json", **headers}
        answer = trust.post(path, content=packed, headers=sent)
        problem = problem_of(answer, 415, "unsupported-media-type")
        assert "Content-Encoding" in problem["detail"]


def test_json_may_say_its_charset_and_a_patch_that_it_is_one(
    trust: httpx.Client, submit: Submit
) -> None:
    at = submit()["links"]["self"]
    for kind in (
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/merge-patch+json",
    ):
        headers = {"Content-Type": kind, "If-Match": "*"}
        assert trust.patch(at, content=b'{"tags": ["video"]}', headers=headers).status_code == 200


def test_a_body_where_none_is_taken_is_refused(trust: httpx.Client, submit: Submit) -> None:
    at = submit()["links"]["self"]
    before = head_of(trust)
    answer = trust.request(
        "DELETE", at, params={"reason": "No."}, json={"a": "canary"}, headers={"If-Match": "*"}
    )
    problem_of(answer, 415, "unsupported-media-type")
    assert head_of(trust) == before
    read = trust.request("GET", at, json={"a": "canary"})
    assert "canary" not in read.text
    assert read.status_code in (200, 415)


@pytest.mark.usefixtures("nothing_written")
def test_what_there_is_not_is_told_by_its_place(trust: httpx.Client) -> None:
    for field, value, pointer, slug in (
        ("theme", '"canary"', "#/theme", "unknown-theme"),
        ("further_themes", '["great-teams", "canary"]', "#/further_themes/1", "unknown-theme"),
        ("organisation", '"CANARY"', "#/organisation", "unknown-organisation"),
    ):
        problem = problem_of(send(trust, entry(field, value)), 422, slug)
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


# Anything at all

FIELDS = st.sampled_from([*InnovationCreate.model_fields, "colour", "status", "system", "kind"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec="utf-8")),
    st.sampled_from(["great-teams", "R0A", "keep", "measure", "2020-04-01", "a\0b", "draft"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=8,
)


def test_whatever_is_sent_gets_an_answer(trust: httpx.Client) -> None:
    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.dictionaries(FIELDS, VALUES, max_size=5), st.booleans())
    def post(fields: dict[str, Any], complete: bool) -> None:
        body = {**WARD_ROUNDS, **fields} if complete else fields
        before = head_of(trust)
        answer = trust.post(INNOVATIONS, content=json.dumps(body), headers=JSON)
        if answer.status_code == 201:
            stored = trust.get(answer.headers["location"]).content
            # What is told beside the innovation comes after it.
            assert answer.content.startswith(stored[:-1] + b',"possible_duplicates":')
            return
        assert answer.status_code in (400, 403, 409, 422)
        assert set(answer.json()) == MEMBERS
        assert answer.json()["type"] in KINDS
        assert head_of(trust) == before

    post()
