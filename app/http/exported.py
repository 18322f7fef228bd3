"""The answer that an export is: a file that is sent as it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from app.exports.running import Export

STALLED = 60.0
"""Seconds after which a client that takes nothing is given up."""


class Exported(Response):
    """A file that is being written; whatever happens, what it holds is freed at the end."""

    def __init__(self, export: Export, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(headers=headers, media_type=media_type)
        del self.headers["content-length"]  # nobody knows yet
        self._export = export

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the file.

        Raises:
            TimeoutError: when the client stops reading; the connection then breaks off.
        """
        client = Request(scope, receive)
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            async for chunk in self._export.chunks():
                if await client.is_disconnected():
                    return
                async with asyncio.timeout(STALLED):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await self._export.close()
