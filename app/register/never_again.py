"""Never again: the practices that were retired, why, and what people tell of them.

What is retired is an innovation whose newest decision says so; so this is the list of these, with
the published stories that are linked to them and ask never to go back.

Who is told when somebody submits what was retired elsewhere is a matter of the change feed: see
:mod:`app.register.retired_elsewhere`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Table, bindparam, func, literal_column, select

from app.dialects import Reader, Statement
from app.models.decisions import Status
from app.models.finding import InnovationQuery, RetiredFilters
from app.models.never_again import NeverAgainQuery
from app.models.stories import StoryKey, StoryVisibility, Verdict
from app.register import changes, finding
from app.register.access import ANYBODY
from app.register.lists.counts import TRIES
from app.register.lists.memory import Memory
from app.register.lists.walks import names
from app.register.stored import Listed
from app.register.told import STORIES

SHOWN = 3
"""Stories that are shown of each practice."""

_KEYS: Table = StoryKey.__table__  # type: ignore[attr-defined]
_FILTERS = set(RetiredFilters.model_fields)


async def page(reader: Reader, query: NeverAgainQuery, *, memory: Memory) -> Listed:
    """A page of retired practices, with what is told of each.

    Raises:
        InvalidCursor, UnknownTheme, UnknownOrganisation, ValidationFailed
    """
    asked = query.model_dump(include={*_FILTERS, "limit", "cursor"}, exclude_unset=True)
    retired = InnovationQuery.model_validate({**asked, "status": (Status.RETIRE,)})
    for _ in range(TRIES):
        found = await finding.page(reader, retired, ANYBODY, memory=memory)
        practices = [from_json(text) for text in found.items]
        behind = await _behind(reader, [practice["id"] for practice in practices])
        if await changes.head(reader) == found.head:
            break
    items = [
        to_json(_told(practice, *behind.get(practice["id"], (0, [])))).decode()
        for practice in practices
    ]
    return Listed(items, found.limit, found.total, found.next, found.head)


async def _behind(reader: Reader, innovations: list[str]) -> dict[str, tuple[int, list[Any]]]:
    """How many stories there are behind each innovation, and the newest of them."""
    if not innovations:
        return {}
    values = dict(zip(names("innovation", len(innovations)), innovations, strict=True))
    behind: dict[str, tuple[int, list[Any]]] = {}
    for innovation, count, text in await reader.rows(_stories(len(innovations)), values):
        behind.setdefault(innovation, (count, []))[1].append(from_json(text))
    return behind


@lru_cache(128)
def _stories(count: int) -> Statement:
    of = _KEYS.c.value
    wanted = of.in_([bindparam(name) for name in names("innovation", count)])
    newest_first = STORIES.c.number.desc()
    each = (
        select(
            of.label("of"),
            STORIES.c.document.label("document"),
            func.count().over(partition_by=of).label("count"),
            func.row_number().over(partition_by=of, order_by=newest_first).label("place"),
        )
        .select_from(_KEYS.join(STORIES, STORIES.c.number == _KEYS.c.number))
        .where(
            _KEYS.c.name == literal_column("'innovation'"),
            wanted,
            STORIES.c.visibility == literal_column(f"'{StoryVisibility.PUBLISHED}'"),
            STORIES.c.verdict == literal_column(f"'{Verdict.NEVER_AGAIN}'"),
        )
        .subquery("each")
    )
    shown = select(each.c.of, each.c.count, each.c.document).where(
        each.c.place <= literal_column(str(SHOWN))
    )
    return shown.order_by(each.c.of, each.c.place)


_SHOWN_OF_PRACTICE = (
    *("id", "reference", "title", "summary", "theme", "organisation", "care_setting"),
)
_SHOWN_OF_STORY = ("id", "reference", "text", "role", "care_setting")


def _told(practice: Any, count: int, stories: list[Any]) -> dict[str, Any]:
    decision = practice["decision"] or {}
    reference = practice["reference"]
    return {
        **{name: practice[name] for name in _SHOWN_OF_PRACTICE},
        "reason": decision.get("reason"),
        "decided_on": decision.get("decided_on"),
        "decided_by": decision.get("decided_by"),
        "story_count": count,
        "stories": [
            {**{name: story[name] for name in _SHOWN_OF_STORY}, "link": story["links"]["self"]}
            for story in stories
        ],
        "links": {
            "innovation": practice["links"]["self"],
            "stories": f"/v1/stories?innovation={reference}&verdict={Verdict.NEVER_AGAIN}",
        },
    }
