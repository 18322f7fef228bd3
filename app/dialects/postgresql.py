"""PostgreSQL: for more than one machine."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import psycopg
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
    inspect,
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

from app.dialects.postgresql_reads import UNAVAILABLE, PostgresqlReads
from app.dialects.protocol import (
    EACH,
    KEPT_STATEMENTS,
    Alternative,
    Prepared,
    TextMatch,
    Texts,
    TextSearch,
    Values,
)
from app.settings import Settings

CASES = ((18, "pg_unicode_fast"), (17, "pg_c_utf8"), (0, "und-x-icu"))
"""The collations that know the cases of all letters, whatever language a database has; by the
server's version since which there is each. The best knows them as Python does."""


class Postgresql:
    """The dialect of a PostgreSQL server, from version 13."""

    name = "postgresql"
    merges_ordered_walks = False
    embedded = False

    def __init__(self, url: str) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        compiler = sqlalchemy_psycopg.dialect()  # type: ignore[no-untyped-call]
        compiler.statement_compiler = _Compiler
        self.prepare_once = partial(Prepared.of, compiler=compiler)
        self.prepare = lru_cache(KEPT_STATEMENTS)(self.prepare_once)
        self.text_search = _text_search()
        of_story: ColumnElement[Any] = literal_column("story.search")
        self.story_has_words: ColumnElement[bool] = of_story.bool_op("@@")(_query())
        self.cases = CASES[0][1]

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

    def forget(self, engine: Engine) -> None:
        # Without FULL, what was deleted lies in its page until something is written over it.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in inspect(connection).get_table_names():
                quoted = connection.dialect.identifier_preparer.quote(name)
                connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {quoted}")

    def reads(self, settings: Settings) -> PostgresqlReads:
        return PostgresqlReads(self, self.url, settings, learn=self._learn)

    def _learn(self, version: int) -> None:
        self.cases = next(name for since, name in CASES if version >= since)

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
        return func.lower(text.collate(self.cases)).collate("C")

    def upper(self, text: ColumnElement[str]) -> ColumnElement[str]:
        return func.upper(text.collate(self.cases)).collate("C")

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
        return isinstance(error, (psycopg.OperationalError, *UNAVAILABLE))


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
