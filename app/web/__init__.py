"""The pages for people: the front page, the API's docs, and what each kind of problem means."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from app import errors
from app.errors import NotFound

_templates = Jinja2Templates(Path(__file__).parent / "templates")


def _code(text: str) -> Markup:
    """Words with `code` in backticks, as HTML."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(marked)  # noqa: S704  (escaped above)


_templates.env.filters["code"] = _code
_static = Path(__file__).parent / "static"
_swagger = Path(str(files("fastapi_swagger") / "resources"))

_ASSETS = {
    "register.css": _static / "register.css",
    "docs.js": _static / "docs.js",
    "swagger-ui.css": _swagger / "swagger-ui.css",
    "swagger-ui-bundle.js": _swagger / "swagger-ui-bundle.js",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Nothing is loaded from elsewhere. Swagger UI sets styles inline."""


def install(app: FastAPI) -> None:
    """Adds the pages; none of them is a part of the API."""
    app.router.routes += [
        Route("/", _front),
        Route("/docs", _docs),
        Route("/problems", _problems),
        Route("/problems/{slug}", _problem),
        Route("/assets/{name}", _asset),
    ]


def _page(request: Request, template: str, **context: object) -> Response:
    response = _templates.TemplateResponse(request, template, context)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response


async def _front(request: Request) -> Response:
    return _page(request, "front.html")


async def _docs(request: Request) -> Response:
    return _page(request, "docs.html")


async def _problems(request: Request) -> Response:
    return _page(request, "problems.html", kinds=list(errors.kinds()))


async def _problem(request: Request) -> Response:
    slug = request.path_params["slug"]
    kind = next((kind for kind in errors.kinds() if kind.slug == slug), None)
    if kind is None:
        raise NotFound("There is no such kind of problem.")
    return _page(request, "problem.html", kind=kind)


async def _asset(request: Request) -> Response:
    path = _ASSETS.get(request.path_params["name"])
    if path is None:
        raise NotFound("There is nothing at this address.")
    return FileResponse(path, headers={"Cache-Control": "public, max-age=3600"})
