"""The ``register`` command."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, track
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from app import __version__, files, schema
from app.database import Database
from app.errors import RegisterError
from app.http.patience import Patient
from app.importing import Along, Import
from app.models.clients import (
    MOST_OVERLAP_HOURS,
    OVERLAP_HOURS,
    ClientPublic,
    ClientState,
    Scope,
)
from app.models.imports import ImportMode, ImportOutcome, ImportQuery
from app.register import (
    clients,
    demonstration,
    ods,
    organisations,
    redaction,
    reference,
    verification,
)
from app.register.access import OPERATOR, Caller
from app.register.imports import INNOVATIONS, STORIES, Importable, Report
from app.register.screening import must_name_nobody
from app.register.verification import Verdict
from app.settings import Settings

cli = typer.Typer(
    help="The innovation register: what the NHS in England learnt, kept or retired.\n\n"
    "Settings come from the environment; REGISTER_DATABASE_URL names the database "
    "(a file register.db in this folder, if not given).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
database_commands = typer.Typer(help="The database.", no_args_is_help=True)
organisation_commands = typer.Typer(help="NHS organisations.", no_args_is_help=True)
innovation_commands = typer.Typer(help="Innovations.", no_args_is_help=True)
story_commands = typer.Typer(help="Stories.", no_args_is_help=True)
client_commands = typer.Typer(help="Clients: machines with a key.", no_args_is_help=True)
cli.add_typer(database_commands, name="database")
cli.add_typer(organisation_commands, name="organisations")
cli.add_typer(innovation_commands, name="innovations")
cli.add_typer(story_commands, name="stories")
cli.add_typer(client_commands, name="clients")

DEMONSTRATION_NETWORKS = "127.0.0.0/8,::1/128"
"""Where webhooks may go when somebody tries them: to the same machine."""

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]
NamedClient = Annotated[str, typer.Argument(help="Its id; or its name, if that is clear.")]
Workers = Annotated[int, typer.Option(min=1, help="How many processes serve.")]


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


@contextmanager
def _database() -> Iterator[Database]:
    """The database of the settings, at head; an embedded one is brought there."""
    settings = Settings()
    with Database(settings) as database:
        if database.dialect.embedded:
            _upgrade(settings, database)
        yield database


def _upgrade(settings: Settings, database: Database) -> None:
    schema.upgrade(settings.database_url.get_secret_value())
    database.transaction(reference.load)


@cli.command()
def serve(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    """Serve the register. An embedded database is made and brought to head first."""
    with _database() as database:
        database.tidy()
        _check_clients(database)
    _serve(host, port, workers)


def _check_clients(database: Database) -> None:
    """Refuses to start with a client of the issuer that would act for nobody.

    Raises:
        ValueError
    """
    codes = {client.organisation for client in Settings().oidc_clients.values()}
    unknown = database.transaction(organisations.unknown, codes) if codes else []
    if unknown:
        raise ValueError(f"REGISTER_OIDC_CLIENTS: No organisation has the code {unknown[0]}.")


def _serve(host: str, port: int, workers: int) -> None:
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        http=Patient,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


@cli.command()
def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the register with demonstration content, and a key to try it with."""
    with _database() as database:
        _check_clients(database)
        new = database.transaction(demonstration.load)
        _, key = database.transaction(
            clients.add,
            organisation=demonstration.SUBMITTER.code,
            scopes=[Scope.CONTRIBUTE, Scope.CURATE, Scope.ADMIN],
            name="demonstration",
            expires_at=datetime.now(UTC) + timedelta(days=7),
        )
    at = f"http://{host}:{port}"
    body = '{"title": "Ten-minute huddle", "summary": "All meet at eight.", "theme": "great-teams"}'
    out.print(
        f"{new.innovations} innovations and {new.stories} stories of the demonstration content "
        "are new."
    )
    out.print(f"\nDocs:  {at}/docs\nKey:   {key} (it may do all that the docs show, for a week)\n")
    out.print("To try the examples of the docs in another shell:\n")
    out.print(f"  export REGISTER_KEY={key}\n", markup=False)
    out.print("Submit an innovation:\n")
    out.print(
        f"  curl -i {at}/v1/innovations -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'\n",
        markup=False,
    )
    os.environ.setdefault("REGISTER_WEBHOOK_ALLOW", DEMONSTRATION_NETWORKS)
    _serve(host, port, 1)


@cli.command()
def verify() -> None:
    """Check the change log: that no line was changed, left out or slipped in."""

    async def check(database: Database) -> Verdict:
        await database.open()
        try:
            return await database.read(verification.verify)
        finally:
            await database.close()

    with _database() as database:
        verdict = asyncio.run(check(database))
    if verdict.broken_at is not None:
        err.print(f"[red]Line {verdict.broken_at} of the log is broken:[/red] {verdict.why}.")
        raise typer.Exit(1)
    out.print(f"The log holds: {verdict.lines} lines.")


@cli.command()
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
    with _database() as database:
        done = database.transaction(redaction.redact, thing, reason, texts, found=found)
        database.forget()
    out.print(
        f"{done.reference}: {done.texts} texts are taken out of {done.lines} lines of the log. "
        "Backups and those who read it before still have it: see docs/personal-data.md.",
        markup=False,
    )


@cli.command()
def version() -> None:
    """Print the version of the software."""
    out.print(__version__)


@database_commands.command("upgrade")
def upgrade() -> None:
    """Bring the database to head, and add the reference data that it does not have yet."""
    settings = Settings()
    with Database(settings) as database:
        _upgrade(settings, database)
    out.print("The database is at head.")


@database_commands.command("rewrite")
def rewrite() -> None:
    """Write the database's files anew, so that nothing is left in them of what was taken out."""
    with _database() as database:
        database.forget()
    out.print("The database's files are written anew.")


@organisation_commands.command("import")
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

    with _database() as database:
        database.transaction(work)
    out.print(
        f"{report.added} added, {report.renamed} renamed, {report.closed} closed, "
        f"{report.changed} changed otherwise, {report.unchanged} unchanged, "
        f"{len(report.skipped)} skipped."
    )
    for skipped in report.skipped:
        out.print(f"  line {skipped.line} ({skipped.code}): {skipped.why}.", markup=False)


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
        _database() as database,
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


@client_commands.command("add")
def add_client(
    organisation: Annotated[str, typer.Option(help="The ODS code that it acts for.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be repeated.")],
    name: Annotated[str, typer.Option(help="What to call it; not a person's name.")] = "client",
    expires: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="After how many days.")
    ] = None,
) -> None:
    """Make a key, and print it: once, alone, on the last line."""
    with _database() as database:
        client, key = database.transaction(
            clients.add,
            organisation=organisation.strip().upper(),
            scopes=scope,
            name=name,
            expires_at=datetime.now(UTC) + timedelta(days=expires) if expires else None,
        )
    until = f"{client.expires_at:%Y-%m-%d}" if client.expires_at else "it is revoked"
    out.print(f"Client {client.id} for {client.organisation}, valid until {until}. Its key:")
    out.print(key, markup=False)


@client_commands.command("list")
def list_clients() -> None:
    """List the clients, with the state of their keys and when they were last used."""
    with _database() as database:
        listed = database.transaction(clients.listed)
    table = Table("id", "name", "organisation", "scopes", "state", "last used", box=None)
    for client in listed:
        used = client.last_used_at
        table.add_row(
            client.id,
            Text(client.name),
            client.organisation,
            " ".join(client.scopes),
            _state(client),
            f"{used:%Y-%m-%d %H:%M}" if used else "never",
        )
    out.print(table)


def _state(client: ClientPublic) -> str:
    since = client.revoked_at or client.expires_at
    if since is None:
        return "valid"
    until = " until" if client.state is ClientState.VALID else ""
    return f"{client.state}{until} {since:%Y-%m-%d}"


@client_commands.command("rotate")
def rotate_client(
    client: NamedClient,
    overlap: Annotated[
        int,
        typer.Option(
            min=0,
            max=MOST_OVERLAP_HOURS,
            metavar="HOURS",
            help="For how long the old key still works.",
        ),
    ] = OVERLAP_HOURS,
) -> None:
    """Give a client a new key, and print it: once, alone, on the last line."""
    with _database() as database:
        rotated, key = database.transaction(clients.rotate, client, timedelta(hours=overlap))
    ends = rotated.keys[-1].ends_at
    out.print(
        f"Client {rotated.id} ({rotated.name}); its old key ends at {ends:%Y-%m-%d %H:%M} UTC. "
        "Its new key:",
        markup=False,
    )
    out.print(key, markup=False)


@client_commands.command("revoke")
def revoke_client(client: NamedClient) -> None:
    """Revoke a client; from now on its keys open nothing."""
    with _database() as database:
        revoked = database.transaction(clients.revoke, client)
    out.print(f"Client {revoked.id} ({revoked.name}) is revoked.", markup=False)
