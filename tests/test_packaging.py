"""The project as it is installed: the locks, and the wheel."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import BytesParser
from email.policy import compat32
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-test.txt")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@cache
def locked(name: str) -> dict[str, Requirement]:
    """What a lock pins, by package; fails at a line that is not a pin with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        pin, *hashes = re.split(r"\s+(?=--hash)", line.strip())
        requirement = Requirement(pin)
        assert hashes, f"{pin} has no hash"
        assert all(HASH.fullmatch(value) for value in hashes), f"{pin} has a hash of another kind"
        assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier)), f"{pin} is not pinned"
        assert requirement.name not in found, f"{pin} is pinned twice"
        found[requirement.name] = requirement
    return found


@cache
def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, without the extras that it names in extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    requirements = [Requirement(line) for line in lines]
    return [each for each in requirements if each.name != project["name"]]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert not re.search(r"://|@|--(?!hash=)|^-\w", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("lock", "extras"), [(LOCKS[0], ("build",)), (LOCKS[1], ("build", "test"))]
)
def test_a_lock_satisfies_what_the_project_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    pins = locked(lock)

    unsatisfied = [
        str(requirement)
        for requirement in wanted(*extras)
        if requirement.name not in pins
        or not all(
            requirement.specifier.contains(pin.version) for pin in pins[requirement.name].specifier
        )
    ]

    assert not unsatisfied, "run `make lock`"


def test_the_lock_for_tests_holds_all_of_the_lock_to_run() -> None:
    run, test = locked(LOCKS[0]), locked(LOCKS[1])

    # Tests may need on every platform what the service needs on some.
    pinned = {name: test[name].specifier for name in run if name in test}
    assert pinned == {name: run[name].specifier for name in run}


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"])
def test_what_a_reader_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).read_text().strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as `pip install .` builds it, with no network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [file] = folder.glob("innovation_register-*.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = [
        file.relative_to(ROOT)
        for file in (*ROOT.glob("app/**/*"), *ROOT.glob("migrations/**/*"))
        if file.is_file() and file.suffix != ".pyc"
    ]
    in_wheel = {
        f"app/{file.as_posix()}" if file.parts[0] == "migrations" else file.as_posix()
        for file in files
    }

    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}

    assert packed == in_wheel


@pytest.mark.parametrize(
    "pattern",
    [
        r"app/migrations/env\.py",
        r"app/migrations/versions/\w+\.py",
        r"app/reference/\w+\.json",
        r"app/web/templates/.+\.html",
    ],
)
def test_the_wheel_holds_what_a_service_needs(wheel: zipfile.ZipFile, pattern: str) -> None:
    assert any(re.fullmatch(pattern, name) for name in wheel.namelist())


def test_the_wheel_holds_the_licence_and_asks_for_nothing_of_the_tests(
    wheel: zipfile.ZipFile,
) -> None:
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = BytesParser(policy=compat32).parsebytes(wheel.read(name))
    asked = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]

    assert metadata["License-Expression"] == "MIT"
    assert name.replace("METADATA", "licenses/LICENSE") in wheel.namelist()
    assert {each.name for each in asked if "extra" not in str(each.marker)} == {
        each.name for each in wanted()
    }
