"""Texts as they would be in plain letters, so that each form is looked for once.

Digits of any script become digits, any space a space, any dash a hyphen, and full-width letters
letters. Each character becomes just one, so that a position in the folded text is the position in
the text.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
"""Soft hyphens, joiners and spaces of no width: they stand where another text has a space."""


class _Folds(dict[str, str]):
    """What each character becomes; it learns each when it is first met."""

    def __missing__(self, sign: str) -> str:
        self[sign] = folded = _fold(sign)
        return folded


def _fold(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category == "Zs" or sign in _INVISIBLE:
        return " "
    if category == "Pd" or sign == "\u2212":
        return "-"
    if sign in "\u2018\u2019\u02bc":
        return "'"
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 and plain.isascii() else sign


_FOLDS = _Folds()
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def folded(text: str) -> str:
    """The text in plain signs; it is as long as it was."""
    return text if text.isascii() else _NOT_ASCII.sub(lambda sign: _FOLDS[sign[0]], text)
