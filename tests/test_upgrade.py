"""A register of an earlier version, brought to head: nothing is lost, and all is in shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, text

from app import schema
from app.dialects import dialect_for
from app.models.innovations import InnovationPublic
from tests import postgresql
from tests.conftest import DIALECTS, Templates

BEFORE_ADOPTIONS = {
    "id": "01a20840-d264-742b-bd62-c66f43977b7b",
    "reference": "INN-000001",
    "version": 3,
    "title": "Rounds by video – “daily”",  # noqa: RUF001
    "summary": "A GP sees residents.",
    "description": None,
    "theme": {"slug": "great-teams", "number": 6, "name": "Great teams"},
    "further_themes": [],
    "organisation": {
        "code": "R0A",
        "name": "Manchester",
        "kind": "trust",
        "icb": None,
        "region": None,
    },
    "care_setting": "care_home",
    "status": "under_review",
    "tags": ["video"],
    "started_on": "2020-04-01",
    "visibility": "published",
    "source": None,
    "decision": None,
    "evidence": [],
    "counts": {"decisions": 0, "evidence": 0},
    "withdrawal": None,
    "created_at": "2026-11-01T09:00:00.000000Z",
    "updated_at": "2026-11-02T09:00:00.000000Z",
    "links": {
        "self": "/v1/innovations/01a20840-d264-742b-bd62-c66f43977b7b",
        "decisions": "/v1/innovations/01a20840-d264-742b-bd62-c66f43977b7b/decisions",
        "evidence": "/v1/innovations/01a20840-d264-742b-bd62-c66f43977b7b/evidence",
        "history": "/v1/innovations/01a20840-d264-742b-bd62-c66f43977b7b/history",
    },
}
"""An innovation's document as it was written until revision 0001."""


@pytest.fixture(params=DIALECTS)
def empty(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    on, _ = templates.postgresql()
    with postgresql.database(on) as url:
        yield url


def fill(engine: Engine) -> None:
    """What revision 0001 would have held."""
    document = json.dumps(BEFORE_ADOPTIONS, ensure_ascii=False, separators=(",", ":"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE log_head SET sequence = 17"))
        connection.execute(
            text("INSERT INTO theme VALUES ('great-teams', 6, 1, 1, '{}')"),
        )
        connection.execute(
            text(
                "INSERT INTO organisation (code, kind, name, name_key, version, sequence, document)"
                " VALUES ('R0A', 'trust', 'Manchester', 'manchester', 1, 1, '{}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO innovation (number, id, version, sequence, visibility, status, theme,"
                " organisation, title_key, created_at, updated_at, review_on, submitter, public,"
                " document) VALUES (1, :id, 3, 9, 'published', 'under_review', 'great-teams',"
                " 'R0A', 'rounds', :created_at, :updated_at, '9999-12-31', 'R0A', true, :document)"
            ),
            {
                **{name: BEFORE_ADOPTIONS[name] for name in ("id", "created_at", "updated_at")},
                "document": document,
            },
        )


def test_innovations_from_before_there_were_adoptions_say_that_there_are_none(empty: str) -> None:
    engine = create_engine(dialect_for(empty).url)
    command.upgrade(schema.config(empty), "0001")
    fill(engine)

    schema.upgrade(empty)

    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT document, adoption_count, version, sequence FROM innovation")
        ).all()
    engine.dispose()
    ((document, count, version, sequence),) = rows
    model = InnovationPublic.model_validate_json(document)
    assert model.model_dump_json() == document
    assert (model.adoptions, model.counts.adoptions, count) == ([], 0, 0)
    assert model.links.adoptions == f"{model.links.self}/adoptions"
    assert (model.superseded_by, model.supersedes) == (None, [])
    assert model.title == BEFORE_ADOPTIONS["title"]
    assert (version, sequence) == (3, 17), "another text has another ETag"
