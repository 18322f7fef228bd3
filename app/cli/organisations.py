"""`register organisations`: what comes from the official files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from sqlmodel import Session

from app.cli.console import err, out
from app.cli.database import database_at_head
from app.register import ods

commands = typer.Typer(help="NHS organisations.", no_args_is_help=True)


@commands.command("import")
def import_organisations(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The ODS file, etr.csv.")
    ],
) -> None:
    """Take over the trusts of an official ODS file. It may be done again and again."""
    text = file.read_text("utf-8-sig")
    report = ods.Report()

    def work(session: Session) -> None:
        lines = text.splitlines(keepends=True)
        done = ods.import_trusts(session, lines, report)
        for _ in track(done, "Organisations", total=len(lines), console=err, transient=True):
            pass

    with database_at_head() as database:
        database.transaction(work)
    out.print(
        f"{report.added} added, {report.renamed} renamed, {report.closed} closed, "
        f"{report.changed} changed otherwise, {report.unchanged} unchanged, "
        f"{len(report.skipped)} skipped."
    )
    for skipped in report.skipped:
        out.print(f"  line {skipped.line} ({skipped.code}): {skipped.why}.", markup=False)
