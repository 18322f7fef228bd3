"""The TypeScript client of `docs/clients/typescript`, with types made from our document."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.running import TYPESCRIPT, entry, environment, run
from tests.conftest import Register
from tests.http.speaking import Submit, another_write, head_of
from tests.routers.merging.merges import merged
from tests.routers.test_innovations import patch, withdraw


class Client:
    """The built client, with a key."""

    def __init__(self, folder: Path, register: Register, key: str) -> None:
        self.folder = folder
        self.env = environment(register, key)

    def __call__(self, *words: str | Path, fails: bool = False) -> tuple[list[str], str]:
        """The lines that it prints, and what it says of what went wrong."""
        ended = run("node", "dist/main.js", *words, at=self.folder, env=self.env, fails=fails)
        return ended.stdout.splitlines(), ended.stderr


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    """One that soon says that it is busy."""
    return serve(lock_timeout_seconds=0.5)


@pytest.fixture
def client(installed: Path, register: Register) -> Client:
    """Its types are made from what this register serves, strictly checked, and built."""
    client = Client(installed, register, register.key("R0A"))
    if not (installed / "dist").exists():
        run(
            *("npm", "run", "types", "--", f"{register.url}/openapi.json"),
            at=installed,
            env=client.env,
        )
        run("npm", "run", "check", at=installed)
        run("npm", "run", "build", at=installed)
    return client


def held(client: httpx.Client) -> dict[str, Any]:
    """What the register holds, by the sender's own ids."""
    items = client.get("/v1/innovations?limit=100").json()["items"]
    return {item["source"]["id"]: item for item in items if item["source"]}


def test_the_lock_names_no_host_and_exact_versions() -> None:
    text = (TYPESCRIPT / "package-lock.json").read_text()
    package = json.loads((TYPESCRIPT / "package.json").read_text())

    assert not re.search(r'://|"resolved"', text), "make it with `npm run lock`"
    for name, one in json.loads(text)["packages"].items():
        assert not name or one["integrity"].startswith("sha512-"), name
    asked = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in asked.values())


def test_it_submits(client: Client, trust: httpx.Client) -> None:
    [line], _ = client("submit", "huddle.json")

    made = trust.get(f"/v1/innovations/{line.split()[0]}").json()
    sent = json.loads((TYPESCRIPT / "huddle.json").read_text())
    assert (made["title"], made["tags"]) == (sent["title"], sent["tags"])
    assert made["status"] == sent["decision"]["status"]


def test_it_brings_the_register_in_step_again_and_again(
    client: Client, trust: httpx.Client, tmp_path: Path
) -> None:
    client("send", "innovations.json")
    sent = json.loads((TYPESCRIPT / "innovations.json").read_text())
    assert {id: each["title"] for id, each in held(trust).items()} == {
        id: each["title"] for id, each in sent.items()
    }

    before, changed = head_of(trust), tmp_path / "changed.json"
    changed.write_text(json.dumps({"0": entry("No", theme="none")} | sent | {"2": entry("Yes")}))
    _, said = client("send", changed, fails=True)

    assert "0: " in said
    assert "#/theme" in said
    assert head_of(trust) == before + 1
    assert held(trust)["2"]["title"] == "Yes"


def test_it_pages_through(client: Client, submit: Submit) -> None:
    keep = {"status": "keep", "reason": "Staff ask for it."}
    kept = [submit(**entry(f"Huddle {number}", decision=keep)) for number in range(101)]
    submit(**entry("Not decided"))

    lines, _ = client("list", "keep")

    assert sorted(line.split()[0] for line in lines) == sorted(each["reference"] for each in kept)


def test_it_follows_changes(
    client: Client, trust: httpx.Client, curator: httpx.Client, submit: Submit, tmp_path: Path
) -> None:
    file = tmp_path / "copy.json"
    gone, twice, stays = submit(), submit(), submit(title="Stays")
    client("follow", file)
    first = json.loads(file.read_text())
    assert set(first["things"]["innovation"]) == {gone["id"], twice["id"], stays["id"]}
    assert first["next"] == head_of(trust)
    assert len(first["things"]["theme"]) == 10

    withdraw(trust, gone)
    merged(curator, twice, stays)
    patch(trust, twice, title="Corrected since")
    client("follow", file)

    copy = json.loads(file.read_text())
    assert copy["things"]["innovation"] == {stays["id"]: trust.get(stays["links"]["self"]).json()}
    assert copy["next"] == head_of(trust)


def test_it_tells_what_is_wrong(register: Register, client: Client) -> None:
    stranger = Client(client.folder, register, "inr_wrong")

    _, said = stranger("submit", "huddle.json", fails=True)

    assert said == "A valid key is needed: The register does not know this key.\n"


def test_it_waits_for_a_register_that_is_busy(
    client: Client, register: Register, trust: httpx.Client
) -> None:
    with another_write(register):
        running = subprocess.Popen(
            [shutil.which("node") or "node", "dist/main.js", "submit", "huddle.json"],
            cwd=client.folder,
            env=client.env,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert running.stderr is not None
        said = running.stderr.readline()
    with running:
        ended = running.wait(60)

    assert said == "503; trying again in 2 s\n"
    assert ended == 0
    assert trust.get("/v1/innovations").json()["page"]["total"] == 1
