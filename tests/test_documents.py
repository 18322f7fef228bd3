"""Stored documents are what the API declares: none is validated on its way out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import Session, SQLModel, col

from app.models.adoptions import Adoption, AdoptionPublic
from app.models.changes import Action, Change, Kind
from app.models.clients import ClientDocument, Scope
from app.models.decisions import Decision, DecisionPublic, Status
from app.models.evidence import Evidence, EvidencePublic
from app.models.feed import LineFilters
from app.models.innovations import Innovation, InnovationPublic
from app.models.organisations import Organisation, OrganisationKind, OrganisationPublic
from app.models.redactions import RedactionDocument
from app.models.stories import Story, StoryPublic
from app.models.subscriptions import State, SubscriptionCreate, SubscriptionDocument
from app.models.themes import Theme, ThemeDocument
from app.register import clients, demonstration, organisations, redaction, subscriptions
from app.register.access import OPERATOR, Caller
from app.register.organisations import Facts
from app.register.stored import Precondition
from tests.conftest import Register
from tests.http.speaking import Submit
from tests.routers.merging.merges import merged
from tests.routers.test_innovations import EVERYTHING, patch, withdraw

STORED: list[tuple[type[SQLModel], type[BaseModel]]] = [
    (Innovation, InnovationPublic),
    (Decision, DecisionPublic),
    (Evidence, EvidencePublic),
    (Adoption, AdoptionPublic),
    (Organisation, OrganisationPublic),
    (Theme, ThemeDocument),
    (Story, StoryPublic),
]

BELONGING = ("decisions", "evidence", "adoptions")

ANYHOW = {"If-Match": "*"}

ALL = "visibility=draft&visibility=published&visibility=superseded"
"""All innovations that show."""


def tell(trust: httpx.Client, entry: dict[str, Any]) -> None:
    """Stories that were told, changed and taken back."""
    told = {
        "text": "“We” were heard – at last. Ärzte, 診.",  # noqa: RUF001
        "verdict": "keep",
        "role": "other_staff",
        "other_role": "Porter",
        "themes": [entry["theme"]["slug"]],
        "organisation": "R0A",
        "innovations": [entry["reference"]],
        "consent_to_publish": True,
    }
    at = trust.post("/v1/stories", json=told).headers["location"]
    for fields in ({"consent_to_publish": False}, {"consent_to_publish": True, "role": "carer"}):
        changed = trust.patch(at, json={"other_role": None, **fields}, headers=ANYHOW)
        assert changed.status_code == 200, changed.text
    trust.post("/v1/stories", json={"text": "It was worse.", "verdict": "never_again"})
    other = trust.post("/v1/stories", json=told).headers["location"]
    assert trust.delete(f"{other}?reason=Twice.", headers=ANYHOW).status_code == 200


def submit_twice(curator: httpx.Client, submit: Submit) -> None:
    """An innovation that was merged into another one, and that into a third."""
    piece = {"kind": "audit", "statement": "Ärzte “say” so."}
    adoption = {"organisation": "RBV", "stage": "stopped", "learnt": "It was “too much”."}
    first, second = submit(evidence=[piece]), submit(evidence=[piece])
    for entry in (first, second):
        assert curator.post(entry["links"]["adoptions"], json=adoption).status_code == 201
    merged(curator, first, second)
    merged(curator, second, submit(curator, decision={"status": "keep", "reason": "It works."}))


@pytest.fixture
def lived_in(
    register: Register, trust: httpx.Client, curator: httpx.Client, submit: Submit
) -> Register:
    """A register in which all that can be done has been done."""
    register.database.transaction(demonstration.load)
    entry = submit(**EVERYTHING)
    changed = patch(trust, entry, title="Ward rounds by video", description=None, tags=["rounds"])
    assert changed.status_code == 200, changed.text
    links = entry["links"]
    decision = {"status": "retire", "reason": "Nobody joined – not even “the” families."}  # noqa: RUF001
    assert trust.post(links["decisions"], json=decision).status_code == 201
    piece = {"kind": "audit", "statement": "Ärzte, Ångström, 診, \N{NAZAR AMULET}"}
    at = trust.post(links["evidence"], json=piece).headers["location"]
    measure = {"name": "Infections", "baseline": 0.000015, "result": 1e-7}
    rare = {"kind": "measure", "statement": "They are rare.", "measure": measure}
    assert trust.post(links["evidence"], json=rare).status_code == 201
    assert trust.patch(at, json={"strength": "strong"}, headers=ANYHOW).status_code == 200
    at = f"{links['evidence']}/{entry['evidence'][0]['id']}"
    assert trust.delete(at, headers=ANYHOW).status_code == 204
    adoption = {"organisation": "QOP", "stage": "adapted", "since": "2021-01-01"}
    assert curator.post(links["adoptions"], json=adoption).status_code == 201
    at = "/v1/innovations/INN-000001/adoptions"
    own = {"stage": "adopted", "since": "2020-05-01", "outcome": "Ärzte “say” so – all of them."}  # noqa: RUF001
    assert trust.post(at, json=own).status_code == 201
    submit(visibility="draft")
    tell(trust, entry)
    withdraw(trust, submit())
    submit_twice(curator, submit)
    theme = f"/v1/themes/{entry['theme']['slug']}"
    renamed = curator.patch(theme, json={"name": "Tools of “our” century"}, headers=ANYHOW)
    assert renamed.status_code == 200, renamed.text
    facts = Facts(
        "R0A", "Mancunian NHS Trust", OrganisationKind.TRUST, "QYG", date(2017, 10, 1), None
    )
    register.database.transaction(organisations.put, facts, by=OPERATOR)
    client, _ = register.database.transaction(
        clients.add, organisation="R0A", scopes=[Scope.READ], name="dashboard"
    )
    register.database.transaction(clients.rotate, client.id, timedelta(hours=1))
    paused = SubscriptionCreate(
        name="intranet",
        url="https://example.org/hooks?token=secret",
        filters=LineFilters(status=(Status.KEEP,), created_from=datetime(2020, 4, 1, tzinfo=UTC)),
        state=State.PAUSED,
    )
    by = Caller(client.id, "R0A", frozenset({Scope.CONTRIBUTE}))
    subscribed = register.database.transaction(subscriptions.add, paused, by=by)
    id = str(subscribed.location).rpartition("/")[2]
    any_version = Precondition(frozenset({"*"}))
    register.database.transaction(subscriptions.remove, id, by=by, precondition=any_version)
    register.database.transaction(clients.revoke, client.id)
    for name, words in ((entry["id"], ["Nobody joined", "were heard"]), ("INN-1", ["all of them"])):
        register.database.transaction(redaction.redact, name, "A slip.", words)
    return register


def pages(client: httpx.Client, address: str) -> list[str]:
    """The texts of a list's pages."""
    answer = client.get(address)
    texts = [answer.text]
    while "next" in answer.links:
        answer = client.get(answer.links["next"]["url"])
        texts.append(answer.text)
    return texts


def wrong(model: type[BaseModel], texts: list[str]) -> list[str]:
    """Those that are not, byte for byte, what the model writes."""
    assert texts
    return [text for text in texts if model.model_validate_json(text).model_dump_json() != text]


def test_what_is_stored_is_what_is_declared(lived_in: Register) -> None:
    def stored(session: Session, table: Any) -> list[str]:
        return list(session.execute(select(col(table.document))).scalars())

    for table, model in STORED:
        assert wrong(model, lived_in.database.transaction(stored, table)) == [], table


def test_what_the_log_keeps_is_what_is_declared(lived_in: Register) -> None:
    def actions(session: Session) -> set[str]:
        return set(session.execute(select(col(Change.action))).scalars())

    def logged(session: Session, kind: Kind) -> list[str]:
        lines = select(col(Change.document)).where(col(Change.kind) == kind.value)
        return [document for document in session.execute(lines).scalars() if document]

    assert lived_in.database.transaction(actions) == {*Action}
    kinds: dict[Kind, type[BaseModel]] = {
        Kind.INNOVATION: InnovationPublic,
        Kind.ORGANISATION: OrganisationPublic,
        Kind.ADOPTION: AdoptionPublic,
        Kind.STORY: StoryPublic,
        Kind.THEME: ThemeDocument,
        Kind.SUBSCRIPTION: SubscriptionDocument,
        Kind.CLIENT: ClientDocument,
        Kind.REDACTION: RedactionDocument,
    }
    for kind, model in kinds.items():
        assert wrong(model, lived_in.database.transaction(logged, kind)) == [], kind


def test_what_is_answered_is_what_is_stored(lived_in: Register, curator: httpx.Client) -> None:
    def stored(session: Session, table: Any) -> list[Any]:
        return [row.model_copy() for row in session.execute(select(table)).scalars()]

    def rows(table: Any) -> list[Any]:
        return lived_in.database.transaction(stored, table)

    there = [row for row in rows(Innovation) if row.visibility != "withdrawn"]
    at = {row.number: f"/v1/innovations/{row.id}" for row in there}
    answers = {at[row.number]: row.document for row in there}
    for table, what in (
        (Decision, "decisions"),
        (Evidence, "evidence"),
        (Adoption, "adoptions"),
    ):
        of = [row for row in rows(table) if row.number in at]
        answers |= {f"{at[row.number]}/{what}/{row.id}": row.document for row in of}
    told = [row for row in rows(Story) if row.visibility != "withdrawn"]
    answers |= {f"/v1/stories/{row.id}": row.document for row in told}
    answers |= {f"/v1/themes/{row.slug}": row.document for row in rows(Theme)}
    answers |= {f"/v1/organisations/{row.code}": row.document for row in rows(Organisation)}
    listed = "".join(
        pages(curator, f"/v1/innovations?limit=100&{ALL}")
        + pages(curator, "/v1/organisations?limit=100")
        + pages(curator, "/v1/stories?limit=100&visibility=private&visibility=published")
        + [curator.get(f"{entry}/{what}").text for entry in at.values() for what in BELONGING]
        + [curator.get("/v1/themes").text]
    )
    for where, text in answers.items():
        assert curator.get(where).text == text, where
        # In the list of themes, each has its counts at the end.
        assert (text[:-1] if "/themes/" in where else text) in listed, where


@pytest.mark.usefixtures("lived_in")
def test_what_is_answered_is_what_is_declared(curator: httpx.Client) -> None:
    document = curator.get("/openapi.json").json()
    listed = curator.get(f"/v1/innovations?limit=20&{ALL}").json()
    answers = {
        "InnovationPublic": [*listed["items"], curator.get("/v1/innovations/INN-000001").json()],
        "StoryPublic": curator.get("/v1/stories?limit=20").json()["items"],
        "RetiredPractice": curator.get("/v1/never-again?limit=20").json()["items"],
        "OrganisationPublic": curator.get("/v1/organisations?limit=20").json()["items"],
        "ThemePublic": curator.get("/v1/themes").json()["items"],
        "ChangePublic": curator.get("/v1/changes?after=300&limit=20").json()["items"],
        "DecisionPublic": curator.get("/v1/innovations/INN-000001/decisions").json()["items"],
        "AdoptionPublic": curator.get("/v1/innovations/INN-000001/adoptions").json()["items"],
        "AdoptionOfOrganisation": curator.get("/v1/organisations/R0A/adoptions").json()["items"],
        "EvidencePublic": curator.get("/v1/innovations/INN-000001/evidence").json()["items"],
    }
    for name, items in answers.items():
        declared = document["components"]["schemas"][name]
        assert items, name
        for item in items:
            assert set(item) >= set(declared["required"]), name
            assert set(item) <= set(declared["properties"]), name
