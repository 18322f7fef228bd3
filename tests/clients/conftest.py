"""The clients' tests run on SQLite alone: which database it is makes no difference to a client."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.clients.running import TYPESCRIPT, need, run
from tests.conftest import Templates


@pytest.fixture
def database_url(templates: Templates, tmp_path: Path) -> str:
    """A fresh database at head, with the reference data."""
    file = tmp_path / "register.db"
    shutil.copy(templates.sqlite, file)
    return f"sqlite:///{file}"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the TypeScript client, with what its lock names; no more is downloaded."""
    need("node", "npm")
    folder = tmp_path_factory.mktemp("typescript") / "client"
    made = shutil.ignore_patterns("node_modules", "dist", "schema.d.ts")
    shutil.copytree(TYPESCRIPT, folder, ignore=made)
    run("npm", "ci", at=folder)
    return folder
