"""Persons' names, where a title says that one follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.screening.kinds import Finding, Identifying
from app.screening.words import NO_NAMES

_WORD = r"[^\W\d_]+(?:['-][^\W\d_]+)*"
_BETWEEN = r"(?:\.[ \t]{0,2}|[ \t]{1,3}|[ \t]?\n)"
_INITIALS = r"(?:[^\W\d_](?:\.[ ]{0,2}|[ ]{1,2})){0,3}"
_PARTICLES = r"(?:(?:van|von|der|den|de|da|di|du|la|le|el|al|bin|ben|st\.?|mac|mc)[ ]){0,3}"

_TITLED = re.compile(
    rf"(M(?:rs?|s|iss|x|essrs|RS?|S|ISS|X)|Dr|mrs?)(?={_BETWEEN}"
    rf"({_INITIALS}{_PARTICLES}({_WORD})(?:[ ]({_WORD}))?))"
)
"""Ms and Miss have a capital: in small letters they are milliseconds, and to be absent."""

_JOINED = re.compile(r"[\w'@/.-]")
"""What no title starts behind."""

_NEAR = re.compile(r"(?:near|hit or|never|don't|not)[ -]$", re.IGNORECASE)
_FIRM = re.compile(r"(?:'s)?[ ](?:Hospital|Hospice|Ltd|Limited|Intelligence|Foundation|plc)\b")


def find(text: str) -> Iterator[Finding]:
    """The names in a folded text; each with its title."""
    for match in _TITLED.finditer(text):
        title, word = match[1], match[3].removesuffix("'s").removesuffix("'S")
        if (
            len(word) > 1
            and not _JOINED.search(text, max(0, match.start() - 1), match.start())
            and word.lower() not in NO_NAMES
            and _is_cased(title, word)
            and not (
                title in ("Miss", "MISS")
                and _NEAR.search(text[max(0, match.start() - 8) : match.start()])
            )
            and not _FIRM.match(text, match.end(3))
        ):
            second = match[4]
            whole = second is not None and _is_name(second)
            yield Finding(Identifying.PERSON_NAME, match.start(), match.end(4 if whole else 3))


def _is_cased(title: str, word: str) -> bool:
    """Whether the word is written as a name behind such a title is.

    What is all in capitals is a name only if the title is, too: MR SMITH; and the other way about,
    for MS Teams and MR Imaging.
    """
    if title in ("mr", "mrs"):
        return True
    if title.isupper():
        return word.isupper()
    return _is_name(word)


def _is_name(word: str) -> bool:
    # Scripts that know no capitals have names, too.
    return not word[0].islower()
