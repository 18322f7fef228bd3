"""The change feed: what can be asked of it, and what it answers."""

from pydantic import Field

from app.models.changes import ChangePublic, Kind
from app.models.fields import Document, Limit
from app.models.finding import EntryFilters, any_of
from app.models.innovations import Visibility
from app.models.stories import Role, Verdict

LONGEST_WAIT = 60


class LineFilters(EntryFilters):
    """Which lines: those of entries that fit, or did before."""

    kind: tuple[Kind, ...] = Field(
        default=(),
        max_length=len(Kind),
        description="What kind of thing a line is about. Other filters are asked of innovations; "
        "of stories, too, if `story` is named here, and of stories alone with `verdict` or `role`.",
    )
    visibility: tuple[Visibility, ...] = Field(
        default=(),
        max_length=len(Visibility),
        description="Drafts show to a key of their organisation only.",
    )
    verdict: tuple[Verdict, ...] = Field(
        default=(), max_length=2, description=any_of("A story's verdict.")
    )
    role: tuple[Role, ...] = Field(
        default=(), max_length=len(Role), description=any_of("What a story's teller is.")
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
