"""All that vectors are good for, around one loaded model; not for several threads at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Generator, Sequence
from functools import cache

import numpy as np

from app.likeness import alike, texts
from app.likeness.alike import Pair
from app.likeness.emerging import Found, Known, centred, emerging
from app.likeness.encoding import NAME, SIZE, Vectors, encoder, packed, unit, unpacked
from app.likeness.meaning import ThemeVectors
from app.likeness.neighbours import ROUGH, Near, Neighbours
from app.likeness.themes import Example, described
from app.likeness.usual import PRIOR, Usual

LIKELY = 0.4
"""From this score on, an entry may well be the same practice (decision record 0021)."""

_RECENT = 512


class Comparing:
    """The model, the vectors of what the register holds, and questions to both."""

    model = NAME
    likely = LIKELY

    def __init__(self) -> None:
        self.encoder = encoder()
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._described = _described()
        self._usual: Vectors = self._described.mean(axis=0)
        self.entries = Neighbours(Usual(self._usual), _directions(ROUGH))

    def packed(self, said: Sequence[str]) -> list[bytes]:
        """The vectors of texts, as they are stored; those asked for last are remembered."""
        digests = [texts.digest(text) for text in said]
        new = {d: text for d, text in zip(digests, said, strict=True) if d not in self._recent}
        if new:
            vectors = self.encoder.of(list(new.values()))
            self._recent |= zip(new, map(packed, vectors), strict=True)
        found = [self._recent[each] for each in digests]
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        return found

    def near(self, text: str, limit: int, but: Collection[int] = ()) -> list[Near]:
        """The entries that are nearest to a text."""
        # As it is stored: who asks is often about to store it.
        return self.entries.nearest(vector_of(self.packed([text])[0]), limit, but)

    def apart(self) -> Apart:
        """Room for others than what the register holds."""
        return Apart(Neighbours(Usual(self._usual), _directions(ROUGH), learns=False), self.likely)

    def why(self, one: str, other: str) -> list[Pair]:
        """The words by which two texts are alike."""
        return alike.pairs(self.encoder, self._usual, one, other)

    def themes(self, own: Sequence[Example], held: Sequence[tuple[int, Example]]) -> ThemeVectors:
        """What tells themes by meaning: from descriptions, and from entries by their numbers."""
        vectors = [self._examples(own)]
        if held:
            vectors.append(np.stack([self.entries.vector(number) for number, _ in held]))
        examples = [*own, *(example for _, example in held)]
        return ThemeVectors(self.encoder, examples, np.concatenate(vectors))

    def known(self, own: Sequence[Example]) -> Known:
        """What descriptions of themes tell of them; ours come first."""
        return Known(
            vectors=unit(self._examples(own) - self._usual),
            themes=[example.theme for example in own],
            described=frozenset(example.theme for example in described()),
        )

    def side_by_side(self, entries: Sequence[int], others: Sequence[bytes]) -> Vectors:
        """The vectors of entries, and after them those of texts of another kind; of each kind
        without what it has in common, such as that people speak of themselves."""
        own = [self.entries.vector(number) for number in entries]
        told = [values * np.float32(scale) for scale, values in map(unpacked, others)]
        kinds = [np.stack(rows) for rows in (own, told) if rows]
        apart = [centred(rows, self._usual, PRIOR) for rows in kinds]
        return np.concatenate([np.empty((0, SIZE), np.float32), *apart])

    def emerging(
        self, vectors: Vectors, labels: Sequence[frozenset[str]], known: Known
    ) -> Generator[None, None, list[Found]]:
        """See :func:`app.likeness.emerging.emerging`."""
        return emerging(vectors, labels, known)

    def _examples(self, own: Sequence[Example]) -> Vectors:
        more = [example.text for example in own[len(described()) :]]
        if not more:
            return self._described
        return np.concatenate([self._described, self.encoder.of(more)])


class Apart:
    """Vectors beside those of the register. What texts have in common is learnt from those that
    are shown, whether they are put here or not."""

    def __init__(self, others: Neighbours, likely: float) -> None:
        self._others = others
        self._likely = likely
        self.usual = others.usual
        self.put, self.drop = others.put, others.drop

    def show(self, data: bytes) -> None:
        self.usual.add(vector_of(data))

    def likely(self, data: bytes, limit: int, but: Collection[int] = ()) -> list[Near]:
        """Those that may well be the same practice as a packed vector."""
        near = self._others.nearest(vector_of(data), limit, but)
        return [each for each in near if each.score >= self._likely]


def vector_of(data: bytes) -> Vectors:
    """A packed vector, to compare with."""
    scale, values = unpacked(data)
    vector: Vectors = values * np.float32(scale)
    return vector


@cache
def _described() -> Vectors:
    return encoder().of([example.text for example in described()])


@cache
def _directions(count: int) -> Vectors:
    """The directions in which texts of this kind differ most (their principal components)."""
    _, _, directions = np.linalg.svd(_described() - _described().mean(axis=0), full_matrices=False)
    found: Vectors = directions[:count]
    return found
