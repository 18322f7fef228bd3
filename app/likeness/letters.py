"""Likeness by letters: runs of three to five of them in each word, weighted by how rare they are.

So "discharging" is near to "discharge". It needs no model, and no package.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from app.likeness.texts import readable, words

Weights = dict[str, float]


def runs(word: str) -> list[str]:
    """The runs of letters in a word, with its two ends marked."""
    marked = f" {word} "
    return [marked[at : at + n] for n in (3, 4, 5) for at in range(len(marked) - n + 1)]


class Letters:
    """What runs of letters are worth, and how much each group of texts has of them."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        """Learns from texts, each with the name of its group."""
        counted = [(group, _counted(words(readable(text)))) for group, text in texts]
        seen = Counter(run for _, counts in counted for run in counts)
        most = 1 + len(counted)
        self._rarity = {run: 1 + math.log(most / (1 + n)) for run, n in seen.items()}
        sums: dict[str, Weights] = {}
        for group, counts in counted:
            into = sums.setdefault(group, {})
            for run, weight in _unit(self._weighted(counts)).items():
                into[run] = into.get(run, 0.0) + weight
        self._groups = {group: _unit(weights) for group, weights in sums.items()}

    def scores(self, text: str) -> dict[str, float]:
        """How near a text is to each group: 0 for nothing in common, 1 for the same runs."""
        own = _unit(self._weighted(_counted(words(readable(text)))))
        return {group: _product(own, weights) for group, weights in self._groups.items()}

    def word(self, word: str) -> dict[str, float]:
        """How much a single word speaks for each group."""
        own = self._weighted(_counted(words(readable(word))))
        return {group: _product(own, weights) for group, weights in self._groups.items()}

    def _weighted(self, counts: Counter[str]) -> Weights:
        rarity = self._rarity
        return {run: (1 + math.log(n)) * rarity[run] for run, n in counts.items() if run in rarity}


def _counted(of: Iterable[str]) -> Counter[str]:
    return Counter(run for word in of for run in runs(word))


def _unit(weights: Mapping[str, float]) -> Weights:
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {run: weight / length for run, weight in weights.items()}


def _product(one: Weights, other: Weights) -> float:
    return sum(weight * other[run] for run, weight in one.items() if run in other)
