"""The migrations and the models say the same, on both databases."""

from __future__ import annotations

from alembic import command
from sqlalchemy import create_engine, inspect, text

from app import schema
from app.dialects import dialect_for


def test_the_models_need_no_further_migration(database_url: str) -> None:
    command.check(schema.config(database_url))


def test_bringing_a_database_to_head_again_changes_nothing(database_url: str) -> None:
    engine = create_engine(dialect_for(database_url).url)
    before = inspect(engine).get_table_names()

    schema.upgrade(database_url)

    with engine.connect() as connection:
        revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert revision == schema.expected()
    assert inspect(engine).get_table_names() == before
    engine.dispose()
