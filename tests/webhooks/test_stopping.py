"""A service that stops, at whatever moment."""

from __future__ import annotations

import asyncio

import httpx

from app.database import Database
from app.webhooks import Webhooks
from tests.conftest import Register
from tests.webhooks.conftest import subscribe
from tests.webhooks.receiver import Receiver

TURNS = 40
"""Turns of the event loop in which one look ends and the next begins, several times over."""


def test_it_stops_at_any_moment(
    register: Register, trust: httpx.Client, receiver: Receiver
) -> None:
    subscribe(trust, receiver)  # so that it waits for news, too

    async def stop_after_each() -> None:
        database = Database(register.settings)
        await database.open()
        for turns in range(TURNS):
            webhooks = Webhooks(register.settings, database)
            webhooks.start()
            await asyncio.sleep(0.01)
            webhooks.wake()
            for _ in range(turns):
                await asyncio.sleep(0)
            async with asyncio.timeout(10):
                await webhooks.stop()
        await database.close()

    asyncio.run(stop_after_each())
