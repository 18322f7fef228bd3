"""What several resources take: the database, a name in the path, a short list's page, a reason."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import Field

from app.database import Database
from app.http.query import Query
from app.likening import Emerging, Judging, Likening
from app.models.fields import PageQuery, Strict, Summary
from app.webhooks import Webhooks


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Register = Annotated[Database, Depends(_database)]


async def _webhooks(request: Request) -> Webhooks:
    webhooks: Webhooks = request.app.state.webhooks
    return webhooks


Hooks = Annotated[Webhooks, Depends(_webhooks)]


async def _likening(request: Request) -> Likening:
    likening: Likening = request.app.state.likening
    return likening


Alike = Annotated[Likening, Depends(_likening)]


async def _judging(request: Request) -> Judging:
    judging: Judging = request.app.state.judging
    return judging


Judged = Annotated[Judging, Depends(_judging)]


async def _emerging(request: Request) -> Emerging:
    emerging: Emerging = request.app.state.emerging
    return emerging


Patterns = Annotated[Emerging, Depends(_emerging)]

InnovationName = Annotated[
    str,
    Path(
        alias="innovation",
        description="The innovation's `id`, or its reference.",
        openapi_examples={"reference": {"summary": "By its reference", "value": "INN-000001"}},
    ),
]


class WithdrawalQuery(Strict):
    """Why."""

    reason: Summary = Field(
        description="Why it is withdrawn; it is shown to whoever looks for it.",
        examples=["Submitted twice."],
    )


PageOf = Annotated[PageQuery, Depends(Query(PageQuery))]
