"""Organisations: NHS bodies by their ODS code."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.auth import Reader
from app.errors import InvalidCursor, NotFound, UnknownOrganisation
from app.http import answers
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.fields import OdsCode
from app.models.organisations import OrganisationPage, OrganisationPublic, OrganisationQuery
from app.register import organisations
from app.routers.parts import Register

router = APIRouter(prefix="/v1/organisations", tags=["organisations"], route_class=Route)


@router.get(
    "",
    response_model=OrganisationPage,
    summary="List and find organisations",
    responses=problems(InvalidCursor, UnknownOrganisation),
)
async def list_organisations(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[OrganisationQuery, Depends(Query(OrganisationQuery))],
) -> Response:
    """Use it to find an organisation's ODS code by its name, or all trusts of an ICB. Contains NHS
    ODS data, Open Government Licence v3.0.
    """
    return answers.page(request, await register.read(organisations.page, query))


@router.get(
    "/{code}",
    response_model=OrganisationPublic,
    summary="Get an organisation",
    responses=problems(NotFound),
)
async def get_organisation(
    register: Register,
    caller: Reader,
    code: Annotated[
        OdsCode,
        Path(
            description="Its ODS code.",
            openapi_examples={"trust": {"summary": "A trust", "value": "R0A"}},
        ),
    ],
) -> Response:
    """Use it to see where an organisation stands (its ICB, its region), whether it is open, and who
    took over from it.
    """
    return answers.one(await register.read(organisations.get, code))
