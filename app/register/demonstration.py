"""Demonstration content after the report "10 Leaps Forward", in our own words."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, NamedTuple

from sqlmodel import Session

from app.models.adoptions import AdoptionCreate, AdoptionPublic, AdoptionUpdate
from app.models.innovations import InnovationCreate, Source, Visibility
from app.models.organisations import OrganisationKind
from app.models.stories import StoryCreate
from app.register import adoptions, innovations, organisations, stories, story_entries
from app.register.access import Caller
from app.register.entries import document_of, of_source
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
    """How many of each kind were new."""

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
    """Brings the demonstration content in, or up to date."""
    by = Caller(organisation=SUBMITTER.code)
    organisations.put(session, SUBMITTER, by=by)
    new = _innovations(session, by)
    _adoptions(session)
    return New(new, _stories(session, by))


def _innovations(session: Session, by: Caller) -> int:
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


def _adoptions(session: Session) -> None:
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
        source = Source(system=SYSTEM, id=adoption["of"])
        row = of_source(session, SUBMITTER.code, source)
        if row is None or any(at.organisation == code for at in document_of(row).adoptions):
            continue
        if row.visibility == Visibility.SUPERSEDED:
            continue  # a curator has merged it, and its adoptions went along
        by = Caller(organisation=code)
        first, *later = adoption["steps"]
        made = adoptions.add(session, row.id, AdoptionCreate.model_validate(first), by=by)
        id = AdoptionPublic.model_validate_json(made.document).id
        for step in later:
            patch = AdoptionUpdate.model_validate(step)
            precondition = Precondition(_ANY)
            adoptions.change(session, row.id, id, patch, by=by, precondition=precondition)


def _stories(session: Session, by: Caller) -> int:
    new = 0
    for body in told():
        names = [_reference(session, Source(system=SYSTEM, id=id)) for id in body["innovations"]]
        entry = StoryCreate.model_validate({**body, "innovations": names})
        source = Source.model_validate(body["source"])
        key = (SUBMITTER.code, source.system, source.id)
        known = story_entries.of_sources(session, [key])
        _, created = stories.put_by_source(
            session, source, entry, by=by, precondition=Precondition(_ANY) if known else None
        )
        new += created
    return new


def _reference(session: Session, source: Source) -> str:
    row = of_source(session, SUBMITTER.code, source)
    assert row is not None, "what a story tells of is there before it"
    return reference(row.number)


_ANY = frozenset({"*"})
