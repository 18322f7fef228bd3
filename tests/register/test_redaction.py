"""Redaction: what should never have come in is nowhere any more, and the log still holds."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import inspect

from app.database import Database
from app.errors import Unavailable
from app.register import redaction
from tests.conftest import Register, settings_for
from tests.http.speaking import Submit, head_of
from tests.processes import COMMAND, run

SECRET = "Zebedee Quagmire"
NUMBER = "943 476 5919"
EVERYWHERE: dict[str, Any] = {
    "title": f"Rounds of {SECRET}",
    "theme": "21st-century-tools",
    "summary": f'He said "{SECRET} 👋" twice: {SECRET}.',
    "description": f"Seen by\n{SECRET}, {NUMBER}.",
    "tags": ["video", SECRET.lower(), f"with {SECRET.lower()}"],
    "decision": {"status": "keep", "reason": f"{SECRET} likes it.", "decided_by": SECRET},
    "evidence": [
        {
            "kind": "measure",
            "statement": f"{SECRET} came home.",
            "url": f"https://example.org/{SECRET.replace(' ', '-')}",
            "measure": {"name": SECRET, "unit": "days", "result": 5},
        }
    ],
    "source": {"system": "intranet", "id": f"{SECRET} 1"},
}
TEXTS = [SECRET, SECRET.lower(), SECRET.replace(" ", "-"), NUMBER]
WORDS = ("zebedee", "quagmire", NUMBER)


def stored(register: Register, folder: Path) -> str:
    """Everything that the database's files hold; or, on a server, all its tables."""
    if register.database.dialect.embedded:
        files = sorted(folder.glob("register.db*"))
        assert files
        return b"".join(file.read_bytes() for file in files).decode("latin-1").lower()
    with register.database.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        rows = [
            text
            for name in names
            for text in connection.exec_driver_sql(f'SELECT "{name}"::text FROM "{name}"').scalars()
        ]
    return "\n".join(rows).lower()


@contextmanager
def reading(register: Register) -> Iterator[None]:
    """Somebody who reads for long, and sees what was there when that began."""
    if not register.database.dialect.embedded:
        with register.database.engine.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM change").all()
            yield
        return
    with closing(sqlite3.connect(str(register.database.dialect.url.database))) as file:
        file.execute("BEGIN")
        file.execute("SELECT count(*) FROM change").fetchall()
        yield


@pytest.fixture
def slipped(curator: httpx.Client) -> dict[str, Any]:
    """An entry in which it stands everywhere, over several versions, and in a kept answer."""
    sent = {**EVERYWHERE, "organisation": "R0A"}
    answer = curator.post(
        "/v1/innovations",
        json=sent,
        params={"accept_flagged": "true"},
        headers={"Idempotency-Key": "first"},
    )
    assert answer.status_code == 201, answer.text
    at = answer.json()["links"]["self"]
    patched = curator.patch(at, json={"title": "Rounds"}, headers={"If-Match": "*"})
    assert patched.status_code == 200
    entry: dict[str, Any] = patched.json()
    return entry


def redact(register: Register, entry: dict[str, Any], **options: Any) -> redaction.Redacted:
    with Database(register.settings) as other:
        done = other.transaction(
            redaction.redact, entry["reference"], "Somebody was named.", TEXTS, **options
        )
        other.forget()
    return done


def test_it_is_nowhere_any_more_and_the_log_holds(
    register: Register, slipped: dict[str, Any], tmp_path: Path
) -> None:
    assert all(word in stored(register, tmp_path) for word in WORDS)

    done = redact(register, slipped)

    left = stored(register, tmp_path)
    assert [word for word in WORDS if word in left] == []
    assert (done.reference, done.lines) == (slipped["reference"], 2)
    assert register.verify().broken_at is None


def test_a_marker_stands_in_its_place_wherever_it_is_read(
    register: Register, slipped: dict[str, Any], anybody: httpx.Client
) -> None:
    at, before = slipped["links"]["self"], head_of(anybody)
    first = anybody.get(f"{at}/history/1")
    as_of = anybody.get(at, params={"as_of": before - 1})
    search = "/v1/innovations?q=quagmire&facets=status"
    searches = (search, f"{search}&as_of={before}")
    for path in searches:
        assert anybody.get(path).json()["facets"]["status"] == [{"value": "keep", "count": 1}]

    redact(register, slipped)

    entry = anybody.get(at).json()
    assert entry["version"] == 3
    assert entry["summary"] == 'He said "[redacted] 👋" twice: [redacted].'
    assert (entry["tags"], entry["source"]) == (["video", "redacted"], None)
    lines = anybody.get(f"{at}/history").json()["items"]
    assert [line["redacted"] for line in lines] == [True, True, False]
    assert [line["action"] for line in lines] == ["created", "updated", "redacted"]
    assert lines[0]["document"]["title"] == "Rounds of [redacted]"
    then = anybody.get(at, params={"as_of": before - 1}).json()
    assert then["title"] == "Rounds of [redacted]"
    for old, path in ((first, f"{at}/history/1"), (as_of, f"{at}?as_of={before - 1}")):
        kept = {"If-None-Match": old.headers["etag"]}
        assert anybody.get(path, headers=kept).status_code == 200
    told = anybody.get("/v1/changes", params={"after": before}).json()["items"]
    assert [(line["kind"], line["action"]) for line in told] == [
        ("redaction", "created"),
        ("innovation", "redacted"),
    ]
    assert told[0]["document"]["reason"] == "Somebody was named."
    assert (told[0]["document"]["innovation"], told[0]["document"]["story"]) == (entry["id"], None)
    assert [line["sequence"] for line in told[0]["document"]["lines"]] == [before - 1, before]
    for path in ("decisions", "evidence"):
        assert "uagmire" not in anybody.get(f"{at}/{path}").text
    for path in searches:
        found = anybody.get(path).json()
        assert (found["items"], found["facets"]) == ([], {"status": []})
    assert "uagmire" not in anybody.get("/v1/exports/innovations.ndjson").text


def test_what_is_left_can_be_changed_and_sent_again(
    register: Register, slipped: dict[str, Any], curator: httpx.Client
) -> None:
    redact(register, slipped)

    sent = {**EVERYWHERE, "organisation": "R0A"}
    again = curator.post(
        "/v1/innovations",
        json=sent,
        params={"accept_flagged": "true"},
        headers={"Idempotency-Key": "first"},
    )
    at = slipped["links"]["self"]
    changed = curator.patch(at, json={"tags": ["video"]}, headers={"If-Match": "*"})

    assert again.headers["idempotency-replayed"] == "true"
    assert "uagmire" not in again.text
    assert changed.status_code == 200, changed.text
    assert register.verify().broken_at is None


def test_what_screening_finds_can_be_taken_out_without_being_named(
    register: Register, slipped: dict[str, Any], anybody: httpx.Client
) -> None:
    with Database(register.settings) as other:
        other.transaction(redaction.redact, slipped["id"], "A number.", found=True)

    entry = anybody.get(slipped["links"]["self"]).json()
    assert entry["description"] == f"Seen by\n{SECRET}, [redacted]."


def test_what_stands_in_a_redacted_line_cannot_be_altered_unseen(
    register: Register, slipped: dict[str, Any]
) -> None:
    redact(register, slipped)
    line = slipped_line(register)
    with register.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE change SET document = replace(document, 'twice', 'thrice') "
            f"WHERE sequence = {line}"
        )

    assert register.verify().broken_at == line


def slipped_line(register: Register) -> int:
    with register.database.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT min(sequence) FROM change WHERE redacted")
        return int(found.scalar_one())


def test_the_command_reads_what_to_take_out_and_says_what_it_did(
    submit: Submit, database_url: str, anybody: httpx.Client
) -> None:
    entry = submit(summary=f"Seen by {SECRET}.")
    words = ("redact", entry["reference"], "--reason", "Somebody was named.")
    done = subprocess.run(
        [*COMMAND, *words],
        input=f"{SECRET}\n",
        env={"REGISTER_DATABASE_URL": database_url, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert f"{entry['reference']}: 1 texts are taken out of 1 lines" in done.stdout
    assert anybody.get(entry["links"]["self"]).json()["summary"] == "Seen by [redacted]."
    assert run(database_url, "verify").returncode == 0


def test_who_is_in_the_way_of_the_last_step_is_told_of_and_it_can_be_done_again(
    register: Register, slipped: dict[str, Any], tmp_path: Path
) -> None:
    url = register.settings.database_url.get_secret_value()
    with Database(settings_for(url, lock_timeout_seconds=1)) as other:
        with reading(register):
            other.transaction(redaction.redact, slipped["id"], "A slip.", TEXTS)
            with pytest.raises(Unavailable, match="register database rewrite"):
                other.forget()
        other.forget()
    left = stored(register, tmp_path)
    assert [word for word in WORDS if word in left] == []


def test_what_is_not_there_or_too_short_changes_nothing(
    submit: Submit, anybody: httpx.Client, database_url: str
) -> None:
    entry = submit()
    before = head_of(anybody)
    for name, text in ((entry["reference"], SECRET), (entry["id"], "a"), ("INN-999999", SECRET)):
        done = run(database_url, "redact", name, "--reason", "No.", said=text)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stderr + done.stdout
    assert head_of(anybody) == before
