"""The examples of `docs/dashboards` for R, pandas and DuckDB, as an analyst runs them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.clients.running import environment, need, run
from tests.conftest import Register
from tests.dashboards.test_documents import DASHBOARDS
from tests.http.speaking import Submit
from tests.routers.test_innovations import patch, withdraw

Run = Callable[[], str]


@pytest.fixture
def example(filled: Register, tmp_path: Path) -> Callable[..., Run]:
    """An example in a folder of its own, and what it prints when it is run."""

    def of(tool: str, *command: str) -> Run:
        folder = tmp_path / tool
        shutil.copytree(DASHBOARDS / tool, folder)
        # The register is too young to have had anything in April.
        env = environment(filled, AS_OF="2020-03-23")

        def again() -> str:
            ended = run(*command, at=folder, env=env)
            return ended.stdout + ended.stderr

        return again

    return of


def change(trust: httpx.Client, submit: Submit) -> None:
    """One new, one changed, one gone."""
    items = trust.get("/v1/innovations", params={"icb": "QOP", "sort": "created_at"}).json()[
        "items"
    ]
    rounds, huddle, _ = items
    patch(trust, rounds, summary="Twice a week.")
    withdraw(trust, huddle)
    submit(title="New", theme="basics-sorted")


def test_r_tells_tonights_numbers(
    example: Callable[..., Run], trust: httpx.Client, submit: Submit
) -> None:
    need("Rscript")
    tonight = example("r", "Rscript", "tonight.R")

    first = tonight()
    assert "3 innovations, 1 pieces of evidence" in first
    assert "great-teams" in first
    assert "new: 0  changed: 0  gone: 0" in first
    assert "kept then: 0 of 0" in first
    assert "nothing new" not in first
    assert "innovations: nothing new" in tonight()

    change(trust, submit)
    assert "new: 1  changed: 1  gone: 1" in tonight()


def test_pandas_tells_tonights_numbers(
    example: Callable[..., Run], trust: httpx.Client, submit: Submit
) -> None:
    tonight = example("pandas", sys.executable, "tonight.py")

    first = tonight()
    assert "3 innovations, 1 pieces of evidence" in first
    assert "Rounds" in first
    assert "Since the last time: 0 new, 0 changed, 0 gone" in first
    assert "nothing new" not in first
    again = tonight()
    assert "innovations: nothing new" in again
    assert "evidence: nothing new" in again

    change(trust, submit)
    assert "Since the last time: 1 new, 1 changed, 1 gone" in tonight()


def test_what_pandas_reads_from_an_address_has_its_types(filled: Register) -> None:
    import pandas as pd

    address = f"{filled.url}/v1/exports/innovations.parquet?icb=QOP"
    found = pd.read_parquet(address)

    assert list(found["title"]) == ["Rounds", "=Huddle; \N{SNOWMAN}", "Paper"]
    assert list(found["tags"][0]) == ["video"]
    assert str(found["created_at"].dtype) == "datetime64[us, UTC]"
    assert found["evidence_count"].sum() == 1


def test_duckdb_answers_the_questions_from_the_files(
    example: Callable[..., Run],
    trust: httpx.Client,
    submit: Submit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("bash", "curl")
    fetch = example("duckdb", "./fetch.sh")
    folder = tmp_path / "duckdb"
    monkeypatch.chdir(folder)

    def answers() -> list[list[tuple[object, ...]]]:
        with duckdb.connect() as connection:
            statements = connection.extract_statements(Path("tonight.sql").read_text())
            return [connection.execute(statement).fetchall() for statement in statements]

    fetch()
    themes, strong, decided, changed, tags, shares = answers()
    assert [row[0] for row in themes] == ["21st-century-tools", "great-teams"]
    assert [row[1:] for row in strong] == [("Rounds", "audit", "It held.")]
    assert [row[1:] for row in decided] == [("keep", 1)]
    assert len(changed) == 3
    assert tags == [("video", 2)]
    assert shares == [("21st-century-tools", 1.0, None), ("great-teams", 0.0, None)]

    written = (folder / "innovations.parquet").stat().st_mtime_ns
    fetch()
    assert (folder / "innovations.parquet").stat().st_mtime_ns == written, "not sent again"
    change(trust, submit)
    fetch()
    assert {row[0] for row in answers()[0]} == {
        "21st-century-tools",
        "basics-sorted",
        "great-teams",
    }
