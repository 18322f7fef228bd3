"""What is measured: the requests of each case, varied so that nothing repeats."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, permutations
from typing import TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from app.register.identifiers import reference
from benchmarks import queries
from benchmarks.fill import SEED, Filled
from benchmarks.words import Writer

T = TypeVar("T")

ITEMS = b'{"items":[{'
"""How a list starts that has at least one entry."""

GET = {"sqlite": 0.5}
LIST = {"sqlite": 0.3, "postgresql": 0.2}
RARE = {"sqlite": 0.25}
AGAIN_SHARE = {"sqlite": 0.6, "postgresql": 0.6}

ACCEPT = {"Accept": "application/json"}
"""As all ask: an ETag is of one form of an answer."""

AGAIN = 100
"""Pages that are asked for again and again."""


_DIMENSIONS = ("theme", "status", "icb", "region", "care_setting", "evidence_strength")
_STATISTICS = [f"?group_by={one}&group_by={two}" for one, two in permutations(_DIMENSIONS, 2)]


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of request."""

    name: str
    requests: Iterator[bytes]
    targets: Mapping[str, float] = field(default_factory=dict)
    """The share of the constant answer's rate to reach, by the database's name."""
    status: int = 200
    start: bytes = ITEMS
    """How the body of each answer starts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask, and what is known of it."""

    filled: Filled
    key: str
    """Of a client that may write for any organisation."""
    head: int
    """The newest line of the log."""
    known: Sequence[tuple[str, str]]
    """Query strings of pages, with the ETags that they have as long as nothing is written."""
    newest: Sequence[str]
    """Query strings of pages of the list of all."""
    filtered: Sequence[str]
    """Query strings of pages of lists with filters."""


def all_cases(asked: Asked) -> list[Case]:
    """The cases, in the order in which they are to run: what writes is last."""
    chance = random.Random(SEED + 1)
    filled = asked.filled
    entries = _endless(filled.published, chance)
    rare = _endless(filled.rare, chance)
    fresh = (urlencode(query, doseq=True) for query in queries.filters(filled, chance))
    frequent = filled.common
    common = (f"{chance.choice(frequent)} -{word}" for word in rare)
    newest = _endless(asked.newest, chance)
    lines = iter(lambda: chance.randrange(asked.head - 100), -1)
    return [
        Case("get by id", _gets(f"/{id}" for _, id in entries), GET, start=b'{"id"'),
        Case(
            "get by reference",
            _gets(f"/{reference(number)}" for number, _ in entries),
            GET,
            start=b'{"id"',
        ),
        Case("list: filters, a page in the middle", _pages(_endless(asked.filtered, chance)), LIST),
        Case("list: filters never asked before", _pages(fresh), LIST),
        Case("list: newest first, a page in the middle", _pages(newest), LIST),
        Case("list: asked again", _pages(_endless(asked.newest[:AGAIN], chance)), AGAIN_SHARE),
        Case(
            "list: nothing new (304)",
            _known(_endless(asked.known, chance)),
            AGAIN_SHARE,
            status=304,
            start=b"",
        ),
        Case(
            "statistics: asked again",
            _gets(_endless(_STATISTICS, chance), at="/v1/statistics"),
            AGAIN_SHARE,
            start=b'{"group_by"',
        ),
        Case("search: a rare word", _pages(f"q={word}" for word in rare), RARE),
        Case("search: a common word", _pages(f"q={quote(words)}" for words in common)),
        Case("facets: three, filters never asked before", _pages(map(_faceted, fresh))),
        Case(
            "change log: a page",
            _gets((f"?after={line}&limit=50" for line in lines), at="/v1/changes"),
        ),
        Case("create, safe to repeat", _posts(asked, chance), status=201, start=b'{"id"'),
    ]


def _endless(things: Sequence[T], chance: random.Random) -> Iterator[T]:
    """All of the things in random order; from the start again when all were given."""
    return cycle(chance.sample(things, len(things)))


def _faceted(query: str) -> str:
    return f"{query}&facets=theme,status,care_setting"


def _pages(wanted: Iterable[str], headers: Mapping[str, str] | None = None) -> Iterator[bytes]:
    return _gets((f"?{query}&limit=50" for query in wanted), headers)


def _gets(
    below: Iterable[str], headers: Mapping[str, str] | None = None, at: str = "/v1/innovations"
) -> Iterator[bytes]:
    return (request("GET", at + rest, headers or {}) for rest in below)


def _known(known: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    for query, etag in known:
        yield request("GET", f"/v1/innovations?{query}", {"If-None-Match": etag})


def _posts(asked: Asked, chance: random.Random) -> Iterator[bytes]:
    writer = Writer(asked.filled.places, words=max(asked.filled.entries, 1000), seed=SEED + 2)
    while True:
        headers = {
            "Authorization": f"Bearer {asked.key}",
            "Idempotency-Key": str(UUID(int=chance.getrandbits(128))),
            "Content-Type": "application/json",
        }
        yield request("POST", "/v1/innovations", headers, json.dumps(writer.entry()).encode())


def request(
    method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """A request as it goes over the wire."""
    lines = {"Host": "127.0.0.1", **ACCEPT, **(headers or {})}
    if body:
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body
