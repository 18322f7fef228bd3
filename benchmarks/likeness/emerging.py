"""``python -m benchmarks.likeness.emerging``: whether what nobody has named yet comes back.

First, topics that no theme is about: eight texts of each, amid the demonstration content and texts
of the ten themes. Then whole themes: from each in turn, all that describes it is taken away. What
then fits none of the themes is put where it fits next best, if it is an innovation; stories have no
theme then. A group of it should emerge that fits no theme.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from app.likeness.comparing import Comparing
from app.likeness.emerging import Found, Known
from app.likeness.encoding import SIZE, Vectors, packed, unit
from app.likeness.naming import Naming
from app.likeness.texts import of_entry
from app.likeness.themes import described
from app.models.emerging import Fit
from app.register import demonstration
from benchmarks.likeness.labelled import themed, topics

PARTS = ("look", "held")
SIZES = (1_000, 5_000)


@dataclass(frozen=True, slots=True)
class Case:
    """A text, what it is about, and the themes that it has."""

    text: str
    about: str
    themes: frozenset[str]
    is_entry: bool


@dataclass(frozen=True, slots=True)
class Back:
    """What came back: the group that has most of what is about one thing."""

    about: str
    texts: int
    right: int
    size: int
    place: int
    """Of the group, among those that are told."""
    words: list[str]

    @property
    def is_there(self) -> bool:
        """Whether half of the texts are in the group, and few others."""
        return 2 * self.right >= self.texts and self.right >= 0.6 * self.size


class Register:
    """Texts as they are grouped; of a theme that is taken away, nothing is known."""

    def __init__(self, cases: Sequence[Case], without: str | None = None) -> None:
        self.cases = sorted(cases, key=lambda case: not case.is_entry)
        entries = [case.text for case in self.cases if case.is_entry]
        told = [case.text for case in self.cases if not case.is_entry]
        self.comparing = comparing = Comparing()
        for number, data in enumerate(comparing.packed(entries)):
            comparing.entries.put(number, data)
        self.vectors = comparing.side_by_side(range(len(entries)), comparing.packed(told))
        known = comparing.known(described())
        kept = [number for number, theme in enumerate(known.themes) if theme != without]
        themes = [known.themes[number] for number in kept]
        self.known = Known(known.vectors[kept], themes, known.described - {without})
        self.labels = [
            self._labels(case, vector, without)
            for case, vector in zip(self.cases, self.vectors, strict=True)
        ]
        self.naming = Naming([*entries, *told])

    def groups(self) -> list[Found]:
        found = grouped(self.comparing, self.vectors, self.labels, self.known)
        kinds = list(Fit)
        return sorted(found, key=lambda f: (kinds.index(f.fit), -f.strength * len(f.members)))

    def _labels(self, case: Case, vector: Vectors, without: str | None) -> frozenset[str]:
        if case.themes and without not in case.themes:
            return case.themes
        if not case.is_entry:
            return case.themes - {without}
        names = sorted(self.known.described)
        of = np.array(self.known.themes)
        middles = unit(np.stack([self.known.vectors[of == name].mean(axis=0) for name in names]))
        return (case.themes - {without}) or frozenset({names[int((middles @ vector).argmax())]})

    def back(self, about: str, found: Sequence[Found]) -> Back:
        """What comes back of what is about one thing."""
        of = {number for number, case in enumerate(self.cases) if case.about == about}
        rights = [len(of & {*each.members}) for each in found]
        place = int(np.argmax(rights))
        best = found[place]
        words = self.naming.words(best.members, 5)
        return Back(about, len(of), rights[place], len(best.members), place + 1, words)


def grouped(
    comparing: Comparing, vectors: Vectors, labels: Sequence[frozenset[str]], known: Known
) -> list[Found]:
    """What emerges, without giving anybody a turn."""
    work = comparing.emerging(vectors, labels, known)
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: list[Found] = end.value
            return found


def themed_cases(part: str) -> list[Case]:
    """The demonstration's innovations, and texts of the themes as people tell them."""
    entries = [
        Case(
            of_entry(each["title"], each["summary"]),
            each["theme"],
            frozenset([each["theme"], *each["further_themes"]]),
            is_entry=True,
        )
        for each in demonstration.entries()
    ]
    told = [
        Case(each.text, each.theme, frozenset({each.theme, each.also} - {""}), is_entry=False)
        for each in themed(part)
    ]
    return [*entries, *told]


def new_topics(part: str) -> list[Back]:
    """What comes back of each topic that no theme is about."""
    new = [Case(each.text, each.topic, frozenset(), each.is_entry) for each in topics(part)]
    register = Register([*themed_cases(part), *new])
    found = register.groups()
    return [register.back(topic, found) for topic in dict.fromkeys(case.about for case in new)]


def taken_away(part: str) -> Iterator[Back]:
    """What comes back of each theme."""
    for theme in dict.fromkeys(example.theme for example in described()):
        register = Register(themed_cases(part), theme)
        yield register.back(theme, register.groups())


def costs(count: int) -> tuple[float, float]:
    """Seconds of one core to group so many texts, and the longest slice of it."""
    chance = np.random.default_rng(1)
    middles = chance.normal(size=(count // 10, SIZE))
    rows = middles[chance.integers(len(middles), size=count)] + chance.normal(size=(count, SIZE))
    comparing = Comparing()
    vectors = comparing.side_by_side([], [packed(row) for row in unit(rows.astype(np.float32))])
    work = comparing.emerging(vectors, [frozenset()] * count, comparing.known(described()))
    whole, longest, done = time.process_time(), 0.0, False
    while not done:
        began = time.process_time()
        done = next(work, True) is True
        longest = max(longest, time.process_time() - began)
    return time.process_time() - whole, longest


def _table(backs: Sequence[Back]) -> None:
    print("| about | texts | together | with others | place | words |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for back in backs:
        row = [back.about, back.texts, back.right, back.size - back.right, back.place]
        print(f"| {' | '.join(map(str, row))} | {', '.join(back.words)} |")
    there = [back for back in backs if back.is_there]
    share = np.mean([back.right / back.texts for back in backs])
    purity = np.mean([back.right / back.size for back in backs])
    print(
        f"\n{len(there)} of {len(backs)} come back; {share:.0%} of the texts are in the best "
        f"group of theirs, {purity:.0%} of that are right\n"
    )


def main() -> None:
    print("Topics that no theme is about\n")
    _table(list(chain.from_iterable(map(new_topics, PARTS))))
    print("Themes that were taken away\n")
    for part in PARTS:
        _table(list(taken_away(part)))
    for count in SIZES:
        whole, longest = costs(count)
        print(f"{count:,} texts: {whole:.2f} s of one core, {longest * 1000:.0f} ms at once")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
