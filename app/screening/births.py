"""Dates of birth: a day beside a word for birth, a person's name, or a postcode."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime

from app.screening.kinds import Finding, Identifying
from app.screening.words import GIVEN_NAMES

SINCE = 2019
"""Days from this year on are a birth only beside a word for it: what the register is about began
then, and most days that stand in it, beside a place or a team, are from since."""

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DIVIDED = r"[ ]?(?P<sep>[-./])[ ]?"
_DAY = re.compile(
    rf"""
    (?: (?P<d1>\d{{1,2}}){_DIVIDED}(?P<m1>\d{{1,2}})[ ]?(?P=sep)[ ]?(?P<y1>\d{{4}}|\d{{2}})
      | (?P<y2>\d{{4}})(?P<iso>[-./])(?P<m2>\d{{1,2}})(?P=iso)(?P<d2>\d{{1,2}})
      | (?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?:[ ]of)?[ -]?
        (?P<m3>{_MONTH})\b[., -]{{0,2}}'?(?P<y3>\d{{4}}|\d{{2}})
      | (?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?[ ](?P<y4>\d{{4}})
      | (?P<d5>\d{{1,2}})[ ](?P<m5>\d{{1,2}})[ ](?P<y5>\d{{4}}|\d{{2}})
      | (?P<d6>\d{{2}})(?P<m6>\d{{2}})(?P<y6>\d{{4}}|\d{{2}})
    )
    (?! \w | [-/]\d )
    """,
    re.VERBOSE | re.IGNORECASE,
)

_WORDS = ("born", "birth", "dob", "d.o.b", "d o b", "d. o. b", "b.")
"""One of them is in each text that has a word for birth, and in few others."""

_LENGTHS = frozenset({1, 2, 4, 6, 8})
_NUMBER = re.compile("[0-9]+")
_JOINED = re.compile(r"[\w£$€]$|\d[-./]$")
"""What no day starts behind."""
_MONTH_BEFORE = re.compile(rf"(?<![^\W_])({_MONTH})\.?[ ]{{1,2}}$", re.IGNORECASE)
_LONGEST_MONTH = 12

_WORD_BEFORE = re.compile(
    r"(?<![^\W_])(?:d\.?[ ]?o\.?[ ]?b|date[ ]of[ ]birth|birth[ ]?date|day[ ]of[ ]birth|birthday|"
    r"born(?P<born>)|b(?=\.))\b\.?[)\]]?"
    r"(?:[ ]?[:=,(\[-]{0,2}[ ]?)(?:(?:is|was|on|as|of|the|a|given|recorded|her|his)[ ]){0,3}"
    r"(?:[:(\[-]?[ ]?)(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?[ ])?(?:the[ ])?$",
    re.IGNORECASE,
)
_WORD_AFTER = re.compile(
    r"[ ]?[,;(\[-]{0,2}[ ]?(?:is[ ](?:the|her|his|their)[ ])?"
    r"(?:d\.?[ ]?o\.?[ ]?b|date[ ]of[ ]birth|birth[ ]?da(?:y|te))\b",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"\b(?:idea|project|service|scheme|pilot|clinic|hub|team|programme|network|nhs|huddle|"
    r"initiative|ward|register|concept|app|tool|approach|group|unit|trust|charity|partnership|"
    r"babies|children|infants|people|patients|everyone|everybody|those|anyone|adults|all|"
    r"hospital|it|plan|movement|collaborative|model)\b(?:[ ][\w']+){0,3}[ ]?$",
    re.IGNORECASE,
)
"""Whose birth is nobody's: the pilot was born on 1 April 2020; all babies born on a day."""

_NEAR = r"[ ]?[,;:(\[/|-]{0,2}[ ]?"
_POSTCODE = r"\b[A-Z]{1,2}\d[A-Z\d]?[ ]?\d[A-Z]{2}\b"
_PERSON = r"\b([A-Z][a-z]+)(?:[ ][A-Z]\.?)?[ ](?:[A-Z][a-z]+['-])?[A-Z](?:['][A-Z])?[a-z]+\b"
_LISTED = r"\b(?:[A-Z][a-z]+['-])?[A-Z][A-Za-z']+,[ ]([A-Z][a-z]+)\b"
_POSTCODE_BEFORE = re.compile(rf"{_POSTCODE}[)\]]?{_NEAR}$")
_POSTCODE_AFTER = re.compile(rf"[)\]]?{_NEAR}(?:of[ ]|at[ ])?{_POSTCODE}")
_PERSON_BEFORE = re.compile(rf"(?:{_PERSON}|{_LISTED})[)\]]?{_NEAR}$")
_PERSON_AFTER = re.compile(rf"[)\]]?{_NEAR}(?:{_PERSON}|{_LISTED})")
_TITLED_BEFORE = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr)\.?[ ][^\W\d_][^\n\d,;:()]{{0,40}}[)\]]?{_NEAR}$"
)

_PLACE = re.compile(
    r"\b(?:Ward|Hospital|Unit|Team|Centre|Center|House|Clinic|Surgery|Suite|System|Application|Road|"
    r"Street|Infirmary|Trust|Building|Theatre|Room|Award|Report|Programme|Project|Inquiry|Review)\b"
)
"""What makes a place or a thing of a name: Victoria Ward."""

_EARLIEST = date(1890, 1, 1)

_LOOKED_AT = 64
"""Characters before and behind a day that are looked at."""


def find(text: str) -> Iterator[Finding]:
    """The dates of birth in a folded text."""
    end = 0
    lower = text.lower()
    has_word = any(word in lower for word in _WORDS)
    if not has_word and text == lower:  # persons and postcodes have capitals
        return
    for number in _NUMBER.finditer(text):
        if number.start() < end or number.end() - number.start() not in _LENGTHS:
            continue
        match = _DAY.match(text, number.start())
        if match is None or _JOINED.search(text, max(0, match.start() - 2), match.start()):
            continue
        end = match.end()
        start, day = _date(text, match)
        if day is None:
            continue
        if not has_word and day.year >= SINCE:
            continue
        before = text[max(0, start - _LOOKED_AT) : start]
        after = text[end : end + _LOOKED_AT]
        if (has_word and _beside_a_word(before, after)) or (
            match["d6"] is None
            and day.year < SINCE
            and (_beside_a_person(before, after) or _beside_a_postcode(before, after))
        ):
            yield Finding(Identifying.DATE_OF_BIRTH, start, end)


def _beside_a_word(before: str, after: str) -> bool:
    word = _WORD_BEFORE.search(before)
    if word is not None:
        return word["born"] is None or not _NOBODY.search(before[: word.start()])
    return _WORD_AFTER.match(after) is not None


def _beside_a_postcode(before: str, after: str) -> bool:
    return bool(_POSTCODE_BEFORE.search(before) or _POSTCODE_AFTER.match(after))


def _beside_a_person(before: str, after: str) -> bool:
    if _TITLED_BEFORE.search(before):
        return True
    return any(
        match is not None
        and (match[1] or match[2]).lower() in GIVEN_NAMES
        and _PLACE.search(match[0]) is None
        for match in (_PERSON_BEFORE.search(before), _PERSON_AFTER.match(after))
    )


def _date(text: str, match: re.Match[str]) -> tuple[int, date | None]:
    """Where the day starts, and which it is, if there is such a one and it has been."""
    start = match.start()
    form = next(form for form in "123456" if match[f"d{form}"])
    if form == "4":  # the month stands before it, or it is none
        first = max(0, start - _LONGEST_MONTH)
        before = _MONTH_BEFORE.search(text[first:start])
        if before is None:
            return start, None
        month, start = before[1], first + before.start()
    else:
        month = match[f"m{form}"]
    day, year = int(match[f"d{form}"]), match[f"y{form}"]
    today = datetime.now(UTC).date()
    m = int(month) if month.isdecimal() else _MONTHS.index(month[:3].lower()) + 1
    y = int(year) if len(year) == 4 else _century(int(year), today.year)
    for month_of, day_of in ((m, day), (day, m)):  # the other way, as in America
        with suppress(ValueError):
            found = date(y, month_of, day_of)
            return start, found if _EARLIEST <= found <= today else None
    return start, None


def _century(year: int, now: int) -> int:
    return year + (2000 if year <= now % 100 else 1900)
