"""The ``register`` command."""

from __future__ import annotations

import sys

import typer
from pydantic import ValidationError
from rich.markup import escape

from app import __version__
from app.cli import clients, database, imports, log, organisations, serving
from app.cli.console import err, out
from app.errors import RegisterError

cli = typer.Typer(
    help="The innovation register: what the NHS in England learnt, kept or retired.\n\n"
    "Settings come from the environment; REGISTER_DATABASE_URL names the database "
    "(a file register.db in this folder, if not given).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (serving.serve, serving.demo, log.verify, log.redact):
    cli.command()(command)
cli.add_typer(database.commands, name="database")
cli.add_typer(organisations.commands, name="organisations")
cli.add_typer(imports.innovation_commands, name="innovations")
cli.add_typer(imports.story_commands, name="stories")
cli.add_typer(clients.commands, name="clients")


@cli.command()
def version() -> None:
    """Print the version of the software."""
    out.print(__version__)


def main() -> None:
    """Runs the command; an error that a user can mend is one line, not a traceback."""
    try:
        cli()
    except (RegisterError, ValueError, OSError) as error:
        err.print(f"[red]register:[/red] {_words(error)}")
        sys.exit(1)


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{_setting(fault['loc'])}{fault['msg']}" for fault in error.errors(include_input=False)
        )
    if isinstance(error, RegisterError):
        faults = [f"\n  {fault.pointer}: {fault.detail}" for fault in error.faults]
        told = [fault for fault in faults if error.detail not in fault]
        return escape("".join([error.detail, *told]))
    return escape(str(error))


def _setting(where: tuple[int | str, ...]) -> str:
    """The name of a setting, and the place within it; nothing for what several are about."""
    if not where:
        return ""
    name, *inside = (str(part) for part in where)
    return f"REGISTER_{name.upper()}{''.join(f' / {part}' for part in inside)}: "
