"""What is held of the register to compare with. All of it happens on one thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic_core import from_json

from app.likeness import model, texts
from app.likeness.themes import Example, Themes, described
from app.models.likeness import InnovationVector
from app.models.themes import ThemeDocument
from app.register.likeness import Entry

if TYPE_CHECKING:
    from app.likeness.comparing import Comparing
    from app.likeness.neighbours import Near

EXAMPLES = 200
"""Innovations of a theme that are learnt from: the newest."""

MOST_POSSIBLE = 3
"""Possible duplicates that a submission is told of."""

Pairs = list[tuple[str, str]]


class Held:
    """The texts that themes are learnt from, and (with the model) the vectors of all entries."""

    def __init__(self) -> None:
        self.comparing: Comparing | None = model.load() if model.installed() else None
        self._examples: dict[str, OrderedDict[int, str]] = {}

    def note(self, entries: Iterable[Entry]) -> list[InnovationVector]:
        """Takes in innovations as they stand now; returns the vectors that were made anew."""
        new: list[tuple[Entry, str]] = []
        for entry in entries:
            self._forget(entry.number)
            if not entry.published:
                if self.comparing is not None:
                    self.comparing.entries.drop(entry.number)
                continue
            text = self._learn_from(entry)
            if self.comparing is None:
                continue
            stored = (entry.model, entry.digest) == (self.comparing.model, texts.digest(text))
            if stored and entry.vector is not None:
                self.comparing.entries.put(entry.number, bytes(entry.vector))
            else:
                new.append((entry, text))
        return self._made(new)

    def _forget(self, number: int) -> None:
        for of_theme in self._examples.values():
            of_theme.pop(number, None)

    def _learn_from(self, entry: Entry) -> str:
        document = from_json(entry.document)
        text = texts.of_entry(document["title"], document["summary"])
        examples = self._examples.setdefault(document["theme"]["slug"], OrderedDict())
        examples[entry.number] = text
        if len(examples) > EXAMPLES:
            examples.popitem(last=False)
        return text

    def _made(self, new: Sequence[tuple[Entry, str]]) -> list[InnovationVector]:
        if self.comparing is None or not new:
            return []
        vectors = self.comparing.packed([text for _, text in new])
        made = []
        for (entry, text), vector in zip(new, vectors, strict=True):
            self.comparing.entries.put(entry.number, vector)
            made.append(
                InnovationVector(
                    number=entry.number,
                    model=self.comparing.model,
                    digest=texts.digest(text),
                    vector=vector,
                )
            )
        return made

    def learn(self, documents: Sequence[ThemeDocument]) -> Themes:
        """What ranks themes, learnt from our descriptions, the register's and what it holds."""
        own = told_of_themes(documents)
        held = [
            (number, Example(slug, text))
            for slug, of_theme in self._examples.items()
            for number, text in of_theme.items()
        ]
        if self.comparing is None:
            return Themes([*own, *(example for _, example in held)])
        held = [each for each in held if each[0] in self.comparing.entries]
        meaning = self.comparing.themes(own, held)
        return Themes([*own, *(example for _, example in held)], meaning)

    def near(self, text: str, limit: int, but: Collection[int]) -> list[Near]:
        """What is nearest to a text."""
        return [] if self.comparing is None else self.comparing.near(text, limit, but)

    def likely(self, text: str) -> list[Near]:
        """What is so near to a text that it may be the same practice."""
        near = self.near(text, MOST_POSSIBLE, ())
        return [each for each in near if self.comparing and each.score >= self.comparing.likely]

    def why(self, text: str, others: dict[int, str]) -> dict[int, Pairs]:
        """The words that make others like a text."""
        if self.comparing is None:
            return {number: [] for number in others}
        why = self.comparing.why
        return {
            number: [(pair.here, pair.there) for pair in why(text, other)]
            for number, other in others.items()
        }


def told_of_themes(documents: Sequence[ThemeDocument]) -> list[Example]:
    """What we and the register say of themes; ours comes first."""
    return [
        *described(),
        *(Example(each.slug, each.name) for each in documents),
        *(Example(each.slug, each.description) for each in documents),
    ]
