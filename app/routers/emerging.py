"""Emerging themes: groups that no theme says well enough, and the theme that one becomes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Response

from app.auth import Curator, Reader
from app.errors import (
    Duplicate,
    Forbidden,
    IdempotencyKeyReused,
    NotFound,
    NotInstalled,
    StillRunning,
    Unavailable,
)
from app.http import answers, collections
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.http.writing import PostOnce
from app.likening.shown import shown
from app.models.emerging import (
    MOST_MEMBERS,
    EmergingQuery,
    EmergingTheme,
    EmergingThemes,
    GroupQuery,
    ThemeMade,
    ThemeOfGroup,
)
from app.register import emerging_themes
from app.routers import examples
from app.routers.parts import Patterns

router = APIRouter(prefix="/v1/themes/emerging", tags=["likeness"], route_class=Route)

_NAME = "The group's `id`; or the id or reference of any innovation or story in it."
GroupName = Annotated[
    str, Path(alias="group", description=_NAME, openapi_examples=examples.GROUP_TO_GET)
]
NameOfNew = Annotated[
    str, Path(alias="group", description=_NAME, openapi_examples=examples.GROUP_TO_MAKE)
]


@router.get(
    "",
    response_model=EmergingThemes,
    summary="List emerging themes",
    responses=problems(NotInstalled, Unavailable),
)
async def list_emerging_themes(
    patterns: Patterns,
    caller: Reader,
    query: Annotated[EmergingQuery, Depends(Query(EmergingQuery))],
) -> Response:
    """Use it to hear what keeps coming up that the themes do not say: innovations and stories that
    say much the same, in whatever words, and fit no theme well, lie across several, or stand out
    within one. Give `since` to see what is new. It groups the newest 5,000 of what is published.
    """
    groups = await patterns.groups()
    wanted = [group for group in groups.all() if not query.kind or group.found.fit in query.kind]
    found = EmergingThemes(
        items=[shown(group, groups, query.since, query.members) for group in wanted[: query.limit]],
        total=len(wanted),
        model=patterns.model,
        looked_at=groups.looked_at,
        read_to=groups.line,
    )
    return _answer(found.model_dump_json())


@router.get(
    "/{group}",
    response_model=EmergingTheme,
    summary="Get an emerging theme",
    responses=problems(NotFound, NotInstalled, Unavailable),
)
async def get_emerging_theme(
    patterns: Patterns,
    caller: Reader,
    group: GroupName,
    query: Annotated[GroupQuery, Depends(Query(GroupQuery))],
) -> Response:
    """Use it to read all that is in a group (500 members at most) before you make a theme of it,
    and for a link that lasts: it works for as long as the innovation or the story that it names is
    in some group.
    """
    groups = await patterns.groups()
    found = groups.of(group)
    if found is None:
        raise NotFound(emerging_themes.NO_SUCH)
    return _answer(shown(found, groups, query.since, MOST_MEMBERS).model_dump_json())


@router.post(
    "/{group}/theme",
    status_code=201,
    response_model=ThemeMade,
    summary="Make a theme of a group",
    responses=problems(
        Forbidden,
        NotFound,
        Duplicate,
        IdempotencyKeyReused,
        StillRunning,
        NotInstalled,
        Unavailable,
    ),
)
async def create_theme_of_group(
    once: PostOnce,
    patterns: Patterns,
    client: Curator,
    group: NameOfNew,
    theme: Annotated[ThemeOfGroup, Body(openapi_examples=examples.THEME_OF_GROUP)],
) -> Response:
    """Use it, as a curator, when a group deserves a name: it adds the theme and gives it to the
    group's members, all in one write. Innovations keep their main theme and have the new one among
    their further themes. Name in `without` what does not belong. The answer tells which members
    could not be given it, such as those that have as many themes as they may.
    """
    found = await patterns.group_to_make(group)
    members = [member.text.chosen for member in found.members] if found else None
    return await once(emerging_themes.make, members, theme, by=client)


def _answer(body: str) -> Response:
    return Response(body, headers=collections.NO_CACHING, media_type=answers.JSON)
