"""Which words of two texts say the same: why they are alike."""

from __future__ import annotations

from typing import NamedTuple

from app.likeness.encoding import Encoder, Vectors, unit
from app.likeness.texts import words

MOST_WORDS = 40
"""Words of a text that are looked at."""

_ALIKE = 0.45


class Pair(NamedTuple):
    """A word of the one text, and the nearest word of the other."""

    here: str
    there: str


def pairs(encoder: Encoder, usual: Vectors, one: str, other: str, most: int = 5) -> list[Pair]:
    """The words that are nearest to each other, the nearest first; of each word one pair."""
    here, there = words(one)[:MOST_WORDS], words(other)[:MOST_WORDS]
    if not here or not there:
        return []
    rows = unit(encoder.of_words(here) - usual)
    columns = unit(encoder.of_words(there) - usual)
    scores = rows @ columns.T
    ranked = sorted(
        ((float(scores[i, j]), i, j) for i in range(len(here)) for j in range(len(there))),
        key=lambda found: (-found[0], found[1], found[2]),
    )
    found: list[Pair] = []
    used: set[str] = set()
    for score, i, j in ranked:
        if score < _ALIKE or len(found) == most:
            break
        if f"<{here[i]}" not in used and f">{there[j]}" not in used:
            used |= {f"<{here[i]}", f">{there[j]}"}
            found.append(Pair(here[i], there[j]))
    return found
