"""The database: one unit of work for a write, and short-lived readers for reads.

All writes of a process go one after another over one thread. The log makes them follow one another
anyway; this way they queue in order, fairly, without threads that wait for a lock, and the event
loop stays free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import Session

from app.dialects import Reader, dialect_for
from app.errors import Unavailable
from app.news import News
from app.register import changes
from app.register.lists.memory import Memory
from app.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """The register's database, as one process uses it."""

    def __init__(self, settings: Settings) -> None:
        self.dialect = dialect_for(settings.database_url.get_secret_value())
        self.engine: Engine = self.dialect.engine(settings)
        self.memory = Memory()
        self.head_seen = 0
        """The newest line of the log that this process knows of."""
        self.news = News(self.head)
        self._head: asyncio.Future[int] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._reads = self.dialect.reads(settings)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")

    async def open(self) -> None:
        await self._reads.open()

    async def close(self) -> None:
        await self.news.close()
        await self._reads.close()
        self._writer.shutdown()
        self.engine.dispose()

    def __enter__(self) -> Database:
        """For a command that only writes, and needs no event loop."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.shutdown()
        self.engine.dispose()

    async def read(
        self,
        function: Callable[Concatenate[Reader, P], Coroutine[Any, Any, T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Runs a read function of the register.

        Raises:
            Unavailable: when the database cannot answer now.
        """
        try:
            return await self._reads.run(lambda reader: function(reader, *args, **kwargs))
        except Exception as error:
            if self.dialect.unavailable(error):
                raise Unavailable("The database does not answer.") from error
            raise

    async def write(
        self,
        function: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Runs a write function of the register; what it wrote is on disk when this returns.

        Raises:
            Unavailable: when the database cannot take it now; nothing was written.
        """
        work = partial(self.transaction, function, *args, **kwargs)
        # Shielded: a client that goes away does not stop a write half-way, nor the queue.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writer, work))

    def write_in_turn(self, function: Callable[[Session], T]) -> T:
        """As :meth:`write`, for a thread that works on something long; it waits meanwhile."""
        return self._writer.submit(self.transaction, function).result()

    def write_soon(
        self,
        function: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Queues a write for which nobody waits, and which may be lost."""

        def work() -> None:
            with suppress(Unavailable):
                self.transaction(function, *args, **kwargs)

        self._writer.submit(work)

    def transaction(
        self,
        function: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """As :meth:`write`, on the thread that it is called on."""
        try:
            with Session(self.engine) as session, session.begin():
                changes.begin(session)
                result = function(session, *args, **kwargs)
                head = changes.finish(session)
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if cause is not None and self.dialect.unavailable(cause):
                raise Unavailable("The database cannot take a write now.") from error
            raise
        self.saw(head)
        return result

    def tidy(self) -> None:
        """Puts together what many writes have left in many places; a service starts with it."""
        with self.engine.begin() as connection:
            self.dialect.tidy(connection)

    def forget(self) -> None:
        """Takes what was overwritten or deleted out of the database's own files, after a redaction.

        Nobody can write meanwhile; on PostgreSQL, nobody can read either.

        Raises:
            Unavailable: when others are in the way; it may be done again.
        """
        try:
            self.dialect.forget(self.engine)
        except Exception as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if cause is not None and self.dialect.unavailable(cause):
                raise Unavailable(
                    "The database's files could not be written anew, and what was taken out may "
                    "still lie in them: run `register database rewrite` when less goes on."
                ) from error
            raise

    def saw(self, head: int) -> None:
        """Notes that the log has come this far."""
        self.head_seen = max(self.head_seen, head)

    async def head(self) -> int:
        """The newest line of the log."""
        if self.dialect.embedded:  # a look takes less time than it would to share one
            return await self.read(changes.head)
        if self._head is None:
            self._head = asyncio.get_running_loop().create_future()
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._head)

    async def _look(self) -> None:
        """Looks at the log once for all who asked before; who asks meanwhile needs a later look."""
        while self._head is not None:
            asked, self._head = self._head, None
            try:
                asked.set_result(await self.read(changes.head))
            except Exception as error:
                asked.set_exception(error)
        self._looking = None
