"""Demonstration content: innovations after the report "10 Leaps Forward", in our own words."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from sqlmodel import Session

from app.models.adoptions import AdoptionCreate, AdoptionPublic, AdoptionUpdate
from app.models.innovations import InnovationCreate, Source
from app.models.organisations import OrganisationKind
from app.register import adoptions, innovations, organisations
from app.register.access import Caller
from app.register.entries import document_of, of_source
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
    _load_adoptions(session)
    return new


def _load_adoptions(session: Session) -> None:
    """Adoptions by organisations that do not exist, and say so: no real one is said to do a thing.

    What is there already stays as it is.
    """
    text = files("app.reference").joinpath("demonstration_adoptions.json").read_text("utf-8")
    said = json.loads(text)
    for code, name in said["organisations"].items():
        facts = Facts(code=code, name=name, kind=OrganisationKind.OTHER)
        organisations.put(session, facts, by=Caller(organisation=code))
    for adoption in said["adoptions"]:
        code = adoption["organisation"]
        source = Source(system=_SYSTEM, id=adoption["of"])
        row = of_source(session, SUBMITTER.code, source)
        if row is None or any(at.organisation == code for at in document_of(row).adoptions):
            continue
        by = Caller(organisation=code)
        first, *later = adoption["steps"]
        made = adoptions.add(session, row.id, AdoptionCreate.model_validate(first), by=by)
        id = AdoptionPublic.model_validate_json(made.document).id
        for step in later:
            patch = AdoptionUpdate.model_validate(step)
            precondition = Precondition(_ANY)
            adoptions.change(session, row.id, id, patch, by=by, precondition=precondition)


_SYSTEM = "10-leaps-forward"
_ANY = frozenset({"*"})
