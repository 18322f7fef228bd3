"""What this process remembers of what it read; right for as long as the log says so.

What is counted can change only with the log. So a count is kept with the head that it was made
at, and nothing has to be invalidated: the log tells what to add to it. Themes and organisations
are never deleted, so that what was found once is there for good.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

Values = tuple[str | None, ...]
"""What entries have in common that are counted together: a value of each thing counted by."""

Measures = tuple[int, int, int, int]
"""Of entries: how many there are, how many are kept, how much evidence there is for them, and how
many adoptions."""

NOTHING: Measures = (0, 0, 0, 0)


def together(some: Measures, others: Measures) -> Measures:
    """What two groups of entries have in all."""
    return (
        some[0] + others[0],
        some[1] + others[1],
        some[2] + others[2],
        some[3] + others[3],
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """Entries, counted by some of what they say, as of a head of the log."""

    head: int
    cells: Mapping[Values, Measures]


class Counted:
    """A bounded store of counts, by what was counted; those asked for last are kept longest."""

    def __init__(self, most_cells: int = 500_000) -> None:
        self._most = most_cells
        self._cells = 0
        # A long read counts on a thread of its own.
        self._lock = Lock()
        self._counts: OrderedDict[str, Counts] = OrderedDict()

    def get(self, asked: str) -> Counts | None:
        with self._lock:
            counts = self._counts.get(asked)
            if counts is not None:
                self._counts.move_to_end(asked)
            return counts

    def put(self, asked: str, counts: Counts) -> None:
        with self._lock:
            before = self._counts.pop(asked, None)
            self._counts[asked] = counts
            self._cells += _size(counts) - (_size(before) if before else 0)
            while self._cells > self._most:
                _, oldest = self._counts.popitem(last=False)
                self._cells -= _size(oldest)


def _size(counts: Counts) -> int:
    return len(counts.cells) + 10  # what is kept of a count that has hardly any


class Memory:
    """What a process remembers."""

    def __init__(self) -> None:
        self.counted = Counted()
        self.known: set[tuple[str, str]] = set()
        """Filters and values that name something that there is."""
