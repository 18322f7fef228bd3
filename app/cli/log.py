"""What is done to the log: checking it, and taking out of it what never belonged there."""

from __future__ import annotations

import asyncio
import sys
from itertools import takewhile
from typing import Annotated

import typer

from app.cli.console import err, out
from app.cli.database import database_at_head
from app.database import Database
from app.register import redaction, verification
from app.register.screening import must_name_nobody
from app.register.verification import Verdict


def verify() -> None:
    """Check the change log: that no line was changed, left out or slipped in."""

    async def check(database: Database) -> Verdict:
        await database.open()
        try:
            return await database.read(verification.verify)
        finally:
            await database.close()

    with database_at_head() as database:
        verdict = asyncio.run(check(database))
    if verdict.broken_at is not None:
        err.print(f"[red]Line {verdict.broken_at} of the log is broken:[/red] {verdict.why}.")
        raise typer.Exit(1)
    out.print(f"The log holds: {verdict.lines} lines.")


def redact(
    thing: Annotated[
        str, typer.Argument(help="The reference or id of an innovation, or of a story.")
    ],
    reason: Annotated[str, typer.Option(help="Why; the log tells it, so name nobody.")],
    found: Annotated[
        bool,
        typer.Option("--found", help="Take out all that screening finds, and ask for nothing."),
    ] = False,
) -> None:
    """Take text out of an innovation or a story, and all its history; the log still verifies.

    Of an innovation, that is also out of its evidence, its adoptions and the stories linked to it.

    The texts are read from standard input, one a line, and not from the command: a shell keeps its
    commands.
    """
    must_name_nobody(reason)
    texts: list[str] = []
    if not found:
        if sys.stdin.isatty():
            err.print("The texts to take out, one a line; an empty line (or Ctrl+D) ends them:")
        lines = (line.rstrip("\r\n") for line in sys.stdin)
        texts = list(takewhile(bool, lines))
    with database_at_head() as database:
        done = database.transaction(redaction.redact, thing, reason, texts, found=found)
        database.forget()
    out.print(
        f"{done.reference}: {done.texts} texts are taken out of {done.lines} lines of the log. "
        "Backups and those who read it before still have it: see docs/personal-data.md.",
        markup=False,
    )
