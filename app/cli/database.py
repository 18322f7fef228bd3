"""The database: `register database`, and how all commands come by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from app import schema
from app.cli.console import out
from app.database import Database
from app.register import reference
from app.settings import Settings

commands = typer.Typer(help="The database.", no_args_is_help=True)


@contextmanager
def database_at_head() -> Iterator[Database]:
    """The database of the settings, at head; an embedded one is brought there."""
    settings = Settings()
    with Database(settings) as database:
        if database.dialect.embedded:
            bring_to_head(settings, database)
        yield database


def bring_to_head(settings: Settings, database: Database) -> None:
    schema.upgrade(settings.database_url.get_secret_value())
    database.transaction(reference.load)


@commands.command("upgrade")
def upgrade() -> None:
    """Bring the database to head, and add the reference data that it does not have yet."""
    settings = Settings()
    with Database(settings) as database:
        bring_to_head(settings, database)
    out.print("The database is at head.")


@commands.command("rewrite")
def rewrite() -> None:
    """Write the database's files anew, so that nothing is left in them of what was taken out."""
    with database_at_head() as database:
        database.forget()
    out.print("The database's files are written anew.")
