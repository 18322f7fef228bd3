"""How often comparing is right, on labelled texts that it has not seen."""

from __future__ import annotations

from app.likeness.comparing import Comparing
from app.likeness.texts import of_entry
from app.likeness.themes import Themes, described
from benchmarks.likeness.emerging import new_topics
from benchmarks.likeness.labelled import others, pairs, themed


def right(themes: Themes, best: int) -> float:
    """The share of the texts held out of which a right theme is among the first."""
    texts = themed("held")
    hits = 0
    for text in texts:
        named = {ranked.theme for ranked in themes.rank(text.text, best)}
        hits += bool(named & {text.theme, text.also})
    return hits / len(texts)


def test_the_right_theme_comes_first_for_70_of_100_and_among_three_for_90() -> None:
    own = list(described())
    themes = Themes(own, Comparing().themes(own, []))
    assert right(themes, 1) >= 0.7
    assert right(themes, 3) >= 0.9


def test_by_letters_alone_the_right_theme_comes_first_for_60_of_100() -> None:
    themes = Themes(described())
    assert right(themes, 1) >= 0.6
    assert right(themes, 3) >= 0.85


def test_the_same_in_other_words_is_among_three_for_80_of_100_amid_a_thousand() -> None:
    comparing = Comparing()
    entries = [of_entry(pair.title, pair.summary) for pair in pairs()]
    entries += [of_entry(*other) for other in others()]
    assert len(entries) == 1_100
    for start in range(0, len(entries), 100):
        for number, data in enumerate(comparing.packed(entries[start : start + 100]), start):
            comparing.entries.put(number, data)
    asked = [of_entry(pair.other_title, pair.other_summary) for pair in pairs()]
    hits = [
        number in [near.number for near in comparing.near(text, 3)]
        for number, text in enumerate(asked)
    ]
    assert sum(hits) >= 80


def test_of_ten_topics_that_no_theme_is_about_four_come_back_as_a_group() -> None:
    # These have been seen: they chose how near is near enough.
    backs = [back for part in ("look", "held") for back in new_topics(part)]
    assert len(backs) == 10
    assert sum(back.is_there for back in backs) >= 4
    assert sum(back.right for back in backs) >= 0.5 * sum(back.texts for back in backs)
