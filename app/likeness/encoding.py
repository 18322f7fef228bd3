"""Texts as vectors: near to each other where they say the same, in whatever words.

The model is Google's multilingual universal sentence encoder, as a package that needs nothing but
numpy (decision record 0021).
"""

from __future__ import annotations

import atexit
import os
import struct
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json
from threadpoolctl import threadpool_limits

from app.likeness.texts import readable

NAME = "use-multilingual-3"
"""The model, and how texts are made ready for it; another name means other vectors."""

SIZE = 512

Vectors = NDArray[np.float32]

_PACKAGE = str(Path(__file__).parents[2])
_WORDS_KEPT = 4_096
_HEAD = struct.Struct("<f")


class Encoder:
    """The model, in a process of its own: Python runs one thread at a time, and what it does for
    some milliseconds would be in the way of all requests. It takes some 150 MB, and a second or two
    to load.
    """

    def __init__(self) -> None:
        # For what is done with vectors here; see the child.
        threadpool_limits(1, user_api="blas")
        self._words: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()
        self._asking = Lock()
        self._child = _started()
        atexit.register(self.close)
        # Loads it, so that nobody waits for that later.
        self.of(["ready"])

    def of(self, texts: Sequence[str]) -> Vectors:
        """A row of length 1 for each text; some 4 milliseconds each."""
        if not texts:
            return _NONE
        asked = to_json([readable(text) or "." for text in texts]) + b"\n"
        with self._asking:
            try:
                return self._answer(asked, len(texts))
            except OSError:
                # It was killed, perhaps for want of memory.
                self._end()
                self._child = _started()
                return self._answer(asked, len(texts))

    def close(self) -> None:
        """Ends the process."""
        with self._asking:
            self._end()

    def _answer(self, asked: bytes, count: int) -> Vectors:
        """
        Raises:
            OSError: when it is no more.
        """
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(asked)
        self._child.stdin.flush()
        size = 4 * SIZE * count
        data = self._child.stdout.read(size)
        if len(data) < size:
            raise BrokenPipeError("the process that makes vectors has ended")
        return np.frombuffer(data, "<f4").reshape(count, SIZE).astype(np.float32)

    def _end(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        with suppress(OSError):
            self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait()

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


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (sys.executable, "-m", "app.likeness.child"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": _PACKAGE},
        # What is typed at a terminal is for the service alone, which ends it in its own time.
        start_new_session=True,
    )


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
