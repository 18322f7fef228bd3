"""The nearest of many vectors: roughly by looking at all of them, then exactly at the best.

They are kept as whole numbers of one byte: 512 bytes an entry, 256 for the rough picture, and some
100 more. What they all have in
common is taken out of the comparison: two entries of the register are alike by what sets them apart
from the others.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.likeness.encoding import SIZE, Vectors, unit, unpacked
from app.likeness.usual import Usual

MOST = 250_000
"""Entries that are kept, in some 220 MB; beyond that, the oldest give way."""

CANDIDATES = 500
"""Entries that are looked at exactly; where there are more, a rough picture tells which."""

ROUGH = 64
"""Directions of the rough picture."""


class Near(NamedTuple):
    """An entry, and how near it is: 1 for the same."""

    number: int
    score: float


class Neighbours:
    """Vectors by the numbers of what they belong to. Not for several threads at once."""

    def __init__(
        self, usual: Usual, basis: Vectors, most: int = MOST, *, learns: bool = True
    ) -> None:
        """Starts with what texts of this kind have in common, which is learnt from what is put, if
        it ``learns``; and with the directions in which they differ most."""
        self.usual = usual
        self._learns = learns
        self._most = most
        self._rows: dict[int, int] = {}
        self._numbers = np.zeros(0, np.int64)
        self._scales = np.zeros(0, np.float32)
        self._squares = np.zeros(0, np.float32)
        self._values = np.zeros((0, SIZE), np.int8)
        self._basis = basis
        self._rough = np.zeros((0, len(basis)), np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, number: int) -> bool:
        return number in self._rows

    def put(self, number: int, data: bytes) -> None:
        """Adds or changes a packed vector."""
        scale, values = unpacked(data)
        self.drop(number)
        if len(self._rows) >= self._most:
            self.drop(min(self._rows))
        row = len(self._rows)
        if row == len(self._numbers):
            self._grow()
        self._rows[number] = row
        self._numbers[row], self._scales[row], self._values[row] = number, scale, values
        vector = self._vector(row)
        self._squares[row] = vector @ vector
        self._rough[row] = self._basis @ unit(vector - self.usual.given)
        if self._learns:
            self.usual.add(vector)

    def drop(self, number: int) -> None:
        """Takes a vector out, if it is there; the last one moves into its place."""
        row = self._rows.pop(number, None)
        if row is None:
            return
        if self._learns:
            self.usual.take_out(self._vector(row))
        last = len(self._rows)
        if row != last:
            for kept in (
                self._numbers,
                self._scales,
                self._squares,
                self._values,
                self._rough,
            ):
                kept[row] = kept[last]
            self._rows[int(self._numbers[row])] = row

    def vector(self, number: int) -> Vectors:
        """The vector of an entry, as it is kept.

        Raises:
            KeyError
        """
        return self._vector(self._rows[number])

    def nearest(self, to: Vectors, limit: int, but: Collection[int] = ()) -> list[Near]:
        """The entries that are nearest to a vector, the nearest first."""
        wanted = limit + len(but)
        mean = self.usual.mean()
        rows = self._candidates(to - mean, max(CANDIDATES, 4 * wanted))
        scores = self._scores(rows, unit(to - mean), mean)
        best = np.argsort(-scores, kind="stable")[:wanted]
        found = [Near(int(self._numbers[rows[n]]), min(float(scores[n]), 1.0)) for n in best]
        found.sort(key=lambda near: (-near.score, near.number))
        return [near for near in found if near.number not in but][:limit]

    def _candidates(self, towards: Vectors, most: int) -> NDArray[np.int64]:
        """The rows that may be nearest: of many, those that are in a rough picture of them."""
        count = len(self._rows)
        if count <= most:
            return np.arange(count)
        scores = self._rough[:count] @ (self._basis @ towards)
        return np.argpartition(-scores, most)[:most]

    def _scores(self, rows: NDArray[np.int64], towards: Vectors, mean: Vectors) -> Vectors:
        """How near the vectors of rows, without the mean, are to a direction.

        The mean is taken out of the products and not of the vectors, which would have to be made
        for that: half a million numbers, three times over.
        """
        values, scales = self._values[rows].astype(np.float32), self._scales[rows]
        along, usual = (scales[:, None] * (values @ np.stack([towards, mean], axis=1))).T
        squares = self._squares[rows] - 2 * usual + mean @ mean
        scores: Vectors = (along - mean @ towards) / np.sqrt(np.maximum(squares, 1e-12))
        return scores

    def _vector(self, row: int) -> Vectors:
        vector: Vectors = self._values[row] * self._scales[row]
        return vector

    def _grow(self) -> None:
        room = max(256, len(self._numbers) // 4)
        self._numbers = _longer(self._numbers, room)
        self._scales = _longer(self._scales, room)
        self._squares = _longer(self._squares, room)
        self._values = _longer(self._values, room)
        self._rough = _longer(self._rough, room)


def _longer(rows: NDArray[Any], room: int) -> NDArray[Any]:
    return np.concatenate([rows, np.zeros((room, *rows.shape[1:]), rows.dtype)])
