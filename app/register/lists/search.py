"""What somebody typed into a search box, as words to look for.

The syntax is that of web searches, and of PostgreSQL's ``websearch_to_tsquery``: all words must
be there, ``"an exact phrase"``, ``-without``, and ``or`` between alternatives.
"""

from __future__ import annotations

import re
import unicodedata

from app.dialects.protocol import Alternative
from app.errors import Fault, ValidationFailed

_TOKEN = re.compile(r'(-?)"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+")

MOST_WORDS = 32


def fold(text: str) -> str:
    """Lower case without accents, as names are ordered and looked up."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def sort_key(name: str) -> str:
    """What a name is ordered by: so much of it that any index can hold it."""
    return fold(name)[:200]


def alternatives(q: str, *, pointer: str = "?q") -> list[Alternative]:
    """The sides of the ``or`` in ``q``, which stands where the pointer says.

    Raises:
        ValidationFailed: when there is no word to look for, or there are too many.
    """
    sides: list[Alternative] = []
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    words_seen = 0
    for minus, phrase, bare in _TOKEN.findall(q):
        if bare.casefold() == "or":
            if wanted or unwanted:
                sides.append(Alternative(tuple(wanted), tuple(unwanted)))
                wanted, unwanted = [], []
            continue
        without = bool(minus) or bare.startswith("-")
        # A word with punctuation in it, like "check-ins", is a phrase of its parts.
        words = tuple(_WORD.findall(unicodedata.normalize("NFC", phrase or bare)))
        words_seen += len(words)
        if words:
            (unwanted if without else wanted).append(words)
    if wanted or unwanted:
        sides.append(Alternative(tuple(wanted), tuple(unwanted)))
    if words_seen > MOST_WORDS:
        raise _refused(pointer, f"Search for {MOST_WORDS} words at most.")
    if not sides or not all(side.wanted for side in sides):
        raise _refused(
            pointer, "Each side of an `or` needs a word to look for, not only words without."
        )
    return sides


def _refused(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(
        "The search has nothing to look for.", faults=(Fault(pointer, "not_a_search", detail),)
    )
