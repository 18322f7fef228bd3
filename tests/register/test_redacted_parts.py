"""Redaction of stories, and of what belongs to an innovation: adoptions, and who tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import Session, SQLModel, col

from app.errors import NotFound
from app.likeness import texts
from app.models.adoptions import Adoption, AdoptionPublic
from app.models.clients import Scope
from app.models.innovations import Innovation, InnovationPublic
from app.models.likeness import InnovationVector, StoryVector
from app.models.stories import Story, StoryPublic
from app.register import emerging, likeness, redaction
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.register.test_redaction import NUMBER, SECRET, WORDS, stored
from tests.routers.test_adoptions import adopt, remove
from tests.routers.test_adoptions import patch as patch_adoption
from tests.routers.test_stories import HUDDLE, patch, tell, withdraw

Entry = dict[str, Any]

TOLD: Entry = {
    **HUDDLE,
    "text": f'She said "{SECRET} 👋", {NUMBER}; {SECRET}.',
    "role": "other_staff",
    "other_role": f"{SECRET}'s porter",
}


@pytest.fixture
def slipped(curator: httpx.Client, submit: Submit) -> Entry:
    """A story in which it stands everywhere, over two versions, and in a kept answer; it tells of
    an innovation."""
    sent = {**TOLD, "source": {"system": "survey", "id": f"{SECRET} 1"}}
    answer = curator.post(
        "/v1/stories",
        json={**sent, "innovations": [submit()["reference"]]},
        params={"accept_flagged": "true"},
        headers={"Idempotency-Key": "first"},
    )
    assert answer.status_code == 201, answer.text
    story: Entry = patch(curator, answer.json(), verdict="never_again").json()
    assert story["version"] == 2
    return story


def redact(
    register: Register, name: str, *secrets: str, forget: bool = False
) -> redaction.Redacted:
    done = register.database.transaction(
        redaction.redact, name, "Somebody was named.", secrets or (SECRET, NUMBER)
    )
    if forget:
        register.database.forget()
    return done


def lines_since(client: httpx.Client, before: int, **query: Any) -> list[Entry]:
    answer = client.get("/v1/changes", params={"after": before, **query})
    assert answer.status_code == 200, answer.text
    lines: list[Entry] = answer.json()["items"]
    return lines


def what(lines: list[Entry]) -> list[tuple[str, str]]:
    return [(line["kind"], line["action"]) for line in lines]


# Stories


def test_a_story_is_nowhere_any_more_and_the_log_holds(
    register: Register, slipped: Entry, tmp_path: Path
) -> None:
    assert all(word in stored(register, tmp_path) for word in WORDS)

    done = redact(register, slipped["reference"].lower(), forget=True)

    left = stored(register, tmp_path)
    assert [word for word in WORDS if word in left] == []
    assert (done.reference, done.lines, done.texts) == (slipped["reference"], 2, 2)
    assert register.verify().broken_at is None


def test_a_marker_stands_in_a_story_wherever_it_is_read(
    register: Register, slipped: Entry, anybody: httpx.Client, curator: httpx.Client
) -> None:
    at, before = slipped["links"]["self"], head_of(anybody)
    innovation = anybody.get(f"/v1/innovations/{slipped['innovations'][0]['id']}").json()
    old = [(client, client.get(f"{at}/history/1")) for client in (anybody, curator)]
    assert anybody.get("/v1/stories?q=quagmire").json()["page"]["total"] == 1

    redact(register, slipped["id"])

    story = anybody.get(at).json()
    assert story["version"] == 3
    assert story["text"] == 'She said "[redacted] 👋", [redacted]; [redacted].'
    assert story["other_role"] == "[redacted]'s porter"
    lines = anybody.get(f"{at}/history").json()["items"]
    assert [line["action"] for line in lines] == ["created", "updated", "redacted"]
    assert [line["redacted"] for line in lines] == [True, True, False]
    assert lines[0]["document"]["text"] == story["text"]
    for client, seen in old:
        kept = {"If-None-Match": seen.headers["etag"]}
        assert client.get(f"{at}/history/1", headers=kept).status_code == 200
    told = lines_since(anybody, before)
    assert what(told) == [("redaction", "created"), ("story", "redacted")]
    said = told[0]["document"]
    assert (said["story"], said["innovation"]) == (story["id"], None)
    assert said["reference"] == story["reference"]
    assert [line["sequence"] for line in said["lines"]] == [line["sequence"] for line in lines[:2]]
    found = anybody.get("/v1/stories?q=quagmire").json()
    assert (found["items"], found["page"]["total"]) == ([], 0)
    assert anybody.get(innovation["links"]["self"]).json() == innovation
    (piece,) = innovation["evidence"]
    assert piece["story"] == story["id"]


def test_a_redacted_story_can_be_changed_and_its_sender_does_not_know_it_any_more(
    register: Register, slipped: Entry, curator: httpx.Client
) -> None:
    redact(register, slipped["reference"])

    assert patch(curator, slipped, verdict="keep").json()["version"] == 4
    problem_of(curator.get(f"/v1/stories/by-source/survey/{SECRET} 1"), 404, "not-found")
    sent = {**TOLD, "source": {"system": "survey", "id": f"{SECRET} 1"}}
    again = curator.post(
        "/v1/stories",
        json={**sent, "innovations": [slipped["innovations"][0]["reference"]]},
        params={"accept_flagged": "true"},
        headers={"Idempotency-Key": "first"},
    )
    assert again.headers["idempotency-replayed"] == "true"
    assert "uagmire" not in again.text
    assert register.verify().broken_at is None


def test_of_a_private_story_only_its_own_organisation_is_told(
    register: Register, trust: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client
) -> None:
    story = tell(trust, HUDDLE, text=f"{SECRET} was there.", consent_to_publish=False)
    before = head_of(anybody)

    redact(register, story["reference"])

    assert lines_since(anybody, before) == lines_since(other_trust, before) == []
    told = lines_since(trust, before)
    assert what(told) == [("redaction", "created"), ("story", "redacted")]
    assert trust.get(story["links"]["self"]).json()["text"] == "[redacted] was there."


def test_a_withdrawn_story_is_redacted_and_its_tombstone_stays(
    register: Register, slipped: Entry, curator: httpx.Client, anybody: httpx.Client, tmp_path: Path
) -> None:
    assert withdraw(curator, slipped, f"{SECRET} asked.").status_code == 200
    at, before = slipped["links"]["self"], head_of(anybody)

    redact(register, slipped["reference"], forget=True)

    assert "quagmire" not in stored(register, tmp_path)
    problem = problem_of(anybody.get(at), 410, "withdrawn")
    assert problem["detail"].endswith(": [redacted] asked.")
    assert what(lines_since(anybody, before)) == [("redaction", "created")]
    lines = anybody.get(f"{at}/history").json()["items"]
    assert [(line["action"], line["document"]) for line in lines] == [("withdrawn", None)]
    assert register.verify().broken_at is None


def test_what_a_story_does_not_say_changes_nothing(
    register: Register, slipped: Entry, anybody: httpx.Client
) -> None:
    before = head_of(anybody)
    for name in (slipped["reference"], "STY-000999", slipped["id"]):
        with pytest.raises(NotFound):
            redact(register, name, "Nobody of this name")
    assert head_of(anybody) == before


# What belongs to an innovation


def test_an_innovation_is_redacted_with_its_adoptions_and_stories(
    register: Register, submit: Submit, other_trust: httpx.Client, tmp_path: Path
) -> None:
    trust = register.client(register.key("R0A"))
    curator = register.client(register.key("RJ1", Scope.CURATE))
    anybody = register.client()
    entry, another = submit(), submit()
    adoption = adopt(other_trust, entry, outcome=f"{SECRET} is glad.", learnt=f"Ask {SECRET}.")
    assert patch_adoption(other_trust, adoption, outcome="All are glad.").status_code == 200
    withdrawn = adopt(curator, entry, organisation="QOP", learnt=f"{SECRET} left.")
    assert remove(curator, withdrawn).status_code == 204
    untouched = adopt(other_trust, another, learnt="Nobody left.")
    story = tell(trust, TOLD, text=f"{SECRET} rang.", innovations=[entry["reference"]])
    before = head_of(anybody)

    done = redact(register, entry["reference"], forget=True)

    left = stored(register, tmp_path)
    assert [word for word in WORDS if word in left] == []
    assert (done.reference, done.lines) == (entry["reference"], 5)
    assert register.verify().broken_at is None
    now = anybody.get(adoption["links"]["self"]).json()
    assert (now["version"], now["learnt"]) == (3, "Ask [redacted].")
    assert anybody.get(story["links"]["self"]).json()["text"] == "[redacted] rang."
    for each, redacted in ((adoption, [True, True, False]), (withdrawn, [True, True])):
        lines = anybody.get(each["links"]["history"]).json()["items"]
        assert [line["redacted"] for line in lines] == redacted
    told = lines_since(anybody, before)
    assert what(told) == [
        ("redaction", "created"),
        ("adoption", "redacted"),
        ("story", "redacted"),
    ]
    assert told[1]["document"] == now
    assert anybody.get(untouched["links"]["self"]).json() == untouched
    assert patch_adoption(other_trust, adoption, stage="adapted").status_code == 200


def test_what_nobody_wrote_in_words_stays_whatever_is_taken_out(
    register: Register, submit: Submit, trust: httpx.Client, other_trust: httpx.Client
) -> None:
    entry = submit(
        summary="In 2020, nurses adopt it and keep 000 things.",
        tags=["adopt", "nurse"],
        started_on="2020-04-01",
        decision={"status": "keep", "reason": "Nurses keep it.", "review_on": "2030-01-01"},
    )
    adoption = adopt(other_trust, entry, learnt="Nurses adopt it.")
    story = tell(trust, HUDDLE, innovations=[entry["id"]], organisation="R0A")

    redact(register, entry["reference"], "202", "000", "urse", "adopt", "keep", "R0A", "tel")

    def documents(session: Session, table: Any) -> list[str]:
        return list(session.execute(select(col(table.document))).scalars())

    kinds: list[tuple[type[SQLModel], Any]] = [
        (Innovation, InnovationPublic),
        (Adoption, AdoptionPublic),
        (Story, StoryPublic),
    ]
    for table, model in kinds:
        for text in register.database.transaction(documents, table):
            assert model.model_validate_json(text).model_dump_json() == text
    left = trust.get(entry["links"]["self"]).json()
    assert left["summary"] == "In […]0, n[…]s […] it and […] […] things."
    assert (left["tags"], left["decision"]["reason"]) == (["redacted"], "N[…]s […] it.")
    for name in ("id", "reference", "links", "started_on", "organisation", "theme", "created_at"):
        assert left[name] == entry[name]
    assert (left["status"], left["decision"]["review_on"]) == ("keep", "2030-01-01")
    assert left["adoptions"][0]["stage"] == "adopted"
    assert other_trust.get(adoption["links"]["self"]).json()["learnt"] == "N[…]s […] it."
    assert left["evidence"][0]["story"] == story["id"]
    changed = trust.patch(entry["links"]["self"], json={"tags": []}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text


def test_who_follows_words_is_told_when_they_are_taken_out(
    register: Register, submit: Submit, anybody: httpx.Client
) -> None:
    entry = submit(title=f"Rounds of {SECRET}")
    before = head_of(anybody)

    redact(register, entry["reference"])

    asked = {"q": "quagmire", "theme": entry["theme"]["slug"]}
    assert what(lines_since(anybody, before, **asked)) == [("innovation", "redacted")]
    assert lines_since(anybody, before, **{**asked, "theme": "great-teams"}) == []


def test_what_a_model_made_of_the_text_goes_with_it(register: Register, submit: Submit) -> None:
    entry = submit(title=f"Rounds of {SECRET}")
    text = texts.of_entry(entry["title"], entry["summary"])

    def keep() -> int:
        vector = InnovationVector(number=1, model="m", digest=texts.digest(text), vector=b"\1" * 8)
        register.database.transaction(likeness.keep, [vector])
        return len(register.database.transaction(vectors))

    def vectors(session: Session) -> list[Any]:
        return list(session.execute(select(InnovationVector)).scalars())

    assert keep() == 1

    redact(register, entry["reference"])

    assert register.database.transaction(vectors) == []
    assert keep() == 0  # as a process does that had made it before


@pytest.mark.parametrize("way", ["redacted", "private", "withdrawn"])
def test_what_a_model_made_of_a_story_goes_when_it_shows_no_more(
    register: Register, curator: httpx.Client, slipped: Entry, way: str
) -> None:
    number = int(slipped["reference"].removeprefix("STY-"))
    digest = texts.digest(slipped["text"])

    def keep() -> int:
        vector = StoryVector(number=number, model="m", digest=digest, vector=b"\1" * 8)
        register.database.transaction(emerging.keep, [vector])
        return len(register.database.transaction(vectors))

    def vectors(session: Session) -> list[Any]:
        return list(session.execute(select(StoryVector)).scalars())

    assert keep() == 1
    assert patch(curator, slipped, verdict="keep").status_code == 200
    assert len(register.database.transaction(vectors)) == 1

    if way == "redacted":
        redact(register, slipped["reference"])
    elif way == "private":
        assert patch(curator, slipped, consent_to_publish=False).status_code == 200
    else:
        assert withdraw(curator, slipped).status_code == 200

    assert register.database.transaction(vectors) == []
    assert keep() == 0
