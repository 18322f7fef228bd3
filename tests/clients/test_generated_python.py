"""A client that openapi-python-client makes from our document does the main job."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.clients.running import CLIENTS, entry, environment, run
from tests.conftest import Register
from tests.http.speaking import Submit, head_of

PACKAGE = "innovation_register_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client, and the example that uses it."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(json.dumps(create_app(Settings()).openapi()))
    config = folder / "config.yaml"
    config.write_text("post_hooks: []\n")  # the client need not be laid out
    made = run(
        *(sys.executable, "-m", "openapi_python_client", "generate"),
        *("--path", document, "--config", config),
        *("--meta", "none", "--output-path", folder / PACKAGE),
        at=folder,
    )
    # What is not JSON, such as a spreadsheet, it leaves out and says so. All else it must know.
    # (Told to take files for bytes, it makes a function for imports that fails at any body.)
    other = r"Unsupported content[_ ]type (?!application/(\S+\+)?json\b)"
    for warning in re.split(r"^WARNING ", made.stdout + made.stderr, flags=re.MULTILINE)[1:]:
        assert re.search(other, warning), warning
    shutil.copy(CLIENTS / "python" / "generated.py", folder)
    return folder


def test_the_generated_client_and_its_use_have_sound_types(generated: Path) -> None:
    nothing = generated / "mypy.ini"
    nothing.write_text("[mypy]\nstrict = true\n")

    run(
        *(sys.executable, "-m", "mypy", "--config-file", nothing, PACKAGE, "generated.py"),
        at=generated,
    )


def test_it_submits_pages_through_and_follows_changes(
    generated: Path, register: Register, trust: httpx.Client, submit: Submit
) -> None:
    keep = {"status": "keep", "reason": "Staff ask for it."}
    kept = [submit(**entry(f"Huddle {number}", decision=keep)) for number in range(101)]
    submit(**entry("Not decided"))
    env = environment(register, register.key("R0A"), PYTHONPATH=str(generated))

    told = run(sys.executable, "generated.py", at=generated, env=env).stdout.splitlines()

    [made] = [line.split()[1] for line in told if line.startswith("submitted")]
    found = trust.get(f"/v1/innovations/{made}").json()
    assert (found["status"], found["tags"], found["version"]) == ("keep", ["huddle"], 1)
    listed = [line.split()[1] for line in told if line.startswith("kept")]
    assert sorted(listed) == sorted([made, *(each["reference"] for each in kept)])
    lines = [int(line.split()[1]) for line in told if line.startswith("line")]
    assert lines == list(range(1, head_of(trust) + 1))


def test_it_reads_a_problem(generated: Path, register: Register) -> None:
    env = environment(register, "inr_wrong", PYTHONPATH=str(generated))

    ended = run(sys.executable, "generated.py", at=generated, env=env, fails=True)

    assert "RuntimeError" in ended.stderr
