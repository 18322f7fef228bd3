"""The change feed: what can be asked of it, and what it answers."""

from pydantic import Field

from app.models.changes import ChangePublic, Kind
from app.models.fields import Document, Limit
from app.models.finding import EntryFilters
from app.models.innovations import Visibility

LONGEST_WAIT = 60


class LineFilters(EntryFilters):
    """Which lines: those of entries that fit, or did before."""

    kind: tuple[Kind, ...] = Field(
        default=(),
        max_length=len(Kind),
        description="What kind of thing a line is about. Filters of entries leave only lines of "
        "kind `innovation`.",
    )
    visibility: tuple[Visibility, ...] = Field(
        default=(),
        max_length=3,
        description="Drafts show to a key of their organisation only.",
    )


class ChangesQuery(LineFilters):
    """From where on, and for how long."""

    after: int = Field(
        default=0,
        ge=0,
        le=2**53,
        description="The last `sequence` that you have seen; 0 for all.",
        examples=[0],
    )
    limit: Limit = Field(default=50, description="How many lines at most.", examples=[3])
    wait: int = Field(
        default=0,
        ge=0,
        le=LONGEST_WAIT,
        description="If there is nothing new, for how many seconds to wait for it.",
    )


class ChangesPageInfo(Document):
    """Where a reader of the log stands."""

    limit: int
    total: int = Field(
        description="How many lines there are after `after`, with those that are not for you."
    )
    next: int = Field(description="Send it as `after` for what comes next; keep it between runs.")
    head: int = Field(description="The newest line of the log, seen or not.")


class ChangePage(Document):
    """Lines of the log, in its order."""

    items: list[ChangePublic]
    page: ChangesPageInfo
