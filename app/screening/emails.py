"""E-mail addresses, also in the ways that are to hide them from machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.screening.kinds import Finding, Identifying

_BOX = r"[^\W_](?:[\w.+'%&~-]{0,62}[\w+-])?"
_HOST = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_DOT = r"(?:\.|[ ]?[\[({<][ ]?(?:dot|\.)[ ]?[\])}>][ ]?|[ ]dot[ ])"
_SPELT_DOT = r"(?:[ ]?[\[({<][ ]?(?:dot|\.)[ ]?[\])}>][ ]?|[ ]dot[ ])"
_TOP = r"(?:[^\W\d_]{2,24}|xn--[\w-]{2,40})\b"

_BEFORE = re.compile(rf"(?<![\w.+-])({_BOX})[ ]?$")
"""The mailbox, before the sign."""
_AFTER = re.compile(rf"[ ]?({_HOST}(?:{_DOT}{_HOST})*{_DOT}({_TOP}))", re.IGNORECASE)
"""The host, behind it."""

_BRACKET = re.compile(r"[\[({<]")
_BRACKETED = re.compile(r"[\[({<][ ]?(?:at|@)[ ]?[\])}>]", re.IGNORECASE)
_SPELT = re.compile(r"[ ]at(?=[ ])", re.IGNORECASE)
_SPELT_AFTER = re.compile(
    rf"[ ]({_HOST}(?:{_DOT}{_HOST})*{_SPELT_DOT}{_HOST}(?:{_DOT}{_HOST})*)\b", re.IGNORECASE
)
_SIGN = re.compile(r"@")

_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"})
"""What ends a file's name like ``logo@2x.png``."""

_TOPS = frozenset(["uk", "com", "org", "net", "edu", "info", "eu", "ie", "scot", "wales", "io"])
"""What an address that is all in words ends with: we meet at the dot on the map."""

_LONGEST_BOX = 64


def find(text: str) -> Iterator[Finding]:
    """The e-mail addresses in a folded text."""
    if "@" in text:
        yield from _around(text, _SIGN, _AFTER)
    if _BRACKET.search(text):
        yield from _around(text, _BRACKETED, _AFTER)
    if " dot " in text or " DOT " in text:
        yield from _around(text, _SPELT, _SPELT_AFTER)


def _around(text: str, sign: re.Pattern[str], after: re.Pattern[str]) -> Iterator[Finding]:
    for at in sign.finditer(text):
        host = after.match(text, at.end())
        if host is None or _is_file(host[1]):
            continue
        if sign is _SPELT and host[1].lower().rpartition(" ")[2] not in _TOPS:
            continue
        first = max(0, at.start() - _LONGEST_BOX - 2)
        box = _BEFORE.search(text[first : at.start()])
        if box is not None and not text.endswith("://", 0, first + box.start()):
            yield Finding(Identifying.EMAIL_ADDRESS, first + box.start(1), host.end(1))


def _is_file(host: str) -> bool:
    return host.rpartition(".")[2].lower() in _FILES
