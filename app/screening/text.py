"""All that is found in a text."""

from __future__ import annotations

import re

from app.screening import births, emails, names, numbers, phones
from app.screening.folding import folded
from app.screening.kinds import Finding, Identifying

_WEB_ADDRESS = re.compile(r"(?:https?://|www\.|doi:\s?|10\.\d{4,9}/)\S+", re.IGNORECASE)
_SUSPECT = re.compile(r"[0-9@\[({<]|M[rRsSiIxXe]|Dr|mr| dot | DOT ")
"""One of these is in each text in which anything is found."""
_WORD_OR_DAY = re.compile(r"[a-z_-]*|[A-Za-z0-9_-]{0,8}|[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""A slug, a word of a list, an ODS code, a day; they are the most of all texts."""
_DIGIT = re.compile("[0-9]")
_STARTS = ("://", "www.", "10.", "doi:")
_LONG_NUMBER = re.compile(r"[0-9](?:[ .()/\-]{0,3}[0-9]){8}")


def findings(text: str) -> list[Finding]:
    """What in the text may be personal data, in the order in which it stands there.

    Of two that overlap, the surer one is told. The time that it takes grows with the text's length
    and no faster, whatever stands in it.
    """
    # Nearly all texts are clean, and most of them short: each step asks something cheap first.
    prose = plain = folded(text)
    if _SUSPECT.search(plain) is None or _WORD_OR_DAY.fullmatch(plain):
        return []
    found: list[Finding] = []
    if _DIGIT.search(plain):
        # A number in a web address is a page's or an article's; but who writes `?nhs_number=` gives
        # such a one.
        if _has_start(plain):
            found += numbers.find_in_addresses(plain)
            prose = _blanked(plain)
        if _LONG_NUMBER.search(prose):
            found += (*numbers.find(prose), *phones.find(prose))
        found += births.find(prose)
    found += (*emails.find(plain), *names.find(prose))
    return _apart(found) if len(found) > 1 else found


def _has_start(text: str) -> bool:
    lower = text.lower()
    return any(start in lower for start in _STARTS)


def _blanked(text: str) -> str:
    """The text with something that is nothing in the place of web addresses."""
    return _WEB_ADDRESS.sub(lambda match: "_" * len(match[0]), text)


_RANK = {kind: rank for rank, kind in enumerate(Identifying)}


def _apart(found: list[Finding]) -> list[Finding]:
    """Those that do not overlap with a surer one; the kinds are in that order."""
    kept: list[Finding] = []
    for each in sorted(found, key=lambda each: (each.start, _RANK[each.kind])):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
        elif _RANK[each.kind] < _RANK[kept[-1].kind]:
            kept[-1] = each
    return kept
