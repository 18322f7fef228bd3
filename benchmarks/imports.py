"""``python -m benchmarks.imports``: importing a file, beside bare inserts of the very same rows."""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median

from app import schema
from app.database import Database
from app.files import Format
from app.importing import Along, Import
from app.models.imports import ImportMode, ImportQuery
from app.register import reference
from app.register.access import Caller
from app.settings import Settings
from benchmarks import fill
from benchmarks.words import Writer

ORGANISATION = "R0A"
TABLES = ("innovation", "innovation_key", "decision", "evidence", "change")


def main() -> None:
    """Fills a file, imports it in turn with inserting its rows barely, and prints both rates."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="register-benchmark-") as name:
        folder = Path(name)
        empty, file = folder / "empty.db", folder / "entries.ndjson"
        _prepare(empty, file, options.entries)
        print(f"{options.entries:,} entries, {file.stat().st_size / 1e6:.0f} MB of NDJSON")
        shares = []
        for _ in range(options.rounds):
            imported = folder / "imported.db"
            for mode in ImportMode:
                ours = options.entries / _import(empty, imported, file, mode)
                bare = options.entries / _insert(empty, folder / "bare.db", imported)
                print(f"{mode:8} {ours:6.0f} a second; bare sqlite3 {bare:6.0f}: {ours / bare:.2f}")
                if mode is ImportMode.ATOMIC:
                    shares.append(ours / bare)
        print(f"in one transaction: {median(shares):.2f} of bare sqlite3's rate (wanted: 0.5)")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _prepare(empty: Path, file: Path, entries: int) -> None:
    """An empty register, and a trust's file with ids of its own."""
    schema.upgrade(f"sqlite:///{empty}")
    with Database(_settings(empty)) as database:
        database.transaction(reference.load)
        places = database.transaction(fill.places)
    with sqlite3.connect(empty) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer = Writer(places, words=max(entries, 1000), seed=fill.SEED)
    with file.open("w") as lines:
        for number in range(entries):
            source = {"system": "nightly", "id": str(number)}
            entry = {**writer.entry(), "organisation": ORGANISATION, "source": source}
            lines.write(json.dumps(entry) + "\n")


def _settings(file: Path) -> Settings:
    return Settings.model_validate({"database_url": f"sqlite:///{file}"})


def _fresh(empty: Path, file: Path) -> None:
    for end in ("", "-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)
    shutil.copy(empty, file)


def _import(empty: Path, register: Path, file: Path, mode: ImportMode) -> float:
    """Seconds that an import takes, from the file to the disk."""
    _fresh(empty, register)
    with Database(_settings(register)) as database, file.open("rb") as opened:
        query = ImportQuery(mode=mode)
        by = Caller(organisation=ORGANISATION)
        work = Import(opened, Format.NDJSON, query, by, along=Along())
        started = time.perf_counter()
        report = work.run(database.transaction)
        seconds = time.perf_counter() - started
    assert not report.rejected
    return seconds


def _insert(empty: Path, register: Path, imported: Path) -> float:
    """Seconds that Python's own driver takes for the rows of an import, in one transaction.

    The indexes, the full-text index and its triggers are the register's own.
    """
    _fresh(empty, register)
    with sqlite3.connect(imported) as source:
        start = source.execute("SELECT min(sequence) FROM change WHERE kind = 'innovation'")
        after = {"change": f"WHERE sequence >= {start.fetchone()[0]}"}
        rows = {
            name: source.execute(f"SELECT * FROM {name} {after.get(name, '')}").fetchall()  # noqa: S608
            for name in TABLES
        }
    connection = sqlite3.connect(register, isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "cache_size=-32768", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    started = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for name, of_table in rows.items():
        if of_table:
            marks = ", ".join("?" * len(of_table[0]))
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", of_table)  # noqa: S608
    connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


if __name__ == "__main__":
    main()
