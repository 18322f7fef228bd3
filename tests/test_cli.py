"""The ``register`` command, as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from app.database import Database
from tests.conftest import Register, settings_for
from tests.http.speaking import kept_in
from tests.processes import PATIENCE, free_port, ready, run

INSTALLED = Path(sys.executable).with_name("register")
"""The command as ``pip`` puts it beside the interpreter."""

MANCHESTER = "Manchester University NHS Foundation Trust"


def test_it_is_started_as_it_is_installed(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [INSTALLED, "serve", "--port", str(port), "--workers", "2"],
        cwd=tmp_path,  # a register.db in this folder is made and brought to head
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        ready(port, process)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert (tmp_path / "register.db").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_key_is_alone_on_the_last_line_and_opens_the_register(
    register: Register, database_url: str
) -> None:
    done = run(database_url, "clients", "add", "--organisation", "RJ1", "--scope", "contribute")

    assert done.returncode == 0, done.stderr
    key = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"inr_[\w-]{43}", key)
    entry = {"title": "Huddle", "summary": "Daily.", "theme": "great-teams"}
    assert register.client(key).post("/v1/innovations", json=entry).status_code == 201


def test_a_key_is_listed_with_its_use_and_can_be_revoked(
    register: Register, database_url: str
) -> None:
    words = ("--organisation", "RJ1", "--scope", "read", "--name", "dashboard", "--expires", "30")
    key = run(database_url, "clients", "add", *words).stdout.splitlines()[-1]
    client = register.client(key)
    assert client.get("/v1").status_code == 200

    listed = run(database_url, "clients", "list").stdout
    revoked = run(database_url, "clients", "revoke", "dashboard")

    line = next(line for line in listed.splitlines() if "dashboard" in line)
    assert "valid until" in line
    assert "never" not in line
    assert revoked.returncode == 0, revoked.stderr
    assert client.get("/v1").status_code == 401


def test_a_client_is_given_a_new_key_beside_the_old_one(
    register: Register, database_url: str
) -> None:
    old = register.key("RJ1")
    name = "client of RJ1"

    overlapping = run(database_url, "clients", "rotate", name, "--overlap", "2")
    new = overlapping.stdout.splitlines()[-1]
    assert overlapping.returncode == 0, overlapping.stderr
    assert re.fullmatch(r"inr_[\w-]{43}", new)
    assert [register.client(key).get("/v1").status_code for key in (old, new)] == [200, 200]

    newest = run(database_url, "clients", "rotate", name, "--overlap", "0").stdout.splitlines()[-1]
    statuses = [register.client(key).get("/v1").status_code for key in (old, new, newest)]
    assert statuses == [401, 401, 200]


def test_no_key_is_stored(register: Register, database_url: str, tmp_path: Path) -> None:
    key = register.key("RJ1")
    if database_url.startswith("sqlite"):
        files = sorted(tmp_path.glob("register.db*"))
        stored = b"".join(file.read_bytes() for file in files).decode("latin-1")
    else:
        stored = kept_in(register, "client", "client_key", "change")

    assert "client of RJ1" in stored
    assert key not in stored


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["clients", "add", "--organisation", "XXX", "--scope", "read"], "No organisation"),
        (["clients", "revoke", "nobody"], "no client"),
        (["clients", "rotate", "nobody"], "no client"),
        (["clients", "rotate", "nobody", "--overlap", "721"], "overlap"),
        (["serve", "--port", "0"], "port"),
    ],
)
def test_a_mistake_is_told_in_a_line(database_url: str, words: list[str], says: str) -> None:
    done = run(database_url, *words)

    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_told_in_a_line() -> None:
    done = run("mysql://nowhere/register", "verify")

    assert done.returncode == 1
    assert "REGISTER_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_names_the_first_broken_line(database_url: str) -> None:
    assert run(database_url, "verify").returncode == 0
    with Database(settings_for(database_url)) as database:
        database.transaction(
            lambda session: session.connection().exec_driver_sql(
                "UPDATE change SET document = '{}' WHERE sequence = 7"
            )
        )

    done = run(database_url, "verify")

    assert done.returncode == 1
    assert "Line 7 of the log is broken" in done.stderr


def test_the_official_file_is_imported_with_a_report(
    anybody: httpx.Client, database_url: str, tmp_path: Path
) -> None:
    blank = [""] * 27
    rows = [
        ["R0A", MANCHESTER.upper(), "Y62", "QOP", *blank[:6], "20171001", "", *blank[:15]],
        ["RQF", "VELINDRE NHS TRUST", "", "", *blank[:6], "19940401", "", *blank[:15]],
    ]
    file = tmp_path / "etr.csv"
    file.write_text("".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows))

    done = run(database_url, "organisations", "import", str(file))

    assert done.returncode == 0, done.stderr
    assert "1 unchanged, 1 skipped" in done.stdout
    assert "line 2 (RQF): it has no ICB" in done.stdout
    name = anybody.get("/v1/organisations/R0A").json()["name"]
    assert name == MANCHESTER


ROWS = "title,summary,theme,source.system,source.id\nHuddle,Daily.,{theme},sheet,1\n"


def test_a_file_of_innovations_is_imported_with_a_report(
    register: Register, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "innovations.csv"
    file.write_text(ROWS.format(theme="great-teams"))
    words = ("innovations", "import", str(file), "--organisation", "R0A")

    first, again = run(database_url, *words), run(database_url, *words)

    assert first.returncode == 0, first.stderr
    assert first.stdout == "1 rows: 1 created, 0 updated, 0 unchanged, 0 rejected.\n"
    assert again.stdout == "1 rows: 0 created, 0 updated, 1 unchanged, 0 rejected.\n"
    assert register.client().get("/v1/innovations").json()["page"]["total"] == 1


def test_a_survey_is_imported_with_a_report(
    register: Register, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "survey.csv"
    header = "Text,Verdict,Consent to publish,source.system,source.id"
    file.write_text(f"{header}\nBetter.,Keep,yes,survey,1\n")
    words = ("stories", "import", str(file), "--organisation", "R0A")

    first, again = run(database_url, *words), run(database_url, *words)

    assert first.returncode == 0, first.stderr
    assert first.stdout == "1 rows: 1 created, 0 updated, 0 unchanged, 0 rejected.\n"
    assert again.stdout == "1 rows: 0 created, 0 updated, 1 unchanged, 0 rejected.\n"
    assert register.client().get("/v1/stories").json()["page"]["total"] == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", ROWS.format(theme="none"), "row 2, theme: No theme has this slug."),
        ("a.csv", ROWS.format(theme="none,7"), "row 2: There is something in a column"),
        ("a.csv", "titel,summary,theme\na,b,great-teams\n", "Did you mean `title`?"),
        ("a.xlsx", "no workbook", "This is no workbook (.xlsx), or a broken one."),
        ("a.txt", "", "A file to import ends in .json, .ndjson, .jsonl, .csv, .xlsx."),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_of_in_words(
    database_url: str, tmp_path: Path, name: str, content: str, says: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    done = run(database_url, "innovations", "import", str(file), "--organisation", "R0A")
    assert done.returncode == 1
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
