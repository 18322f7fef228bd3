"""Likeness: innovations that are like another, and likely themes for a text."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Response

from app.auth import Reader
from app.errors import NotFound, NotInstalled, Unavailable, Withdrawn
from app.http import answers, collections
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.likeness import (
    SimilarInnovations,
    SimilarQuery,
    SuggestionQuery,
    ThemeSuggestions,
)
from app.routers import examples
from app.routers.parts import Alike, InnovationName

router = APIRouter(tags=["likeness"], route_class=Route)


@router.get(
    "/v1/innovations/{innovation}/similar",
    response_model=SimilarInnovations,
    summary="Find similar innovations",
    responses=problems(NotFound, Withdrawn, NotInstalled, Unavailable),
)
async def list_similar_innovations(
    alike: Alike,
    caller: Reader,
    innovation: InnovationName,
    query: Annotated[SimilarQuery, Depends(Query(SimilarQuery))],
) -> Response:
    """Use it to see who does the same, in whatever words, and before you decide that something is
    new. It compares title and summary with those of all published innovations, by what they mean.
    A draft finds what is published, and is itself found by nobody.
    """
    found = await alike.similar(innovation, caller, query.limit)
    items = ",".join(
        f'{{"score":{each.score},"why":{answers.compact(_pairs(each.why))},'
        f'"innovation":{each.document}}}'
        for each in found
    )
    body = f'{{"items":[{items}],"model":"{alike.model}"}}'
    return Response(body, headers=collections.NO_CACHING, media_type=answers.JSON)


def _pairs(why: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"here": here, "there": there} for here, there in why]


@router.post(
    "/v1/themes/suggestions",
    response_model=ThemeSuggestions,
    summary="Suggest themes for a text",
    responses=problems(Unavailable),
)
async def suggest_themes(
    alike: Alike,
    caller: Reader,
    query: Annotated[SuggestionQuery, Body(openapi_examples=examples.SUGGESTION)],
) -> Response:
    """Use it to fill in the theme of a form, or to code answers in people's own words. It ranks the
    themes by what it learnt from their descriptions and from what is published, themes that a
    curator added among them. Nothing of what you send is stored. It suggests; people choose.
    """
    found = await alike.suggest(query.text, query.limit)
    suggestions = ThemeSuggestions(items=found.told(), model=alike.model, learnt_to=found.learnt_to)
    headers = collections.NO_CACHING
    return Response(suggestions.model_dump_json(), headers=headers, media_type=answers.JSON)
