"""Large exports: what they take of the machine, in every format."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import duckdb
import httpx
import pytest
from sqlalchemy import text

from app.database import Database
from app.models.innovations import Innovation
from benchmarks.fill import fill, settle
from tests.conftest import settings_for
from tests.processes import free_port, service
from tests.serving import PLAIN
from tests.test_large_import import memory, needs_proc

MOST_MEMORY = 120_000_000
"""Bytes that the service takes more than when it is idle, and all that its child takes."""

WRITTEN = 1_000
"""Entries that are written; of the others, the rows are copied."""

NEEDED = "ix_innovation_number"
"""The one index that an export of all goes by; without the others, copies are made in less time."""


def filled(url: str, count: int) -> int:
    """Fills a register; returns how many of its entries everybody sees."""
    table = Innovation.__table__  # type: ignore[attr-defined]
    own = {"number": "number + :by", "id": "id || '-' || :tail", "source_id": "NULL"}
    columns = [column.name for column in table.columns]
    copy = text(
        f"INSERT INTO innovation ({', '.join(columns)}) "
        f"SELECT {', '.join(own.get(name, name) for name in columns)} "
        "FROM innovation WHERE number <= :written"
    )
    with Database(settings_for(url)) as database:
        (*_, known) = fill(database, WRITTEN)
        with database.engine.begin() as connection:
            for index in table.indexes:
                if index.name != NEEDED:
                    index.drop(connection)
            # Nobody searches here.
            if database.dialect.embedded:
                triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
                for (trigger,) in connection.execute(text(triggers)).all():
                    connection.execute(text(f"DROP TRIGGER {trigger}"))
            else:
                connection.execute(text("ALTER TABLE innovation DISABLE TRIGGER USER"))
        with database.engine.begin() as connection:
            for by in range(WRITTEN, count, WRITTEN):
                connection.execute(copy, {"by": by, "tail": str(by), "written": WRITTEN})
        settle(database)
    return len(known.published) * (count // WRITTEN)


def resident(process: int) -> int:
    """All bytes of a child that are in memory, its libraries too.

    None when it is over; nor before it has begun, when all that it has is still the service's.
    """
    try:
        if b"app.exports.child" not in Path(f"/proc/{process}/cmdline").read_bytes():
            return 0
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@contextmanager
def watched(process: int) -> Iterator[list[int]]:
    """The most bytes that a service and its children have meanwhile, as the one item of a list."""
    most = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            now = memory(process) + sum(map(resident, children(process)))
            most[0] = max(most[0], now)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield most
    over.set()
    watcher.join()


def lines_of(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def rows_of_sheets(file: Path) -> int:
    with ZipFile(file) as package:
        sheets = [name for name in package.namelist() if "/sheet" in name]
        found = 0
        for name in sheets:
            end = b""
            with package.open(name) as sheet:
                while chunk := sheet.read(1 << 20):
                    found += (end + chunk).count(b"<row ")
                    end = chunk[-4:]
            found -= 1  # its header
    return found


def rows_of_parquet(file: Path) -> int:
    with duckdb.connect() as connection:
        found = connection.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchone()
    assert found is not None
    count: int = found[0]
    return count


ROWS: dict[str, Callable[[Path], int]] = {
    "ndjson": lines_of,
    "csv": lambda file: lines_of(file) - 1,
    "xlsx": rows_of_sheets,
    "parquet": rows_of_parquet,
}


def export_in_every_format(url: str, count: int, folder: Path, subtests: pytest.Subtests) -> None:
    published, port = filled(url, count), free_port()
    with service(url, port) as process:
        at = f"http://127.0.0.1:{port}/v1"
        httpx.get(f"{at}/innovations", verify=PLAIN).raise_for_status()
        idle = memory(process.pid)
        for form, rows in ROWS.items():
            file = folder / f"innovations.{form}"
            with (
                subtests.test(form),
                watched(process.pid) as most,
                httpx.stream("GET", f"{at}/exports/{file.name}", timeout=600) as answer,
                file.open("wb") as content,
            ):
                assert answer.status_code == 200
                content.writelines(answer.iter_bytes(1 << 16))
            print(f"{form}: {(most[0] - idle) / 1e6:.0f} MB, {file.stat().st_size / 1e6:.0f} MB")  # noqa: T201
            with subtests.test(f"memory of {form}"):
                assert rows(file) == published
                assert most[0] - idle < MOST_MEMORY


@needs_proc
def test_a_large_export_takes_little_memory(
    database_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    export_in_every_format(database_url, 10_000, tmp_path, subtests)


@needs_proc
@pytest.mark.torture
def test_a_million_entries_take_little_memory(
    database_url: str, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    export_in_every_format(database_url, 1_000_000, tmp_path, subtests)
