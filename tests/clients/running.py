"""What tests of the clients have in common: the documents, and running them as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Register

CLIENTS = Path(__file__).parents[2] / "docs" / "clients"
TYPESCRIPT = CLIENTS / "typescript"


def need(*commands: str) -> None:
    """Skips the test where a command is missing; in CI, where none may be missing, fails it."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing} missing; .ci/run installs what a test needs")
    if missing:
        pytest.skip(f"{missing} missing on this machine")


def environment(register: Register, key: str | None = None, **more: str) -> dict[str, str]:
    """What the examples are told by their environment; and no proxy between."""
    proxies = {"http_proxy", "https_proxy", "all_proxy"}
    own = {name: value for name, value in os.environ.items() if name.lower() not in proxies}
    own |= {"REGISTER_URL": register.url, **more}
    return own | {"REGISTER_KEY": key} if key else own


def run(
    *command: str | Path, at: Path, env: Mapping[str, str] | None = None, fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end; fails the test where it fails, or does not."""
    ended = subprocess.run(
        command, cwd=at, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode != 0) == fails, f"{command}:\n{ended.stdout}\n{ended.stderr}"
    return ended


def entry(title: str, **fields: Any) -> dict[str, Any]:
    """An entry to submit."""
    return {"title": title, "summary": "All meet at eight.", "theme": "great-teams", **fields}
