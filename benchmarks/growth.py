"""``python -m benchmarks.growth``: what a read costs as the register grows."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median
from urllib.parse import quote

from httpx import Client

from app.database import Database
from app.settings import Settings
from benchmarks import process, queries
from benchmarks.__main__ import database_of, key_for
from benchmarks.fill import SEED, Filled, fill, settle
from benchmarks.words import Writer

SMALL_PAGE = 5
"""Entries on a page, so that the smallest register has a thousand pages, too."""

DEEP = 1_000
"""The page in the middle that is asked for."""

REQUESTS = 150
"""Requests of each case."""

LIST = "/v1/innovations?limit=50"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of read."""

    name: str
    targets: Iterator[str]
    most: float | None = None
    """How many times what it takes in the smallest register it may take in the largest."""
    milliseconds: float | None = None
    """What it may take in the largest, on SQLite."""
    after_a_write: bool = False
    """Whether something is written before each request, so that nothing can be remembered."""


def main() -> None:
    """Measures one register at several sizes, and prints a table."""
    options = _options()
    sizes = sorted(options.sizes)
    print(f"{options.database}: milliseconds in the median, one connection")
    with tempfile.TemporaryDirectory(prefix="register-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        url = stack.enter_context(database_of(options.database, folder))
        database = stack.enter_context(Database(Settings.model_validate({"database_url": url})))
        taken = [_measured(url, folder, filled) for filled in _grown(database, sizes)]
    _print(sizes, taken, options.database)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    return parser.parse_args()


def _grown(database: Database, sizes: Sequence[int]) -> Iterator[Filled]:
    """The register at each of the sizes."""
    start = time.monotonic()
    for filled in fill(database, sizes[-1]):
        if filled.entries in sizes:
            settle(database)
            _say(f"{filled.entries:,} entries after {time.monotonic() - start:.0f} s")
            yield filled


Taken = dict[str, tuple[Case, float]]


def _measured(url: str, folder: Path, filled: Filled) -> Taken:
    """Each case, and the median of the milliseconds that it takes."""
    with ExitStack() as stack:
        # What compares texts would read a million of them, beside what is measured.
        port = stack.enter_context(process.served(url, folder, likeness_wait_seconds="0"))
        client = stack.enter_context(Client(base_url=f"http://127.0.0.1:{port}", timeout=600))
        key = key_for(url, filled)
        writer = Writer(filled.places, words=1000, seed=SEED + 4)

        def write() -> None:
            entry = {**writer.entry(), "visibility": "published"}
            answer = client.post(
                "/v1/innovations", json=entry, headers={"Authorization": f"Bearer {key}"}
            )
            answer.raise_for_status()

        taken = {}
        for case in _cases(client, filled):
            taken[case.name] = (case, _median(client, case, write))
            _say(f"  {case.name}: {taken[case.name][1]:.2f}")
        return taken


def _cases(client: Client, filled: Filled) -> list[Case]:
    chance = random.Random(SEED + 5)
    ids = [f"/v1/innovations/{id}" for _, id in chance.sample(filled.published, REQUESTS + 1)]
    deep = _deep(client)
    rare = [f"{LIST}&q={word}" for word in chance.sample(filled.rare, REQUESTS + 1)]
    common = [f"{LIST}&q={quote(word)}" for word in filled.common]
    return [
        Case("a constant answer", cycle(["/constant/60000"])),
        Case("get", iter(ids), 1.5),
        Case("first page", cycle([LIST]), 1.5, after_a_write=True),
        Case(f"page {DEEP:,} by cursor", iter(deep), 1.5),
        Case("search: a rare word", iter(rare), 1.5),
        Case("search: a third of all", cycle(common), milliseconds=30, after_a_write=True),
        Case(
            "facets after a write",
            cycle([f"{LIST}&facets=theme,status,icb"]),
            3,
            after_a_write=True,
        ),
        Case(
            "two-way statistic after a write",
            cycle(["/v1/statistics?group_by=icb&group_by=status"]),
            3,
            after_a_write=True,
        ),
        Case("the same for the first time", iter(_unasked()), after_a_write=True),
    ]


def _deep(client: Client) -> list[str]:
    """Pages from the thousandth on, each once."""
    pages = queries.pages(client, {}, step=SMALL_PAGE, most=DEEP + REQUESTS)
    return [f"/v1/innovations?{page}&limit=50" for page in pages[DEEP - 1 :]]


def _unasked() -> list[str]:
    """Statistics that nobody has asked for yet."""
    return [
        f"/v1/statistics?group_by=region&group_by=care_setting&created_from=2020-01-{day:02}"
        for day in range(1, 9)
    ]


def _median(client: Client, case: Case, write: Callable[[], None]) -> float:
    milliseconds = []
    client.get(next(case.targets)).raise_for_status()
    for target in (target for _, target in zip(range(REQUESTS), case.targets, strict=False)):
        if case.after_a_write:
            write()
        start = time.perf_counter()
        answer = client.get(target)
        milliseconds.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
    return median(milliseconds)


def _print(sizes: Sequence[int], taken: Sequence[Taken], database: str) -> None:
    header = ["case", *(f"{size:,}" for size in sizes), "times", "wanted", ""]
    rows = [header]
    for name, (case, last) in taken[-1].items():
        first = taken[0][name][1]
        times = last / first
        wanted, verdict = "", ""
        if case.most is not None:
            wanted = f"{case.most:.1f} times"
            verdict = "reached" if times <= case.most else "falls short"
        elif case.milliseconds is not None and database == "sqlite":
            wanted = f"{case.milliseconds:.0f} ms"
            verdict = "reached" if last <= case.milliseconds else "falls short"
        figures = [f"{each[name][1]:.2f}" for each in taken]
        rows.append([name, *figures, f"{times:.2f}", wanted, verdict])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
