"""Made-up entries: the same for the same seed, with common words and rare ones as in real text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from app.models.evidence import EvidenceKind, EvidenceStrength
from app.models.innovations import CareSetting

STATUSES = ("keep", "keep", "retire", None, None, None)
"""The decisions that entries come with; half of them come without one."""

DRAFTS = 0.03
"""The share of entries that only their own organisation sees."""

TAGS = tuple(f"tag-{number}" for number in range(1, 41))

_ONSETS = ("b", "br", "c", "d", "dr", "f", "fl", "g", "gr", "h", "k", "l", "m", "n", "p", "pl")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo", "ou")
_ENDS = ("", "", "l", "m", "n", "r", "s", "t", "nd", "rt")


def vocabulary(size: int, chance: random.Random) -> list[str]:
    """So many different words, none of any language; the first, as in real text, the shortest."""
    words: dict[str, None] = {}
    while len(words) < size:
        syllables = (
            chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_ENDS)
            for _ in range(chance.choice((1, 2, 2, 3, 3)))
        )
        words["".join(syllables)] = None
    return sorted(words, key=lambda word: (len(word), word))


@dataclass(frozen=True, slots=True)
class Places:
    """What there is to belong to: theme slugs, and ODS codes of what is open."""

    themes: Sequence[str]
    organisations: Sequence[str]
    icbs: Sequence[str]
    regions: Sequence[str]


class Writer:
    """Writes entries. The word of rank r is written 1/r times as often as the first (Zipf)."""

    def __init__(self, places: Places, *, words: int, seed: int) -> None:
        self._chance = random.Random(seed)
        self._places = places
        self._words = vocabulary(words, random.Random(1))
        self._weights = list(accumulate(1 / rank for rank in range(1, words + 1)))

    def entry(self) -> dict[str, Any]:
        """The body of a POST; what becomes of it is a document of some 1,300 bytes."""
        chance = self._chance
        body: dict[str, Any] = {
            "title": self._text(3, 6),
            "summary": self._text(6, 12),
            "description": self._text(5, 25),
            "theme": chance.choice(self._places.themes),
            "organisation": chance.choice(self._places.organisations),
            "care_setting": chance.choice(list(CareSetting)).value,
            "tags": chance.sample(TAGS, chance.randrange(4)),
            "started_on": f"2020-{chance.randint(3, 12):02}-{chance.randint(1, 28):02}",
            "visibility": "draft" if chance.random() < DRAFTS else "published",
        }
        status = chance.choice(STATUSES)
        if status:
            body["decision"] = {
                "status": status,
                "reason": self._text(2, 6),
                "decided_on": f"2021-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
                "decided_by": "Medical director",
            }
        if chance.random() < 0.2:
            body["evidence"] = [self._evidence()]
        return body

    def _evidence(self) -> dict[str, Any]:
        kind = self._chance.choice(list(EvidenceKind))
        piece: dict[str, Any] = {
            "kind": kind.value,
            "statement": self._text(3, 8),
            "strength": self._chance.choice(list(EvidenceStrength)).value,
        }
        if kind is EvidenceKind.MEASURE:
            piece["measure"] = {"name": "Admissions", "baseline": 50, "result": 40}
        return piece

    def _text(self, least: int, most: int) -> str:
        count = self._chance.randint(least, most)
        return " ".join(self._chance.choices(self._words, cum_weights=self._weights, k=count))
