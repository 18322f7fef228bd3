"""Demonstration content: innovations after the report "10 Leaps Forward", in our own words."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from sqlmodel import Session

from app.models.innovations import InnovationCreate, Source
from app.models.organisations import OrganisationKind
from app.register import innovations, organisations
from app.register.access import Caller
from app.register.entries import of_source
from app.register.organisations import Facts
from app.register.stored import Precondition

SUBMITTER = Facts(
    code="LSBU",
    name="Health Systems Innovation Lab, London South Bank University",
    kind=OrganisationKind.OTHER,
)


def entries() -> list[dict[str, Any]]:
    """The innovations, each as the body of a POST."""
    text = files("app.reference").joinpath("demonstration.json").read_text("utf-8")
    loaded: list[dict[str, Any]] = json.loads(text)
    return loaded


def load(session: Session) -> int:
    """Brings the demonstration content in, or up to date; returns how many were new."""
    by = Caller(organisation=SUBMITTER.code)
    organisations.put(session, SUBMITTER, by=by)
    new = 0
    for body in entries():
        entry = InnovationCreate.model_validate(body)
        source = Source.model_validate(body["source"])
        known = of_source(session, SUBMITTER.code, source)
        _, created = innovations.put_by_source(
            session, source, entry, by=by, precondition=Precondition(_ANY) if known else None
        )
        new += created
    return new


_ANY = frozenset({"*"})
