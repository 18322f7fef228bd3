"""The nightly job of `docs/clients/python`: it sends what a system has, and keeps a copy."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.running import CLIENTS, environment, run
from tests.conftest import Register
from tests.http.speaking import Submit, another_write, head_of
from tests.routers.merging.merges import merged
from tests.routers.test_innovations import patch, withdraw

ANYHOW = {"If-Match": "*"}


class Job:
    """The script and its file in a folder of their own."""

    def __init__(self, folder: Path, register: Register, key: str) -> None:
        shutil.copytree(CLIENTS / "python", folder, dirs_exist_ok=True)
        self.folder = folder
        self.env = environment(register, key)

    def __call__(self, *words: str, fails: bool = False) -> str:
        """What it says of what went wrong."""
        script = self.folder / "nightly.py"
        return run(sys.executable, script, *words, at=self.folder, env=self.env, fails=fails).stderr

    def send(self, *, fails: bool = False) -> str:
        return self("send", "innovations.csv", fails=fails)

    def follow(self) -> dict[str, Any]:
        """The copy."""
        self("follow", "copy.json")
        copy: dict[str, Any] = json.loads((self.folder / "copy.json").read_text())
        return copy

    def rows(self) -> list[dict[str, str]]:
        with (self.folder / "innovations.csv").open(newline="") as lines:
            return list(csv.DictReader(lines))

    def write(self, rows: list[dict[str, str]]) -> None:
        with (self.folder / "innovations.csv").open("w", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(rows)


@pytest.fixture
def job(register: Register, tmp_path: Path) -> Job:
    return Job(tmp_path / "job", register, register.key("R0A"))


def held(client: httpx.Client) -> dict[str, Any]:
    """What the register holds, by the sender's own ids."""
    items = client.get("/v1/innovations?limit=100").json()["items"]
    return {item["source"]["id"]: item for item in items}


def test_the_register_holds_what_was_sent(job: Job, trust: httpx.Client) -> None:
    job.send()

    entries = held(trust)
    rows = job.rows()
    assert {row["id"]: row["title"] for row in rows} == {
        id: entry["title"] for id, entry in entries.items()
    }
    assert {entry["source"]["system"] for entry in entries.values()} == {"intranet"}
    assert {id: entry["status"] for id, entry in entries.items()} == {
        row["id"]: row["status"] or "under_review" for row in rows
    }


def test_the_next_night_changes_what_changed_and_nothing_else(
    job: Job, trust: httpx.Client
) -> None:
    job.send()
    before, rows = head_of(trust), job.rows()
    job.send()
    assert head_of(trust) == before

    rows[0]["title"] = "Ward rounds by video"
    job.write(rows)
    job.send()

    assert head_of(trust) == before + 1
    entry = held(trust)[rows[0]["id"]]
    assert (entry["title"], entry["version"]) == ("Ward rounds by video", 2)


def test_an_entry_that_is_refused_does_not_stop_the_others(job: Job, trust: httpx.Client) -> None:
    rows = job.rows()
    job.write([{**rows[0], "id": "0", "theme": "no-such-theme"}, *rows])

    said = job.send(fails=True)

    assert "0: " in said
    assert "#/theme" in said
    assert set(held(trust)) == {row["id"] for row in rows}


def test_without_a_good_key_it_stops_at_once(register: Register, tmp_path: Path) -> None:
    said = Job(tmp_path / "job", register, "inr_wrong").send(fails=True)

    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


def test_the_copy_is_what_the_register_holds(
    job: Job, trust: httpx.Client, curator: httpx.Client, submit: Submit
) -> None:
    job.send()
    gone = submit(source={"system": "intranet", "id": "gone"})
    twice = submit(source={"system": "intranet", "id": "twice"})
    first = job.follow()
    assert {gone["id"], twice["id"]} <= set(first["innovation"])

    withdraw(trust, gone)
    merged(curator, twice, held(trust)["1"])
    patch(trust, twice, title="Corrected since")
    patch(trust, held(trust)["1"], title="Ward rounds by video")
    theme = curator.get("/v1/themes/great-teams")
    curator.patch("/v1/themes/great-teams", json={"name": "Teams"}, headers=ANYHOW)

    copy = job.follow()
    entries = trust.get("/v1/innovations?limit=100").json()["items"]
    assert {id: entry["title"] for id, entry in copy["innovation"].items()} == {
        entry["id"]: entry["title"] for entry in entries
    }
    assert copy["theme"]["great-teams"]["name"] == "Teams" != theme.json()["name"]
    assert copy["next"] == head_of(trust)
    assert job.follow() == copy


def test_the_job_waits_for_a_register_that_is_busy(
    serve: Callable[..., Register], tmp_path: Path
) -> None:
    register = serve(lock_timeout_seconds=0.1)
    job = Job(tmp_path / "job", register, register.key("R0A"))
    with another_write(register):
        running = subprocess.Popen(
            [sys.executable, "nightly.py", "send", "innovations.csv"],
            cwd=job.folder,
            env=job.env,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        said = running.stderr.readline()
    with running:
        ended = running.wait(60)

    assert said == "503; trying again in 2 s\n"
    assert ended == 0
    assert set(held(register.client())) == {row["id"] for row in job.rows()}
