"""What is found in texts: judged on a labelled set, of which a part was not looked at before."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.register import demonstration
from app.screening import Identifying, findings
from tests.screening import making

SET = Path(__file__).parent
PARTS = ("tune", "held", "by_hand", "last")


def labelled(part: str) -> list[tuple[str, str]]:
    """The texts of a part, each with the kind that is in it, or `clean`."""
    lines = (SET / f"{part}.tsv").read_text("utf-8").splitlines()
    rows = (line.split("\t", 1) for line in lines)
    return [(kind, ast.literal_eval(text)) for kind, text in rows]


@pytest.mark.parametrize("part", PARTS)
def test_of_a_hundred_real_forms_99_are_caught_and_of_clean_texts_one_is_flagged(
    part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    right: dict[str, list[bool]] = defaultdict(list)
    for kind, text in labelled(part):
        found = {finding.kind.value for finding in findings(text)}
        right[kind].append(not found if kind == "clean" else kind in found)

    with capsys.disabled():
        shares = [f"{kind} {sum(each)}/{len(each)}" for kind, each in right.items()]
        print(f"\n{part}: {', '.join(shares)}")  # noqa: T201 - the figures are the test's answer
    clean = right.pop("clean")
    caught = [each for kind in right.values() for each in kind]
    assert set(right) == {kind.value for kind in Identifying}
    assert sum(caught) >= 0.99 * len(caught)
    assert sum(clean) >= 0.99 * len(clean)


def test_the_set_is_what_its_maker_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "HERE", tmp_path)
    making.main()
    for part in ("tune", "held"):
        made = (tmp_path / f"{part}.tsv").read_text("utf-8")
        assert made == (SET / f"{part}.tsv").read_text("utf-8")


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inside in value.values() if isinstance(value, dict) else ():
        yield from texts_in(inside)
    for inside in value if isinstance(value, list) else ():
        yield from texts_in(inside)


def test_the_demonstration_is_clean() -> None:
    assert [text for text in texts_in(demonstration.entries()) if findings(text)] == []


WHERE = [
    ("Nr. 943 476 5919!", "943 476 5919"),
    ("👩\u200d⚕️ a\u0301 943\u2011476\u20115919", "943\u2011476\u20115919"),
    ("\u0669\u0664\u0663 \u0664\u0667\u0666 \u0665\u0669\u0661\u0669", None),
    ("Patient no.9990000018", "9990000018"),
    ("Tel.07700 900123", "07700 900123"),
    ("Ring (020) 7946 0123, please", "(020) 7946 0123"),
    ("see jane.doe (at) trust.nhs.uk.", "jane.doe (at) trust.nhs.uk"),
    ("DOB: 3rd of April 1961.", "3rd of April 1961"),
    ("the April 3, 1961 birthday: April 3, 1961.", "April 3, 1961"),
    ("So Mrs O\u2019Neill\u2019s daughter", None),
    ("It was Mr J. R. Featherstone Brown who", "Mr J. R. Featherstone Brown"),
]


@pytest.mark.parametrize(("text", "piece"), WHERE)
def test_a_finding_is_where_it_stands(text: str, piece: str | None) -> None:
    found = findings(text)
    assert found
    if piece is not None:
        assert text[found[-1].start : found[-1].end] == piece


def test_each_thing_is_told_once() -> None:
    text = "Mr Doe, DOB 3/4/1961, NHS no 943 476 5919, j.doe@example.org, 07700 900123"
    assert [finding.kind for finding in findings(text)] == [
        Identifying.PERSON_NAME,
        Identifying.DATE_OF_BIRTH,
        Identifying.NHS_NUMBER,
        Identifying.EMAIL_ADDRESS,
        Identifying.PHONE_NUMBER,
    ]


PIECES = st.sampled_from(
    ["0", "7", " ", "-", ".", "(", ")", "+44", "@", "a", "Mr ", "MS ", "DOB ", "/", "at", " dot ",
     "1961", "April ", "Jane ", "LS99 9ZZ ", "\u0663", "\uff20", "https://", "\n", "'", "\u200b"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_whatever_the_text_is_findings_lie_in_it_and_apart(text: str) -> None:
    end = 0
    for finding in findings(text):
        assert end <= finding.start < finding.end <= len(text)
        end = finding.end


BAD = [
    *("0 ", "1", "+1", "07700 900123 ", "1/1/", "DOB 3/4/61 ", "Jane Doe 3/4/61 ", "nhs "),
    *("Mr ", "Mr A. ", "mr-", "van ", "A-", "a", "'", " "),
    *("a@", "a.", "(at)", "a at a dot ", "http://"),
]


@pytest.mark.parametrize("piece", BAD)
def test_no_text_takes_more_than_its_length_accounts_for(piece: str) -> None:
    """Not measured in seconds: what grows with the square would not end at all."""
    findings(piece * (200_000 // len(piece)))
