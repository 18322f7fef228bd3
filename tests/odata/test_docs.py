"""`docs/odata.md` says what is so: its examples are run, and the tests that it names are there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

from app.register import demonstration
from tests.conftest import Register

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "odata.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def test_each_example_answers_what_the_page_shows(register: Register) -> None:
    register.database.transaction(demonstration.load)
    examples = re.findall(r"```sh\ncurl (.*?)```(?:\n\n```json\n(.*?)```)?", PAGE, re.S)
    assert len(examples) >= 3
    for command, shown in examples:
        words = shlex.split(command.replace("\\$", "$"))
        target = next(urlsplit(word).path for word in words if word.startswith(ADDRESS))
        query = [word.partition("=")[::2] for word in words if re.match(r"\$\w+=", word)]
        answer = register.client().get(target, params=dict(query))
        assert answer.status_code == 200, answer.text
        if shown:
            assert answer.text.replace(register.url, ADDRESS) == json.dumps(
                json.loads(shown), separators=(",", ":"), ensure_ascii=False
            )
        else:
            assert f"({answer.text}, " in PAGE


def test_each_test_that_the_page_names_is_there() -> None:
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"`(test_\w+)`", PAGE)
    assert len(named) > 10
    for name in named:
        assert f"def {name}(" in tests, name
