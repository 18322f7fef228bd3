"""``python -m benchmarks``: fills a register, serves it, and measures it."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from httpx import Client

from app.database import Database
from app.models.clients import Scope
from app.register import clients
from app.settings import Settings
from benchmarks import cases, process, queries, table
from benchmarks.cases import Asked, all_cases
from benchmarks.fill import SEED, Filled, fill, settle
from benchmarks.measure import Bench, Measured, Plan
from tests import postgresql

FILTERED_LISTS = 300
"""Lists with filters that are followed, each some pages deep."""

KNOWN_PAGES = 300
"""Pages that a client has already, and asks for again."""

BUSY = 0.9
"""A load generator that is at work for more of the time than this may be what limits a rate."""


def main() -> None:
    options = _options()
    # So that what was started is stopped, and what was made is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(options.seconds, options.rounds, options.connections)
    names = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    shape = table.markdown if options.markdown else table.plain
    for name in names:
        with tempfile.TemporaryDirectory(prefix="register-benchmark-") as folder:
            results = _measured(name, Path(folder), options.entries, plan)
        print(f"\n{name}\n\n{shape(table.rows(results, name))}\n", flush=True)
        if max(measured.busy for measured in results) > BUSY:
            print("The load generator was busy throughout: the shares may be too high.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--entries", type=_positive, default=100_000, help="innovations to fill in")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each turn of each case")
    parser.add_argument("--rounds", type=_positive, default=3, help="turns of each case")
    parser.add_argument("--connections", type=_positive, default=32, help="at the same time")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--markdown", action="store_true", help="print tables for a page")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


@contextmanager
def database_of(name: str, folder: Path) -> Iterator[str]:
    """The URL of a fresh database."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'register.db'}"
        return
    with postgresql.server() as server, postgresql.database(server) as url:
        yield url


def _measured(name: str, folder: Path, entries: int, plan: Plan) -> list[Measured]:
    with ExitStack() as stack:
        url = stack.enter_context(database_of(name, folder))
        filled = _filled(url, entries)
        _say(process.verify(url))
        key = key_for(url, filled)
        port = stack.enter_context(process.served(url, folder))
        asked = _asked(port, filled, key)
        bench = stack.enter_context(Bench(port, plan))
        results = []
        for case in all_cases(asked):
            try:
                results.append(bench.measure(case))
                _say(f"{case.name}: {results[-1].ratio:.3f}")
            except (TimeoutError, RuntimeError) as error:
                _say(f"{case.name}: not measured: {error}")
        return results


def _filled(url: str, entries: int) -> Filled:
    start = time.monotonic()
    with Database(_settings(url)) as database:
        for filled in fill(database, entries):
            if filled.entries % 10_000 == 0:
                _say(f"{filled.entries:,} entries after {time.monotonic() - start:.0f} s")
        settle(database)
    _say(f"{filled.entries:,} entries of {filled.mean_bytes:,} bytes on average")
    return filled


def key_for(url: str, filled: Filled) -> str:
    """A key that may write for any organisation."""
    with Database(_settings(url)) as database:
        _, key = database.transaction(
            clients.add,
            organisation=filled.places.regions[0],
            scopes=[Scope.CURATE],
            name="benchmark",
        )
    return key


def _asked(port: int, filled: Filled, key: str) -> Asked:
    with Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        newest = queries.pages(client, {}, step=20, most=5_000)
        some = queries.filters(filled, random.Random(SEED + 3))
        filtered = []
        for query in islice(some, FILTERED_LISTS):
            filtered += queries.pages(client, query, step=20, most=20)
        known = []
        for page in newest[:KNOWN_PAGES]:
            target = f"{page}&limit=50"
            answer = client.get(f"/v1/innovations?{target}", headers=cases.ACCEPT)
            known.append((target, answer.headers["etag"]))
    head = int(answer.headers["register-sequence"])
    return Asked(filled, key, head, known, newest, filtered)


def _settings(url: str) -> Settings:
    return Settings.model_validate({"database_url": url})


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
