"""Reads on SQLite: the short ones on the event loop, the long ones on a thread."""

from __future__ import annotations

import asyncio
import shutil
import threading
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.database import Database
from app.dialects import Reader, sqlite
from app.dialects.sqlite import Sqlite
from app.models.innovations import InnovationCreate
from app.register import changes, innovations
from app.register.access import Caller
from tests.conftest import WARD_ROUNDS, Templates, settings_for


@pytest.fixture
def reads(templates: Templates) -> Any:
    dialect = Sqlite(f"sqlite:///{templates.sqlite}")
    return dialect.reads(settings_for(str(dialect.url)))


async def where(reader: Reader) -> tuple[str, int]:
    """The thread that reads, and what it read."""
    head = await changes.head(reader)
    return threading.current_thread().name, head


def run(reads: Any) -> tuple[str, int]:
    async def once() -> tuple[str, int]:
        await reads.open()
        try:
            found: tuple[str, int] = await reads.run(where)
            return found
        finally:
            await reads.close()

    return asyncio.run(once())


def test_a_short_read_stays_on_the_event_loop(reads: Any) -> None:
    thread, head = run(reads)

    assert thread == threading.current_thread().name
    assert head > 0


def test_a_read_that_goes_over_its_budget_moves_to_a_thread(
    reads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, head = run(reads)
    monkeypatch.setattr(sqlite, "STEPS_A_TICK", 1)
    monkeypatch.setattr(sqlite, "TICKS_INLINE", 3)

    assert run(reads) == ("long-read_0", head)


def test_a_reader_cannot_write(reads: Any) -> None:
    async def write(reader: Any) -> None:
        reader.driver.execute("DELETE FROM change")

    async def attempt() -> None:
        await reads.open()
        try:
            await reads.run(write)
        finally:
            await reads.close()

    with pytest.raises(Exception, match="readonly"):
        asyncio.run(attempt())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_an_embedded_register_needs_a_file(url: str) -> None:
    with pytest.raises(ValueError, match="needs a file"):
        Sqlite(url)


def test_a_write_is_flushed_to_disk_before_it_is_acknowledged(templates: Templates) -> None:
    dialect = Sqlite(f"sqlite:///{templates.sqlite}")
    engine = dialect.engine(settings_for(str(dialect.url)))
    with engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()

    assert pragmas == ["wal", 2, 1]


def test_a_tidy_text_index_is_in_one_part(tmp_path: Path, templates: Templates) -> None:
    url = f"sqlite:///{shutil.copy(templates.sqlite, tmp_path)}"
    entry = InnovationCreate.model_validate(WARD_ROUNDS)
    with Database(settings_for(url)) as database:

        def parts() -> Any:
            with database.engine.connect() as connection:
                counted = text("SELECT count(DISTINCT segid) FROM innovation_text_idx")
                return connection.execute(counted).scalar()

        for _ in range(3):
            database.transaction(innovations.add, entry, by=Caller(organisation="R0A"))
        assert parts() == 3
        database.tidy()
        assert parts() == 1


def test_two_processes_that_write_without_a_pause_take_turns(
    templates: Templates, tmp_path: Path
) -> None:
    file = tmp_path / "register.db"
    shutil.copy(templates.sqlite, file)
    start = threading.Barrier(2)
    lines: list[list[int]] = [[], []]

    def write(own: list[int]) -> None:
        with Database(settings_for(f"sqlite:///{file}")) as database:
            entry = InnovationCreate.model_validate(WARD_ROUNDS)
            by = Caller(client="a client", organisation="R0A")
            start.wait()
            for _ in range(200):
                stored = database.transaction(innovations.add, entry, by=by)
                own.append(stored.head or 0)

    writers = [threading.Thread(target=write, args=(own,)) for own in lines]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    together = min(own[-1] for own in lines)
    turns = groupby(sorted(chain(*lines)), key=lambda line: line in lines[0])
    longest = max(len([line for line in turn if line <= together]) for _, turn in turns)
    assert longest < 60, "one of them was kept waiting"
