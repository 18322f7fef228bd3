"""Vectors that come, change and go; and the nearest of many."""

from __future__ import annotations

import numpy as np
import pytest

from app.likeness.encoding import SIZE, Vectors, packed, unit, unpacked
from app.likeness.neighbours import Neighbours
from app.likeness.usual import Usual

CHANCE = np.random.default_rng(20)
BASIS = np.eye(64, SIZE, dtype=np.float32)


def some(count: int) -> Vectors:
    """Vectors that differ most in their first parts, as texts do in some directions."""
    rows = CHANCE.normal(size=(count, SIZE)).astype(np.float32)
    rows[:, 64:] *= 0.2
    return unit(rows)


def neighbours(most: int = 10_000) -> Neighbours:
    return Neighbours(Usual(np.zeros(SIZE, np.float32)), BASIS, most)


def test_a_packed_vector_is_nearly_the_same() -> None:
    (vector,) = some(1)
    scale, values = unpacked(packed(vector))
    assert np.allclose(values * scale, vector, atol=0.01)
    for bad in (b"", packed(vector)[:-1], packed(vector) + b"a"):
        with pytest.raises(ValueError, match="no packed vector"):
            unpacked(bad)


def test_the_nearest_of_many_is_found_first() -> None:
    held = neighbours()
    rows = some(3_000)
    for number, row in enumerate(rows):
        held.put(number, packed(row))
    for number in range(0, 3_000, 300):
        near = unit(rows[number] + 0.3 * some(1)[0])
        assert held.nearest(near, 1)[0].number == number
        assert number not in [each.number for each in held.nearest(near, 5, but=(number,))]
        assert len(held.nearest(near, 700)) == 700


def test_what_goes_is_not_found_and_what_changes_is_found_where_it_is() -> None:
    held = neighbours()
    rows = some(600)
    for number, row in enumerate(rows):
        held.put(number, packed(row))
    for number in range(0, 600, 2):
        held.drop(number)
    held.drop(0)
    held.put(1, packed(rows[0]))
    assert len(held) == 300
    assert held.nearest(rows[0], 1)[0].number == 1
    assert {near.number % 2 for near in held.nearest(rows[2], 300)} == {1}
    kept = np.stack([held.vector(number) for number in range(1, 600, 2)])
    assert np.allclose(held.usual.mean(), kept.sum(axis=0) / 400, atol=1e-3)


def test_what_texts_have_in_common_is_carried_on() -> None:
    rows = some(20)
    whole, before, after = (Usual(rows[0]) for _ in range(3))
    for row in rows:
        whole.add(row)
    for row in rows[:10]:
        before.add(row)
    after.restore(before.packed())
    for row in rows[10:]:
        after.add(row)
    assert np.array_equal(after.mean(), whole.mean())
    assert not np.array_equal(after.mean(), before.mean())


def test_beyond_the_most_the_oldest_give_way() -> None:
    held = neighbours(most=10)
    for number, row in enumerate(some(25)):
        held.put(number, packed(row))
    assert len(held) == 10
    assert 14 not in held
    assert 15 in held


def test_of_none_none_is_nearest() -> None:
    assert neighbours().nearest(some(1)[0], 3) == []
