"""The shell script of `docs/clients/curl`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.clients.running import CLIENTS, entry, environment, need, run
from tests.conftest import Register
from tests.http.speaking import Submit, another_write, head_of


class Script:
    """The script in a folder of its own."""

    def __init__(self, folder: Path, register: Register, key: str | None) -> None:
        need("bash", "curl", "jq")
        shutil.copytree(CLIENTS / "curl", folder)
        self.folder = folder
        self.env = environment(register, key)

    def __call__(self, *words: str, fails: bool = False) -> list[list[str]]:
        """The columns of each line that it prints."""
        ended = self.run(*words, fails=fails)
        return [line.split("\t") for line in ended.stdout.splitlines()]

    def run(self, *words: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        return run("./register.sh", *words, at=self.folder, env=self.env, fails=fails)


@pytest.fixture
def script(register: Register, tmp_path: Path) -> Script:
    return Script(tmp_path / "curl", register, register.key("R0A"))


def test_it_submits_once_however_often_it_is_run(script: Script, trust: httpx.Client) -> None:
    [[first]] = script("submit", "huddle.json")
    [[again]] = script("submit", "huddle.json")

    assert again == first
    [made] = trust.get("/v1/innovations").json()["items"]
    # What is like it is told beside the entry, to whoever submits it.
    assert json.loads(first) == {**made, "possible_duplicates": None}
    sent = json.loads((CLIENTS / "curl" / "huddle.json").read_text())
    assert (made["title"], made["status"]) == (sent["title"], "keep")


def test_another_file_is_another_entry(script: Script, trust: httpx.Client) -> None:
    for title in ("One", "Another"):
        (script.folder / "entry.json").write_text(json.dumps(entry(title)))
        script("submit", "entry.json")

    assert trust.get("/v1/innovations").json()["page"]["total"] == 2


def test_it_finds(script: Script, submit: Submit) -> None:
    submit(**entry("Nothing of the kind", summary="No."))
    found = submit(**entry("Huddles & rounds at 100 %"))

    assert script("find", "huddles & rounds") == [
        [found["reference"], "under_review", found["title"]]
    ]


def test_it_pages_through(script: Script, submit: Submit) -> None:
    made = [submit(**entry(f"Huddle {number}")) for number in range(101)]
    submit(decision={"status": "keep", "reason": "Calm."})

    listed = script("list", "theme=great-teams&status=under_review")

    assert sorted(line[0] for line in listed) == sorted(each["reference"] for each in made)


def test_it_follows_changes_from_where_it_was(
    script: Script, trust: httpx.Client, submit: Submit
) -> None:
    submit()
    lines = script("follow")
    assert [int(line[0]) for line in lines] == list(range(1, head_of(trust) + 1))
    assert script("follow") == []

    new = submit(title="New")

    assert script("follow") == [[str(head_of(trust)), "created", "innovation", new["id"], "New"]]


def test_reading_needs_no_key(register: Register, submit: Submit, tmp_path: Path) -> None:
    made = submit()

    assert Script(tmp_path / "curl", register, None)("list")[0][0] == made["reference"]


def test_it_shows_the_problem_and_fails(script: Script) -> None:
    (script.folder / "entry.json").write_text(json.dumps(entry("No", theme="none")))

    for words, kind in (
        (("submit", "entry.json"), "unknown-theme"),
        (("list", "colour=red"), "validation-failed"),
        (("find", "x" * 201), "validation-failed"),
    ):
        ended = script.run(*words, fails=True)
        assert f'"type":"/problems/{kind}"' in ended.stderr
        assert ended.stdout == ""


def test_it_waits_for_a_register_that_is_busy(
    serve: Callable[..., Register], tmp_path: Path
) -> None:
    register = serve(lock_timeout_seconds=0.1)
    script = Script(tmp_path / "curl", register, register.key("R0A"))
    with another_write(register):
        running = subprocess.Popen(
            ["./register.sh", "submit", "huddle.json"],
            cwd=script.folder,
            env=script.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        said = running.stderr.readline()
    printed, _ = running.communicate(timeout=60)

    assert "503" in said
    assert running.returncode == 0
    # The answer alone, without what was said before it.
    assert json.loads(printed)["title"] == "Ten-minute huddle of the whole ward"
