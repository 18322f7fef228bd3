"""The application: wiring only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import openapi, routers, web
from app.database import Database
from app.exports.running import Exports
from app.http import problems
from app.http.collections import Recent
from app.http.middleware import Wire
from app.likening import Emerging, Judging, Likening
from app.oidc import Tokens
from app.settings import Settings
from app.webhooks import Webhooks

IMPORTS = 2
"""Imports that run at once; others wait, with their files on disk."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service, with these settings or those of the environment."""
    settings = settings or Settings()
    database = Database(settings)
    tokens = Tokens.of(settings, database)
    likening = Likening(settings, database)
    judging = Judging(database, likening)
    emerging = Emerging(likening, database)
    webhooks = Webhooks(settings, database, tokens.clients if tokens else (), judging)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await database.open()
        webhooks.start()
        yield
        await webhooks.stop()
        await judging.stop()
        await emerging.stop()
        await likening.stop()
        await database.close()

    app = FastAPI(
        **openapi.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages load from a CDN; ours are in app/web
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.tokens = tokens
    app.state.webhooks = webhooks
    app.state.likening = likening
    app.state.judging = judging
    app.state.emerging = emerging
    app.state.running = set()
    app.state.recent = Recent()
    app.state.exports = Exports()
    app.state.imports = asyncio.Semaphore(IMPORTS)
    problems.install(app)
    for router in routers.ALL:
        # Not `include_router`, which matches each request twice: in the router, and in its route.
        app.router.routes += router.routes
    web.install(app)
    openapi.install(app)
    app.add_middleware(Wire, settings=settings, database=database)
    return app
