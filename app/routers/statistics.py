"""Statistics: the register in figures."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.auth import Reader
from app.errors import InvalidCursor, UnknownInnovation, UnknownOrganisation, UnknownTheme
from app.http import answers, collections
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.models.spread import SpreadAnswer, SpreadQuery
from app.models.statistics import Overview, Statistics, StatisticsQuery, Timeline, TimelineQuery
from app.models.story_statistics import StoryStatistics, StoryStatisticsQuery
from app.register.statistics import innovations, overview, spread, stories, timeline
from app.register.statistics.tables import Told
from app.routers.parts import Register

router = APIRouter(prefix="/v1/statistics", tags=["statistics"], route_class=Route)

_FILTERS = (UnknownTheme, UnknownOrganisation)


@router.get(
    "",
    response_model=Statistics,
    summary="Count innovations in groups",
    responses=problems(*_FILTERS),
)
async def get_statistics(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[StatisticsQuery, Depends(Query(StatisticsQuery))],
) -> Response:
    """Use it for a table or a chart: how many innovations there are by one thing or by two, how
    much evidence there is for them, and which share is kept. All filters of the list apply. An
    innovation is counted where its organisation stands; one of an ICB that closed counts for the
    ICB that took over, where there is one only.
    """
    told = await register.read(innovations.grouped, query, caller, memory=register.memory)
    return _answer(request, told)


@router.get(
    "/timeline",
    response_model=Timeline,
    summary="See what happened over time",
    responses=problems(*_FILTERS),
)
async def get_timeline(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[TimelineQuery, Depends(Query(TimelineQuery))],
) -> Response:
    """Use it for a line that grows: what was submitted, and decided to keep or to retire, by week
    or by month, and in all up to then. Decisions count on the day that they were made on, which may
    be long before they came into the register.
    """
    told = await register.read(timeline.timeline, query, caller, memory=register.memory)
    return _answer(request, told)


@router.get(
    "/spread",
    response_model=SpreadAnswer,
    summary="See how far innovations have spread",
    responses=problems(*_FILTERS, InvalidCursor),
)
async def get_spread(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[SpreadQuery, Depends(Query(SpreadQuery))],
) -> Response:
    """Use it to see whether what is good stays where it was born: where other organisations stand
    with the innovations that fit, by their ICB or region, by the month in which adoptions began, or
    for each innovation by itself. Each row has the share of the open trusts that have adopted; an
    innovation also has the days from its first adoption to its tenth. The filters say which
    innovations; who adopted them is counted wherever it is.
    """
    told = await register.read(spread.spread, query, caller, memory=register.memory)
    answer = _answer(request, told)
    following = (told.content["page"] or {}).get("next")
    if following:
        answer.headers["Link"] = f'<{answers.following(request, cursor=following)}>; rel="next"'
    return answer


@router.get(
    "/stories",
    response_model=StoryStatistics,
    summary="Count stories in groups",
    responses=problems(*_FILTERS, UnknownInnovation),
)
async def get_story_statistics(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[StoryStatisticsQuery, Depends(Query(StoryStatisticsQuery))],
) -> Response:
    """Use it to see patterns in what was told: how many stories there are by one thing or by two,
    and how many of these ask to keep something or never to go back. All filters of their list
    apply. A story of several themes is in the group of each, and once in the total.
    """
    told = await register.read(stories.grouped, query, caller, memory=register.memory)
    return _answer(request, told)


@router.get(
    "/overview",
    response_model=Overview,
    summary="See the register at a glance",
    responses=problems(),
)
async def get_overview(request: Request, register: Register, caller: Reader) -> Response:
    """Use it for a landing page, in one request: what is published, in all, by theme and by region,
    and what came last.
    """
    return _answer(request, await register.read(overview.overview, memory=register.memory))


def _answer(request: Request, told: Told) -> Response:
    headers = collections.headers(request, told.head, told.day)
    return Response(answers.compact(told.content), headers=headers, media_type=answers.JSON)
