"""How long the service waits for a client that does not take its answer."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STALLED = 60.0
"""Seconds after which the connection of a client that takes nothing is given up."""


class Patient(HttpToolsProtocol):
    """The server's side of a connection. It ends when the client has stopped reading, so that what
    waits to be sent, and whatever it is made from, is freed."""

    _giving_up: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """What the client has not taken yet is more than ought to wait."""
        super().pause_writing()
        self._giving_up = self.loop.call_later(STALLED, self.transport.abort)

    def resume_writing(self) -> None:
        self._hope()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hope()
        super().connection_lost(exc)

    def _hope(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None
