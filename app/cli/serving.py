"""Serving the register."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
import uvicorn

from app.cli.console import out
from app.cli.database import database_at_head
from app.database import Database
from app.http.patience import Patient
from app.models.clients import Scope
from app.register import clients, demonstration, organisations
from app.settings import Settings

DEMONSTRATION_NETWORKS = "127.0.0.0/8,::1/128"
"""Where webhooks may go when somebody tries them: to the same machine."""

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]
Workers = Annotated[int, typer.Option(min=1, help="How many processes serve.")]


def serve(host: Host = "127.0.0.1", port: Port = 8000, workers: Workers = 1) -> None:
    """Serve the register. An embedded database is made and brought to head first."""
    with database_at_head() as database:
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


def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the register with demonstration content, and a key to try it with."""
    with database_at_head() as database:
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
