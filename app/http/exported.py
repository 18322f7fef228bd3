"""The answer that an export is: a file that is sent as it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from app.exports.running import Export

LONGEST = 3600.0
"""Seconds after which an export breaks off: for as long as it takes, the database keeps for it what
was there at its start, and others may wait for its turn."""


class Exported(Response):
    """A file that is being written; whatever happens, what it holds is freed at the end."""

    def __init__(self, export: Export, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(headers=headers, media_type=media_type)
        del self.headers["content-length"]  # nobody knows yet
        self._export = export

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file.

        Raises:
            TimeoutError: when it takes too long; the connection then breaks off.
        """
        client = Request(scope, receive)
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            async with asyncio.timeout(LONGEST):
                await send(start)
                async for chunk in self._export.chunks():
                    if await client.is_disconnected():
                        return
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._export.close()
