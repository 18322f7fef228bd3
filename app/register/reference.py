"""Reference data that comes with the software: the ten themes, and NHS organisations.

What is there already is left as it is: a curator may have changed it, and the official file may
be newer.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

from sqlalchemy import select
from sqlmodel import Session, col

from app.models.organisations import Organisation, OrganisationKind
from app.models.themes import Theme, ThemeCreate
from app.register import organisations, themes
from app.register.access import OPERATOR
from app.register.organisations import Facts

_DATA = files("app.reference")


def load(session: Session) -> int:
    """Adds the themes and organisations that are not there yet; returns how many."""
    known_themes = set(session.execute(select(col(Theme.slug))).scalars())
    known = set(session.execute(select(col(Organisation.code))).scalars())
    added = 0
    for entry in json.loads(_DATA.joinpath("themes.json").read_text("utf-8")):
        number = entry.pop("number")
        if entry["slug"] not in known_themes:
            theme = ThemeCreate.model_validate(entry)
            themes.add(session, theme, by=OPERATOR, number=number)
            added += 1
    for facts in _organisations():
        if facts.code not in known:
            organisations.put(session, facts, by=OPERATOR)
            added += 1
    for row in _rows("successions.csv"):
        organisations.put_succession(
            session,
            row["predecessor"],
            row["successor"],
            date.fromisoformat(row["date"]),
            by=OPERATOR,
        )
    return added


def _organisations() -> Iterator[Facts]:
    for row in _rows("organisations.csv"):
        yield Facts(
            code=row["code"],
            name=row["name"],
            kind=OrganisationKind(row["kind"]),
            parent=row["parent"] or None,
            opened=date.fromisoformat(row["opened"]) if row["opened"] else None,
            closed=date.fromisoformat(row["closed"]) if row["closed"] else None,
        )


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = _DATA.joinpath(name).read_text("utf-8")
    yield from csv.DictReader(text.splitlines())
