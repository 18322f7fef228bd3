"""Texts that say much the same, put together: the two nearest first, then what is nearest to them.

It is average linkage: two groups are as near to each other as their members are on average. It is
done by chains of nearest neighbours, so that it takes the square of how many texts there are, in
time and (for that long) in memory: 100 MB for 5,000. The same vectors give the same groups.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from app.likeness.encoding import Vectors

ROWS_AT_ONCE = 128
STEPS_AT_ONCE = 50

_GONE = np.float32(-2)
"""Less than any likeness."""


@dataclass(frozen=True, slots=True)
class Node:
    """Texts that were put together, and the two groups that they were before."""

    members: tuple[int, ...]
    likeness: float = 1.0
    """How near the two parts are to each other; those of each are at least as near."""
    parts: tuple[Node, Node] | None = None

    def parting(self) -> Iterator[Node]:
        """The two parts, if it has any."""
        yield from self.parts or ()


def trees(vectors: Vectors, least: float) -> Generator[None, None, list[Node]]:
    """Groups of vectors of length 1, as far as they are put together down to a likeness.

    It is done in slices, after each of which it yields, for somebody else to have a turn.
    """
    scores = np.empty((len(vectors), len(vectors)), np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        # The last digits are another machine's to tell otherwise.
        np.round(vectors[rows] @ vectors.T, 4, out=scores[rows])
        yield
    np.fill_diagonal(scores, _GONE)
    linking = _Linking(scores, least)
    while linking.advance(STEPS_AT_ONCE):
        yield
    return linking.done


class _Linking:
    """Groups that become fewer. Along the chain each is nearest to the one before it, and nearer
    than that was to its own; its end is two that are nearest to each other, which become one."""

    def __init__(self, scores: Vectors, least: float) -> None:
        self._scores = scores
        self._least = least
        self._nodes: list[Node | None] = [Node((number,)) for number in range(len(scores))]
        self._first = 0
        self._chain: list[int] = []
        self.done: list[Node] = []

    def advance(self, steps: int) -> bool:
        """Goes on for some steps; False when there is nothing left to do."""
        for _ in range(steps):
            if not self._chain and not self._start():
                return False
            last = self._chain[-1]
            nearest = int(self._scores[last].argmax())
            score = self._scores[last, nearest]
            before = self._chain[-2] if len(self._chain) > 1 else None
            if score < self._least:
                self._retire(last)
            elif before is not None and self._scores[last, before] >= score:
                self._join(*sorted((before, last)))
            else:
                self._chain.append(nearest)
        return True

    def _start(self) -> bool:
        while self._first < len(self._nodes) and self._nodes[self._first] is None:
            self._first += 1
        if self._first < len(self._nodes):
            self._chain.append(self._first)
        return bool(self._chain)

    def _retire(self, number: int) -> None:
        """Takes out what nothing is near to; nor will it be, when others become one."""
        self.done.append(self._taken(number))
        self._chain.pop()

    def _join(self, one: int, other: int) -> None:
        scores = self._scores
        likeness = float(scores[one, other])
        first, second = self._nodes[one], self._taken(other)
        assert first is not None, "it is in the chain"
        share = np.float32(len(first.members) / (len(first.members) + len(second.members)))
        together = share * scores[one] + (1 - share) * self._others
        together[[one, other]] = _GONE
        scores[one], scores[:, one] = together, together
        self._nodes[one] = Node((*first.members, *second.members), likeness, (first, second))
        del self._chain[-2:]

    def _taken(self, number: int) -> Node:
        """A group that is none of those any more that are put together."""
        node = self._nodes[number]
        assert node is not None, "it is there until it is taken"
        self._nodes[number] = None
        self._others = self._scores[number].copy()
        self._scores[number], self._scores[:, number] = _GONE, _GONE
        return node
