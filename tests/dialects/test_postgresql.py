"""Reads on PostgreSQL: what takes long does not hold up what is short."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Integer, Text, bindparam, cast, column, func, select, text

from app.dialects import Reader, postgresql_reads
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


def run(reads: Any, *statements: Any, **values: Any) -> Any:
    """The last statement's only value, where all are read as one."""

    async def read(reader: Reader) -> Any:
        for statement in statements:
            rows = await reader.rows(statement, values)
        return rows[0][0]

    async def once() -> Any:
        await reads.open()
        try:
            return await reads.run(read)
        finally:
            await reads.close()

    return asyncio.run(once())


def test_a_read_starts_as_a_short_one(reads: Any) -> None:
    assert run(reads, ALLOWED) == postgresql_reads.SHORT_TIMEOUT


def test_a_read_that_takes_long_runs_again_among_the_long_ones(reads: Any) -> None:
    assert run(reads, SLOW, ALLOWED) == postgresql_reads.LONG_TIMEOUT


def test_there_is_an_end_to_a_long_read(reads: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_reads, "LONG_TIMEOUT", "150ms")
    with pytest.raises(asyncpg.QueryCanceledError) as stopped:
        run(reads, SLOW)
    assert reads._dialect.unavailable(stopped.value)


def test_a_restart_of_the_server_goes_unnoticed(reads: Any) -> None:
    own = select(func.pg_backend_pid())
    others = select(func.count(func.pg_terminate_backend(column("pid")))).select_from(
        text("pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    )

    async def read(reader: Reader) -> Any:
        return (await reader.rows(own, {}))[0][0]

    async def twice() -> tuple[int, int]:
        await reads.open()
        before = await reads.run(read)
        driver = await asyncpg.connect(reads._url.render_as_string(hide_password=False))
        await driver.fetch(str(others))
        await driver.close()
        after = await reads.run(read)
        await reads.close()
        return before, after

    before, after = asyncio.run(twice())
    assert before != after


def test_a_read_that_nobody_waits_for_any_more_frees_its_connection(
    reads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_reads, "SHORT_READS", 1)
    monkeypatch.setattr(postgresql_reads, "SHORT_TIMEOUT", "30s")

    async def slow(reader: Reader) -> Any:
        return await reader.rows(SLOW, {})

    async def quick(reader: Reader) -> Any:
        return (await reader.rows(ALLOWED, {}))[0][0]

    async def leave() -> Any:
        await reads.open()
        with suppress(TimeoutError):
            await asyncio.wait_for(reads.run(slow), 0.05)
        answer = await reads.run(quick)
        await reads.close()
        return answer

    assert asyncio.run(leave()) == "30s"


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    url = f"postgresql://register@/register?host={tmp_path}"
    with pytest.raises(FileNotFoundError) as refused:
        run(Postgresql(url).reads(settings_for(url)), ALLOWED)
    assert Postgresql(url).unavailable(refused.value)


def test_a_url_may_say_what_only_the_driver_of_writes_understands(
    templates: Templates,
) -> None:
    on, template = templates.postgresql()
    with servers.database(on, template=template) as url:
        longer = f"{url}&connect_timeout=3&keepalives=1&application_name=register"
        reads = Postgresql(longer).reads(settings_for(longer))
        assert run(reads, select(func.current_setting("application_name"))) == "register"


def test_values_are_numbered_and_percent_signs_stay(reads: Any) -> None:
    statement = select(
        cast(bindparam("part"), Text).concat("%").concat(cast(bindparam("part"), Text))
    )

    assert run(reads, statement, part="10") == "10%10"
