"""What this process remembers of what it read; right for as long as the log says so.

What is counted can change only with the log. So a count is kept with the head that it was made
at, and nothing has to be invalidated: a newer head simply asks again. Themes and organisations
are never deleted, so that what was found once is there for good.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """A bounded store of values by request, each with the head that it was made from."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        # A long read counts on a thread of its own.
        self._lock = Lock()
        self._values: OrderedDict[str, tuple[int, T]] = OrderedDict()

    def get(self, request: str, head: int) -> T | None:
        with self._lock:
            found = self._values.get(request)
            if found is None or found[0] != head:
                return None
            self._values.move_to_end(request)
            return found[1]

    def put(self, request: str, head: int, value: T) -> None:
        with self._lock:
            self._values[request] = (head, value)
            self._values.move_to_end(request)
            if len(self._values) > self._most:
                self._values.popitem(last=False)


class Memory:
    """What a process remembers."""

    def __init__(self) -> None:
        self.totals: Recent[int] = Recent()
        self.known: set[tuple[str, str]] = set()
        """Filters and values that name something that there is."""
