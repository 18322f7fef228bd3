"""Reads on PostgreSQL: what takes long does not hold up what is short."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Integer, Text, cast, func, select

from app.dialects import Reader, postgresql
from app.dialects.postgresql import Postgresql
from tests import postgresql as servers
from tests.conftest import Templates, settings_for

ALLOWED = select(func.current_setting("statement_timeout"))
SLOW = select(cast(cast(func.pg_sleep(0.3), Text), Text), cast(1, Integer))


@pytest.fixture
def reads(templates: Templates) -> Iterator[Any]:
    on, template = templates.postgresql()
    with servers.database(on, template=template) as url:
        yield Postgresql(url).reads(settings_for(url))


def run(reads: Any, *statements: Any) -> Any:
    """The last statement's only value, where all are read as one."""

    async def read(reader: Reader) -> Any:
        for statement in statements:
            rows = await reader.rows(statement, {})
        return rows[0][0]

    async def once() -> Any:
        await reads.open()
        try:
            return await reads.run(read)
        finally:
            await reads.close()

    return asyncio.run(once())


def test_a_read_starts_as_a_short_one(reads: Any) -> None:
    assert run(reads, ALLOWED) == postgresql.SHORT_TIMEOUT


def test_a_read_that_takes_long_runs_again_among_the_long_ones(reads: Any) -> None:
    assert run(reads, SLOW, ALLOWED) == postgresql.LONG_TIMEOUT


def test_there_is_an_end_to_a_long_read(reads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "LONG_TIMEOUT", "150ms")
    with pytest.raises(psycopg.OperationalError) as stopped:
        run(reads, SLOW)
    assert reads._dialect.unavailable(stopped.value)
