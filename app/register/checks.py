"""Checking an entry before it is submitted: all that would be said of it, and nothing written."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from sqlmodel import Session

from app.errors import Fault, RegisterError
from app.models.checks import CheckAnswer, CheckFault, PersonalData
from app.models.faults import faults_of
from app.models.innovations import InnovationCreate
from app.register import entries, innovations, screening
from app.register.access import Caller
from app.screening import Kind


def check(session: Session, sent: dict[str, Any], *, by: Caller) -> CheckAnswer:
    """What would be said of this body of a `POST /v1/innovations`.

    The rules are those of submitting it, and asked in the same way.
    """
    found = screening.faults(sent)
    wrong = _faults(session, sent, by)
    return CheckAnswer(
        valid=not found and not wrong,
        errors=[
            CheckFault(pointer=fault.pointer, code=fault.code, detail=fault.detail)
            for fault in wrong
        ],
        personal_data=[
            PersonalData(
                pointer=fault.pointer,
                kind=Kind(fault.code),
                start=fault.start or 0,
                end=fault.end or 0,
                detail=fault.detail,
            )
            for fault in found
        ],
    )


def _faults(session: Session, sent: dict[str, Any], by: Caller) -> tuple[Fault, ...]:
    try:
        entry = InnovationCreate.model_validate(sent)
        innovations.could_add(session, entry, entries.next_number(session), by=by)
    except ValidationError as error:
        return faults_of(error, "#")
    except RegisterError as error:
        return error.faults or (Fault("#", error.slug.replace("-", "_"), error.detail),)
    return ()
