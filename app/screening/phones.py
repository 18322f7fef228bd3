"""Phone numbers, as they are dialled in the United Kingdom."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from app.screening.kinds import Finding, Identifying

_SEPARATED = r"(?:[ .\-/()]{0,3}\d)"
_DIALLED = re.compile(
    r"(?<![\w£$€])(?<![\w][-/])(?<!\d[.,])"
    rf"(?:\+[ ]?\(?\d{_SEPARATED}{{7,14}}|\(?0{_SEPARATED}{{8,14}})"
    r"(?!\d|[,.]\d|[-/]\d|[-]?[A-Za-z]{2}\d|\s?%)"
)
"""A plus or a nought, and digits behind it; whatever may stand between them."""

_BARE_MOBILE = re.compile(
    r"\b(?:tel(?:ephone)?|mob(?:ile)?|phone|call|ring|text|whatsapp)\b[^\d\n]{0,12}"
    rf"(7\d{_SEPARATED}{{8}})(?!\d)",
    re.IGNORECASE,
)
"""A mobile number that lost its nought in a spreadsheet, beside a word that says what it is."""

_NO_DIGIT = re.compile(r"\D")
_DAY = re.compile(r"0?\d([-. /])\d{1,2}\1\d{2,4}\b")
_PLAN = re.compile(r"0[1235789]\d{9}")
"""How all numbers start in the national plan, and how long nearly all of them are (Ofcom)."""

_ABROAD_OR_SHORT = re.compile(r"00[1-9]\d{7,13}|0(?:1|500|800)\d{6,8}")
"""What the library is asked of: it takes a tenth of a millisecond."""

_UNITED_KINGDOM = 44

_FEWEST, _MOST_GROUPS = 9, 4
"""Digits that a number has at least, and places where it may end that are tried."""


def find(text: str) -> Iterator[Finding]:
    """The phone numbers in a folded text."""
    for match in _DIALLED.finditer(text):
        for end in _ends(match):
            if _is_dialled(text[match.start() : end]):
                yield Finding(Identifying.PHONE_NUMBER, match.start(), end)
                break
    for match in _BARE_MOBILE.finditer(text):
        if _PLAN.fullmatch("0" + _NO_DIGIT.sub("", match[1])):
            yield Finding(Identifying.PHONE_NUMBER, *match.span(1))


_GROUP = re.compile(r"\d+")


def _ends(match: re.Match[str]) -> list[int]:
    """Where the number may end, the furthest first: another figure may follow behind a space."""
    groups = list(_GROUP.finditer(match[0]))
    ends: list[int] = []
    digits = 0
    for group in groups:
        digits += len(group[0])
        if digits >= _FEWEST:
            ends.append(match.start() + group.end())
    return ends[::-1][:_MOST_GROUPS]


def _is_dialled(written: str) -> bool:
    if _DAY.match(written):
        return False
    digits = _NO_DIGIT.sub("", written)
    # What is possible by the plan is taken, in use or not: a number that is new is no less
    # somebody's than one that the library knows.
    if _PLAN.fullmatch(digits):
        return True
    if not (written.startswith("+") or _ABROAD_OR_SHORT.fullmatch(digits)):
        return False
    try:
        number = phonenumbers.parse(written, "GB")
    except phonenumbers.NumberParseException:
        return False
    if number.country_code == _UNITED_KINGDOM and _PLAN.fullmatch(f"0{number.national_number}"):
        return True
    return phonenumbers.is_valid_number(number)
