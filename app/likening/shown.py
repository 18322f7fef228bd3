"""Groups as they are shown."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from app.dialects import rfc3339
from app.likening.gathered import Group, Groups
from app.models.decisions import Status
from app.models.emerging import (
    FEWEST,
    EmergingTheme,
    Fit,
    Member,
    News,
    ThemeCount,
    Verdicts,
)
from app.models.stories import Verdict


def shown(group: Group, groups: Groups, since: datetime | None, most: int) -> EmergingTheme:
    """A group with as many of its members as are asked for, and what is new in it since a time."""
    texts = [member.text for member in group.members]
    counts = Counter(slug for text in texts for slug in text.themes if slug in groups.themes)
    themes = sorted(counts, key=lambda slug: (-counts[slug], groups.themes[slug].number))
    within = group.found.fit is Fit.WITHIN_THEME and bool(themes)
    verdicts = Counter(text.verdict for text in texts)
    return EmergingTheme(
        id=group.id,
        words=list(group.words),
        kind=group.found.fit,
        theme=groups.themes[themes[0]] if within else None,
        themes=[ThemeCount(theme=groups.themes[slug], members=counts[slug]) for slug in themes],
        size=len(texts),
        strength=group.found.strength,
        verdicts=Verdicts(
            # A story and an innovation say "keep" with the same word.
            keep=verdicts[Status.KEEP.value],
            retire=verdicts[Status.RETIRE.value],
            under_review=verdicts[Status.UNDER_REVIEW.value],
            never_again=verdicts[Verdict.NEVER_AGAIN.value],
        ),
        since=None if since is None else _news(group, since),
        members=[
            Member(
                kind=member.text.kind,
                id=member.text.id,
                reference=member.text.chosen.reference,
                title=member.text.title,
                score=member.score,
                published_at=datetime.fromisoformat(member.text.published_at),
            )
            for member in group.members[:most]
        ],
    )


def _news(group: Group, since: datetime) -> News:
    at = rfc3339(since)
    new = sum(member.text.published_at >= at for member in group.members)
    return News(at=since, new_members=new, is_new=len(group.members) - new < FEWEST)
