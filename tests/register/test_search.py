"""What somebody typed into a search box, as words to look for."""

from __future__ import annotations

import pytest

from app.dialects.protocol import Alternative
from app.errors import ValidationFailed
from app.register.lists.search import MOST_WORDS, alternatives, fold

Words = list[str]


def side(wanted: Words, unwanted: Words | None = None) -> Alternative:
    """One side of an `or`; a phrase is written as one text."""
    return Alternative(
        tuple(tuple(phrase.split()) for phrase in wanted),
        tuple(tuple(phrase.split()) for phrase in unwanted or []),
    )


@pytest.mark.parametrize(
    ("q", "sides"),
    [
        ("video", [side(["video"])]),
        ("  video   ward ", [side(["video", "ward"])]),
        ('"ward round" video', [side(["ward round", "video"])]),
        ('"ward round', [side(["ward round"])]),
        ('video "', [side(["video"])]),
        ("video -pilot", [side(["video"], ["pilot"])]),
        ('video -"first pilot"', [side(["video"], ["first pilot"])]),
        ("-pilot video", [side(["video"], ["pilot"])]),
        ("video - pilot", [side(["video", "pilot"])]),
        ("video or phone", [side(["video"]), side(["phone"])]),
        ("video OR phone Or fax", [side(["video"]), side(["phone"]), side(["fax"])]),
        ("or video or", [side(["video"])]),
        ("video or or phone", [side(["video"]), side(["phone"])]),
        ('"or" video', [side(["or", "video"])]),
        ("video -pilot or phone -fax", [side(["video"], ["pilot"]), side(["phone"], ["fax"])]),
        ("check-in", [side(["check in"])]),
        ("-check-in video", [side(["video"], ["check in"])]),
        ("nurse's", [side(["nurse s"])]),
        ("a_b", [side(["a b"])]),
        ("Café ÉTÉ", [side(["Café", "ÉTÉ"])]),
        ("video*", [side(["video"])]),
        ("title:video", [side(["title video"])]),
        ("! & | video", [side(["video"])]),
        ("video --pilot", [side(["video"], ["pilot"])]),
        (" ".join(["word"] * MOST_WORDS), [side(["word"] * MOST_WORDS)]),
    ],
)
def test_what_is_typed_is_what_is_looked_for(q: str, sides: list[Alternative]) -> None:
    assert alternatives(q) == sides


@pytest.mark.parametrize(
    "q",
    [
        *("", " ", "-", '"', '""', "or", "or or", "!?", "* ^ :", "😀"),
        *("-video", "-video -ward", "video or -ward", "-ward or video"),
        " ".join(["word"] * (MOST_WORDS + 1)),
    ],
)
def test_where_there_is_nothing_to_look_for_it_is_said(q: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        alternatives(q)
    (fault,) = refused.value.faults
    assert fault.pointer == "?q"


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Café", "cafe"), ("ÅNGSTRÖM", "angstrom"), ("straße", "strasse"), ("CO₂", "co2"), ("", "")],
)
def test_folding_takes_case_and_accents_away(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded
