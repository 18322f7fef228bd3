"""Who follows is told when somebody submits what another organisation has retired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from app.likeness import encoding, model
from app.register import redaction
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_feed import streaming
from tests.routers.test_imports import imported
from tests.routers.test_innovations import patch, withdraw
from tests.routers.test_likeness import FORMS, OTHERS, PAPERWORK

Entry = dict[str, Any]
Retire = Callable[..., Entry]

RETIRED = {"status": "retire", "reason": "Nobody read them.", "decided_on": "2021-06-30"}
KEEP = {"status": "keep", "reason": "It works.", "decided_on": "2021-07-31"}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """The model is there before the first test."""
    encoding.encoder()


@pytest.fixture
def register(serve: Callable[..., Register]) -> Register:
    return serve(likeness_wait_seconds=0)


@pytest.fixture
def retire(submit: Submit, other_trust: httpx.Client) -> Retire:
    """Another trust retires a practice."""

    def retire(by: httpx.Client = other_trust, **fields: Any) -> Entry:
        return submit(by, **{**FORMS, "decision": RETIRED, **fields})

    return retire


def told(client: httpx.Client, **query: Any) -> list[Entry]:
    """All lines that are told, by the links of the answers."""
    lines: list[Entry] = []
    answer = client.get("/v1/changes", params={**query, "retired_elsewhere": True})
    while True:
        assert answer.status_code == 200, answer.text
        assert "etag" not in answer.headers
        page = answer.json()["page"]
        lines += answer.json()["items"]
        if "next" not in answer.links:
            assert page["next"] == page["head"]
            return lines
        answer = client.get(answer.links["next"]["url"])


def ids(lines: list[Entry]) -> list[str]:
    return [line["id"] for line in lines]


def test_what_another_retired_is_told_when_somebody_submits_it_in_other_words(
    anybody: httpx.Client, retire: Retire, submit: Submit
) -> None:
    for title, summary, theme in OTHERS:
        submit(title=title, summary=summary, theme=theme)
    theirs, ours = retire(), submit(**PAPERWORK)
    (line,) = told(anybody)
    (practice,) = line.pop("retired_elsewhere")
    assert practice.pop("score") >= 0.4
    assert practice == {
        **{name: theirs[name] for name in ("id", "reference", "title", "organisation")},
        **{name: RETIRED[name] for name in ("reason", "decided_on")},
    }
    plain = anybody.get("/v1/changes", params={"after": head_of(anybody) - 1}).json()["items"]
    assert [line] == plain
    assert line["document"] == ours


def test_of_several_the_likest_comes_first_and_five_are_named(
    anybody: httpx.Client, icb: httpx.Client, retire: Retire, submit: Submit
) -> None:
    for number in range(6):
        retire(summary=f"{FORMS['summary']} Ward {number}.")
    theirs = retire(icb, **PAPERWORK, organisation="QOP")
    submit(**PAPERWORK)
    (line,) = told(anybody)
    scores = [practice["score"] for practice in line["retired_elsewhere"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert (line["retired_elsewhere"][0]["id"], scores[0]) == (theirs["id"], 1)


def test_what_others_keep_and_what_is_retired_at_home_is_not_told(
    anybody: httpx.Client, trust: httpx.Client, retire: Retire, submit: Submit
) -> None:
    retire(decision=KEEP)
    retire(trust)
    submit(**PAPERWORK)
    assert told(anybody) == []


def test_what_is_unlike_or_agrees_is_not_told(
    anybody: httpx.Client, retire: Retire, submit: Submit
) -> None:
    retire()
    submit()
    submit(**PAPERWORK, decision=RETIRED)
    assert told(anybody) == []


def test_what_was_retired_only_later_is_not_told(
    anybody: httpx.Client, other_trust: httpx.Client, retire: Retire, submit: Submit
) -> None:
    theirs = retire(decision=None)
    submit(**PAPERWORK)
    assert other_trust.post(theirs["links"]["decisions"], json=RETIRED).status_code == 201
    assert told(anybody) == []
    ours = submit(**PAPERWORK)
    assert ids(told(anybody)) == [ours["id"]]


def test_a_draft_is_told_when_it_is_published_and_not_before(
    anybody: httpx.Client, trust: httpx.Client, retire: Retire, submit: Submit
) -> None:
    retire()
    ours = submit(**PAPERWORK, visibility="draft")
    assert told(anybody) == told(trust) == []
    patch(trust, ours, tags=["forms"])
    assert told(trust) == []
    patch(trust, ours, visibility="published")
    (line,) = told(anybody)
    assert (line["sequence"], line["action"]) == (head_of(anybody), "updated")


def test_a_retired_draft_is_no_matter_of_others(
    anybody: httpx.Client, other_trust: httpx.Client, retire: Retire, submit: Submit
) -> None:
    theirs = retire(visibility="draft")
    submit(**PAPERWORK)
    assert told(anybody) == []
    patch(other_trust, theirs, visibility="published")
    ours = submit(**PAPERWORK)
    assert ids(told(anybody)) == [ours["id"]]


def test_it_is_told_again_when_it_says_another_thing_or_is_taken_up_again(
    anybody: httpx.Client, trust: httpx.Client, retire: Retire, submit: Submit
) -> None:
    retire()
    ours = submit()
    patch(trust, ours, **{name: PAPERWORK[name] for name in ("title", "summary")})
    first = head_of(anybody)
    patch(trust, ours, tags=["forms"])
    trust.post(ours["links"]["decisions"], json=RETIRED)
    assert [line["sequence"] for line in told(anybody)] == [first]
    trust.post(ours["links"]["decisions"], json=KEEP)
    assert [line["sequence"] for line in told(anybody)] == [first, head_of(anybody)]
    assert told(anybody)[-1]["action"] == "decided"


def test_what_stands_there_no_more_is_not_told_any_more(
    register: Register,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    retire: Retire,
    submit: Submit,
) -> None:
    redacted, kept, withdrawn = (
        retire(summary=f"{FORMS['summary']} {which}.") for which in ("One", "Two", "Three")
    )
    submit(**PAPERWORK)
    assert len(told(anybody)[0]["retired_elsewhere"]) == 3
    withdraw(other_trust, withdrawn)
    other_trust.post(kept["links"]["decisions"], json=KEEP)
    register.database.transaction(
        redaction.redact, redacted["id"], "Somebody was named.", [FORMS["title"]]
    )
    (line,) = told(anybody)
    (practice,) = line["retired_elsewhere"]
    assert (practice["id"], practice["title"]) == (redacted["id"], "[redacted]")
    withdraw(other_trust, redacted)
    assert told(anybody) == []
    assert register.verify().broken_at is None


def test_other_filters_hold_too(
    anybody: httpx.Client, icb: httpx.Client, retire: Retire, submit: Submit
) -> None:
    retire()
    retire(**WARD_ROUNDS)
    paperwork, rounds = submit(**PAPERWORK), submit(icb, **WARD_ROUNDS)
    assert ids(told(anybody)) == [paperwork["id"], rounds["id"]]
    assert ids(told(anybody, theme=PAPERWORK["theme"])) == [paperwork["id"]]
    assert ids(told(anybody, organisation="QOP")) == [rounds["id"]]
    assert ids(told(anybody, icb="QOP")) == [paperwork["id"], rounds["id"]]
    assert ids(told(anybody, q="video", kind="innovation")) == [rounds["id"]]
    assert told(anybody, kind="story") == told(anybody, region="Y56") == []
    for wrong in ("maybe", ""):
        answer = anybody.get("/v1/changes", params={"retired_elsewhere": wrong})
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert error["pointer"] == "?retired_elsewhere"


def test_a_file_is_judged_in_its_order_page_by_page(
    anybody: httpx.Client, trust: httpx.Client, retire: Retire
) -> None:
    retire()
    rows = [
        {**(PAPERWORK if number % 90 == 5 else WARD_ROUNDS), "tags": [f"row-{number}"]}
        for number in range(300)
    ]
    imported(trust, rows)
    for limit in (1, 100):
        lines = told(anybody, limit=limit)
        assert [line["document"]["tags"] for line in lines] == [
            [f"row-{number}"] for number in (5, 95, 185, 275)
        ]
    first, *_, last = (line["sequence"] for line in lines)
    assert len(told(anybody, after=first)) == 3
    assert told(anybody, after=last) == []


def test_who_waits_is_told_at_once(
    register: Register, anybody: httpx.Client, retire: Retire, submit: Submit
) -> None:
    retire()
    query = {"retired_elsewhere": True, "after": head_of(anybody)}
    with streaming(register.client(), params=query) as events:
        submit()
        ours = submit(**PAPERWORK)
        sequence, line = next(events)
        assert (sequence, line["document"]) == (head_of(anybody), ours)
        assert len(line["retired_elsewhere"]) == 1
    query["after"] = head_of(anybody)
    empty = anybody.get("/v1/changes", params={**query, "wait": 1}).json()
    assert (empty["items"], empty["page"]["next"]) == ([], query["after"])
    again = submit(**PAPERWORK)
    waited = anybody.get("/v1/changes", params={**query, "wait": 20}).json()
    assert ids(waited["items"]) == [again["id"]]


def test_what_stood_as_retired_then_is_what_counts_after_a_restart(
    serve: Callable[..., Register],
    anybody: httpx.Client,
    other_trust: httpx.Client,
    retire: Retire,
    submit: Submit,
) -> None:
    theirs = retire()
    assert told(anybody) == []
    ours = submit(**PAPERWORK)
    words = {name: WARD_ROUNDS[name] for name in ("title", "summary")}
    assert patch(other_trust, theirs, **words).status_code == 200
    submit(**PAPERWORK)
    again = serve(likeness_wait_seconds=0).client()
    assert ids(told(again)) == [ours["id"]]
    rounds = submit()
    assert ids(told(again)) == [ours["id"], rounds["id"]]


# Without the model


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Takes the extra away, as it were."""
    return lambda: monkeypatch.setattr(model, "find_spec", lambda _: None)


def test_without_the_model_it_cannot_be_asked_for(
    trust: httpx.Client, without: Callable[[], None]
) -> None:
    fields = {"name": "quality", "url": "https://8.8.8.8/", "state": "paused"}
    plain = trust.post("/v1/subscriptions", json=fields)
    assert plain.status_code == 201, plain.text
    without()
    filters = {"filters": {"retired_elsewhere": True}}
    problem_of(trust.get("/v1/changes?retired_elsewhere=true"), 501, "not-installed")
    streamed = {"Accept": "text/event-stream"}
    refused = trust.get("/v1/changes?retired_elsewhere=true", headers=streamed)
    problem_of(refused, 501, "not-installed")
    problem_of(trust.post("/v1/subscriptions", json={**fields, **filters}), 501, "not-installed")
    at, anyhow = plain.headers["location"], {"If-Match": "*"}
    problem_of(trust.patch(at, json=filters, headers=anyhow), 501, "not-installed")
    assert trust.get(at).json()["filters"] == {}
    assert trust.get("/v1/changes?retired_elsewhere=false").status_code == 200
