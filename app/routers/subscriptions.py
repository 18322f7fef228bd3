"""Subscriptions: webhooks, which send the lines of the log as they come."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from app import following
from app.auth import Contributor
from app.errors import (
    IdempotencyKeyReused,
    InvalidCursor,
    NotFound,
    NotInstalled,
    PreconditionFailed,
    PreconditionRequired,
    StillRunning,
    TooMany,
    UnknownOrganisation,
    UnknownTheme,
)
from app.http import answers, collections
from app.http.conditional import IfMatch
from app.http.problems import problems
from app.http.route import Route
from app.http.writing import PostOnce
from app.models.subscriptions import (
    DeliveryPage,
    DeliveryPublic,
    SecretRotation,
    SubscriptionCreate,
    SubscriptionPage,
    SubscriptionPublic,
    SubscriptionUpdate,
    SubscriptionWithSecret,
)
from app.register import deliveries, subscription_reading, subscriptions
from app.routers import examples
from app.routers.parts import Hooks, Judged, PageOf, Register

router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"], route_class=Route)

SubscriptionName = Annotated[
    str, Path(description="The subscription's `id`.", openapi_examples=examples.LISTED_ID)
]
_POST = (IdempotencyKeyReused, StillRunning)
_CHANGE = (NotFound, PreconditionRequired, PreconditionFailed)
_FILTERS = (UnknownTheme, UnknownOrganisation, NotInstalled)


@router.post(
    "",
    status_code=201,
    response_model=SubscriptionWithSecret,
    summary="Subscribe to the change log",
    responses=problems(TooMany, *_FILTERS, *_POST),
)
async def create_subscription(
    once: PostOnce,
    register: Register,
    client: Contributor,
    hooks: Hooks,
    judged: Judged,
    subscription: Annotated[SubscriptionCreate, Body(openapi_examples=examples.SUBSCRIPTION)],
) -> Response:
    """Use it to be sent each line of the change log that your key may see, as it comes: in order,
    and at least once. A message is a POST, signed as Standard Webhooks says; answer it with a 2xx
    within 15 seconds. What fails is sent again, after five seconds at first and a day at last, and
    nothing after it is sent before; then the subscription is paused, with a reason to be read.

    The `secret` that checks the signatures is in this answer and nowhere else. The address needs
    https, and has to be one of the internet's, if who runs the service has not allowed its network.

    With the filter `retired_elsewhere` you are told when somebody submits what another organisation
    has retired, in whatever words: a message then names these practices, and why each was retired.
    """
    if subscription.filters.retired_elsewhere:
        judged.must_be_possible()
    await following.must_exist(register, subscription.filters, at="#/filters/")
    await hooks.check(subscription.url)
    answer = await once(subscriptions.add, subscription, by=client)
    hooks.wake()
    return answer


@router.get(
    "",
    response_model=SubscriptionPage,
    summary="List the subscriptions",
    responses=problems(InvalidCursor),
)
async def list_subscriptions(
    request: Request, register: Register, client: Contributor, query: PageOf
) -> Response:
    """Use it to see how far each of your organisation's subscriptions has come, and which are
    paused. A curator sees all. They go on without a line in the change log, so the answer has no
    ETag.
    """
    return answers.page(request, await register.read(subscription_reading.page, query, client))


@router.get(
    "/{subscription}",
    response_model=SubscriptionPublic,
    summary="Get a subscription",
    responses=problems(NotFound),
)
async def get_subscription(
    register: Register, client: Contributor, subscription: SubscriptionName
) -> Response:
    """Use it to see why nothing comes (`state`, `paused_reason`, `waits_for`, `failures`), and for
    the ETag that a change asks for. The ETag names what was last changed, not how far the
    subscription has come.
    """
    return answers.one(await register.read(subscription_reading.get, subscription, client))


@router.patch(
    "/{subscription}",
    response_model=SubscriptionPublic,
    summary="Change a subscription",
    responses=problems(*_CHANGE, *_FILTERS),
)
async def update_subscription(
    register: Register,
    client: Contributor,
    hooks: Hooks,
    judged: Judged,
    subscription: SubscriptionName,
    patch: Annotated[SubscriptionUpdate, Body(openapi_examples=examples.SUBSCRIPTION_PATCH)],
    if_match: IfMatch,
) -> Response:
    """Use it to pause a subscription, to let it go on (`"state": "active"`), or to give it another
    address or other filters: a merge patch, so what you leave out stays, and null takes a filter
    away. What has failed is then tried again at once.
    """
    if patch.filters is not None:
        if patch.filters.retired_elsewhere:
            judged.must_be_possible()
        await following.must_exist(register, patch.filters, at="#/filters/")
    if patch.url is not None:
        await hooks.check(patch.url)
    stored = await register.write(
        subscriptions.change, subscription, patch, by=client, precondition=if_match
    )
    hooks.wake()
    return answers.written(stored)


@router.delete(
    "/{subscription}",
    status_code=204,
    summary="Delete a subscription",
    responses=problems(*_CHANGE),
)
async def delete_subscription(
    register: Register, client: Contributor, subscription: SubscriptionName, if_match: IfMatch
) -> Response:
    """Use it when the receiver is no more. A message that is under way may still arrive."""
    stored = await register.write(
        subscriptions.remove, subscription, by=client, precondition=if_match
    )
    return Response(status_code=204, headers={"Register-Sequence": str(stored.head)})


@router.post(
    "/{subscription}/secret",
    status_code=201,
    response_model=SubscriptionWithSecret,
    summary="Give a subscription a new secret",
    responses=problems(NotFound, *_POST),
)
async def create_subscription_secret(
    once: PostOnce,
    client: Contributor,
    subscription: SubscriptionName,
    rotation: Annotated[SecretRotation, Body(openapi_examples=examples.SECRET_ROTATION)],
) -> Response:
    """Use it to change the secret without an interruption: for the overlap, messages are signed
    with the older secret, too, and a receiver that knows either of them takes them. If the answer
    was lost, ask again. With `"overlap_hours": 0` every older secret ends now.
    """
    return await once(subscriptions.rotate, subscription, rotation, by=client)


@router.post(
    "/{subscription}/test",
    response_model=DeliveryPublic,
    summary="Send a test message",
    responses=problems(NotFound),
)
async def create_subscription_test(
    register: Register, client: Contributor, hooks: Hooks, subscription: SubscriptionName
) -> Response:
    """Use it to see whether the receiver answers: a message of type `ping` is sent at once, even
    while the subscription is paused, and the answer tells what came of it.
    """
    id, url, secrets = await register.read(subscription_reading.target, subscription, client)
    delivery = await hooks.test(id, url, secrets)
    await register.write(deliveries.keep_test, id, delivery)
    return Response(
        delivery.model_dump_json(), headers=collections.NO_CACHING, media_type=answers.JSON
    )


@router.get(
    "/{subscription}/deliveries",
    response_model=DeliveryPage,
    summary="List the deliveries of a subscription",
    responses=problems(NotFound, InvalidCursor),
)
async def list_deliveries(
    request: Request,
    register: Register,
    client: Contributor,
    subscription: SubscriptionName,
    query: PageOf,
) -> Response:
    """Use it to find out what went wrong: what was sent, and what came of it, the newest first. The
    newest 200 are kept. Of what a receiver answers, only the status is.
    """
    listed = await register.read(subscription_reading.deliveries, subscription, query, client)
    return answers.page(request, listed)


@router.post(
    "/{subscription}/replay",
    response_model=SubscriptionPublic,
    summary="Send lines again",
    responses=problems(NotFound),
)
async def replay_subscription(
    register: Register,
    client: Contributor,
    hooks: Hooks,
    subscription: SubscriptionName,
    start: Annotated[
        int,
        Query(
            alias="from",
            ge=1,
            le=2**53,
            description="The `sequence` of the line that is sent next; lines that are not for this "
            "subscription are passed over. One more than the newest line skips all that waits.",
            openapi_examples=examples.SEQUENCE,
        ),
    ],
) -> Response:
    """Use it when the receiver has lost something, or to skip a line that it cannot take. Each line
    has the `webhook-id` that it had before. A subscription that was paused goes on.
    """
    stored = await register.write(subscriptions.replay, subscription, start, by=client)
    hooks.wake()
    return answers.written(stored)
