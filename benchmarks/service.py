"""The service as ``register serve`` runs it, with one address more: a constant answer.

``GET /constant/{size}`` answers ``size`` bytes that were prepared before: a plain ``async def``
FastAPI route that returns a ``Response``, and touches no database. It goes through the same server,
the same middleware and the same router as all else, and is matched first of all routes, so it is
the most that this server can answer. What an operation's rate is a share of, is this one's.
"""

from __future__ import annotations

import sys
from functools import cache

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response

from app import main
from app.http.patience import Patient

router = APIRouter()


@cache
def _prepared(size: str) -> bytes:
    return b"x" * int(size)


@router.get("/constant/{size}")
async def constant(request: Request) -> Response:
    # Declared as an int, the size would cost a validation; a constant answer has none.
    return Response(_prepared(request.path_params["size"]), media_type="application/json")


def create_app() -> FastAPI:
    """The application, and the constant answer."""
    app = main.create_app()
    app.router.routes[:0] = router.routes
    return app


def serve(port: int) -> None:
    """Serves on loopback until a signal comes; with the options of ``register serve``."""
    uvicorn.run(
        "benchmarks.service:create_app",
        factory=True,
        http=Patient,
        host="127.0.0.1",
        port=port,
        workers=1,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]))
