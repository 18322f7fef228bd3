"""The service itself: where things are, and whether it is well."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app import __version__, schema
from app.auth import Reader
from app.errors import Unavailable
from app.http import answers, collections
from app.http.problems import problems
from app.http.route import Route
from app.models.fields import Document
from app.routers.parts import Alike, Register

router = APIRouter(tags=["service"], route_class=Route)


class Entrance(Document):
    """Where things are."""

    title: str
    version: str
    sequence: int = Field(description="The newest line of the change log.")
    links: dict[str, str]


class Health(Document):
    """Whether the service is well."""

    status: str = Field(examples=["ok"])


class Version(Document):
    """Which software runs here."""

    version: str
    schema_revision: str | None
    language_model: str | None = Field(
        description="What texts are compared with by their meaning; null where the extra "
        "`semantic` is not installed. Then themes are suggested by letters and words alone, and "
        "there is no looking for duplicates."
    )


_LINKS = {
    "innovations": "/v1/innovations",
    "stories": "/v1/stories",
    "never_again": "/v1/never-again",
    "statistics": "/v1/statistics",
    "themes": "/v1/themes",
    "organisations": "/v1/organisations",
    "changes": "/v1/changes",
    "exports": "/v1/exports",
    "odata": "/odata/v4/",
    "news_feed": "/feeds/innovations.atom",
    "subscriptions": "/v1/subscriptions",
    "import_template": "/v1/imports/template.xlsx",
    "story_import_template": "/v1/stories/imports/template.xlsx",
    "clients": "/v1/clients",
    "docs": "/docs",
    "openapi": "/openapi.json",
    "problems": "/problems",
}


@router.get("/v1", response_model=Entrance, summary="See where things are", responses=problems())
async def get_entrance(request: Request, register: Register, caller: Reader) -> Response:
    """Use it as the one address to start from: it leads to everything."""
    head = await register.head()
    entrance = Entrance(
        title="Innovation register", version=__version__, sequence=head, links=_LINKS
    )
    headers = collections.headers(request, head)
    return Response(entrance.model_dump_json(), headers=headers, media_type=answers.JSON)


@router.get("/livez", response_model=Health, summary="Is the process alive?")
async def get_liveness() -> Response:
    """Use it for a supervisor that restarts what hangs. It touches nothing, so it answers as long
    as the process does.
    """
    return _ok()


@router.get(
    "/readyz",
    response_model=Health,
    summary="Can it serve?",
    responses=problems(Unavailable),
)
async def get_readiness(register: Register) -> Response:
    """Use it for a load balancer: the database answers, and its schema is the one that this version
    needs.
    """
    try:
        current = await register.read(schema.current)
    except Unavailable:
        raise
    except Exception as error:  # an empty database, for one: whatever it is, it cannot serve
        raise Unavailable("The database has no schema that can be read.") from error
    if current != schema.expected():
        raise Unavailable("The schema is not at head: run `register database upgrade`.")
    return _ok()


@router.get("/version", response_model=Version, summary="Which version is it?")
async def get_version_of_service(alike: Alike) -> Response:
    """Use it in a report of something that went wrong."""
    version = Version(
        version=__version__, schema_revision=schema.expected(), language_model=alike.model
    )
    return Response(version.model_dump_json(), headers=_FRESH, media_type=answers.JSON)


_FRESH = {"Cache-Control": "no-store"}


def _ok() -> Response:
    return Response('{"status":"ok"}', headers=_FRESH, media_type=answers.JSON)
