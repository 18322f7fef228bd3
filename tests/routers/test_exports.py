"""Exports: whole tables as files, as spreadsheets and other tools read them."""

from __future__ import annotations

import csv
import io
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import Session

from app.exports import running
from app.http import exported, patience
from app.models.innovations import InnovationCreate
from app.models.tables import (
    ADOPTIONS,
    DECISIONS,
    EVIDENCE,
    INNOVATIONS,
    ORGANISATIONS,
    TABLES,
    Table,
)
from app.register import innovations
from app.register.access import OPERATOR
from app.register.entries import next_number
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import EVERYTHING, patch, withdraw
from tests.serving import Server

EXPORTS = "/v1/exports"
MEASURE = {"name": "Infections", "baseline": 2.5, "result": -3}
EVIDENCE_OF = [
    {"kind": "measure", "statement": "Fewer of them.", "strength": "strong", "measure": MEASURE},
    {"kind": "audit", "statement": "Looked at."},
]
LETTERS = str.maketrans("0123456789", "ghijklmnop")
MORE_THAN_WAITS = 100
"""Long entries that are more, in each format, than what waits on its way to a client (450 KB)."""

FORMULAS = ["=1+1", "+44 20", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠A1"]  # noqa: RUF001


def rows(client: httpx.Client, table: Table, **query: Any) -> list[dict[str, str]]:
    """The rows of a CSV, by the names of their columns."""
    answer = client.get(f"{EXPORTS}/{table.name}.csv", params=query)
    assert answer.status_code == 200, answer.text
    reader = csv.DictReader(io.StringIO(answer.content.decode(), newline=""))
    assert reader.fieldnames == [column.name for column in table.columns]
    return list(reader)


def sheet(client: httpx.Client, table: Table) -> list[list[Any]]:
    content = client.get(f"{EXPORTS}/{table.name}.xlsx").content
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


# What is in it


def test_a_csv_has_what_the_list_shows(anybody: httpx.Client, submit: Submit) -> None:
    entry = submit(**EVERYTHING)
    submit(visibility="draft")
    second = submit(title='Says "so"', summary="One, and\ntwo.", tags=[])

    found = rows(anybody, INNOVATIONS)
    assert [row["id"] for row in found] == [entry["id"], second["id"]]
    first = found[0]
    assert first["reference"] == entry["reference"]
    assert first["theme_name"] == entry["theme"]["name"]
    assert first["icb"] == entry["organisation"]["icb"]["code"]
    assert first["tags"] == "; ".join(entry["tags"])
    assert first["further_themes"] == "; ".join(each["slug"] for each in entry["further_themes"])
    assert first["decided_on"] == entry["decision"]["decided_on"]
    assert first["evidence_count"] == str(len(entry["evidence"]))
    assert first["updated_at"] == entry["updated_at"]
    assert (found[1]["title"], found[1]["summary"]) == (second["title"], second["summary"])
    assert (found[1]["decided_on"], found[1]["tags"]) == ("", "")


def test_decisions_and_evidence_name_their_innovation(
    anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    entry = submit(evidence=EVIDENCE_OF)
    for status in ("keep", "retire"):
        decision = {"status": status, "reason": f"We {status} it.", "decided_on": "2024-01-31"}
        assert trust.post(entry["links"]["decisions"], json=decision).status_code == 201
    submit(visibility="draft", evidence=EVIDENCE_OF)

    decided = rows(anybody, DECISIONS)
    assert [(row["innovation"], row["status"]) for row in decided] == [
        (entry["id"], "keep"),
        (entry["id"], "retire"),
    ]
    pieces = rows(anybody, EVIDENCE)
    assert [(row["reference"], row["kind"]) for row in pieces] == [
        (entry["reference"], "measure"),
        (entry["reference"], "audit"),
    ]
    assert (pieces[0]["baseline"], pieces[0]["result"]) == ("2.5", "-3"), "a number is no formula"
    assert len(rows(trust, EVIDENCE, visibility=["draft", "published"])) == 4


def test_adoptions_name_their_innovation_and_whose_they_are(
    anybody: httpx.Client, other_trust: httpx.Client, icb: httpx.Client, submit: Submit
) -> None:
    entry = submit(title="The zebra")
    adopted = {"stage": "adopted", "since": "2024-03-01", "learnt": "=1+1"}
    for client, sent in ((other_trust, adopted), (icb, {"stage": "considering"})):
        assert client.post(entry["links"]["adoptions"], json=sent).status_code == 201
    submit(title="A lion")

    first, second = rows(anybody, ADOPTIONS, q="zebra")
    assert (first["innovation"], first["reference"]) == (entry["id"], entry["reference"])
    assert (first["organisation"], first["icb"], first["region"]) == ("RJ1", "QKK", "Y56")
    assert (first["stage"], first["since"], first["adopted_on"]) == (
        "adopted",
        "2024-03-01",
        "2024-03-01",
    )
    assert (second["organisation"], second["adopted_on"]) == ("QOP", "")
    assert rows(anybody, ADOPTIONS, q="lion") == []
    assert [row["adoption_count"] for row in rows(anybody, INNOVATIONS)] == ["1", "0"]
    assert [row["title"] for row in rows(anybody, INNOVATIONS, adopted_by="QKK")] == ["The zebra"]


def test_the_filters_of_the_lists_apply(anybody: httpx.Client, submit: Submit) -> None:
    submit(theme="great-teams", tags=["video"], evidence=EVIDENCE_OF)
    submit(theme="basics-sorted", title="The zebra")

    assert [row["theme"] for row in rows(anybody, INNOVATIONS, tag="video")] == ["great-teams"]
    assert [row["theme"] for row in rows(anybody, INNOVATIONS, q="zebra")] == ["basics-sorted"]
    assert rows(anybody, EVIDENCE, q="zebra") == []
    assert len(rows(anybody, EVIDENCE, theme=["great-teams", "basics-sorted"])) == 2
    icbs = rows(anybody, ORGANISATIONS, kind="icb", open="true")
    assert len(icbs) == 36
    assert {row["kind"] for row in icbs} == {"icb"}


def test_each_table_comes_in_each_format(
    anybody: httpx.Client,
    trust: httpx.Client,
    icb: httpx.Client,
    submit: Submit,
    subtests: pytest.Subtests,
) -> None:
    adoptions = submit(**EVERYTHING)["links"]["adoptions"]
    assert icb.post(adoptions, json={"stage": "considering"}).status_code == 201
    told = {"text": "It is better so.", "verdict": "keep", "consent_to_publish": True}
    assert trust.post("/v1/stories", json=told).status_code == 201
    listed = anybody.get(EXPORTS).json()["items"]
    assert [each["table"] for each in listed] == [table.name for table in TABLES]
    for each in listed:
        for form, path in each["files"].items():
            with subtests.test(f"{each['table']}.{form}"):
                answer = anybody.get(path)
                assert answer.status_code == 200
                head = head_of(anybody)
                assert answer.headers["content-disposition"] == (
                    f'attachment; filename="{each["table"]}-{head}.{form}"'
                )
                assert answer.headers["register-sequence"] == str(head)
                assert len(answer.content) > 100


def test_ndjson_has_the_whole_documents(anybody: httpx.Client, submit: Submit) -> None:
    entries = [submit(**EVERYTHING), submit(title="\u2028 zeilen")]
    answer = anybody.get(f"{EXPORTS}/innovations.ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.content.split(b"\n")[:-1]] == entries


def test_a_byte_order_mark_is_there_for_excel(anybody: httpx.Client) -> None:
    path = f"{EXPORTS}/themes.csv"
    assert anybody.get(f"{path}?bom=true").content.startswith(b"\xef\xbb\xbfslug,number,")
    assert anybody.get(path).content.startswith(b"slug,number,")


# No formula, ever


def test_what_a_spreadsheet_might_take_for_a_formula_is_made_harmless(
    anybody: httpx.Client, submit: Submit
) -> None:
    for text in FORMULAS:
        submit(title=text, summary=f"A{text}", description=text)

    for text, row in zip(FORMULAS, rows(anybody, INNOVATIONS), strict=True):
        assert (row["title"], row["description"]) == (f"'{text}", f"'{text}")
        assert row["summary"] == f"A{text}"
    header, *cells = sheet(anybody, INNOVATIONS)
    assert [row[header.index("title")] for row in cells] == FORMULAS


def test_a_sheet_has_texts_days_and_numbers_and_no_formula(
    anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit(
        title="=HYPERLINK(A1)",
        started_on="2020-04-01",
        description="x" * 20_000,
        evidence=EVIDENCE_OF,
    )

    header, cells = sheet(anybody, INNOVATIONS)
    row = dict(zip(header, cells, strict=True))
    assert row["title"] == "=HYPERLINK(A1)"
    assert row["started_on"] == date(2020, 4, 1)
    assert row["evidence_count"] == 2
    moment = datetime.fromisoformat(entry["created_at"]).replace(tzinfo=None)
    assert abs((row["created_at"] - moment).total_seconds()) < 1
    header, *pieces = sheet(anybody, EVIDENCE)
    assert pieces[0][header.index("result")] == -3


# Parquet


def test_parquet_has_typed_columns(anybody: httpx.Client, submit: Submit, tmp_path: Path) -> None:
    entry = submit(**EVERYTHING)
    file = tmp_path / "innovations.parquet"
    file.write_bytes(anybody.get(f"{EXPORTS}/innovations.parquet").content)

    with duckdb.connect() as connection:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)])
        types = {name: type_ for name, type_, *_ in described.fetchall()}
        (row,) = connection.execute(
            "SELECT id, tags, started_on, epoch_us(created_at), evidence_count "
            "FROM read_parquet(?)",
            [str(file)],
        ).fetchall()
    assert list(types) == [column.name for column in INNOVATIONS.columns]
    assert types["started_on"] == "DATE"
    assert types["created_at"] == "TIMESTAMP WITH TIME ZONE"
    assert types["tags"] == "VARCHAR[]"
    assert types["evidence_count"] == "BIGINT"
    assert row[:2] == (entry["id"], entry["tags"])
    assert row[2] == date.fromisoformat(entry["started_on"])
    created = datetime.fromisoformat(entry["created_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    assert row[3] == created // timedelta(microseconds=1)
    assert row[4] == len(entry["evidence"])


# What describes it


def test_a_csv_fits_its_descriptions(anybody: httpx.Client, submit: Submit) -> None:
    submit(**EVERYTHING)
    for table in TABLES:
        answer = anybody.get(f"{EXPORTS}/{table.name}.csv")
        header = answer.text.splitlines()[0].split(",")
        schema = anybody.get(f"{EXPORTS}/{table.name}.schema.json").json()
        assert [field["name"] for field in schema["fields"]] == header
        assert schema["primaryKey"] == table.key
        described = answer.links["describedby"]["url"]
        metadata = anybody.get(described)
        assert metadata.headers["content-type"] == "application/csvm+json"
        said = metadata.json()
        assert said["url"] == f"{table.name}.csv"
        columns = said["tableSchema"]["columns"]
        assert [column["name"] for column in columns] == header
        found = csv.DictReader(io.StringIO(answer.text, newline=""))
        for row in found:
            for field, column in zip(schema["fields"], columns, strict=True):
                value = row[field["name"]]
                constraints = field["constraints"]
                assert value or not constraints.get("required"), field["name"]
                assert not value or value in constraints.get("enum", [value])
                if column.get("separator") is None and value:
                    _parsed(field["type"], value)


def _parsed(type_: str, value: str) -> object:
    parse: dict[str, Callable[[str], object]] = {
        "string": str,
        "integer": int,
        "number": float,
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
    }
    return parse[type_](value)


# As of one moment


def many(register: Register, wanted: int) -> None:
    """So many entries; they are long, and nothing makes them shorter."""

    def add(session: Session) -> None:
        # Letters alone: where there are digits, PostgreSQL looks for numbers, ten times as long.
        told = [
            WARD_ROUNDS
            | {"organisation": "R0A", "description": secrets.token_hex(9_500).translate(LETTERS)}
            for _ in range(wanted)
        ]
        new = [
            innovations.made(session, InnovationCreate.model_validate(each), number, by=OPERATOR)
            for number, each in enumerate(told, next_number(session))
        ]
        innovations.add_all(session, new)

    register.database.transaction(add)


@contextmanager
def writing(client: httpx.Client, entries: list[dict[str, Any]]) -> Iterator[None]:
    """Changes entries, withdraws some and adds others, all the while."""
    over = threading.Event()

    def write() -> None:
        for number in count():
            if over.is_set():
                return
            client.post("/v1/innovations", json=WARD_ROUNDS).raise_for_status()
            patch(client, entries[number % 20], title=f"Number {number}")
            if number < 10:
                withdraw(client, entries[20 + number])

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        yield
        over.set()
        written.result(30)


def as_it_was(client: httpx.Client, line: int) -> dict[str, int]:
    """Versions of the innovations of then, by their ids."""
    query: dict[str, Any] = {"as_of": line, "limit": 100}
    found: dict[str, int] = {}
    while True:
        page = client.get("/v1/innovations", params=query).json()
        found |= {item["id"]: item["version"] for item in page["items"]}
        query["cursor"] = page["page"]["next"]
        if query["cursor"] is None:
            return found


def test_a_file_shows_one_line_of_the_log_whatever_is_written_meanwhile(
    register: Register, anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    entries = [submit() for _ in range(30)]
    many(register, 100)
    files = []
    with writing(trust, entries):
        for _ in range(3):
            with anybody.stream("GET", f"{EXPORTS}/innovations.ndjson") as answer:
                line = int(answer.headers["register-sequence"])
                while head_of(trust) < line + 3:
                    time.sleep(0.01)
                documents = [json.loads(text) for text in answer.iter_lines()]
            files.append((line, {each["id"]: each["version"] for each in documents}))
    for line, versions in files:
        assert versions == as_it_was(anybody, line)
    assert len({line for line, _ in files}) == 3


def test_nothing_new_is_not_written_again(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    path = f"{EXPORTS}/innovations.csv"
    head = anybody.head(path)
    assert head.content == b""
    first = anybody.get(path)
    assert first.content.count(b"\r\n") == 2, "a HEAD before it takes nothing away"
    etag = first.headers["etag"]
    assert head.headers["etag"] == anybody.head(path).headers["etag"] == etag
    assert anybody.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert anybody.get(f"{path}?bom=true").headers["etag"] != etag
    submit()
    assert anybody.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_what_a_client_has_already_begins_no_process(
    register: Register, anybody: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{EXPORTS}/themes.csv"
    etag = anybody.get(path).headers["etag"]
    monkeypatch.setattr(running, "PATIENCE", 0.1)
    many(register, MORE_THAN_WAITS)
    again = anybody.head(path).headers["etag"]
    with unread(register), unread(register), unread(register), unread(register):
        assert anybody.head(path).status_code == 200
        for known in (again, f'"other", W/{again}', "*"):
            assert anybody.get(path, headers={"If-None-Match": known}).status_code == 304
        problem_of(anybody.get(path, headers={"If-None-Match": etag}), 503, "unavailable")


# Clients that go away, and others that come


@contextmanager
def unread(register: Register, form: str = "ndjson") -> Iterator[socket.socket]:
    """A client that asks for an export, and reads no more than its start."""
    url = httpx.URL(register.url)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect((str(url.host), url.port or 80))
        request = f"GET {EXPORTS}/innovations.{form} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        client.sendall(request.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        yield client


def free(register: Register) -> int:
    turns: int = register.app.state.exports._turns._value
    return turns


def soon(happens: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not happens():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def is_freed(register: Register) -> bool:
    """Whether every turn is free again; each is given back when its process has ended."""
    return soon(lambda: free(register) == running.AT_ONCE)


FORMATS = ["csv", "ndjson", "xlsx", "parquet"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_client_that_goes_away_frees_what_it_held(register: Register, form: str) -> None:
    many(register, MORE_THAN_WAITS)
    with unread(register, form):
        assert free(register) == running.AT_ONCE - 1
    assert is_freed(register)


@pytest.mark.parametrize("form", FORMATS)
def test_a_client_that_stops_reading_frees_what_it_held(
    register: Register, server: Server, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(patience, "STALLED", 0.3)
    many(register, MORE_THAN_WAITS)
    before = server.connections
    with unread(register, form) as client:
        assert free(register) == running.AT_ONCE - 1
        assert is_freed(register), "though it is still there"
        assert soon(lambda: server.connections <= before), "and so is its connection"
        rest = b""
        with suppress(ConnectionResetError):
            while chunk := client.recv(1 << 16):
                rest = (rest + chunk)[-5:]
        assert rest != b"0\r\n\r\n", "which does not say that this was all"


def test_an_export_that_takes_too_long_ends(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported, "LONGEST", 0.3)
    many(register, MORE_THAN_WAITS)
    with unread(register):
        assert is_freed(register)


def test_too_many_at_once_are_asked_to_come_again(
    register: Register, anybody: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.2)
    many(register, MORE_THAN_WAITS)
    with unread(register), unread(register), unread(register), unread(register):
        refused = anybody.get(f"{EXPORTS}/themes.csv")
        problem_of(refused, 503, "unavailable")
        assert int(refused.headers["retry-after"]) > 0
    assert is_freed(register)


@pytest.mark.parametrize("path", ["innovations.pdf", "nothing.csv", "innovations", "x.schema.json"])
def test_what_there_is_not_is_a_problem(anybody: httpx.Client, path: str) -> None:
    problem_of(anybody.get(f"{EXPORTS}/{path}"), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("innovations.csv?theme=nothing", "?theme"),
        ("innovations.csv?limit=5", "?limit"),
        ("innovations.csv?bom=perhaps", "?bom"),
        ("themes.csv?theme=great-teams", "?theme"),
        ("organisations.csv?kind=hospital", "?kind"),
        ("organisations.csv?parent=NOWHERE", "?parent"),
    ],
)
def test_a_filter_that_does_not_fit_is_a_problem(
    anybody: httpx.Client, path: str, pointer: str
) -> None:
    answer = anybody.get(f"{EXPORTS}/{path}")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_drafts_are_for_their_own_organisation(
    anybody: httpx.Client, trust: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    submit(visibility="draft")
    path = f"{EXPORTS}/innovations.ndjson?visibility=draft"
    problem_of(anybody.get(path), 401, "unauthenticated")
    assert trust.get(path).content.count(b"\n") == 1
    assert other_trust.get(path).content == b""
