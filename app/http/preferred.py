"""Which of several formats a client prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from fastapi import Request

T = TypeVar("T")

_MOST = 50
"""Ranges that are looked at."""

_QUALITY = re.compile(r"1(?:\.0{0,3})?|0(?:\.\d{0,3})?")


class MediaRange(NamedTuple):
    """What a client takes, as ``text/plain`` or ``text/*``, and how gladly; 0 is not at all."""

    kind: str
    parameters: dict[str, str]
    quality: float

    @property
    def exactness(self) -> int:
        return 2 - self.kind.count("*") + len(self.parameters)

    def fits(self, media_type: str) -> bool:
        main, _, _ = media_type.partition("/")
        return self.kind in (media_type, f"{main}/*", "*/*")


def accepted(request: Request) -> str:
    """What a request's `Accept` asks for; anything, where there is none."""
    return ", ".join(request.headers.getlist("accept")) or "*/*"


def preferred(wanted: str, offered: Sequence[T], fits: Callable[[MediaRange, T], bool]) -> T | None:
    """The format that the client takes most gladly; None if it takes none of them.

    What it says of a format is what the most exact of its ranges says that fits. Of those that it
    takes as gladly, that one is preferred which it names more exactly, and else the first.
    """
    ranges = list(_ranges(wanted))
    best, most = None, (0.0, 0)
    for each in offered:
        fitting = (one for one in ranges if fits(one, each))
        exact = max(fitting, key=lambda one: one.exactness, default=None)
        if exact is not None and exact.quality > 0 and (exact.quality, exact.exactness) > most:
            best, most = each, (exact.quality, exact.exactness)
    return best


def _ranges(wanted: str) -> Iterator[MediaRange]:
    for one in wanted.lower().split(",")[:_MOST]:
        kind, *said = (part.strip() for part in one.split(";"))
        pairs = (part.partition("=") for part in said)
        parameters = {name.strip(): value.strip(' "') for name, _, value in pairs}
        quality = parameters.pop("q", "1")
        # A quality that is none is not to be guessed at.
        known = _QUALITY.fullmatch(quality)
        yield MediaRange(kind, parameters, float(quality) if known else 0.0)
