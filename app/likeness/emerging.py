"""What emerges from many texts: groups that fit no theme, lie across themes, or stand out in one.

A group of texts that fit no theme may be as wide as a theme is; one that lies within themes has to
be closer, or it would be no more than what the themes say already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from app.likeness.encoding import Vectors, unit
from app.likeness.grouping import Node, trees
from app.models.emerging import FEWEST, Fit

WIDE = 0.2
"""How near to each other the parts of a group that fits no theme are at least."""

CLOSE = 0.27
"""And those of a group that lies within a theme, or across some."""

FITS = 0.3
"""From here on, the middle of a group fits a theme."""

WEIGHT = 1.0
"""Strength times members: the fewer there are, the closer they have to be, or it is chance."""

MOST_OF = 0.6
"""The share of a group that has a theme, for it to lie within that."""

IS_THE_THEME = 0.5
"""The share of a theme's texts beyond which a group is no part of it, but what the theme is."""


class Found(NamedTuple):
    """A group, as its texts are numbered."""

    members: tuple[int, ...]
    """The nearest to its middle first."""
    nearness: tuple[float, ...]
    """How near each member is to the middle of the others."""
    strength: float
    """How near they are to each other, on the whole."""
    fit: Fit
    themes: tuple[tuple[str, int], ...]
    """The themes that its texts have, and how many of them; the most frequent first."""


class Known(NamedTuple):
    """What is known of the themes, beside the texts that have them."""

    vectors: Vectors
    themes: Sequence[str]
    """Of each vector."""
    described: frozenset[str]
    """Those whose vectors tell enough: what stands under them may be there for want of another."""


def emerging(
    vectors: Vectors, labels: Sequence[frozenset[str]], known: Known
) -> Generator[None, None, list[Found]]:
    """The groups of texts of which there are vectors, and the themes that they have.

    The vectors are of length 1, without what all texts have in common. It yields after each slice
    of the work.
    """
    roots = yield from trees(vectors, WIDE)
    placing = _Placing(vectors, labels, known)
    found: list[Found] = []
    for root in roots:
        found += yield from placing.found(root)
    return found


class _Part(NamedTuple):
    """A group in the tree, what its vectors make together, and what they make by theme."""

    node: Node
    together: Vectors
    by_theme: Vectors


class _Placing:
    """Where the themes lie, and how groups stand to them."""

    def __init__(self, vectors: Vectors, labels: Sequence[frozenset[str]], known: Known) -> None:
        self._vectors = vectors
        self._labels = labels
        self._counts = Counter(theme for themes in labels for theme in themes)
        names = list(dict.fromkeys([*known.themes, *sorted(self._counts)]))
        place = {name: number for number, name in enumerate(names)}
        self._of = [[place[theme] for theme in sorted(themes)] for themes in labels]
        # What a theme is about is told by its descriptions and by the texts that have it, but not
        # by those whose place is in question; these tell it only where there is little else.
        self._own = np.array([[name in known.described] for name in names], np.float32)
        self._themes = np.zeros((len(names), vectors.shape[1]), np.float32)
        np.add.at(self._themes, [place[theme] for theme in known.themes], known.vectors)
        self._themes += self._by_theme(range(len(vectors)))

    def found(self, root: Node) -> Generator[None, None, list[Found]]:
        """The groups in a tree, each as large as it may be."""
        found: list[Found] = []
        pending = [self._part(root)]
        while pending:
            part = pending.pop()
            size = len(part.node.members)
            if size < FEWEST:
                continue
            fit, themes = self._placed(part)
            if part.node.likeness < (WIDE if fit is Fit.UNPLACED else CLOSE):
                pending += self._parted(part)
            elif not self._is_a_theme(themes, size, fit):
                group = self._made(part.node, fit, themes)
                found += [group] if group.strength * size >= WEIGHT else []
            yield
        return found

    def _part(self, node: Node) -> _Part:
        together = self._vectors[list(node.members)].sum(axis=0)
        return _Part(node, together, self._by_theme(node.members))

    def _parted(self, part: _Part) -> list[_Part]:
        """The two of which a group was made; only the smaller one is looked through."""
        if part.node.parts is None:
            return []
        small, large = sorted(part.node.parts, key=lambda node: len(node.members))
        lesser = self._part(small)
        rest = (part.together - lesser.together, part.by_theme - lesser.by_theme)
        return [_Part(large, *rest), lesser]

    def _by_theme(self, members: Iterable[int]) -> Vectors:
        sums = np.zeros_like(self._themes)
        for number in members:
            sums[self._of[number]] += self._vectors[number]
        return sums

    def _placed(self, part: _Part) -> tuple[Fit, list[tuple[str, int]]]:
        counts = Counter(theme for number in part.node.members for theme in self._labels[number])
        themes = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        middles = unit(self._themes - self._own * part.by_theme)
        if (middles @ unit(part.together)).max(initial=-1.0) < FITS:
            return Fit.UNPLACED, themes
        within = bool(themes) and themes[0][1] >= MOST_OF * len(part.node.members)
        return (Fit.WITHIN_THEME if within else Fit.ACROSS_THEMES), themes

    def _is_a_theme(self, themes: Sequence[tuple[str, int]], size: int, fit: Fit) -> bool:
        """Whether the group is what a theme that there is consists of."""
        return fit is not Fit.UNPLACED and any(
            count > IS_THE_THEME * self._counts[theme] and count >= IS_THE_THEME * size
            for theme, count in themes
        )

    def _made(self, node: Node, fit: Fit, themes: Sequence[tuple[str, int]]) -> Found:
        members = np.array(sorted(node.members))
        vectors = self._vectors[members]
        together = vectors.sum(axis=0)
        near = (unit(together - vectors) * vectors).sum(axis=1, dtype=np.float64).round(3)
        order = np.lexsort((members, -near))
        size = len(members)
        pairs = (float(together @ together) - size) / (size * (size - 1))
        return Found(
            members=tuple(int(number) for number in members[order]),
            nearness=tuple(float(score) for score in near[order]),
            strength=round(max(pairs, 0.0), 3),
            fit=fit,
            themes=tuple(themes),
        )


def centred(vectors: Vectors, usual: Vectors, prior: float) -> Vectors:
    """Vectors without what those of their kind have in common, each of length 1.

    What all texts have in common counts as much as some of them, so that a few are not taken for
    all that there may be.
    """
    together = vectors.sum(axis=0, dtype=np.float64) + prior * usual
    mean = (together / (len(vectors) + prior)).astype(np.float32)
    return unit(vectors - mean)
