"""SQLite: a file, embedded in the service."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Integer,
    String,
    bindparam,
    create_engine,
    event,
    func,
    make_url,
)
from sqlalchemy.dialects import sqlite as sqlalchemy_sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import ConnectionPoolEntry

from app.dialects import sqlite_text
from app.dialects.protocol import (
    EACH,
    KEPT_STATEMENTS,
    Alternative,
    Prepared,
    Read,
    Row,
    Statement,
    TakesLong,
    Texts,
    Values,
    prepared_by,
)
from app.dialects.sqlite_text import TEXT_IN, TextOf
from app.settings import Settings

T = TypeVar("T")

STEPS_A_TICK = 2_000
"""SQLite counts its virtual machine's steps, and calls back after so many."""

TICKS_INLINE = 25
"""What a read may cost on the event loop: 50,000 steps are some 2 ms."""

LONG_READS = 2
"""Threads for what is longer. More of them only fight for the interpreter."""

ASKS_AGAIN_AFTER = 0.0005
"""Seconds after which a write that waits for another process's asks for the lock again."""


class Sqlite:
    """The dialect of a SQLite file."""

    name = "sqlite"
    merges_ordered_walks = True
    embedded = True

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        if self.url.database in (None, "", ":memory:"):
            raise ValueError("An embedded register needs a file: `sqlite:///register.db`.")
        self.file = str(self.url.database)
        compiler = sqlalchemy_sqlite.dialect(paramstyle="named")
        compiler.statement_compiler = _Compiler
        self.prepare_once = partial(Prepared.of, compiler=compiler)
        self.prepare = lru_cache(KEPT_STATEMENTS)(self.prepare_once)
        self.text_search = sqlite_text.search()
        self.story_has_words = sqlite_text.STORY_HAS_WORDS

    def engine(self, settings: Settings) -> Engine:
        engine = create_engine(
            self.url,
            pool_size=1,
            max_overflow=1,
            connect_args={"timeout": settings.lock_timeout_seconds, "check_same_thread": False},
        )

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
            # Python's driver would begin a transaction when it sees fit; we say when, below.
            connection.isolation_level = None
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",  # a 201 means that it is on disk
                "foreign_keys=ON",
                "temp_store=MEMORY",
                "cache_size=-32768",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            _begin(connection, settings.lock_timeout_seconds)

        return engine

    def tidy(self, connection: Connection) -> None:
        # Each write adds to the text index a part of its own, and parts are merged only now and
        # then. A search looks into each part.
        for index in (*sqlite_text.INDEXES, sqlite_text.STORIES):
            optimize = f"INSERT INTO {index} ({index}) VALUES ('optimize')"  # noqa: S608
            connection.exec_driver_sql(optimize)

    def forget(self, engine: Engine) -> None:
        # A word that was deleted stays in the text index until its parts are merged, a page in the
        # file until that is written anew, and both in the log beside it until that is emptied.
        with engine.begin() as connection:
            self.tidy(connection)
        driver = engine.raw_connection()
        try:
            cursor = driver.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, *_ = cursor.fetchone() or (0,)
        finally:
            driver.close()
        if busy:
            raise TimeoutError("others go on reading what was there before")

    def reads(self, settings: Settings) -> SqliteReads:
        return SqliteReads(self, settings)

    def text_query(self, alternatives: Sequence[Alternative]) -> Values:
        return sqlite_text.query(alternatives)

    def parsed(self, document: ColumnElement[Any]) -> ColumnElement[Any]:
        return document  # SQLite keeps the last ones that it has parsed, by their text

    def text_at(self, parsed: ColumnElement[Any], *path: str) -> ColumnElement[str]:
        found: ColumnElement[str] = func.json_extract(parsed, _place(path), type_=String)
        return found

    def by_code_point(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return text

    def lower(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return getattr(func, sqlite_text.LOWER)(text, type_=String)  # type: ignore[no-any-return]

    def upper(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return getattr(func, sqlite_text.UPPER)(text, type_=String)  # type: ignore[no-any-return]

    def position(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[int]:
        return func.instr(text, part, type_=Integer)

    def texts_at(self, parsed: ColumnElement[Any], *path: str) -> Texts:
        at = path.index(EACH)
        each = func.json_each(parsed, _place(path[:at])).table_valued("value")
        rest = path[at + 1 :]
        return Texts(each, self.text_at(each.c.value, *rest) if rest else each.c.value)

    def text_in(self, document: ColumnElement[Any]) -> ColumnElement[bool]:
        asked: ColumnElement[str] = bindparam("q", type_=String)
        found: ColumnElement[bool] = getattr(func, TEXT_IN)(document, asked, type_=Boolean)
        return found

    def unavailable(self, error: BaseException) -> bool:
        # The extended codes (SQLITE_BUSY_SNAPSHOT and so on) keep the kind in the low byte.
        if isinstance(error, TimeoutError):
            return True
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
        }


def _place(path: Sequence[str]) -> str:
    return ".".join(("$", *path))


def _begin(connection: Connection, timeout: float) -> None:
    """Begins a transaction that holds the write lock, within so many seconds.

    A deferred transaction that turns to writing ignores the busy timeout. And SQLite's own way to
    wait for the lock sleeps longer each time, up to 0.1 s, while the other process, with its next
    write in hand, takes the lock again after some 0.3 ms: it was kept waiting for seconds.
    """
    driver: Any = connection.connection.driver_connection
    (own,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(ASKS_AGAIN_AFTER)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what goes wrong now is SQLAlchemy's to tell
    finally:
        driver.execute(f"PRAGMA busy_timeout={own}")


class _Compiler(SQLiteCompiler):
    """SQL that is run as it is written: tables in their order, over the indexes of the hints.

    Without statistics SQLite guesses which of two filters finds less, and is often wrong.
    """

    def visit_join(
        self, join: Any, asfrom: bool = False, from_linter: Any = None, **kwargs: Any
    ) -> str:
        kwargs["from_linter"] = from_linter
        sides = (self.process(side, asfrom=True, **kwargs) for side in (join.left, join.right))
        how = " LEFT JOIN " if join.isouter else " CROSS JOIN "
        return f"{how.join(sides)} ON {self.process(join.onclause, **kwargs)}"

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return f"INDEXED BY {text}"


class _Connection:
    """A reader over one connection, which stops a statement that costs more than ``ticks``."""

    def __init__(self, dialect: Sqlite, file: str, timeout: float, *, ticks: int | None) -> None:
        self.dialect = dialect
        self._ticks_left = ticks or 0
        self._ticks = ticks
        self.driver = sqlite3.connect(
            file,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,  # it is used by one thread, and closed by another
            cached_statements=512,
        )
        for pragma in (
            "query_only=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
            "mmap_size=1073741824",  # pages are read where the system has them, not copied
        ):
            self.driver.execute(f"PRAGMA {pragma}")
        self.driver.create_function(TEXT_IN, 2, self._text_in, deterministic=True)
        for name, function in sqlite_text.CASES.items():
            self.driver.create_function(name, 1, function, deterministic=True)
        self._text_of = TextOf()
        if ticks is not None:
            self.driver.set_progress_handler(self._tick, STEPS_A_TICK)

    def _text_in(self, document: str | None, q: str) -> bool:
        self._ticks_left -= 1  # it takes about as long as a tick's steps
        return self._text_of(document, q)

    def _tick(self) -> bool:
        self._ticks_left -= 1
        return self._ticks_left < 0

    def start(self) -> _Connection:
        if self._ticks is not None:
            self._ticks_left = self._ticks
        return self

    def takes_long(self) -> None:
        if self._ticks is not None:
            raise TakesLong

    async def rows(self, statement: Statement | Prepared, values: Values) -> Sequence[Row]:
        prepared = prepared_by(self.dialect, statement)
        return self.driver.execute(prepared.sql, prepared.bound(values)).fetchall()


class SqliteReads:
    """Short reads run where they are asked for, on the event loop; long ones on a thread.

    A look-up by an index takes SQLite 0.05 ms, and a hop to a thread 0.2 ms. Nobody has to guess
    which read is short: each starts inline with a budget of virtual machine steps, and one that
    goes over it (a search for a word that half of the register holds, a count of everything) is
    stopped by SQLite and runs again, from its start and with no limit, on a thread.
    """

    def __init__(self, dialect: Sqlite, settings: Settings) -> None:
        self._dialect = dialect
        self._timeout = settings.lock_timeout_seconds
        self._inline: _Connection | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._of_thread = threading.local()
        self._opened: list[_Connection] = []

    async def open(self) -> None:
        self._inline = self._connect(ticks=TICKS_INLINE)
        self._threads = ThreadPoolExecutor(LONG_READS, thread_name_prefix="long-read")

    async def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        for connection in self._opened:
            connection.driver.close()
        self._opened.clear()
        self._inline = self._threads = None

    async def run(self, read: Read[T]) -> T:
        assert self._inline is not None, "reads are not open"
        try:
            # Nothing in it ever waits, so no other read can start in between.
            return await read(self._inline.start())
        except TakesLong:
            pass
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._long, read)

    def _long(self, read: Read[T]) -> T:
        connection: _Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = self._connect(ticks=None)
        return _finish(read(connection))

    def _connect(self, *, ticks: int | None) -> _Connection:
        connection = _Connection(self._dialect, self._dialect.file, self._timeout, ticks=ticks)
        self._opened.append(connection)
        return connection


def _finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits; needs no event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a read on SQLite waited for something")
