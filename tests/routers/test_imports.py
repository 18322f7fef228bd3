"""Imports over HTTP: what becomes of each row, and of files that are not what they say."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import xlsxwriter

from app.files import Format, template
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import head_of, problem_of
from tests.routers.test_changes import all_lines

Entry = dict[str, Any]

KEEP = {"status": "keep", "reason": "It works.", "decided_on": "2021-06-30"}
VOICE = {"kind": "staff_voice", "statement": "We get home on time."}


def row(number: int, **fields: Any) -> Entry:
    source = {"system": "nightly", "id": str(number)}
    return {**WARD_ROUNDS, "title": f"Rounds {number}", "source": source, **fields}


def send(
    client: httpx.Client, content: Any, form: str = Format.JSON, /, **query: Any
) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": form, **query.pop("headers", {})}
    return client.post("/v1/imports", content=body, headers=headers, params=query)


def imported(client: httpx.Client, content: Any, form: str = Format.JSON, **query: Any) -> Entry:
    answer = send(client, content, form, **query)
    assert answer.status_code == 200, answer.text
    report: Entry = answer.json()
    return report


def outcomes(report: Entry) -> list[str]:
    return [each["outcome"] for each in report["rows"]]


def as_csv(*rows: list[str], separator: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def as_xlsx(*rows: list[Any], sheet: str = "Sheet1") -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        if sheet != "Sheet1":
            book.add_worksheet("notes").write_string(0, 0, "Read me first")
        page = book.add_worksheet(sheet)
        for at, cells in enumerate(rows):
            page.write_row(at, 0, cells)
    return file.getvalue()


HEADER = ["title", "summary", "theme"]
CELLS = [WARD_ROUNDS["title"], WARD_ROUNDS["summary"], WARD_ROUNDS["theme"]]


# What becomes of rows


@pytest.mark.parametrize("mode", ["atomic", "partial"])
def test_a_file_can_be_sent_again_and_only_what_changed_is_changed(
    trust: httpx.Client, mode: str
) -> None:
    first = imported(trust, [row(1), row(2), row(3)], mode=mode)
    assert first["totals"] == {
        "rows": 3,
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert (first["mode"], first["dry_run"], first["written"]) == (mode, False, True)
    head = head_of(trust)
    changed = [row(1), row(2, tags=["video"]), row(3, decision=KEEP), row(4, evidence=[VOICE])]
    second = imported(trust, changed, mode=mode)
    assert outcomes(second) == ["unchanged", "updated", "updated", "created"]
    assert [each["id"] for each in second["rows"]][:3] == [each["id"] for each in first["rows"]]
    assert [line["action"] for line in all_lines(trust, after=head)] == [
        "updated",
        "decided",
        "created",
    ]
    assert outcomes(imported(trust, changed, mode=mode)) == ["unchanged"] * 4
    entry = trust.get(f"/v1/innovations/{second['rows'][3]['reference']}").json()
    assert entry["id"] == second["rows"][3]["id"]
    assert entry["evidence"][0]["statement"] == VOICE["statement"]


def test_an_imported_entry_is_as_one_that_was_posted(
    trust: httpx.Client, anybody: httpx.Client, register: Register
) -> None:
    full = row(1, decision=KEEP, evidence=[VOICE], tags=["video"], care_setting="care_home")
    (made,) = imported(trust, [full])["rows"]
    own = {"source": {"system": "nightly", "id": "2"}}
    posted = trust.post("/v1/innovations", json={**full, **own}).json()
    entry = anybody.get(f"/v1/innovations/{made['id']}").json()
    varying = ("id", "reference", "links", "source", "created_at", "updated_at")
    for name in varying:
        del entry[name], posted[name]
    del posted["possible_duplicates"]  # which stands beside the entry
    for document in (entry, posted):
        for piece in (document["decision"], *document["evidence"]):
            piece.pop("id")
            piece.pop("created_at")
            piece.pop("updated_at", None)
    assert entry == posted
    assert (
        anybody.get("/v1/innovations", params={"q": "rounds", "tag": "video"}).json()["page"][
            "total"
        ]
        == 2
    )
    decisions = anybody.get(f"/v1/innovations/{made['id']}/decisions").json()
    assert decisions["page"]["total"] == 1
    assert register.verify().broken_at is None


def test_rows_without_a_source_are_new_each_time(trust: httpx.Client) -> None:
    for _ in range(2):
        assert outcomes(imported(trust, [WARD_ROUNDS, WARD_ROUNDS])) == ["created", "created"]


BAD = [
    (row(2, theme="none"), "#/theme", "unknown_theme"),
    (row(2, organisation="RJ1"), "#", "forbidden"),
    (row(2, organisation="XXX"), "#/organisation", "unknown_organisation"),
    (row(2, title=""), "#/title", "too_short"),
    (row(2, further_themes=["great-teams", "none"]), "#/further_themes/1", "unknown_theme"),
    (row(2, evidence=[VOICE, {"kind": "x", "statement": "?"}]), "#/evidence/1/kind", "enum"),
    (row(2, colour="blue"), "#/colour", "unknown_field"),
    (row(1), "#/source", "repeated_in_file"),
    ([], "#", "model_type"),
    (None, "#", "model_type"),
    (row(2, summary="x" * 2_000_000), "#", "row_too_large"),
]
NAMES = [f"{at}-{code}" for at, (_, _, code) in enumerate(BAD)]


@pytest.mark.parametrize(("bad", "pointer", "code"), BAD, ids=NAMES)
def test_a_bad_row_is_pointed_at_and_the_good_ones_are_written_in_partial_mode(
    trust: httpx.Client, bad: Any, pointer: str, code: str
) -> None:
    head = head_of(trust)
    report = imported(trust, [row(1), bad, row(3)], mode="partial")
    assert outcomes(report) == ["created", "rejected", "created"]
    rejected = report["rows"][1]
    assert (rejected["row"], rejected["id"], rejected["reference"]) == (2, None, None)
    assert [(each["pointer"], each["code"]) for each in rejected["errors"]] == [(pointer, code)]
    assert rejected["errors"][0]["column"] is None, "it is no table"
    assert len(all_lines(trust, after=head)) == 2


@pytest.mark.parametrize(("bad", "pointer", "code"), BAD, ids=NAMES)
def test_a_bad_row_leaves_nothing_written_in_atomic_mode(
    trust: httpx.Client, bad: Any, pointer: str, code: str
) -> None:
    head = head_of(trust)
    answer = send(trust, [row(1), bad, row(3)])
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "/problems/import-rejected")
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
        (f"row:2{pointer}", code)
    ]
    assert outcomes(problem) == ["created", "rejected", "created"]
    assert {(each["id"], each["reference"]) for each in problem["rows"]} == {(None, None)}
    assert problem["written"] is False
    assert head_of(trust) == head
    assert outcomes(imported(trust, [row(1), row(3)])) == ["created", "created"]


@pytest.mark.parametrize("mode", ["atomic", "partial"])
def test_a_dry_run_tells_what_would_become_of_rows_and_writes_nothing(
    trust: httpx.Client, mode: str
) -> None:
    there = [each["id"] for each in imported(trust, [row(1), row(2)])["rows"]]
    head = head_of(trust)
    rows = [row(1), row(2, tags=["video"]), row(3), row(4, theme="none")]
    report = imported(trust, rows, mode=mode, dry_run=True)
    assert outcomes(report) == ["unchanged", "updated", "created", "rejected"]
    assert [each["id"] for each in report["rows"]] == [*there, None, None]
    assert report["rows"][2]["reference"] is None, "nobody has this reference yet"
    assert (report["dry_run"], report["written"]) == (True, False)
    assert head_of(trust) == head
    assert trust.get("/v1/innovations").json()["page"]["total"] == 2


def test_what_is_withdrawn_stays_so_whatever_a_file_says(trust: httpx.Client) -> None:
    (made,) = imported(trust, [row(1)])["rows"]
    gone = trust.delete(f"/v1/innovations/{made['id']}?reason=Twice.", headers={"If-Match": "*"})
    assert gone.status_code == 200
    report = imported(trust, [row(1), row(2)], mode="partial")
    assert outcomes(report) == ["rejected", "created"]
    assert report["rows"][0]["errors"][0]["code"] == "withdrawn"


def test_an_empty_array_is_an_import_of_nothing(trust: httpx.Client) -> None:
    assert imported(trust, [])["totals"]["rows"] == 0


def test_a_thousand_rows_are_more_than_one_transaction_and_still_in_order(
    trust: httpx.Client, register: Register
) -> None:
    rows = [row(number) for number in range(1, 1001)]
    report = imported(trust, rows, mode="partial")
    numbers = [int(each["reference"].removeprefix("INN-")) for each in report["rows"]]
    assert numbers == list(range(numbers[0], numbers[0] + 1000))
    assert register.verify().broken_at is None
    again = imported(trust, rows, mode="atomic")
    assert again["totals"]["unchanged"] == 1000


# Safe to repeat


def test_an_import_with_an_idempotency_key_is_carried_out_once(trust: httpx.Client) -> None:
    headers = {"Idempotency-Key": "night-1"}
    first = send(trust, [WARD_ROUNDS], headers=headers)
    again = send(trust, [WARD_ROUNDS], headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert trust.get("/v1/innovations").json()["page"]["total"] == 1
    problem_of(send(trust, [row(1)], headers=headers), 422, "idempotency-key-reused")
    problem_of(
        send(trust, [WARD_ROUNDS], mode="partial", headers=headers), 422, "idempotency-key-reused"
    )


def test_a_rejected_import_does_not_use_up_its_key(trust: httpx.Client) -> None:
    headers = {"Idempotency-Key": "night-1"}
    assert send(trust, [row(1, theme="none")], headers=headers).status_code == 422
    assert send(trust, [row(1)], headers=headers).status_code == 200


# Formats


def test_ndjson_is_an_entry_a_line(trust: httpx.Client) -> None:
    lines = [json.dumps(row(1)), "", json.dumps(row(2)), "{broken", json.dumps(row(3)), "[]"]
    for start, end in ((b"", b"\n"), (b"\xef\xbb\xbf", b"\r\n")):
        content = start + end.join(line.encode() for line in lines)
        report = imported(trust, content, Format.NDJSON, mode="partial")
        assert [(each["row"], each["outcome"]) for each in report["rows"]][-1] == (6, "rejected")
        assert [each["row"] for each in report["rows"]] == [1, 3, 4, 5, 6]
        assert report["totals"]["rejected"] == 2


def test_a_line_of_two_megabytes_is_rejected_and_the_next_one_read(trust: httpx.Client) -> None:
    lines = [json.dumps(row(1, summary="x" * 2_000_000)), json.dumps(row(2))]
    report = imported(trust, "\n".join(lines).encode(), Format.NDJSON, mode="partial")
    assert [(each["row"], each["outcome"]) for each in report["rows"]] == [
        (1, "rejected"),
        (2, "created"),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_csv_has_an_entry_a_row(trust: httpx.Client, separator: str, start: bytes) -> None:
    content = start + as_csv(
        [*HEADER, "Tags", "Source system", "source.id", "decision.status", "Decision Reason"],
        [*CELLS, "video; ward-round", "sheet", "7", "keep", 'It "works",\nas we see it.'],
        [],
        ["", "", "", "", ""],
        [*CELLS, "", "sheet", "8"],
        separator=separator,
    )
    report = imported(trust, content, Format.CSV)
    assert [(each["row"], each["outcome"]) for each in report["rows"]] == [
        (2, "created"),
        (5, "created"),
    ]
    entry = trust.get(f"/v1/innovations/{report['rows'][0]['id']}").json()
    assert entry["tags"] == ["video", "ward-round"]
    assert entry["source"] == {"system": "sheet", "id": "7"}
    assert entry["decision"]["reason"] == 'It "works",\nas we see it.'


def test_a_fault_in_a_table_names_its_column(trust: httpx.Client) -> None:
    header = [*HEADER, "evidence.2.kind", "evidence.2.statement", "evidence.1.statement"]
    header += ["evidence.1.kind", "evidence.1.measure.result", "tags"]
    cells = [*CELLS, "nonsense", "So it is.", "So it was.", "measure", "many", "good;(bad)"]
    answer = send(trust, as_csv(header, cells), Format.CSV)
    (rejected,) = answer.json()["rows"]
    assert {(each["pointer"], each["column"]) for each in rejected["errors"]} >= {
        ("#/evidence/1/kind", "evidence.2.kind"),
        ("#/evidence/0/measure/result", "evidence.1.measure.result"),
        ("#/tags/1", "tags"),
    }


def test_a_fault_of_a_whole_row_names_no_column(trust: httpx.Client) -> None:
    content = as_csv(HEADER, [*CELLS, "a cell too many"], ["x" * 2_000_000, *CELLS[1:]], CELLS)
    report = imported(trust, content, Format.CSV, mode="partial")
    assert outcomes(report) == ["rejected", "rejected", "created"]
    told = [error for each in report["rows"] for error in each["errors"]]
    assert [(error["code"], error["column"]) for error in told] == [
        ("cell_without_column", None),
        ("row_too_large", None),
    ]


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "'=1"])
def test_what_looks_like_a_formula_stays_the_text_that_it_is(
    trust: httpx.Client, form: Format, text: str
) -> None:
    rows = [HEADER, [text, *CELLS[1:]]]
    content = as_csv(*rows) if form is Format.CSV else as_xlsx(*rows)
    (made,) = imported(trust, content, form)["rows"]
    assert trust.get(f"/v1/innovations/{made['id']}").json()["title"] == text


def test_a_workbook_has_an_entry_a_row_with_its_cells_as_they_are_seen(
    trust: httpx.Client,
) -> None:
    header = [*HEADER, "source.system", "source.id", "evidence.1.kind", "evidence.1.statement"]
    header += ["evidence.1.measure.name", "evidence.1.measure.result", "started_on"]
    cells = [*CELLS, "sheet", 42, "measure", "Fewer.", "Admissions", 40.5, "2020-04-01"]
    for sheet in ("Sheet1", "Innovations"):
        report = imported(trust, as_xlsx(header, cells, sheet=sheet), Format.XLSX)
        assert report["totals"]["rejected"] == 0
    entry = trust.get(f"/v1/innovations/{report['rows'][0]['id']}").json()
    assert entry["source"] == {"system": "sheet", "id": "42"}
    assert entry["evidence"][0]["measure"]["result"] == 40.5
    assert entry["started_on"] == "2020-04-01"


@pytest.mark.parametrize("above", [0, 3])
def test_a_row_of_a_workbook_has_the_number_that_its_user_sees(
    trust: httpx.Client, above: int
) -> None:
    content = as_xlsx(*[[]] * above, HEADER, CELLS, [], CELLS)
    report = imported(trust, content, Format.XLSX)
    assert [each["row"] for each in report["rows"]] == [above + 2, above + 4]


def test_a_cell_far_below_costs_nothing_but_its_row(trust: httpx.Client) -> None:
    content = as_xlsx(HEADER, CELLS, *[[]] * 200_000, ["alone"])
    report = imported(trust, content, Format.XLSX, mode="partial")
    assert [(each["row"], each["outcome"]) for each in report["rows"]] == [
        (2, "created"),
        (200_003, "rejected"),
    ]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_template_can_be_sent_as_it_is(trust: httpx.Client, form: str) -> None:
    answer = trust.get(f"/v1/imports/template.{form}")
    assert answer.status_code == 200
    assert f"innovations.{form}" in answer.headers["content-disposition"]
    media_type = answer.headers["content-type"].partition(";")[0]
    (made,) = imported(trust, answer.content, media_type)["rows"]
    entry = trust.get(f"/v1/innovations/{made['id']}").json()
    assert entry["title"] == template.EXAMPLES["innovations"]["title"]
    assert entry["further_themes"][0]["slug"] == "local-system"
    assert entry["decision"]["decided_by"] == "Medical director"
    assert entry["evidence"][0]["measure"]["baseline"] == 50


# Files that are not right


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("titel", "title"),
        ("Decision", "decision."),
        ("evidence.0.kind", "evidence."),
        ("care seting", "care_setting"),
    ],
)
def test_a_wrong_column_is_named_with_the_nearest_right_one(
    trust: httpx.Client, name: str, near: str
) -> None:
    answer = send(trust, as_csv([*HEADER, name], [*CELLS, "x"]), Format.CSV, mode="partial")
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert error["pointer"] == f"column:{name}"
    assert near in error["detail"]


def test_a_header_lacks_and_repeats_nothing(trust: httpx.Client) -> None:
    answer = send(trust, as_csv(["title", "Title", "summary"], ["a", "b", "c"]), Format.CSV)
    errors = problem_of(answer, 422, "validation-failed")["errors"]
    assert [(each["pointer"], each["code"]) for each in errors] == [
        ("column:title", "repeated"),
        ("column:theme", "missing"),
    ]


def test_a_table_without_a_header_is_told_so_and_not_what_is_in_it(trust: httpx.Client) -> None:
    for content, form in ((as_csv(CELLS, CELLS), Format.CSV), (as_xlsx(CELLS), Format.XLSX)):
        answer = send(trust, content, form)
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert (error["pointer"], error["code"]) == ("column:", "no_header")
        assert not any(cell in answer.text for cell in CELLS)


def test_ten_thousand_columns_are_too_many(trust: httpx.Client) -> None:
    names = [f"column {at}" for at in range(10_000)]
    for content, form in ((as_csv(names, names), Format.CSV), (as_xlsx(names), Format.XLSX)):
        (error,) = problem_of(send(trust, content, form), 422, "validation-failed")["errors"]
        assert error["code"] == "too_many"


NUL = as_csv(HEADER, ["a\0b", *CELLS[1:]])
GOOD = as_csv(HEADER, CELLS)
BOOK = as_xlsx(HEADER, CELLS)
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "no file": (b"", Format.CSV),
    "blank": (b"\n\n,,\n", Format.CSV),
    "a quote never closed": (GOOD + b'"never,\n' + GOOD, Format.CSV),
    "a quote never closed in a large file": (GOOD + b'"' + b"never,\n" * 1_000_000, Format.CSV),
    "a quote out of place": (GOOD + b'"a"b,c,d\n', Format.CSV),
    "not UTF-8": (GOOD.replace(b"GP", b"GP\xe9"), Format.CSV),
    "UTF-16": (GOOD.decode().encode("utf-16"), Format.CSV),
    "a workbook as CSV": (BOOK, Format.CSV),
    "JSON as CSV": (json.dumps([row(1)], indent=1).encode(), Format.CSV),
    "NDJSON as CSV": (json.dumps(row(1)).encode(), Format.CSV),
    "a page as CSV": (b"\xef\xbb\xbf\n<!DOCTYPE html><p>Please, log in</p>", Format.CSV),
    "a cell without end": (GOOD + b"x" * 6_000_000, Format.CSV),
    "CSV as a workbook": (GOOD, Format.XLSX),
    "a broken zip": (BOOK[: len(BOOK) // 2], Format.XLSX),
    "a zip with nothing": (b"PK\x05\x06" + b"\0" * 18, Format.XLSX),
    "no JSON": (b"\x00\x01", Format.JSON),
    "an object": (json.dumps(row(1)).encode(), Format.JSON),
    "an array cut off": (json.dumps([row(1), row(2)]).encode()[:-20], Format.JSON),
    "an array cut off after a comma": (b"[" + json.dumps(row(1)).encode() + b",", Format.JSON),
    "two arrays": (b"[][]", Format.JSON),
    "a comma too many": (b'[{"a":1},]', Format.JSON),
    "NaN": (b'[{"a":NaN}]', Format.JSON),
    "nested too deep": (b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", Format.JSON),
    "an entry without end": (b'[{"a":"' + b"x" * 6_000_000, Format.JSON),
    "JSON that is not UTF-8": (b'[{"title":"\xff"}]', Format.JSON),
    "an array as NDJSON": (json.dumps([row(1)]).encode(), Format.NDJSON),
    "CSV as NDJSON": (GOOD, Format.NDJSON),
}


@pytest.mark.parametrize("mode", ["atomic", "partial"])
def test_a_file_that_cannot_be_read_is_refused_whole(
    trust: httpx.Client, mode: str, subtests: pytest.Subtests
) -> None:
    head = head_of(trust)
    for name, (content, form) in UNREADABLE.items():
        with subtests.test(name):
            answer = send(trust, content, form, mode=mode)
            problem_of(answer, 400, "unreadable-file")
            assert WARD_ROUNDS["title"] not in answer.text
            assert head_of(trust) == head


def test_text_that_cannot_be_stored_is_a_fault_of_its_row(trust: httpx.Client) -> None:
    lines = [rb'{"title":"\ud800","summary":"s","theme":"great-teams"}']
    lines += [rb'{"title":"\u0000","summary":"s","theme":"great-teams"}', b'{"title":"\xff"}']
    lines += [b'{"title":1e400}', b'{"a":NaN}', b'{"a":' + b"[" * 100_000]
    for content, form in ((b"\n".join(lines), Format.NDJSON), (NUL, Format.CSV)):
        report = imported(trust, content, form, mode="partial")
        assert set(outcomes(report)) == {"rejected"}


def test_another_type_or_none_is_told_which_there_are(trust: httpx.Client) -> None:
    for form in ("application/xml", "text/plain", "application/vnd.ms-excel", ""):
        problem = problem_of(send(trust, b"x", form), 415, "unsupported-media-type")
        assert all(known in problem["detail"] for known in Format)


def test_a_file_has_a_largest_size_announced_or_not(
    serve: Callable[..., Register],
) -> None:
    register = serve(max_import_bytes=10_000)
    trust = register.client(register.key("R0A"))
    large = b"[" + b" " * 10_000

    def chunks() -> Iterator[bytes]:
        yield from (large[:5_000], large[5_000:])

    for content in (large, chunks()):
        answer = trust.post(
            "/v1/imports", content=content, headers={"Content-Type": Format.JSON.value}
        )
        problem_of(answer, 413, "body-too-large")


def test_an_import_needs_a_key_before_its_file_is_looked_at(anybody: httpx.Client) -> None:
    problem_of(send(anybody, b"\xff", "nonsense"), 401, "unauthenticated")
