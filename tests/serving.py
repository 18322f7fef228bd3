"""A real server for the tests: Uvicorn on a thread, over a socket, with the app of the test."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.http.patience import Patient

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: it trusts nobody. By itself, httpx reads all the certificates
that this machine trusts for each client anew, which takes longer than most tests."""


class Server:
    """One server for the whole session; a test puts its own app behind it."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None
        # Made by hand: only of a socket that says TCP does asyncio turn off Nagle's delay, which
        # costs 40 ms a request.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # What a client does not read waits here: little, so that a test soon has more.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            http=Patient,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._server.server_state.connections)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    @contextmanager
    def serving(self, app: FastAPI) -> Iterator[None]:
        """Runs the app's start, serves it, and runs its end."""
        lifespan = app.router.lifespan_context(app)
        self._wait(lifespan, enter=True)
        self._app = app
        try:
            yield
        finally:
            self._app = None
            self._wait(lifespan, enter=False)

    def _wait(self, lifespan: AbstractAsyncContextManager[object], *, enter: bool) -> None:
        async def step() -> None:
            if enter:
                await lifespan.__aenter__()
            else:
                await lifespan.__aexit__(None, None, None)

        asyncio.run_coroutine_threadsafe(step(), self._loop).result(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        self._loop.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None, "no test is being served"
        await self._app({**scope, "app": self._app}, receive, send)
