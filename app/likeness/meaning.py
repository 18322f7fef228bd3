"""What examples of themes mean: where they lie, and which of them are nearest to a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.likeness.encoding import Encoder, Vectors, unit
from app.likeness.themes import Example, Scores

_NEAREST = 15
_STEEPNESS = 8
"""So that an example twice as near speaks 256 times as loud."""


class ThemeVectors:
    """The vectors of examples, by their themes."""

    def __init__(self, encoder: Encoder, examples: Sequence[Example], vectors: Vectors) -> None:
        self._encoder = encoder
        self._names = list(dict.fromkeys(example.theme for example in examples))
        self._usual: Vectors = vectors.mean(axis=0)
        self._vectors = unit(vectors - self._usual)
        self._themes = np.array([self._names.index(example.theme) for example in examples])
        centres = [self._vectors[self._themes == n].mean(axis=0) for n in range(len(self._names))]
        self._centres = unit(np.stack(centres))

    def scores(self, text: str) -> list[tuple[float, Scores]]:
        """How near a text is to the middle of each theme, and how near to its nearest examples."""
        vector = unit(self._encoder.of([text])[0] - self._usual)
        near = self._vectors @ vector
        best = np.argsort(-near)[:_NEAREST]
        loud = np.bincount(
            self._themes[best],
            np.maximum(near[best], 0) ** _STEEPNESS,
            minlength=len(self._names),
        )
        return [(1.0, self._named(self._centres @ vector)), (0.5, self._named(loud))]

    def words(self, of: Sequence[str]) -> list[Scores]:
        """How near each word is to the middle of each theme."""
        rows = unit(self._encoder.of_words(of) - self._usual)
        return [self._named(row) for row in rows @ self._centres.T]

    def _named(self, scores: NDArray[Any]) -> Scores:
        return dict(zip(self._names, map(float, scores), strict=True))
