"""Vectors put together in groups, and the words that name groups of texts."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TypeVar

import numpy as np

from app.likeness.emerging import Found, Known, emerging
from app.likeness.encoding import SIZE, Vectors, unit
from app.likeness.grouping import Node, trees
from app.likeness.naming import Naming
from app.models.emerging import Fit

T = TypeVar("T")

CHANCE = np.random.default_rng(7)


def around(middles: int, of_each: int, spread: float = 0.8) -> Vectors:
    """Vectors that lie around some directions, a few about each, one after another."""
    directions = np.eye(middles, SIZE, dtype=np.float32).repeat(of_each, axis=0)
    away = unit(CHANCE.normal(size=(middles * of_each, SIZE)).astype(np.float32))
    return unit(directions + spread * away)


def done(work: Generator[None, None, T]) -> T:
    """What comes out when all slices are done."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            made: T = end.value
            return made


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts or ():
        yield from nodes(part)


def linked(vectors: Vectors, least: float) -> list[Node]:
    return done(trees(vectors, least))


def plainly(vectors: Vectors, least: float) -> set[frozenset[int]]:
    """The same, as one would say it: the two groups that are nearest on average become one."""
    groups = [[number] for number in range(len(vectors))]
    scores = np.round(vectors @ vectors.T, 4)
    while len(groups) > 1:
        score, i, j = max(
            (float(scores[np.ix_(groups[i], groups[j])].mean()), i, j)
            for i in range(len(groups))
            for j in range(i)
        )
        if score < least:
            break
        groups[j] += groups.pop(i)
    return {frozenset(group) for group in groups}


def test_what_is_near_to_each_other_is_put_together_as_average_linkage_says() -> None:
    vectors = around(6, 7)
    for least in (0.2, 0.4, 0.6, 0.9):
        found = {frozenset(root.members) for root in linked(vectors, least)}
        assert found == plainly(vectors, least)
    assert len(linked(vectors, 0.2)) == 6


def test_a_group_is_no_nearer_to_another_than_its_parts_are_to_each_other() -> None:
    for root in linked(around(5, 20), 0.1):
        for node in nodes(root):
            assert sorted(node.members) == sorted({*node.members})
            for part in node.parts or ():
                assert part.likeness >= node.likeness - 1e-6


def test_it_does_not_matter_in_which_order_texts_come_nor_how_often_they_are_grouped() -> None:
    vectors = around(8, 12)
    order = CHANCE.permutation(len(vectors))
    one = {frozenset(root.members) for root in linked(vectors, 0.3)}
    other = {frozenset(int(order[n]) for n in root.members) for root in linked(vectors[order], 0.3)}
    assert one == other
    assert linked(vectors, 0.3) == linked(vectors, 0.3)


def test_of_none_there_is_no_group() -> None:
    assert linked(np.empty((0, SIZE), np.float32), 0.2) == []


def groups(vectors: Vectors, labels: list[str], themes: list[int]) -> list[Found]:
    """What emerges where themes are about some of the directions, each described in ten lines."""
    known = Known(
        np.eye(10, SIZE, dtype=np.float32)[themes].repeat(10, axis=0),
        [f"theme-{number}" for number in themes for _ in range(10)],
        frozenset(f"theme-{number}" for number in themes),
    )
    return done(emerging(vectors, [frozenset(label.split()) for label in labels], known))


def test_what_is_about_no_theme_is_unplaced_whichever_it_was_given() -> None:
    vectors = around(3, 5)
    labels = ["theme-0"] * 5 + ["theme-1"] * 5 + ["theme-0"] * 5
    found = groups(vectors, labels, [0, 1])
    unplaced = [each for each in found if each.fit is Fit.UNPLACED]
    assert [sorted(each.members) for each in unplaced] == [[10, 11, 12, 13, 14]]
    assert unplaced[0].themes == (("theme-0", 5),)
    assert unplaced[0].nearness == tuple(sorted(unplaced[0].nearness, reverse=True))


def test_what_stands_out_in_a_theme_is_told_but_not_the_theme_itself() -> None:
    close, far = around(1, 5, 0.6), around(1, 20, 8)
    vectors = np.concatenate([close, far])
    (found,) = groups(vectors, ["theme-0"] * 25, [0])
    assert (found.fit, sorted(found.members)) == (Fit.WITHIN_THEME, [0, 1, 2, 3, 4])
    assert groups(close, ["theme-0"] * 5, [0]) == []


def test_what_lies_across_themes_is_told() -> None:
    close = around(1, 6, 0.6)
    rest = around(1, 20, 8)
    labels = ["theme-0", "theme-1", "theme-2"] * 2 + ["theme-0 theme-1 theme-2"] * 20
    (found,) = groups(np.concatenate([close, rest]), labels, [0, 1, 2])
    assert found.fit is Fit.ACROSS_THEMES
    assert found.themes == (("theme-0", 2), ("theme-1", 2), ("theme-2", 2))


TEXTS = [
    "Volunteers phone people who live alone.",
    "A volunteer rings my mother. The GP knows.",
    "Our volunteers do the shopping, and the GP is told.",
    "Free parking for nurses.",
    "Free parking for porters, and a GP rota.",
    "Parking is free again.",
]


def test_a_group_is_named_by_what_is_frequent_in_it_and_rare_elsewhere() -> None:
    naming = Naming(TEXTS)
    assert naming.words([0, 1, 2], 5) == ["volunteers", "GP"]
    assert naming.words([3, 4, 5], 2) == ["free", "parking"]
    assert naming.words([0, 1, 2], 1) == ["volunteers"]


def test_no_word_of_one_person_alone_names_a_group() -> None:
    words = Naming(TEXTS).words([0, 1, 2], 50)
    assert not {"mother", "shopping", "phone"} & {*words}
