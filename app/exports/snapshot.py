"""One consistent view of the database, whatever is written meanwhile; read batch by batch.

The drivers are used as they are, so that the process of an export starts at once and stays small.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

Row = Sequence[Any]

BATCH = 500
"""Rows that are in memory at once, at most."""

TAKEN = 20
"""Rows that are asked of PostgreSQL's library at once."""

BATCH_CHARACTERS = 512 * 1024
"""Characters of their documents at which there are fewer."""

_HEAD = "SELECT sequence FROM log_head"


class Snapshot(Protocol):
    """The register at one line of its log."""

    head: int

    def batches(self, sql: str, values: Mapping[str, Any]) -> Iterator[Sequence[Row]]: ...


def _batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row[0])
        if len(batch) == BATCH or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Opens the database of this URL.

    Raises:
        OSError: when it does not answer now.
    """
    opened = _of_sqlite if url.startswith("sqlite:") else _of_postgresql
    with opened(url) as found:
        yield found


class _Sqlite:
    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        driver.execute("BEGIN")
        self.head = int(driver.execute(_HEAD).fetchone()[0])  # from here on, nothing changes

    def batches(self, sql: str, values: Mapping[str, Any]) -> Iterator[Sequence[Row]]:
        return _batches(self._driver.execute(sql, dict(values)))


@contextmanager
def _of_sqlite(url: str) -> Iterator[Snapshot]:
    path = url.removeprefix("sqlite:///")
    try:
        driver = sqlite3.connect(path, timeout=10, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise OSError from error
    with closing(driver):
        # What has to be sorted goes to disk, not to memory; and no page of the file is mapped.
        for pragma in ("query_only=ON", "temp_store=FILE", "cache_size=-2048", "mmap_size=0"):
            driver.execute(f"PRAGMA {pragma}")
        yield _Sqlite(driver)


class _Postgresql:
    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self.head = int(driver.execute(_HEAD).fetchone()[0])

    def batches(self, sql: str, values: Mapping[str, Any]) -> Iterator[Sequence[Row]]:
        with closing(self._driver.cursor()) as cursor:
            # Few at a time, so that none pile up: the server waits until they are taken.
            yield from _batches(cursor.stream(sql, values, size=TAKEN))


@contextmanager
def _of_postgresql(url: str) -> Iterator[Snapshot]:
    import psycopg  # noqa: PLC0415 - a service on SQLite never loads it

    try:
        driver = psycopg.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise OSError from error
    with closing(driver):
        driver.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        driver.read_only = True
        yield _Postgresql(driver)
