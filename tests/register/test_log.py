"""The change log: without gaps, in order, and not to be altered unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from tests.conftest import WARD_ROUNDS, Register

Submit = Callable[..., dict[str, Any]]


def tamper(register: Register, statement: str) -> None:
    def work(session: Session) -> None:
        session.connection().exec_driver_sql(statement)

    register.database.transaction(work)


def test_a_log_that_nobody_touched_holds(register: Register, submit: Submit) -> None:
    submit()

    assert register.verify().broken_at is None


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("UPDATE change SET document = '[]' WHERE sequence = 7", 7),
        ("UPDATE change SET document_digest = 'aa' WHERE sequence = 7", 7),
        ("UPDATE change SET digest = 'aa' WHERE sequence = 7", 7),
        ("UPDATE change SET action = 'withdrawn' WHERE sequence = 7", 7),
        ("UPDATE change SET kind = 'theme' WHERE sequence = 40", 40),
        ("UPDATE change SET thing = 'RJ1' WHERE sequence = 7", 7),
        ("UPDATE change SET version = 9 WHERE sequence = 7", 7),
        ("UPDATE change SET by = 'RJ1' WHERE sequence = 7", 7),
        ("UPDATE change SET client = 'x' WHERE sequence = 7", 7),
        ("UPDATE change SET organisation = 'x' WHERE sequence = 7", 7),
        ("UPDATE change SET public = (1 = 0) WHERE sequence = 7", 7),
        ("UPDATE change SET at = '2020-01-01T00:00:00.000000Z' WHERE sequence = 7", 7),
        ("DELETE FROM change WHERE sequence = 7", 7),
        ("DELETE FROM change WHERE sequence = 1", 1),
        ("DELETE FROM change WHERE sequence = {last}", None),
        ("UPDATE change SET sequence = 1000 WHERE sequence = {last}", None),
        ("UPDATE log_head SET sequence = 1000", None),
    ],
)
def test_whatever_is_altered_is_found_and_its_line_named(
    register: Register, submit: Submit, statement: str, line: int | None
) -> None:
    submit()
    last = register.verify().lines

    tamper(register, statement.format(last=last))

    found = register.verify()
    assert found.why
    assert found.broken_at == line or (line is None and found.broken_at in (last, last + 1))


def test_a_redacted_line_still_holds(register: Register, submit: Submit) -> None:
    submit()
    last = register.verify().lines

    tamper(register, f"UPDATE change SET document = NULL WHERE sequence = {last}")

    assert register.verify().broken_at is None


def test_writers_at_once_leave_one_line_each_in_order(
    register: Register, anybody: httpx.Client
) -> None:
    def write(client: httpx.Client) -> None:
        for _ in range(10):
            assert client.post("/v1/innovations", json=WARD_ROUNDS).status_code == 201

    before = anybody.get("/v1").json()["sequence"]
    clients = [register.client(register.key("R0A")) for _ in range(4)]
    writers = [threading.Thread(target=write, args=(client,)) for client in clients]
    before = anybody.get("/v1").json()["sequence"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    page = anybody.get("/v1/changes", params={"after": before, "limit": 100}).json()
    lines = page["items"]
    assert [line["sequence"] for line in lines] == list(range(before + 1, before + 41))
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    numbers = [int(line["document"]["reference"][4:]) for line in lines]
    assert numbers == list(range(1, 41))
    assert register.verify().broken_at is None
