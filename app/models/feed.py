"""The change feed: what can be asked of it, and what it answers."""

from pydantic import ConfigDict, Field

from app.models.changes import ChangePublic, Kind
from app.models.fields import Document, Limit
from app.models.finding import EntryFilters, any_of
from app.models.innovations import Visibility
from app.models.retired_elsewhere import RetiredElsewhere
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
    retired_elsewhere: bool = Field(
        default=False,
        description="With `true`, only lines by which somebody submits what another organisation "
        "has retired, in whatever words; each names the practices that it is like. A line is told "
        "once it has been compared. It needs the model of language.",
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


class FollowedChange(ChangePublic):
    """A line of the log as it is followed."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    retired_elsewhere: list[RetiredElsewhere] = Field(
        default_factory=list,
        description="Only there with the filter of this name: the practices which others have "
        "retired that this submission is like, the likest first; five at most. It is no part of "
        "the line, and its digest does not cover it.",
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

    items: list[FollowedChange]
    page: ChangesPageInfo
