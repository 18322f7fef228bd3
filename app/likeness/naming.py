"""Words that name a group of texts: frequent in it, rare elsewhere, and as people wrote them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from app.likeness.texts import spelt

FEWEST = 2
"""Texts of a group that have a word, for it to name the group: no single person's words do."""

_SHORTEST = 3

_OF_TELLING = frozenset(
    """
    asked back day days first goes going happen happened nor said say says tell tells time told
    today want week weeks year years
    """.split()  # noqa: SIM905
)
"""Words that stories have in common because they are told."""


class Naming:
    """The words of all texts, by what they are when they are one and no more."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [_forms(text) for text in texts]
        self._seen = Counter(root for forms in self._texts for root in forms)
        every = (form for forms in self._texts for written in forms.values() for form in written)
        self._small = {form for form in every if form.islower()}

    def words(self, members: Collection[int], most: int) -> list[str]:
        """The words that name a group of texts, those that name it best first."""
        seen = Counter(root for number in members for root in self._texts[number])
        size, others = len(members), max(len(self._texts) - len(members), 1)
        scores: dict[str, float] = {}
        for root, inside in seen.items():
            if inside < FEWEST:
                continue
            outside = self._seen[root] - inside
            here, there = inside / size, (outside + 0.5) / (others + 1)
            if here > there:
                # How much more often here, and so that many count for more than few.
                scores[root] = here * math.log(here / there) * (1 - 1 / (1 + inside))
        best = sorted(scores, key=lambda root: (-scores[root], root))[:most]
        return [self._written(root, members) for root in best]

    def _written(self, root: str, members: Collection[int]) -> str:
        """A word as most of a group's texts have it. A capital letter at its start stays only where
        nobody writes it without: it stands at the start of a sentence."""
        forms = [form for number in members for form in self._texts[number].get(root, ())]
        usual = [form.lower() if form.lower() in self._small else form for form in forms]
        counts = Counter(
            small if form.istitle() else form for form, small in zip(forms, usual, strict=True)
        )
        return min(counts, key=lambda form: (-counts[form], form))


def _forms(text: str) -> dict[str, tuple[str, ...]]:
    """The words of a text in the forms in which they stand there."""
    found: dict[str, tuple[str, ...]] = {}
    for form in spelt(text):
        root = _root(form.lower())
        known = form.lower() in _OF_TELLING
        if not known and (len(root) >= _SHORTEST or form.isupper()):
            found[root] = (*found.get(root, ()), form)
    return found


def _root(word: str) -> str:
    """The word as one of what it names: plurals and possessives are the same word."""
    word = word.removesuffix("'s").removesuffix("\u2019s")
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
