"""How Alembic reaches the database, and which of its tables are the models' business."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlmodel import SQLModel

import app.models  # noqa: F401  (declares the tables)
from app.dialects import dialect_for
from app.settings import Settings

LOCK = 7_216_503_114
"""Any number, so long as it is always the same: two services that start at once migrate in turn."""


def mine(name: str | None, kind: str, parents: MutableMapping[Any, str | None]) -> bool:
    """Whether a name in the database is a model's; the full-text index is the migrations' own."""
    if kind == "table":
        return not (name or "").startswith(("innovation_text", "story_text"))
    if kind in ("column", "index"):
        return (parents.get("table_name"), name) not in {
            ("innovation", "search"),
            ("innovation", "ix_innovation_search"),
            ("story", "search"),
            ("story", "ix_story_search"),
        }
    return True


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_name=mine,
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    url = context.config.attributes.get("url") or Settings().database_url.get_secret_value()
    dialect = dialect_for(url)
    engine = create_engine(dialect.url, poolclass=NullPool)
    with engine.connect() as connection:
        if dialect.name == "postgresql":
            # Rather fail than stand in a queue that all other work then stands behind.
            connection.execute(text("SET lock_timeout = '5s'"))
            connection.execute(text("SET statement_timeout = '10min'"))
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
            connection.commit()
        migrate(connection)
    engine.dispose()


run()
