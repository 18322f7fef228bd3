"""No personal data: every text that comes in is screened here, whichever way it comes.

A request is screened by its route (`app/http/route.py`) before anything else sees it: its body, its
query and its path, all as they were sent. A row of a file is screened where it is judged
(`app/register/imports.py`). So no operation and no rule has to think of it, and none can forget it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app import screening
from app.errors import Fault, Forbidden, PossiblePersonalData
from app.models.faults import MOST_FAULTS
from app.register.access import Caller
from app.screening import Identifying

REFERENCES = frozenset({"source"})
"""What holds the sender's own ids: there, a number is a reference, and an address is somebody's."""

_WORDS = {
    Identifying.NHS_NUMBER: "This looks like an NHS number",
    Identifying.EMAIL_ADDRESS: "This looks like an e-mail address",
    Identifying.PHONE_NUMBER: "This looks like a phone number",
    Identifying.DATE_OF_BIRTH: "This looks like a date of birth",
    Identifying.PERSON_NAME: "This looks like a person's name",
}


def faults(value: Any, pointer: str = "#") -> tuple[Fault, ...]:
    """What may be personal data in a JSON value; never more than a problem tells."""
    if _is_clean(value):
        return ()
    found: list[Fault] = []
    for at, text, is_reference in _texts(value, pointer, is_reference=False):
        found += of_text(text, at, is_reference=is_reference)
        if len(found) >= MOST_FAULTS:
            break
    return tuple(found[:MOST_FAULTS])


def _is_clean(value: Any) -> bool:
    """Whether nothing is found in it, as in nearly all: so that no pointers have to be made."""
    if isinstance(value, str):
        return not screening.findings(value)
    if isinstance(value, dict):
        return all(map(_is_clean, value.values()))
    return not isinstance(value, list) or all(map(_is_clean, value))


def of_text(text: str, pointer: str, *, is_reference: bool = False) -> Iterator[Fault]:
    """What may be personal data in a text."""
    for kind, start, end in screening.findings(text):
        if not is_reference or kind is Identifying.EMAIL_ADDRESS:
            words = f"{_WORDS[kind]} (characters {start} to {end})."
            yield Fault(pointer, kind.value, words, start, end)


def without(text: str) -> str:
    """The text, and a gap where there may be personal data."""
    for _, start, end in screening.findings(text):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _texts(value: Any, pointer: str, *, is_reference: bool) -> Iterator[tuple[str, str, bool]]:
    """All texts in a JSON value, each with its pointer and whether it is a reference."""
    if isinstance(value, str):
        yield pointer, value, is_reference
    elif isinstance(value, dict):
        for name, part in value.items():
            escaped = name.replace("~", "~0").replace("/", "~1")
            inside = is_reference or name in REFERENCES
            yield from _texts(part, f"{pointer}/{escaped}", is_reference=inside)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, f"{pointer}/{number}", is_reference=is_reference)


def must_name_nobody(text: str) -> None:
    """Refuses a text of an operator's with personal data in it.

    Raises:
        PossiblePersonalData
    """
    found = tuple(of_text(text, "#/reason"))
    if found:
        raise PossiblePersonalData("The log keeps it: name nobody.", faults=found)


def judged(caller: Caller, found: Sequence[Fault], *, accept: bool) -> Caller:
    """The caller, as whose line in the log says what was accepted.

    Raises:
        PossiblePersonalData: unless a curator accepts it.
        Forbidden: when anybody else would.
    """
    must_accept(caller, accept=accept)
    if not found:
        return caller
    if not accept:
        raise PossiblePersonalData(
            "The register takes no personal data, and this may be some.", faults=tuple(found)
        )
    return replace(caller, accepts_flagged=True)


def must_accept(caller: Caller, *, accept: bool) -> None:
    """Refuses `accept_flagged` to all but curators.

    Raises:
        Forbidden
    """
    if accept and not caller.curates:
        raise Forbidden("`accept_flagged` needs a key with the scope `curate`.")
