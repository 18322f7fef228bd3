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
from app.models.adoptions import AdoptionsOfOrganisation, AdoptionsQuery
from app.models.fields import OdsCode
from app.models.organisations import OrganisationPage, OrganisationPublic, OrganisationQuery
from app.models.recommendations import RecommendationPage
from app.register import adoption_reading as reading
from app.register import organisations, recommendations
from app.routers.parts import PageOf, Register

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


Code = Annotated[
    OdsCode,
    Path(
        description="Its ODS code.",
        openapi_examples={"trust": {"summary": "A trust", "value": "R0A"}},
    ),
]


@router.get(
    "/{code}",
    response_model=OrganisationPublic,
    summary="Get an organisation",
    responses=problems(NotFound),
)
async def get_organisation(register: Register, caller: Reader, code: Code) -> Response:
    """Use it to see where an organisation stands (its ICB, its region), whether it is open, and who
    took over from it.
    """
    return answers.one(await register.read(organisations.get, code))


@router.get(
    "/{code}/adoptions",
    response_model=AdoptionsOfOrganisation,
    summary="List the adoptions of an organisation",
    responses=problems(NotFound, InvalidCursor),
)
async def list_adoptions_of_organisation(
    request: Request,
    register: Register,
    caller: Reader,
    code: Code,
    query: Annotated[AdoptionsQuery, Depends(Query(AdoptionsQuery))],
) -> Response:
    """Use it to see what an organisation has taken from others, and how far it is with each: the
    newest first, each with what it is of. With `below=true`, an ICB's trusts or all of a region.
    """
    return answers.page(request, await register.read(reading.of_organisation, code, query))


@router.get(
    "/{code}/recommendations",
    response_model=RecommendationPage,
    summary="See what an organisation could take from its neighbours",
    responses=problems(NotFound, InvalidCursor),
)
async def list_recommendations(
    request: Request, register: Register, caller: Reader, code: Code, query: PageOf
) -> Response:
    """Use it to ask what neighbours keep that you do not have: innovations that are kept, with
    strong evidence, that others of the same ICB or region have adopted, and on which you have no
    position. First comes what more of the ICB have, then what more of the region have; each says
    why. An ICB stands for its trusts: what one of them has is not recommended.
    """
    return answers.page(request, await register.read(recommendations.page, code, query))
