"""`register innovations` and `register stories`: what comes from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from app import files
from app.cli.console import err, out
from app.cli.database import database_at_head
from app.importing import Along, Import
from app.models.imports import ImportMode, ImportOutcome, ImportQuery
from app.register.access import OPERATOR, Caller
from app.register.imports import INNOVATIONS, STORIES, Importable, Report

innovation_commands = typer.Typer(help="Innovations.", no_args_is_help=True)
story_commands = typer.Typer(help="Stories.", no_args_is_help=True)


class _Shown(Along):
    """A progress bar along an import."""

    def __init__(self, bar: Progress, of: Importable) -> None:
        self._bar = bar
        self._noun = of.noun.capitalize()
        self._task = bar.add_task("Reading the file", total=None)

    def progress(self, done: int, rows: int) -> None:
        self._bar.update(self._task, description=self._noun, completed=done, total=rows)


EntryFile = Annotated[
    Path,
    typer.Argument(exists=True, dir_okay=False, help="A .json, .ndjson, .csv or .xlsx file."),
]
Sender = Annotated[
    str | None,
    typer.Option(help="The ODS code of who sends it; else each row names its organisation."),
]
Mode = Annotated[ImportMode, typer.Option(help="All rows or none, or the good ones.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Judge it, and write nothing.")]
AcceptFlagged = Annotated[
    bool,
    typer.Option("--accept-flagged", help="Accept what looks like personal data and is none."),
]


@innovation_commands.command("import")
def import_innovations(
    file: EntryFile,
    organisation: Sender = None,
    mode: Mode = ImportMode.ATOMIC,
    dry_run: DryRun = False,
    accept_flagged: AcceptFlagged = False,
) -> None:
    """Import a file of innovations. With source ids, it may be done again and again."""
    query = ImportQuery(mode=mode, dry_run=dry_run, accept_flagged=accept_flagged)
    _import(file, organisation, query, INNOVATIONS)


@story_commands.command("import")
def import_stories(
    file: EntryFile,
    organisation: Sender = None,
    mode: Mode = ImportMode.ATOMIC,
    dry_run: DryRun = False,
    accept_flagged: AcceptFlagged = False,
) -> None:
    """Import a file of stories, as a survey gives it. With source ids, it may be done again."""
    query = ImportQuery(mode=mode, dry_run=dry_run, accept_flagged=accept_flagged)
    _import(file, organisation, query, STORIES)


def _import(file: Path, organisation: str | None, query: ImportQuery, of: Importable) -> None:
    form = files.SUFFIXES.get(file.suffix.lower())
    if form is None:
        raise ValueError(f"A file to import ends in {', '.join(files.SUFFIXES)}.")
    by = Caller(organisation=organisation.strip().upper()) if organisation else OPERATOR
    with (
        database_at_head() as database,
        file.open("rb") as opened,
        Progress(*Progress.get_default_columns(), console=err, transient=True) as bar,
    ):
        work = Import(opened, form, query, by, along=_Shown(bar, of), of=of)
        report = work.run(database.transaction)
    _tell(report)


_TOLD = 20
"""Rejected rows that are told of."""


def _tell(report: Report) -> None:
    counts = (f"{report.totals[outcome]:,} {outcome}" for outcome in ImportOutcome)
    out.print(f"{len(report.rows):,} rows: {', '.join(counts)}.")
    for row in report.rejected[:_TOLD]:
        for fault in row.faults:
            at = report.columns.of_pointer(fault.pointer) if report.columns else fault.pointer
            place = f"row {row.number}, {at}" if at else f"row {row.number}"
            out.print(f"  {place}: {fault.detail}", markup=False)
    if len(report.rejected) > _TOLD:
        out.print(f"  and {len(report.rejected) - _TOLD:,} more rows.")
    if not report.written:
        out.print("Nothing was written.")
    if report.rejected:
        raise typer.Exit(1)
