"""A register for each test: a fresh database of each kind, behind a real server."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app import schema
from app.database import Database
from app.main import create_app
from app.models.clients import Scope
from app.register import clients, reference, verification
from app.register.verification import Verdict
from app.settings import Settings
from tests import postgresql
from tests.serving import PLAIN, Server

DIALECTS = ("sqlite", "postgresql")

WARD_ROUNDS: dict[str, Any] = {
    "title": "Virtual care-home ward rounds",
    "summary": "A GP sees residents by video twice a week.",
    "theme": "21st-century-tools",
}
"""The shortest entry that can be submitted."""


@dataclass
class Templates:
    """A database of each kind, at head and with the reference data; tests get copies."""

    sqlite: Path
    folder: Path
    stack: ExitStack
    _server: str | None = None
    _postgresql: str | None = None

    def postgresql(self) -> tuple[str, str]:
        """The server, and the template's URL on it; started by the first test that asks."""
        if self._server is None or self._postgresql is None:
            self._server = self.stack.enter_context(postgresql.server(in_memory=True))
            self._postgresql = self.stack.enter_context(postgresql.database(self._server))
            prepare(self._postgresql)
        return self._server, self._postgresql


def prepare(url: str) -> None:
    """Brings a database to head, with the reference data."""
    schema.upgrade(url)
    with Database(settings_for(url)) as database:
        database.transaction(reference.load)


def settings_for(url: str, **changed: Any) -> Settings:
    return Settings.model_validate({"database_url": url, **changed})


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    folder = tmp_path_factory.mktemp("template")
    file = folder / "register.db"
    prepare(f"sqlite:///{file}")
    with ExitStack() as stack:
        yield Templates(file, folder, stack)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=DIALECTS)
def database_url(
    request: pytest.FixtureRequest, templates: Templates, tmp_path: Path
) -> Iterator[str]:
    """A fresh database at head, with the reference data; of each kind in turn."""
    if request.param == "sqlite":
        file = tmp_path / "register.db"
        shutil.copy(templates.sqlite, file)
        yield f"sqlite:///{file}"
        return
    on, template = templates.postgresql()
    with postgresql.database(on, template=template) as url:
        yield url


@dataclass
class Register:
    """A register that is being served."""

    url: str
    app: FastAPI
    settings: Settings
    _stack: ExitStack

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    def key(
        self,
        organisation: str,
        *scopes: Scope,
        expires_at: datetime | None = None,
    ) -> str:
        """A fresh key."""
        _, key = self.database.transaction(
            clients.add,
            organisation=organisation,
            scopes=scopes or (Scope.CONTRIBUTE,),
            name=f"client of {organisation}",
            expires_at=expires_at,
        )
        return key

    def verify(self) -> Verdict:
        """What the check of the log says, from a process of its own, as it were."""

        async def check() -> Verdict:
            database = Database(self.settings)
            await database.open()
            try:
                return await database.read(verification.verify)
            finally:
                await database.close()

        return asyncio.run(check())

    def client(self, key: str | None = None) -> httpx.Client:
        """An HTTP client with this key, or with none."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self._stack.enter_context(
            httpx.Client(base_url=self.url, headers=headers, timeout=30, verify=PLAIN)
        )


@pytest.fixture
def serve(database_url: str, server: Server) -> Iterator[Callable[..., Register]]:
    """Serves a register with settings of the test's own."""
    with ExitStack() as stack:

        def start(**changed: Any) -> Register:
            settings = settings_for(database_url, **changed)
            app = create_app(settings)
            stack.enter_context(server.serving(app))
            return Register(server.url, app, settings, stack)

        yield start


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    return serve()


@pytest.fixture
def anybody(register: Register) -> httpx.Client:
    """A client without a key."""
    return register.client()


@pytest.fixture
def trust(register: Register) -> httpx.Client:
    """A trust's intranet: a contributor of Manchester University NHS Foundation Trust."""
    return register.client(register.key("R0A"))


@pytest.fixture
def icb(register: Register) -> httpx.Client:
    """A contributor of that trust's ICB."""
    return register.client(register.key("QOP"))


@pytest.fixture
def other_trust(register: Register) -> httpx.Client:
    """A contributor of a trust in another ICB and another region."""
    return register.client(register.key("RJ1"))


@pytest.fixture
def curator(register: Register) -> httpx.Client:
    return register.client(register.key("RJ1", Scope.CURATE))


@pytest.fixture
def admin(register: Register) -> httpx.Client:
    return register.client(register.key("RJ1", Scope.ADMIN))


@pytest.fixture
def submit(trust: httpx.Client) -> Callable[..., dict[str, Any]]:
    """Submits an innovation of the trust's; returns what the register made of it."""

    def submit(by: httpx.Client | None = None, /, **fields: Any) -> dict[str, Any]:
        answer = (by or trust).post("/v1/innovations", json={**WARD_ROUNDS, **fields})
        assert answer.status_code == 201, answer.text
        entry: dict[str, Any] = answer.json()
        del entry["possible_duplicates"]  # it is told beside the innovation
        return entry

    return submit
