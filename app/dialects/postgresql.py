"""PostgreSQL: for more than one machine."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Engine,
    FromClause,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    create_engine,
    func,
    literal,
    literal_column,
    make_url,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.dialects.postgresql import psycopg as sqlalchemy_psycopg
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg

from app.dialects.protocol import (
    EACH,
    KEPT_STATEMENTS,
    Alternative,
    Prepared,
    Read,
    Row,
    Statement,
    TakesLong,
    TextMatch,
    Texts,
    TextSearch,
    Values,
)
from app.settings import Settings

T = TypeVar("T")
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Row]]

SHORT_READS, SHORT_TIMEOUT = 4, "100ms"
"""Connections of a process, and what a statement may take. More gave fewer answers a second."""

LONG_READS, LONG_TIMEOUT = 2, "30s"
"""The same for what is longer."""


class Postgresql:
    """The dialect of a PostgreSQL server, from version 13."""

    name = "postgresql"
    merges_ordered_walks = False
    embedded = False

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        compiler = sqlalchemy_psycopg.dialect()  # type: ignore[no-untyped-call]
        compiler.statement_compiler = _Compiler
        self.prepare = lru_cache(KEPT_STATEMENTS)(partial(Prepared.of, compiler=compiler))
        self.text_search = _text_search()
        of_story: ColumnElement[Any] = literal_column("story.search")
        self.story_has_words: ColumnElement[bool] = of_story.bool_op("@@")(_query())

    def engine(self, settings: Settings) -> Engine:
        lock_timeout = f"{settings.lock_timeout_seconds * 1000:.0f}ms"
        return create_engine(
            self.url,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,  # next to a commit it costs nothing, and a restart goes unnoticed
            connect_args={
                "connect_timeout": 5,
                "options": f"-c lock_timeout={lock_timeout} -c statement_timeout=0 -c timezone=UTC",
            },
        )

    def tidy(self, connection: Connection) -> None:
        """Nothing: the server's own autovacuum does it."""

    def reads(self, settings: Settings) -> PostgresqlReads:
        return PostgresqlReads(self, settings)

    def text_query(self, alternatives: Sequence[Alternative]) -> Values:
        def side(alternative: Alternative) -> str:
            wanted = [f'"{" ".join(words)}"' for words in alternative.wanted]
            return " ".join(wanted + [f'-"{" ".join(words)}"' for words in alternative.unwanted])

        # As `register_folded` in the database does it with what is searched.
        q = unicodedata.normalize("NFKD", " or ".join(side(each) for each in alternatives))
        return {"q": "".join(letter for letter in q if not unicodedata.combining(letter))}

    def parsed(self, document: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(document, JSONB)

    def text_at(self, parsed: ColumnElement[Any], *path: str) -> ColumnElement[str]:
        return func.jsonb_extract_path_text(parsed, *path, type_=Text)

    def by_code_point(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return text.collate("C")

    def lower(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return func.lower(text)

    def upper(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return func.upper(text)

    def position(self, text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[int]:
        return func.strpos(text, part, type_=Integer)

    def texts_at(self, parsed: ColumnElement[Any], *path: str) -> Texts:
        steps = "".join(part if part == EACH else f".{part}" for part in path)
        place = cast(literal(f"${steps}"), JSONPATH)
        found = func.jsonb_path_query(parsed, place).table_valued(column("each", JSONB))
        each = found.render_derived()
        return Texts(each, each.c.each.op("#>>", return_type=Text())(literal_column("'{}'")))

    def text_in(self, document: ColumnElement[Any]) -> ColumnElement[bool]:
        parsed = cast(document, JSONB)
        words = func.register_text(parsed).op("||")(func.register_story_text(parsed))
        return words.bool_op("@@")(_query())

    def unavailable(self, error: BaseException) -> bool:
        return isinstance(error, psycopg.OperationalError | PoolTimeout)


def _query() -> ColumnElement[Any]:
    return func.websearch_to_tsquery(
        literal_column("'register_english'::regconfig"), bindparam("q", type_=Text)
    )


def _text_search() -> TextSearch:
    innovation = table("innovation", column("number", Integer), column("search"))
    index: ColumnElement[Any] = innovation.c.search
    query = _query()
    # In double precision, as a cursor holds it.
    score = cast(-func.ts_rank(index, query, type_=Double), Double)
    matches = select(innovation.c.number, score.label("score")).where(index.bool_op("@@")(query))
    # The offset of nothing keeps it a step of its own, over the index: the planner, who does
    # not know the words, would mix it with the filters.
    found = matches.offset(literal_column("0")).subquery("found")
    match = TextMatch(true(), found.c.score)
    return TextSearch(found, found.c.number, anywhere=match, best_first=(match,))


class _Compiler(PGCompiler_psycopg):
    """SQL without hints: the planner has statistics."""

    def format_from_hint_text(
        self, sqltext: str, table: FromClause, hint: str, iscrud: bool
    ) -> str:
        return sqltext


async def _prepare_more(driver: psycopg.AsyncConnection[Row]) -> None:
    # Each shape of a list is a statement, and planning it takes longer than a page's walk.
    driver.prepare_threshold = 2
    driver.prepared_max = KEPT_STATEMENTS // SHORT_READS


class _Connection:
    """A reader over one pooled connection."""

    def __init__(
        self, dialect: Postgresql, driver: psycopg.AsyncConnection[Row], *, is_long: bool
    ) -> None:
        self.dialect = dialect
        self._driver = driver
        self._is_long = is_long

    def takes_long(self) -> None:
        if not self._is_long:
            raise TakesLong

    async def rows(self, statement: Statement, values: Values) -> Sequence[Row]:
        # The SQL is ours; only its values come from outside, and they travel beside it. But a
        # limit has to be in it, or the planner takes it for a tenth of all that there is, and
        # would rather plan anew for each value than keep such a plan.
        prepared = self.dialect.prepare(statement)
        sql = prepared.sql
        if "limit" in values:
            sql = sql.replace("%(limit)s", str(int(str(values["limit"]))))
        cursor = await self._driver.execute(sql.encode(), prepared.bound(values))
        return await cursor.fetchall()


class PostgresqlReads:
    """Pools of asynchronous connections; no thread waits for the database.

    As on SQLite, nobody has to guess which read is long: each starts as a short one, and what the
    server stops there runs again among the long ones, so that these never hold up the others.
    """

    def __init__(self, dialect: Postgresql, settings: Settings) -> None:
        self._dialect = dialect
        self._timeout = settings.lock_timeout_seconds
        self._short: Pool | None = None
        self._long: Pool | None = None

    async def open(self) -> None:
        self._short = await self._opened(SHORT_READS, SHORT_TIMEOUT)
        self._long = await self._opened(LONG_READS, LONG_TIMEOUT)

    async def _opened(self, most: int, statement_timeout: str) -> Pool:
        pool: Pool = AsyncConnectionPool(
            self._dialect.url.set(drivername="postgresql").render_as_string(hide_password=False),
            min_size=1,
            max_size=most,
            timeout=self._timeout,
            kwargs={
                "autocommit": True,
                "connect_timeout": 5,
                "options": "-c default_transaction_read_only=on -c timezone=UTC "
                f"-c statement_timeout={statement_timeout}",
            },
            configure=_prepare_more,
            open=False,
        )
        await pool.open()
        return pool

    async def close(self) -> None:
        for pool in (self._short, self._long):
            if pool is not None:
                await pool.close()
        self._short = self._long = None

    async def run(self, read: Read[T]) -> T:
        assert self._short is not None, "reads are not open"
        assert self._long is not None
        try:
            return await self._over(self._short, read)
        except (psycopg.errors.QueryCanceled, TakesLong):
            return await self._over(self._long, read)

    async def _over(self, pool: Pool, read: Read[T]) -> T:
        is_long = pool is self._long
        try:
            async with pool.connection() as driver:
                return await read(_Connection(self._dialect, driver, is_long=is_long))
        except psycopg.OperationalError as error:
            if error.sqlstate is not None and not error.sqlstate.startswith(("08", "57P")):
                raise
        # The server was restarted under the pooled connection: once more, over new ones.
        await pool.check()
        async with pool.connection() as driver:
            return await read(_Connection(self._dialect, driver, is_long=is_long))
