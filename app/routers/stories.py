"""Stories: what was told in the listening programme."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request, Response

from app.auth import Contributor, Reader
from app.errors import (
    DuplicateSource,
    Forbidden,
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    OrganisationClosed,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    UnknownInnovation,
    UnknownOrganisation,
    UnknownTheme,
    Withdrawn,
)
from app.http import answers
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.query import Query
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.changes import ChangePublic, HistoryPage
from app.models.fields import SourceId, SourceSystem
from app.models.innovations import Source
from app.models.stories import StoryCreate, StoryPublic, StoryUpdate
from app.models.story_finding import StoryPage, StoryQuery
from app.register import stories, story_finding, story_reading
from app.routers import examples
from app.routers.parts import PageOf, Register, WithdrawalQuery

router = APIRouter(prefix="/v1/stories", tags=["stories"], route_class=Route)

StoryName = Annotated[
    str,
    Path(
        alias="story",
        description="The story's `id`, or its reference.",
        openapi_examples={"reference": {"summary": "By its reference", "value": "STY-000001"}},
    ),
]

_FILTERS = (UnknownTheme, UnknownOrganisation, UnknownInnovation)
_ENTRY = (*_FILTERS, OrganisationClosed, Forbidden)
_POST = (DuplicateSource, IdempotencyKeyReused, StillRunning)
_CHANGE = (NotFound, Withdrawn, Forbidden, PreconditionRequired, PreconditionFailed)


@router.get(
    "",
    response_model=StoryPage,
    summary="List and search stories",
    responses=problems(InvalidCursor, *_FILTERS),
)
async def list_stories(
    request: Request,
    register: Register,
    caller: Reader,
    query: Annotated[StoryQuery, Depends(Query(StoryQuery))],
) -> Response:
    """Use it to hear what people tell: by verdict, theme, role, place or words, or of one
    innovation. Of one filter any value fits (repeat it), and all filters must fit. Only what its
    tellers agreed to have published is in it; your own organisation's others come with
    `visibility=private`.
    """
    found = await register.read(story_finding.page, query, caller, memory=register.memory)
    return answers.page(request, found, answers.facets(found.facets))


@router.get(
    "/{story}",
    response_model=StoryPublic,
    summary="Get a story",
    responses=problems(NotFound, Withdrawn),
)
async def get_story(register: Register, caller: Reader, story: StoryName) -> Response:
    """Use it to show one story, with the themes and the innovations that it is about. A withdrawn
    one answers 410, with the reason; one that is not published is found by its own organisation
    only.
    """
    return answers.one(await register.read(story_reading.get, story, caller))


@router.post(
    "",
    status_code=201,
    response_model=StoryPublic,
    summary="Submit a story",
    responses=problems(*_ENTRY, *_POST),
)
async def create_story(
    once: PostOnce,
    client: Contributor,
    entry: Annotated[StoryCreate, Body(openapi_examples=examples.STORY)],
) -> Response:
    """Use it to pass on what somebody told: what to keep, or what never to go back to. Only `text`
    and `verdict` are required. Say `"consent_to_publish": true` only if the teller agrees; until
    then, only your own organisation and curators see it. Name an organisation or a region only if
    the teller agrees to that, too, and never a person.
    """
    return await once(stories.add, entry, by=client)


@router.get(
    "/by-source/{system}/{id:path}",
    response_model=StoryPublic,
    summary="Get a story by your own id",
    responses=problems(NotFound, Withdrawn),
)
async def get_story_by_source(
    register: Register,
    client: Contributor,
    system: Annotated[SourceSystem, Path(openapi_examples=examples.SURVEY)],
    id: Annotated[SourceId, Path(openapi_examples=examples.SOURCE_ID)],
) -> Response:
    """Use it to find what became of an answer to your survey, and its ETag for the next PUT. Nobody
    else sees your ids.
    """
    source = Source(system=system, id=id)
    return answers.one(await register.read(story_reading.get_by_source, source, client))


@router.put(
    "/by-source/{system}/{id:path}",
    response_model=StoryPublic,
    summary="Create or update a story by your own id",
    responses=problems(*_ENTRY, Withdrawn, PreconditionRequired, PreconditionFailed)
    | {201: {"model": StoryPublic, "description": "It is new."}},
)
async def put_story_by_source(
    register: Register,
    client: Contributor,
    system: Annotated[SourceSystem, Path(openapi_examples=examples.SURVEY)],
    id: Annotated[SourceId, Path(openapi_examples=examples.SOURCE_ID)],
    entry: Annotated[StoryCreate, Body(openapi_examples=examples.STORY)],
    if_match: IfMatch,
) -> Response:
    """Use it to keep the register in step with a survey: the story becomes what you send, and what
    you leave out goes back to its default; without `consent_to_publish`, it is private again. Only
    `themes` and `innovations` that are left out stay, for they are often found later. 201 when it
    is new, 200 when it was there. Over an existing story, `If-Match` is asked for: the ETag that
    you last saw, or `*` if only your system writes it.
    """
    source = Source(system=system, id=id)
    stored, created = await register.write(
        stories.put_by_source, source, entry, by=client, precondition=if_match
    )
    return answers.written(stored, created=created)


@router.patch(
    "/{story}",
    response_model=StoryPublic,
    summary="Change a story",
    responses=problems(*_CHANGE, *_ENTRY),
)
async def update_story(
    register: Register,
    client: Contributor,
    story: StoryName,
    patch: Annotated[StoryUpdate, Body(openapi_examples=examples.STORY_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it to give a story its themes, to link it to innovations, or when its teller changes
    their mind: with `{"consent_to_publish": false}` it leaves all that others see, and stops to be
    evidence. A merge patch (RFC 7396): what you leave out stays, and null empties.
    """
    stored = await register.write(stories.change, story, patch, by=client, precondition=if_match)
    return answers.written(stored)


@router.delete(
    "/{story}",
    response_model=StoryPublic,
    summary="Withdraw a story",
    responses=problems(*_CHANGE),
)
async def withdraw_story(
    register: Register,
    client: Contributor,
    story: StoryName,
    why: Annotated[WithdrawalQuery, Depends(Query(WithdrawalQuery))],
    if_match: IfMatch,
) -> Response:
    """Use it when a story should not be there: told twice, or its teller wants it out. It leaves
    all lists and stops to be evidence, its address answers 410 with the reason, and the change log
    tells its followers.
    """
    stored = await register.write(
        stories.withdraw, story, why.reason, by=client, precondition=if_match
    )
    return answers.written(stored)


@router.get(
    "/{story}/history",
    response_model=HistoryPage,
    summary="List the versions of a story",
    responses=problems(NotFound, InvalidCursor),
)
async def list_story_history(
    request: Request, register: Register, caller: Reader, story: StoryName, query: PageOf
) -> Response:
    """Use it to see what changed in a story, and when: its lines of the change log, the oldest
    first. Others than its own organisation see versions that were published, for as long as the
    story is; after that, only the line that says that it is not any more.
    """
    listed = await register.read(
        story_reading.history, story, caller, limit=query.limit, cursor=query.cursor
    )
    return answers.page(request, listed)


@router.get(
    "/{story}/history/{version}",
    response_model=ChangePublic,
    summary="Get a version of a story",
    responses=problems(NotFound),
)
async def get_story_version(
    register: Register,
    caller: Reader,
    story: StoryName,
    version: Annotated[
        int,
        Path(
            ge=1, le=2**31 - 1, openapi_examples={"first": {"summary": "As submitted", "value": 1}}
        ),
    ],
) -> Response:
    """Use it to read a story as it was at a version."""
    return answers.one(await register.read(story_reading.version, story, version, caller))
