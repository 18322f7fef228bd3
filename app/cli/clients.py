"""`register clients`: machines with a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from app.cli.console import out
from app.cli.database import database_at_head
from app.models.clients import (
    MOST_OVERLAP_HOURS,
    OVERLAP_HOURS,
    ClientPublic,
    ClientState,
    Scope,
)
from app.register import clients

commands = typer.Typer(help="Clients: machines with a key.", no_args_is_help=True)

NamedClient = Annotated[str, typer.Argument(help="Its id; or its name, if that is clear.")]


@commands.command("add")
def add_client(
    organisation: Annotated[str, typer.Option(help="The ODS code that it acts for.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be repeated.")],
    name: Annotated[str, typer.Option(help="What to call it; not a person's name.")] = "client",
    expires: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="After how many days.")
    ] = None,
) -> None:
    """Make a key, and print it: once, alone, on the last line."""
    with database_at_head() as database:
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


@commands.command("list")
def list_clients() -> None:
    """List the clients, with the state of their keys and when they were last used."""
    with database_at_head() as database:
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


@commands.command("rotate")
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
    with database_at_head() as database:
        rotated, key = database.transaction(clients.rotate, client, timedelta(hours=overlap))
    ends = rotated.keys[-1].ends_at
    out.print(
        f"Client {rotated.id} ({rotated.name}); its old key ends at {ends:%Y-%m-%d %H:%M} UTC. "
        "Its new key:",
        markup=False,
    )
    out.print(key, markup=False)


@commands.command("revoke")
def revoke_client(client: NamedClient) -> None:
    """Revoke a client; from now on its keys open nothing."""
    with database_at_head() as database:
        revoked = database.transaction(clients.revoke, client)
    out.print(f"Client {revoked.id} ({revoked.name}) is revoked.", markup=False)
