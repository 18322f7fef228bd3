"""The words of an expression, and where each stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from app.errors import MalformedQuery

MOST_TOKENS = 1_000
"""Words of one option. It bounds what reading, and then asking the database, may cost."""


class Sort(StrEnum):
    """What a word is."""

    TEXT = "text"
    MOMENT = "moment"
    DAY = "day"
    GUID = "guid"
    FOREIGN = "foreign"
    """A value of a kind that nothing in the register has."""
    NUMBER = "number"
    NAME = "name"
    SIGN = "sign"
    END = "end"


class Token(NamedTuple):
    """A word, where it starts (from 1), and whether a space comes before it."""

    sort: Sort
    text: str
    at: int
    spaced: bool


# A name may have `$` before it (an option within `$expand`), or `@` (an alias), or points in it.
_WORDS = re.compile(
    r"""
      (?P<text>'(?:[^']|'')*')
    | (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d))(?![\w-])
    | (?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})(?![\w-])
    | (?P<day>\d{4}-\d\d-\d\d)(?![\w-])
    | (?P<foreign>\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?![\w-])
                  |(?:duration|binary|geography|geometry)'[^']*'|-INF\b)
    | (?P<number>[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,5})?)(?![\w.])
    | (?P<name>[$@]?[^\W\d]\w{0,127}(?:\.[^\W\d]\w{0,127})*)
    | (?P<sign>[(),:;/=*-])
    """,
    re.VERBOSE | re.ASCII,
)
_SPACE = re.compile(r"[ \t]*")


def tokens(option: str, text: str) -> list[Token]:
    """The words of an option's text; the last of them is its end.

    Raises:
        MalformedQuery
    """
    found = list(_tokens(option, text))
    if len(found) > MOST_TOKENS:
        raise malformed(option, found[MOST_TOKENS].at, "too_long", "This is too long.")
    return found


def _tokens(option: str, text: str) -> Iterator[Token]:
    at = 0
    while True:
        space = _SPACE.match(text, at)
        spaced = space is not None and space.end() > at
        at = space.end() if space else at
        if at == len(text):
            yield Token(Sort.END, "", at + 1, spaced)
            return
        word = _WORDS.match(text, at)
        if word is None or word.lastgroup is None:
            raise malformed(option, at + 1, "unreadable", _hint(text[at]))
        yield Token(Sort(word.lastgroup), word[0], at + 1, spaced)
        at = word.end()


def _hint(letter: str) -> str:
    if letter == "'":
        return "The text that starts here is never closed; write a quote within it twice."
    if letter == '"':
        return "Texts stand in single quotes."
    if letter.isdigit():
        return (
            "This is no number, day (`2020-04-01`) or time (`2020-04-01T00:00:00Z`; in an address, "
            "a `+` is `%2B`)."
        )
    if letter in "<>=!&|":
        return "Compare with eq, ne, gt, ge, lt and le; join with and, or and not."
    return "This cannot be read."


def malformed(option: str, at: int, code: str, detail: str) -> MalformedQuery:
    """What is wrong at a place of an option."""
    error = MalformedQuery.at(f"?{option}", code, f"At character {at} of `{option}`: {detail}")
    assert isinstance(error, MalformedQuery)
    return error
