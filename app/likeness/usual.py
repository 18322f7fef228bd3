"""What texts have in common, which is left out when two are compared: they are alike by what sets
them apart from the others."""

from __future__ import annotations

import struct

import numpy as np

from app.likeness.encoding import SIZE, Vectors

PRIOR = 100.0
"""How many texts the mean that is given at the start counts for."""

_COUNT = struct.Struct("<q")


class Usual:
    """The mean of the vectors of texts, and at first of such as are given."""

    def __init__(self, given: Vectors) -> None:
        self.given = given
        self._count = 0
        self._sum = np.zeros(SIZE, np.float64)

    def add(self, vector: Vectors) -> None:
        self._count += 1
        self._sum += vector

    def take_out(self, vector: Vectors) -> None:
        self._count -= 1
        self._sum -= vector

    def mean(self) -> Vectors:
        together = self._sum + PRIOR * self.given
        return (together / (self._count + PRIOR)).astype(np.float32)

    def packed(self) -> bytes:
        """What was added, to go on from there another time."""
        return _COUNT.pack(self._count) + self._sum.tobytes()

    def restore(self, data: bytes) -> None:
        """Goes on from there."""
        (self._count,) = _COUNT.unpack_from(data)
        self._sum = np.frombuffer(data, np.float64, offset=_COUNT.size).copy()
