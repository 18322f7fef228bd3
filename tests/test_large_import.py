"""A large file: what it takes of the service that receives it, and what happens when it breaks."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter

from app.database import Database
from app.files import SUFFIXES, Format
from app.models.clients import Scope
from app.register import clients
from tests.conftest import WARD_ROUNDS, settings_for
from tests.processes import free_port, run, service
from tests.serving import PLAIN

MOST_MEMORY = 150_000_000
"""Bytes above what the idle service takes."""


def entries(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {
            **WARD_ROUNDS,
            "title": f"Rounds {number}",
            "description": " ".join(f"word{number * 7 + at}" for at in range(60)),
            "tags": ["video", f"tag {number % 50}"],
            "source": {"system": "nightly", "id": str(number)},
        }


def ndjson(folder: Path, count: int) -> Path:
    file = folder / "entries.ndjson"
    with file.open("w") as lines:
        lines.writelines(json.dumps(entry) + "\n" for entry in entries(count))
    return file


def xlsx(folder: Path, count: int) -> Path:
    file = folder / "entries.xlsx"
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        names = [*WARD_ROUNDS, "description", "tags", "source.system", "source.id"]
        sheet.write_row(0, 0, names)
        for at, entry in enumerate(entries(count), 1):
            source, tags = entry.pop("source"), "; ".join(entry.pop("tags"))
            flat = {**entry, "tags": tags, **{f"source.{k}": v for k, v in source.items()}}
            sheet.write_row(at, 0, [flat[name] for name in names])
    return file


MAKE = {Format.NDJSON: ndjson, Format.XLSX: xlsx}


def new_key(url: str) -> str:
    with Database(settings_for(url)) as database:
        _, key = database.transaction(
            clients.add, organisation="R0A", scopes=[Scope.CONTRIBUTE], name="nightly"
        )
    return key


def send(port: int, key: str, file: Path, mode: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": SUFFIXES[file.suffix]}
    with file.open("rb") as content:
        return httpx.post(
            f"http://127.0.0.1:{port}/v1/imports?mode={mode}",
            content=content,
            headers=headers,
            timeout=600,
            verify=PLAIN,
        )


def memory(process: int) -> int:
    """A process's own bytes: without what it maps of files, which the system takes back at will."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    (kilobytes,) = (int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
    return kilobytes * 1024


@contextmanager
def watched(process: int) -> Iterator[list[int]]:
    """The most memory that a process has meanwhile, as the one item of a list."""
    most = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], memory(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield most
    over.set()
    watcher.join()


@contextmanager
def asking(port: int, key: str, *, writing: bool) -> Iterator[list[int]]:
    """Reads, and writes, all the while; gives their statuses."""
    over = threading.Event()
    statuses: list[int] = []
    headers = {"Authorization": f"Bearer {key}"}

    def ask() -> None:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, verify=PLAIN
        ) as client:
            while not over.is_set():
                statuses.append(client.get("/v1/innovations").status_code)
                if writing:
                    statuses.append(client.post("/v1/innovations", json=WARD_ROUNDS).status_code)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        yield statuses
        over.set()
        asked.result(60)


def import_beside_others(
    url: str, folder: Path, rows: int, *, mode: str = "partial", form: Format = Format.NDJSON
) -> None:
    """Imports so many rows while others read; and write, where it leaves the log in between."""
    key, port = new_key(url), free_port()
    # What compares texts would be loaded meanwhile, by the others' submissions: not by the import.
    with service(url, port, settings={"likeness_wait_seconds": "0"}) as process:
        send(port, key, MAKE[form](folder, 300), mode)
        idle = memory(process.pid)
        file = MAKE[form](folder, rows)
        writing = mode == "partial"
        with watched(process.pid) as most, asking(port, key, writing=writing) as statuses:
            answer = send(port, key, file, mode)
        assert answer.status_code == 200, answer.text
        totals = answer.json()["totals"]
    print(f"{rows:,} rows of {form}, {mode}: {(most[0] - idle) / 1e6:.0f} MB above idle")  # noqa: T201  (with -s)
    assert totals == {
        "rows": rows,
        "created": rows - 300,
        "unchanged": 300,
        "updated": 0,
        "rejected": 0,
    }
    assert most[0] - idle < MOST_MEMORY
    assert set(statuses) == ({200, 201} if writing else {200})
    assert len(statuses) > rows / 1000, "others hardly had a turn"
    assert run(url, "verify").returncode == 0


needs_proc = pytest.mark.skipif(
    sys.platform != "linux", reason="a process's memory is told by /proc, which is Linux's"
)


@needs_proc
def test_a_large_file_takes_little_memory_and_leaves_others_their_turn(
    database_url: str, tmp_path: Path
) -> None:
    import_beside_others(database_url, tmp_path, 5_000)


@needs_proc
@pytest.mark.torture
@pytest.mark.parametrize("mode", ["atomic", "partial"])
@pytest.mark.parametrize("form", MAKE)
def test_a_hundred_thousand_rows_take_little_memory_and_leave_others_their_turn(
    database_url: str, tmp_path: Path, mode: str, form: Format
) -> None:
    import_beside_others(database_url, tmp_path, 100_000, mode=mode, form=form)


@pytest.mark.parametrize("mode", ["atomic", "partial"])
def test_a_service_killed_in_the_middle_leaves_what_the_log_tells_and_sending_again_repairs(
    database_url: str, tmp_path: Path, mode: str
) -> None:
    key, port = new_key(database_url), free_port()
    rows = 2_500
    file = ndjson(tmp_path, rows)
    with service(database_url, port) as process, ThreadPoolExecutor(1) as pool:
        before = head(port)
        sent = pool.submit(send, port, key, file, mode)
        while head(port) < before + 250 and mode == "partial":
            time.sleep(0.01)
        if mode == "atomic":
            time.sleep(0.5)
        os.killpg(process.pid, signal.SIGKILL)
        with suppress(httpx.TransportError):
            assert sent.result(30).status_code != 200, "it was over before it was killed"
    with service(database_url, port):
        done = head(port) - before
        found = httpx.get(f"http://127.0.0.1:{port}/v1/innovations?limit=1", verify=PLAIN).json()
        assert found["page"]["total"] == done
        assert (done == 0) if mode == "atomic" else (0 < done < rows)
        answer = send(port, key, file, mode)
        assert answer.json()["totals"]["unchanged"] == done
        assert answer.json()["totals"]["created"] == rows - done
    assert run(database_url, "verify").returncode == 0


def test_a_file_that_is_cut_off_on_its_way_is_not_begun(database_url: str, tmp_path: Path) -> None:
    key, port = new_key(database_url), free_port()
    file = ndjson(tmp_path, 600)

    def half() -> Iterator[bytes]:
        yield file.read_bytes()[: file.stat().st_size // 2]
        raise ConnectionError("the cable was pulled")

    with service(database_url, port):
        before = head(port)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
        with pytest.raises(ConnectionError):
            httpx.post(
                f"http://127.0.0.1:{port}/v1/imports?mode=partial",
                content=half(),
                headers=headers,
                verify=PLAIN,
            )
        time.sleep(0.5)
        assert head(port) == before
        assert send(port, key, file, "partial").json()["totals"]["created"] == 600


def head(port: int) -> int:
    answer = httpx.get(f"http://127.0.0.1:{port}/v1", verify=PLAIN)
    sequence: int = answer.json()["sequence"]
    return sequence
