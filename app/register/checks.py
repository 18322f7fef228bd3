"""Checking an entry before it is submitted: all that would be said of it, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from app.errors import Fault, RegisterError
from app.likeness import texts
from app.models.checks import Checked, CheckFault, PersonalData
from app.models.faults import faults_of
from app.models.innovations import InnovationCreate
from app.models.stories import StoryCreate
from app.register import entries, innovations, screening, stories, story_entries
from app.register.access import Caller
from app.screening import Identifying


def innovation(session: Session, sent: dict[str, Any], *, by: Caller) -> Checked:
    """What would be said of this body of a `POST /v1/innovations`.

    The rules are those of submitting it, and asked in the same way.
    """

    def could_add() -> None:
        entry = InnovationCreate.model_validate(sent)
        innovations.could_add(session, entry, entries.next_number(session), by=by)

    return _checked(sent, could_add)


def story(session: Session, sent: dict[str, Any], *, by: Caller) -> Checked:
    """As :func:`innovation`, of a body of a `POST /v1/stories`."""

    def could_add() -> None:
        entry = StoryCreate.model_validate(sent)
        stories.could_add(session, entry, story_entries.next_number(session), by=by)

    return _checked(sent, could_add)


def written(sent: dict[str, Any], *names: str) -> str:
    """What these parts of a body say so far, to be compared with what the register holds.

    What may be personal data is left out: words of it could stand in the answer.
    """
    parts = (part for name in names if isinstance(part := sent.get(name), str))
    return texts.of_parts(*(screening.without(part[: texts.MOST_READ]).strip() for part in parts))


def _checked(sent: dict[str, Any], could_add: Callable[[], None]) -> Checked:
    found = screening.faults(sent)
    wrong = _faults(could_add)
    return Checked(
        valid=not found and not wrong,
        errors=[
            CheckFault(pointer=fault.pointer, code=fault.code, detail=fault.detail)
            for fault in wrong
        ],
        personal_data=[
            PersonalData(
                pointer=fault.pointer,
                kind=Identifying(fault.code),
                start=fault.start or 0,
                end=fault.end or 0,
                detail=fault.detail,
            )
            for fault in found
        ],
    )


def _faults(could_add: Callable[[], None]) -> tuple[Fault, ...]:
    try:
        could_add()
    except ValidationError as error:
        return faults_of(error, "#")
    except RegisterError as error:
        return error.faults or (Fault("#", error.slug.replace("-", "_"), error.detail),)
    return ()
