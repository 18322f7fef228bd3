"""What a form is told beside what is wrong, while somebody writes in it. It may wait a little for
that, and has the rest without it."""

from __future__ import annotations

from app.errors import NotInstalled, Unavailable
from app.likening.asking import Likening
from app.models.likeness import PossibleDuplicate, ThemeSuggestion

PATIENCE = 5.0
"""Seconds that a form waits for the register to be read; it asks again soon."""

MOST_THEMES = 3


async def suggested_themes(alike: Likening, text: str) -> list[ThemeSuggestion] | None:
    """The likeliest themes for what is written so far; None where it cannot be told yet."""
    if not text:
        return []
    try:
        return (await alike.suggest(text, MOST_THEMES, PATIENCE)).told()
    except Unavailable:
        return None


async def possible_duplicates(alike: Likening, text: str) -> list[PossibleDuplicate] | None:
    """What is published and may be the same; None where it cannot be told, or not yet."""
    if alike.model is None:
        return None
    if not text:
        return []
    try:
        return await alike.likely(text, PATIENCE)
    except (NotInstalled, Unavailable):
        return None
