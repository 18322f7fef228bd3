"""What several resources take: the database, a name in the path, a page of a short list."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request
from pydantic import Field

from app.database import Database
from app.http.query import Query
from app.models.fields import Limit, Strict


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


Register = Annotated[Database, Depends(_database)]

InnovationName = Annotated[
    str,
    Path(
        alias="innovation",
        description="The innovation's `id`, or its reference.",
        openapi_examples={"reference": {"summary": "By its reference", "value": "INN-000001"}},
    ),
]


class PageQuery(Strict):
    """Which page."""

    limit: Limit = Field(default=50, description="How many on a page.", examples=[10])
    cursor: str | None = Field(
        default=None, max_length=500, description="The `page.next` of the page before."
    )


PageOf = Annotated[PageQuery, Depends(Query(PageQuery))]
