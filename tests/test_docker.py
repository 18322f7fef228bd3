"""The image and the composition, as far as they can be checked without an engine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
HADOLINT = shutil.which("hadolint", path=Path(sys.executable).parent)


@pytest.fixture(scope="module")
def last_stage() -> list[tuple[str, str]]:
    """The instructions of the stage that becomes the image, as (name, arguments)."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    instructions = [(name, rest.strip()) for name, rest in (line.split(" ", 1) for line in lines)]
    start = max(at for at, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[start:]


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    composition: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
        (ROOT / "compose.yaml").read_text()
    )
    return composition["services"]


@pytest.mark.skipif(HADOLINT is None, reason="hadolint has no wheel for this platform")
def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    linter = subprocess.run(
        [str(HADOLINT), "--no-color", "--failure-threshold=style", "Dockerfile"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert (linter.returncode, linter.stdout) == (0, "")


def test_the_image_is_pinned_and_runs_without_root(last_stage: list[tuple[str, str]]) -> None:
    names = [name for name, _ in last_stage]
    image = dict(last_stage)

    assert re.fullmatch(r"python:3\.\d+-slim-\w+", image["FROM"])
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", image["USER"])
    assert "RUN" not in names[names.index("USER") :]


def test_the_image_serves_and_hears_the_signal_to_stop(last_stage: list[tuple[str, str]]) -> None:
    # The exec form: a shell between the engine and the service would keep the signal.
    command = json.loads(dict(last_stage)["CMD"])

    assert command == ["register", "serve", "--host", "0.0.0.0", "--port", "8000"]  # noqa: S104


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_the_health_check_tells_whether_the_service_lives(
    last_stage: list[tuple[str, str]], status: int | None, healthy: bool
) -> None:
    _, check = dict(last_stage)["HEALTHCHECK"].split("CMD ", 1)
    _, *arguments = json.loads(check)

    with answering(status) as port:
        code = subprocess.run(
            [sys.executable, *(each.replace(":8000", f":{port}") for each in arguments)],
            check=False,
            capture_output=True,
            # A proxy in the environment must not come between.
            env={"http_proxy": "http://127.0.0.1:9"},
        ).returncode

    assert (code == 0) is healthy


@contextmanager
def answering(status: int | None) -> Iterator[int]:
    """The port of a server that answers `/livez` with this status; of nobody, without one."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if status is None or self.path != "/livez" else status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        if status is None:
            server.server_close()
            yield server.server_port
            return
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_no_password_comes_with_the_composition(services: dict[str, dict[str, Any]]) -> None:
    secrets = {
        f"{name}.{key}": value
        for name, service in services.items()
        for key, value in service["environment"].items()
        if "PASSWORD" in key
    }

    assert secrets.keys() == {
        "register.PGPASSWORD",
        "migrate.PGPASSWORD",
        "database.POSTGRES_PASSWORD",
    }
    # `:?` stops the composition if the variable is absent or empty.
    assert all(re.fullmatch(r"\$\{POSTGRES_PASSWORD:\?.+\}", each) for each in secrets.values())
    assert "@" in services["register"]["environment"]["REGISTER_DATABASE_URL"]
    assert not re.search(r":[^/]*@", services["register"]["environment"]["REGISTER_DATABASE_URL"])


def test_the_service_waits_for_a_migrated_database(services: dict[str, dict[str, Any]]) -> None:
    assert services["register"]["depends_on"] == {
        "database": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["migrate"]["command"] == ["register", "database", "upgrade"]
    assert services["migrate"]["restart"] == "no"
    assert "pg_isready" in services["database"]["healthcheck"]["test"]


def test_the_data_outlives_the_containers(services: dict[str, dict[str, Any]]) -> None:
    # From 18 on, PostgreSQL keeps its data in a folder of its version below this one.
    assert services["database"]["image"].startswith("postgres:18-")
    assert services["database"]["volumes"] == ["database:/var/lib/postgresql"]


def test_nothing_is_offered_to_the_network_but_by_a_proxy(
    services: dict[str, dict[str, Any]],
) -> None:
    ports = {name: service.get("ports", []) for name, service in services.items()}

    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)
    assert ports["database"] == []


def test_the_host_that_the_health_check_names_is_allowed(
    services: dict[str, dict[str, Any]],
) -> None:
    allowed = services["register"]["environment"]["REGISTER_ALLOWED_HOSTS"]

    assert "127.0.0.1" in allowed.split(",")
