"""NHS numbers: ten digits, of which the last checks the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nhs_number.validate import is_valid

from app.screening.kinds import Finding, Identifying

_GAP = r"[ .\-]{1,2}"
_USUAL = re.compile(
    rf"""
    (?<![\w£$€]) (?<![\w][-/]) (?<!\d[.,])
    (?: \d{{10}}
      | \d{{3}}{_GAP}\d{{3}}{_GAP}\d{{4}}
      | \d{{3}}{_GAP}\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{2}}
      | \d{{5}}[ -]\d{{5}}
      | (?:\d[ -]){{9}}\d
    )
    (?! \w | [-./]\w | ,\d{{3}} | \s?% )
    """,
    re.VERBOSE,
)
"""As people write them, and beside nothing that makes another number of them: no letter or hyphen
before it (INN-0001234567), no currency, no part of a longer number."""

_LABELLED = re.compile(
    r"\b(?:nhs|chi|hsc)(?:[ _]?(?:number|num|no|nr|id))?[ .:#=_)(-]{0,4}(?:(?:is|was|of)[ :]{1,2})?"
    r"(\d(?:[ .\-/]{0,2}\d){9})(?![ -]?\d)",
    re.IGNORECASE,
)
"""After its own name, a number may be written in any way."""

_IN_ADDRESS = re.compile(r"nhs[_-]?(?:no|num|number|id)?(?:=|%3D|/)(\d{10})(?!\d)", re.IGNORECASE)

_BOOK = re.compile(r"isbn(?:-?10)?[ :#.]{0,3}$", re.IGNORECASE)
"""An ISBN of ten digits is checked in just the same way, so that its name has to tell it."""


def find(text: str) -> Iterator[Finding]:
    """The NHS numbers in a folded text."""
    for match in _USUAL.finditer(text):
        if _checks(match[0]) and not _BOOK.search(text, max(0, match.start() - 12), match.start()):
            yield Finding(Identifying.NHS_NUMBER, *match.span())
    for match in _LABELLED.finditer(text):
        if _checks(match[1]):
            yield Finding(Identifying.NHS_NUMBER, *match.span(1))


def find_in_addresses(text: str) -> Iterator[Finding]:
    """Those that stand in a web address under their own name."""
    for match in _IN_ADDRESS.finditer(text):
        if _checks(match[1]):
            yield Finding(Identifying.NHS_NUMBER, *match.span(1))


_NO_DIGIT = re.compile(r"\D")


def _checks(written: str) -> bool:
    digits = _NO_DIGIT.sub("", written)
    return len(set(digits)) > 1 and is_valid(digits)
