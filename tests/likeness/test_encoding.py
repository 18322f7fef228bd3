"""The process that makes vectors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from app.likeness.encoding import Encoder


@pytest.fixture
def encoder() -> Iterator[Encoder]:
    encoder = Encoder()
    yield encoder
    encoder.close()


def test_another_one_goes_on_where_it_was_killed(encoder: Encoder) -> None:
    before = encoder.of(["Ward rounds by video", "Fewer forms"])
    encoder._child.kill()
    encoder._child.wait()
    assert np.array_equal(encoder.of(["Ward rounds by video", "Fewer forms"]), before)


def test_it_ends_with_who_started_it(encoder: Encoder) -> None:
    child = encoder._child
    assert child.poll() is None
    encoder.close()
    assert child.returncode == 0
