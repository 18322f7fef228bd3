"""Queries for lists: filters at random, and cursors from all over the register."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from httpx import Client

from app.models.innovations import CareSetting
from benchmarks.fill import Filled
from benchmarks.words import TAGS

Query = dict[str, list[str]]

FEWEST = 200
"""Entries that a query should find, at least, on average."""


def filters(filled: Filled, chance: random.Random) -> Iterator[Query]:
    """One to three filters, of one or two values each, that find some pages' worth of entries."""
    places = filled.places
    # Values, and the share of entries that one value finds.
    known: dict[str, tuple[Sequence[str], float]] = {
        "theme": (places.themes, 1 / len(places.themes)),
        "status": (("keep", "retire", "under_review"), 1 / 4),
        "care_setting": ([setting.value for setting in CareSetting], 1 / len(CareSetting)),
        "tag": (TAGS, 1.5 / len(TAGS)),
        "icb": (places.icbs, 0.5 / len(places.icbs)),
        "region": (places.regions, 0.5 / len(places.regions)),
        "organisation": (places.organisations, 1 / len(places.organisations)),
    }
    of_place = {"icb", "region", "organisation"}
    while True:
        names = chance.sample(list(known), chance.randint(1, 3))
        if len(of_place.intersection(names)) > 1:  # they might exclude each other
            continue
        query = {name: chance.sample(known[name][0], chance.randint(1, 2)) for name in names}
        found = float(len(filled.published))
        for name, values in query.items():
            found *= known[name][1] * len(values)
        if found >= min(FEWEST, len(filled.published) / 10):
            yield query


def pages(client: Client, query: Query, *, step: int, most: int) -> list[str]:
    """Query strings of up to ``most`` pages of a list, which is followed as a client would.

    They have no limit; from where one starts to where the next does, there are ``step`` entries.
    """
    found = []
    wanted: Query = query
    for _ in range(most):
        answer = client.get(f"/v1/innovations?{urlencode(wanted, doseq=True)}&limit={step}")
        cursor = answer.json()["page"]["next"]
        if cursor is None:
            break
        wanted = {**query, "cursor": [cursor]}
        found.append(urlencode(wanted, doseq=True))
    return found
