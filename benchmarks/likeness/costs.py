"""``python -m benchmarks.likeness.costs``: what comparing costs a search, and a submission.

A submission is measured in turns, with looking for duplicates and without, one at a time, each
against a service of its own over the same database; the ratio is what counts.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx
import numpy as np

from app.database import Database
from app.likeness.encoding import SIZE, Vectors, encoder, packed, unit
from app.likeness.neighbours import ROUGH, Neighbours
from app.likeness.usual import Usual
from app.settings import Settings
from benchmarks import process
from benchmarks.__main__ import database_of, key_for
from benchmarks.fill import fill
from benchmarks.likeness.labelled import others

ENTRIES = 2_000
ROUNDS = 8
A_ROUND = 40
SEARCHED = (1_000, 10_000, 100_000)


def main() -> None:
    _searches()
    for name in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory(prefix="register-likeness-") as folder:
            _submissions(name, Path(folder))


def _searches() -> None:
    chance = np.random.default_rng(1)
    nothing: Vectors = np.zeros(SIZE, np.float32)
    neighbours = Neighbours(Usual(nothing), np.eye(ROUGH, SIZE, dtype=np.float32))
    asked = encoder().of(["Fewer forms before a patient goes home."])[0]
    for count in SEARCHED:
        for number in range(len(neighbours), count):
            vector = unit(chance.normal(size=SIZE).astype(np.float32))
            neighbours.put(number, packed(vector))
        taken = []
        for _ in range(10):
            began = time.process_time()
            neighbours.nearest(asked, 10)
            taken.append((time.process_time() - began) * 1000)
        print(f"the nearest of {count:,}: {median(taken):.1f} ms of one core", flush=True)


def _submissions(name: str, folder: Path) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(database_of(name, folder))
        with Database(Settings.model_validate({"database_url": url})) as database:
            *_, filled = fill(database, ENTRIES)
        key = key_for(url, filled)
        plain = _client(stack, url, folder, key, likeness_wait_seconds="0")
        looking = _client(stack, url, folder, key)
        while not looking.get("/v1/innovations/INN-000002/similar").is_success:
            time.sleep(1)
        ratios, told, asked = [], 0, 0
        bodies = iter(others() * 2)
        for _ in range(ROUNDS):
            means = []
            for client in (plain, looking):
                taken = []
                for _ in range(A_ROUND):
                    title, summary = next(bodies)
                    body = {"title": title, "summary": summary, "theme": "great-teams"}
                    began = time.perf_counter()
                    answer = client.post("/v1/innovations", json=body)
                    taken.append(time.perf_counter() - began)
                    if client is looking:
                        asked += 1
                        told += answer.json()["possible_duplicates"] is not None
                means.append(median(taken))
            ratios.append(means[1] / means[0])
        low, high = min(ratios), max(ratios)
        print(
            f"{name}: a submission takes {median(ratios):.2f} times as long with a look for "
            f"duplicates ({low:.2f} to {high:.2f}); {told} of {asked} were told",
            flush=True,
        )


def _client(stack: ExitStack, url: str, folder: Path, key: str, **settings: str) -> httpx.Client:
    port = stack.enter_context(process.served(url, folder, **settings))
    headers = {"Authorization": f"Bearer {key}"}
    return stack.enter_context(
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60)
    )


if __name__ == "__main__":
    main()
