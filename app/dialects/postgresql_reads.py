"""Reads on PostgreSQL: over asynchronous connections, so that no thread waits for the database."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import URL

from app.dialects.protocol import (
    KEPT_STATEMENTS,
    Dialect,
    Prepared,
    Read,
    Row,
    Statement,
    TakesLong,
    Values,
    prepared_by,
)
from app.settings import Settings

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

T = TypeVar("T")

SHORT_READS, SHORT_TIMEOUT = 4, "100ms"
"""Connections of a process, and what a statement may take. More gave fewer answers a second."""

LONG_READS, LONG_TIMEOUT = 2, "30s"
"""The same for what is longer."""

CONNECT_TIMEOUT = 5.0
"""Seconds in which the server has to take a connection."""

UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""What is raised when the database cannot answer now: it is not there, or has too much to do."""

_LOST = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)

_OF_LIBPQ = (
    *(
        "connect_timeout",
        "gssencmode",
        "channel_binding",
        "client_encoding",
        "fallback_application",
    ),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "require_auth"),
    *("tcp_user_timeout", "sslcompression", "requirepeer", "load_balance_hosts"),
)
"""What a URL may say to libpq, over which we write, that the server itself would not understand."""


class PostgresqlReads:
    """Pools of connections for reads.

    As on SQLite, nobody has to guess which read is long: each starts as a short one, and what the
    server stops there runs again among the long ones, so that these never hold up the others.
    """

    def __init__(
        self, dialect: Dialect, url: URL, settings: Settings, *, learn: Callable[[int], None]
    ) -> None:
        """``learn`` is told the server's major version, before anything is read."""
        self._dialect = dialect
        self._learn = learn
        self._url = url.set(drivername="postgresql").difference_update_query(_OF_LIBPQ)
        self._timeout = settings.lock_timeout_seconds
        self._short: asyncpg.Pool | None = None
        self._long: asyncpg.Pool | None = None
        self._turns: dict[asyncpg.Pool, asyncio.Semaphore] = {}

    async def open(self) -> None:
        # A plan for any values takes no time to make. Where it does not fit the values at hand, it
        # takes too long, and one is made for these.
        self._short = await self._opened(SHORT_READS, SHORT_TIMEOUT, "force_generic_plan")
        self._long = await self._opened(LONG_READS, LONG_TIMEOUT, "force_custom_plan")

    async def _opened(self, most: int, statement_timeout: str, plans: str) -> asyncpg.Pool:
        pool: asyncpg.Pool = await asyncpg.create_pool(
            self._url.render_as_string(hide_password=False),
            min_size=0,  # the service starts while its database does
            max_size=most,
            max_queries=1 << 62,
            max_inactive_connection_lifetime=0,
            init=self._greet,
            reset=_as_it_is,
            timeout=CONNECT_TIMEOUT,
            # Each shape of a list is a statement, and planning it takes longer than a page's walk.
            statement_cache_size=KEPT_STATEMENTS // most,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings={
                "default_transaction_read_only": "on",
                "timezone": "UTC",
                "statement_timeout": statement_timeout,
                "plan_cache_mode": plans,
            },
        )
        self._turns[pool] = asyncio.Semaphore(most)
        return pool

    async def _greet(self, driver: asyncpg.Connection[Any]) -> None:
        self._learn(driver.get_server_version().major)
        # Days are texts, as they are on SQLite.
        await driver.set_type_codec("date", schema="pg_catalog", encoder=str, decoder=str)

    async def close(self) -> None:
        for pool in (self._short, self._long):
            if pool is not None:
                await pool.close()
        self._short = self._long = None
        self._turns.clear()

    async def run(self, read: Read[T]) -> T:
        assert self._short is not None, "reads are not open"
        assert self._long is not None
        try:
            return await self._over(self._short, read)
        except (asyncpg.QueryCanceledError, TakesLong):
            return await self._over(self._long, read)

    async def _over(self, pool: asyncpg.Pool, read: Read[T]) -> T:
        try:
            return await self._once(pool, read)
        except _LOST:
            # The server was restarted under the pooled connections: once more, over new ones.
            await pool.expire_connections()
            return await self._once(pool, read)

    async def _once(self, pool: asyncpg.Pool, read: Read[T]) -> T:
        # The pool's own limit would make each wait a task; its connections go to whoever asks at
        # the moment that one is free, before those who have waited.
        async with asyncio.timeout(self._timeout) as patience, self._turns[pool]:
            driver = await pool.acquire()
            patience.reschedule(None)
            try:
                return await read(_Connection(self._dialect, driver, is_long=pool is self._long))
            finally:
                await pool.release(driver)


async def _as_it_is(_: Any) -> None:
    """Resets a connection between two reads: no read leaves anything behind."""


class _Connection:
    """A reader over one pooled connection."""

    def __init__(self, dialect: Dialect, driver: PoolConnectionProxy, *, is_long: bool) -> None:
        self.dialect = dialect
        self._driver = driver
        self._is_long = is_long

    def takes_long(self) -> None:
        if not self._is_long:
            raise TakesLong

    async def rows(self, statement: Statement | Prepared, values: Values) -> Sequence[Row]:
        prepared = prepared_by(self.dialect, statement)
        # A limit has to stand in the SQL, or the planner takes it for a tenth of all that there is,
        # and would rather plan anew for each value than keep such a plan.
        limit = int(str(values["limit"])) if "limit" in values else None
        sql, names = _numbered(prepared.sql, limit)
        bound = prepared.bound(values)
        rows: list[Any] = await self._driver.fetch(sql, *[bound[name] for name in names])
        return rows


_PLACE = re.compile(r"%\((\w+)\)s|%%")


@lru_cache(KEPT_STATEMENTS)
def _numbered(sql: str, limit: int | None) -> tuple[str, tuple[str, ...]]:
    """SQL whose values have numbers, in place of names; and which name stands at which number."""
    numbers: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "%"
        if name == "limit" and limit is not None:
            return str(limit)
        return f"${numbers.setdefault(name, len(numbers) + 1)}"

    return _PLACE.sub(place, sql), tuple(numbers)
