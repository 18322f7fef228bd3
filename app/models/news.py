"""The news feed: what can be asked of it."""

from enum import StrEnum

from pydantic import Field

from app.models.fields import PageQuery
from app.models.finding import InnovationFilters


class NewsSort(StrEnum):
    """What is news."""

    NEWEST = "-created_at"
    LATEST_UPDATED = "-updated_at"


class NewsQuery(PageQuery, InnovationFilters):
    """Which innovations, and in which order."""

    sort: NewsSort = Field(
        default=NewsSort.NEWEST,
        description="What was submitted last, for a news box; or what changed last.",
    )
