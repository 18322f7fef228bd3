"""Which theme a text belongs to, learnt from examples of each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from statistics import fmean, pstdev
from typing import NamedTuple, Protocol

from app.likeness.letters import Letters
from app.likeness.texts import words

MOST_WORDS = 40
"""Words of a text that are asked what they speak for."""

_SHARPNESS = 1.9
"""So that, on texts that were looked at, a score is about how often the theme is right."""

Scores = Mapping[str, float]


class Example(NamedTuple):
    """A text whose theme is known."""

    theme: str
    text: str


class Ranked(NamedTuple):
    """A theme for a text."""

    theme: str
    score: float
    """The share of what speaks for this theme; those of all themes make 1."""
    words: tuple[str, ...]
    """The words that spoke for it most."""


class Meaning(Protocol):
    """What a text means, beside the letters that it is made of."""

    def scores(self, text: str) -> Sequence[tuple[float, Scores]]:
        """Scores by theme, each with what it counts for."""
        ...

    def words(self, of: Sequence[str]) -> Sequence[Scores]:
        """How much each word speaks for each theme."""
        ...


class Themes:
    """What ranks the themes, as of when it was made."""

    def __init__(self, examples: Sequence[Example], meaning: Meaning | None = None) -> None:
        self._letters = Letters(examples)
        self._meaning = meaning
        self._names = list(dict.fromkeys(example.theme for example in examples))

    def rank(self, text: str, limit: int | None = None) -> list[Ranked]:
        """The themes for a text, the likeliest first."""
        weighted: list[tuple[float, Scores]] = [(0.5, self._letters.scores(text))]
        if self._meaning is not None:
            weighted += self._meaning.scores(text)
        total = dict.fromkeys(self._names, 0.0)
        for weight, scores in weighted:
            for name, score in _standard(scores, self._names).items():
                total[name] += weight * score
        whole = sum(weight for weight, _ in weighted)
        shares = _shares({name: score / whole for name, score in total.items()})
        ranked = sorted(self._names, key=lambda name: -shares[name])[:limit]
        spoke = self._spoke(text, ranked)
        return [Ranked(name, shares[name], spoke[name]) for name in ranked]

    def _spoke(self, text: str, names: Sequence[str], most: int = 5) -> dict[str, tuple[str, ...]]:
        found = words(text)[:MOST_WORDS]
        by_letters = [self._letters.word(word) for word in found]
        by_meaning = self._meaning.words(found) if self._meaning is not None else by_letters
        spoke: dict[str, list[tuple[float, str]]] = {name: [] for name in names}
        for word, letters, meaning in zip(found, by_letters, by_meaning, strict=True):
            for name in names:
                score = _above(letters, name) + _above(meaning, name)
                if score > 0:
                    spoke[name].append((-score, word))
        return {name: tuple(word for _, word in sorted(s)[:most]) for name, s in spoke.items()}


def _above(scores: Scores, name: str) -> float:
    """How far a score is above that of the other themes, on the whole."""
    return scores.get(name, 0.0) - fmean(scores.values())


def _standard(scores: Scores, names: Sequence[str]) -> dict[str, float]:
    """The scores as distances from their mean, in standard deviations."""
    values = [scores.get(name, 0.0) for name in names]
    mean, deviation = fmean(values), pstdev(values)
    if deviation < 1e-9:
        return dict.fromkeys(names, 0.0)
    return {name: (value - mean) / deviation for name, value in zip(names, values, strict=True)}


def _shares(scores: Scores) -> dict[str, float]:
    powers = {name: math.exp(_SHARPNESS * score) for name, score in scores.items()}
    whole = sum(powers.values())
    return {name: power / whole for name, power in powers.items()}


@cache
def described() -> tuple[Example, ...]:
    """What belongs under each of the ten themes, as we describe it: where learning starts."""
    text = files("app.reference").joinpath("theme_examples.json").read_text("utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return tuple(Example(theme, line) for theme, lines in found.items() for line in lines)
