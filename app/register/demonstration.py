"""Demonstration content after the report "10 Leaps Forward", in our own words."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, NamedTuple

from sqlmodel import Session

from app.models.adoptions import AdoptionCreate, AdoptionPublic, AdoptionUpdate
from app.models.innovations import InnovationCreate, Source
from app.models.organisations import Organisation, OrganisationKind
from app.models.stories import StoryCreate
from app.register import adoptions, innovations, organisations, stories
from app.register.access import Caller
from app.register.entries import of_source
from app.register.identifiers import reference
from app.register.organisations import Facts
from app.register.stored import Precondition

SUBMITTER = Facts(
    code="LSBU",
    name="Health Systems Innovation Lab, London South Bank University",
    kind=OrganisationKind.OTHER,
)

SYSTEM = "10-leaps-forward"
"""Where innovations and stories have their ids from."""


class New(NamedTuple):
    """How many of each kind are new."""

    innovations: int
    stories: int


def entries() -> list[dict[str, Any]]:
    """The innovations, each as the body of a POST."""
    return _loaded("demonstration.json")


def told() -> list[dict[str, Any]]:
    """The stories, each as the body of a POST; but they name innovations by their source ids."""
    return _loaded("demonstration_stories.json")


def _loaded(name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(
        files("app.reference").joinpath(name).read_text("utf-8")
    )
    return loaded


def load(session: Session) -> New:
    """Brings the demonstration content in, unless it was brought in before.

    What has become of it since then is what somebody tried out: a start undoes nothing of it, and
    brings nothing back that was withdrawn or redacted.
    """
    if session.get(Organisation, SUBMITTER.code) is not None:
        return New(0, 0)
    by = Caller(organisation=SUBMITTER.code)
    organisations.put(session, SUBMITTER, by=by)
    added = _innovations(session, by)
    _adoptions(session)
    return New(added, _stories(session, by))


def _innovations(session: Session, by: Caller) -> int:
    bodies = entries()
    for body in bodies:
        innovations.add(session, InnovationCreate.model_validate(body), by=by)
    return len(bodies)


def _adoptions(session: Session) -> None:
    """By organisations that do not exist, and say so: no real one is said to do a thing."""
    text = files("app.reference").joinpath("demonstration_adoptions.json").read_text("utf-8")
    said = json.loads(text)
    for code, name in said["organisations"].items():
        facts = Facts(code=code, name=name, kind=OrganisationKind.OTHER)
        organisations.put(session, facts, by=Caller(organisation=code))
    for adoption in said["adoptions"]:
        of = _reference(session, adoption["of"])
        by = Caller(organisation=adoption["organisation"])
        first, *later = adoption["steps"]
        made = adoptions.add(session, of, AdoptionCreate.model_validate(first), by=by)
        id = AdoptionPublic.model_validate_json(made.document).id
        for step in later:
            patch = AdoptionUpdate.model_validate(step)
            adoptions.change(session, of, id, patch, by=by, precondition=_ANY)


def _stories(session: Session, by: Caller) -> int:
    bodies = told()
    for body in bodies:
        names = [_reference(session, id) for id in body["innovations"]]
        stories.add(session, StoryCreate.model_validate({**body, "innovations": names}), by=by)
    return len(bodies)


def _reference(session: Session, id: str) -> str:
    """The reference of what was brought in under this source id."""
    row = of_source(session, SUBMITTER.code, Source(system=SYSTEM, id=id))
    assert row is not None, "what others tell of is there before them"
    return reference(row.number)


_ANY = Precondition(frozenset({"*"}))
