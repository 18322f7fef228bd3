"""What a list costs: as many statements for many items as for few, and each over an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from sqlmodel import Session

from app.dialects import Prepared, Read, Reader, Statement, Values
from app.dialects.protocol import prepared_by
from app.models.innovations import Innovation
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit

Asked = list[tuple[Statement | Prepared, Values]]

LISTS = [
    "theme=great-teams",
    "theme=great-teams&status=keep",
    "status=keep&sort=-created_at",
    "organisation=R0A",
    "organisation=R0A&theme=great-teams&sort=updated_at",
    "icb=QOP&created_from=2020-01-01",
    "region=Y62&created_to=2030-01-01",
    "care_setting=acute",
    "tag=video",
    "tag=video&theme=great-teams",
    "evidence_kind=audit",
    "sort=title",
    "sort=-title",
    "sort=review_on&review_due_before=2027-01-01",
    "sort=updated_at&updated_since=2020-01-01",
]
"""Queries whose page is a walk along an index."""

SEARCHES = [
    "q=zebra",
    'q="zebra crossing" -pilot',
    "q=zebra&theme=21st-century-tools",
]


class Recording:
    """A reader that notes what is asked."""

    def __init__(self, reader: Reader, asked: Asked) -> None:
        self.dialect = reader.dialect
        self._reader, self._asked = reader, asked

    async def rows(self, statement: Statement | Prepared, values: Values) -> Sequence[Any]:
        self._asked.append((statement, values))
        return await self._reader.rows(statement, values)

    def takes_long(self) -> None:
        self._reader.takes_long()


@pytest.fixture
def asked(register: Register, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """All that the service asks its database while it reads."""
    noted: Asked = []
    reads = register.database._reads
    run = reads.run

    async def recorded(read: Read[Any]) -> Any:
        return await run(lambda reader: read(Recording(reader, noted)))

    monkeypatch.setattr(reads, "run", recorded)
    return noted


@contextmanager
def explaining(register: Register) -> Iterator[Any]:
    """A function from a statement to the lines of its plan."""
    dialect = register.database.dialect
    connection: Any
    if dialect.embedded:
        connection = sqlite3.connect(str(dialect.url.database))
        explain = "EXPLAIN QUERY PLAN "
    else:
        url = dialect.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(url, autocommit=True)
        # A few rows are read faster without an index; the question is whether there is one.
        connection.execute("SET enable_seqscan = off")
        explain = "EXPLAIN "

    def plan(statement: Statement, values: Values) -> list[str]:
        prepared = prepared_by(dialect, statement)
        rows = connection.execute(explain + prepared.sql, prepared.bound(values)).fetchall()
        return [str(row[-1]) for row in rows]

    with closing(connection):
        yield plan


def scans(lines: list[str]) -> list[str]:
    """The steps that read a whole table that grows with the register."""
    tables = "innovation|innovation_key|change|evidence|decision"
    whole = re.compile(rf"SCAN ({tables})(?! USING)\b(?!_)|Seq Scan on ({tables})\b")
    return [line for line in lines if whole.search(line)]


def many(client: httpx.Client, number: int) -> None:
    piece = {"kind": "audit", "statement": "It held."}
    extra = {"tags": ["video"], "further_themes": ["great-teams"], "evidence": [piece] * 2}
    for _ in range(number):
        answer = client.post("/v1/innovations", json={**WARD_ROUNDS, **extra})
        assert answer.status_code == 201


def test_a_page_of_fifty_costs_as_many_statements_as_one_of_five(
    anybody: httpx.Client, trust: httpx.Client, asked: Asked, subtests: pytest.Subtests
) -> None:
    queries = ["", "tag=video", "q=rounds", "facets=theme,tag", "sort=title", "theme=great-teams"]
    costs: dict[str, list[int]] = {query: [] for query in queries}
    for number in (1, 4, 45):
        many(trust, number)
        for query in queries:
            asked.clear()
            assert anybody.get(f"/v1/innovations?limit=50&{query}").status_code == 200
            costs[query].append(len(asked))
    # From the second time on, a theme is known, and an answer that was kept is looked at.
    for query, (_, few, fifty) in costs.items():
        with subtests.test(query):
            assert fifty == few <= 7


def test_other_lists_cost_the_same_however_long_they_are(
    anybody: httpx.Client, trust: httpx.Client, asked: Asked
) -> None:
    costs = []
    for number in (1, 4, 45):
        many(trust, number)
        cost = {}
        for path in ("changes?after=250&limit=100", "organisations?limit=5", "themes"):
            asked.clear()
            assert anybody.get(f"/v1/{path}").status_code == 200
            cost[path.split("?")[0]] = len(asked)
        costs.append(cost)
    assert costs[1] == costs[2]
    asked.clear()
    anybody.get("/v1/organisations?limit=100")
    assert len(asked) == costs[0]["organisations"]


def test_every_list_is_a_walk_along_an_index(
    register: Register,
    anybody: httpx.Client,
    trust: httpx.Client,
    asked: Asked,
    subtests: pytest.Subtests,
) -> None:
    many(trust, 3)
    with explaining(register) as plan:
        for query in LISTS:
            with subtests.test(query):
                asked.clear()
                first = anybody.get(f"/v1/innovations?limit=1&{query}")
                assert first.status_code == 200, first.text
                if "next" in first.links:
                    assert anybody.get(first.links["next"]["url"]).status_code == 200
                plans = [plan(*each) for each in asked]
                assert [step for lines in plans for step in scans(lines)] == []


def test_a_search_for_a_rare_word_starts_from_the_words(
    register: Register,
    anybody: httpx.Client,
    submit: Submit,
    asked: Asked,
    subtests: pytest.Subtests,
) -> None:
    common = submit(tags=["video"])
    crowd(register, int(common["reference"][4:]))
    for _ in range(2):
        submit(title="A zebra crossing", tags=["video"])
    index = r"VIRTUAL TABLE INDEX|Bitmap Index Scan on ix_innovation_search"
    with explaining(register) as plan:
        for query in SEARCHES:
            with subtests.test(query):
                asked.clear()
                found = anybody.get(f"/v1/innovations?{query}&limit=1").json()
                assert (len(found["items"]), found["page"]["total"]) == (1, 2)
                plans = [plan(*each) for each in asked]
                searched = [lines for lines in plans if re.search(index, str(lines))]
                assert len(searched) == 2  # the page, and its total
                assert [step for lines in plans for step in scans(lines)] == []


def crowd(register: Register, number: int) -> None:
    """Fills the register with copies of an entry, and lets the database see how many there are."""

    def work(session: Session) -> None:
        kept = ", ".join(name for name in Innovation.model_fields if name not in ("number", "id"))
        session.connection().exec_driver_sql(
            "WITH RECURSIVE copy (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM copy "
            f"WHERE i < 3000) INSERT INTO innovation (number, id, {kept}) "
            f"SELECT i, 'copy of ' || i, {kept} FROM copy, innovation WHERE number = {number}"
        )

    register.database.transaction(work)
    if not register.database.dialect.embedded:
        register.database.transaction(
            lambda session: session.connection().exec_driver_sql("ANALYZE innovation")
        )


def test_a_page_in_the_order_of_an_index_sorts_nothing(
    register: Register, anybody: httpx.Client, trust: httpx.Client, asked: Asked
) -> None:
    if not register.database.dialect.embedded:
        pytest.skip("with so few rows PostgreSQL would rather sort them")
    many(trust, 3)
    with explaining(register) as plan:
        for query in LISTS[:1] + LISTS[3:4] + ["tag=video", "sort=title", "sort=-title", ""]:
            asked.clear()
            anybody.get(f"/v1/innovations?limit=1&{query}")
            for statement in asked:
                sorts = [step for step in plan(*statement) if "TEMP B-TREE" in step]
                assert len(sorts) <= 1, query  # of the page's own documents, after the walk


def test_one_innovation_is_a_look_up(
    register: Register, trust: httpx.Client, submit: Submit, asked: Asked
) -> None:
    entry = submit(source={"system": "intranet", "id": "42"})
    links = entry["links"]
    named = f"/v1/innovations/{entry['reference']}"
    by_source = "/v1/innovations/by-source/intranet/42"
    with explaining(register) as plan:
        for path in (*links.values(), named, by_source, f"{links['history']}/1"):
            asked.clear()
            assert trust.get(path).status_code == 200
            assert len(asked) <= 4  # the key, the entry, and a list with its total
            assert [step for each in asked for step in scans(plan(*each))] == []


# OData

STORED = [
    "Innovations",
    "Innovations?$skip=1",
    "Innovations?$filter=reference eq 'INN-000002'",
    "Innovations?$filter=reference in ('INN-000002','INN-000001')",
    "Innovations?$filter=status eq 'keep' and theme ne 'x'",
    "Decisions",
    "Evidence?$filter=kind eq 'audit'",
]
"""Queries of what has columns."""


def test_odata_costs_as_many_statements_for_many_entities_as_for_few(
    anybody: httpx.Client, trust: httpx.Client, asked: Asked
) -> None:
    path = "/odata/v4/Innovations?$count=true&$expand=*"
    costs = []
    for number in (1, 9, 50):
        many(trust, number)
        asked.clear()
        assert len(anybody.get(path).json()["value"]) >= number
        costs.append(len(asked))
    # From the second time on, an answer that was kept is looked at.
    assert costs[1] == costs[2] <= 9


def test_odata_looks_at_what_is_stored_and_not_into_documents(
    register: Register,
    anybody: httpx.Client,
    trust: httpx.Client,
    asked: Asked,
    subtests: pytest.Subtests,
) -> None:
    many(trust, 3)
    document = re.compile(r"json_extract|jsonb_extract|json_each|jsonb_path")
    for path in STORED:
        with subtests.test(path):
            asked.clear()
            assert anybody.get(f"/odata/v4/{path}").status_code == 200
            statements = [prepared_by(register.database.dialect, each).sql for each, _ in asked]
            assert statements
            assert not [sql for sql in statements if document.search(sql)]


def test_one_entity_and_what_belongs_to_it_are_found_by_an_index(
    register: Register,
    anybody: httpx.Client,
    submit: Submit,
    asked: Asked,
    subtests: pytest.Subtests,
) -> None:
    entry = submit(evidence=[{"kind": "audit", "statement": "It held."}])
    one, piece = f"Innovations('{entry['id']}')", f"Evidence('{entry['evidence'][0]['id']}')"
    with explaining(register) as plan:
        for path in (
            *(one, piece, f"{one}/evidence", f"{one}/theme_detail", f"{piece}/innovation_detail"),
            *(f"{one}?$expand=*", f"Innovations?$filter=id eq '{entry['id']}'"),
            f"Innovations?$filter=reference eq '{entry['reference']}'",
        ):
            with subtests.test(path):
                asked.clear()
                answer = anybody.get(f"/odata/v4/{path}")
                assert answer.status_code == 200, answer.text
                plans = [plan(*each) for each in asked]
                assert [step for lines in plans for step in scans(lines)] == []
