"""The schema: bringing a database to head, and telling whether it is there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import String, column, select, table

from app.dialects import Reader


def config(url: str = "") -> Config:
    """Alembic's configuration, wherever the migrations lie: in a wheel, or in a checkout."""
    here = Path(__file__).parent
    folder = here / "migrations"
    if not folder.is_dir():
        folder = here.parent / "migrations"
    settings = Config()
    settings.set_main_option("script_location", str(folder))
    settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Brings the database to head."""
    command.upgrade(config(url), "head")


@cache
def expected() -> str | None:
    """The revision that this version of the software needs."""
    return ScriptDirectory.from_config(config()).get_current_head()


_REVISION = select(column("version_num", String)).select_from(table("alembic_version"))


async def current(reader: Reader) -> str | None:
    """The revision that the database is at."""
    rows = await reader.rows(_REVISION, {})
    return rows[0][0] if rows else None
