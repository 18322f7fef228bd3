"""The clients' tests run on SQLite alone: which database it is makes no difference to a client."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import Templates


@pytest.fixture
def database_url(templates: Templates, tmp_path: Path) -> str:
    """A fresh database at head, with the reference data."""
    file = tmp_path / "register.db"
    shutil.copy(templates.sqlite, file)
    return f"sqlite:///{file}"
