"""Imports of stories: a survey's file, in one request."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from app.files import Format
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_changes import all_lines
from tests.routers.test_imports import as_csv, as_xlsx, outcomes
from tests.routers.test_stories import FORMS, HUDDLE, Entry, found, pieces

AT = "/v1/stories/imports"


def send(
    client: httpx.Client, content: Any, form: str = Format.JSON, /, **query: Any
) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": form, **query.pop("headers", {})}
    return client.post(AT, content=body, headers=headers, params=query)


def imported(client: httpx.Client, content: Any, form: str = Format.JSON, **query: Any) -> Entry:
    answer = send(client, content, form, **query)
    assert answer.status_code == 200, answer.text
    report: Entry = answer.json()
    return report


def row(number: int, **fields: Any) -> Entry:
    return {**HUDDLE, "source": {"system": "survey", "id": str(number)}, **fields}


@pytest.mark.parametrize("mode", ["atomic", "partial"])
def test_a_survey_can_be_sent_again_and_only_what_changed_is_changed(
    trust: httpx.Client, anybody: httpx.Client, mode: str
) -> None:
    first = imported(trust, [row(1), row(2), row(3)], mode=mode)
    assert first["totals"]["created"] == 3
    assert [each["reference"] for each in first["rows"]] == [f"STY-00000{n}" for n in (1, 2, 3)]
    head = head_of(trust)
    changed = [row(1), row(2, themes=[]), row(3, consent_to_publish=False), row(4)]
    second = imported(trust, changed, mode=mode)
    assert outcomes(second) == ["unchanged", "updated", "updated", "created"]
    actions = [line["action"] for line in all_lines(trust, after=head)]
    assert sorted(actions) == ["created", "unpublished", "updated"]
    assert found(anybody) == ["STY-000004", "STY-000002", "STY-000001"]
    assert outcomes(imported(trust, changed, mode=mode)) == ["unchanged"] * 4


def test_a_survey_is_evidence_for_what_its_stories_tell_of(
    trust: httpx.Client, submit: Submit, register: Register
) -> None:
    innovation = submit()
    head = head_of(trust)
    named = {"innovations": [innovation["reference"]]}
    rows = [row(n, role="patient", **named) for n in range(60)]
    assert imported(trust, rows)["totals"]["created"] == 60
    assert [kind for kind, _ in pieces(trust, innovation)] == ["patient_voice"] * 50
    assert len([line for line in all_lines(trust, after=head) if line["kind"] == "innovation"]) == 1
    answer = trust.get("/v1/stories", params={"innovation": innovation["id"], "limit": 1})
    assert answer.json()["page"]["total"] == 60
    assert register.verify().broken_at is None


BAD: list[tuple[Entry, str, str]] = [
    ({"theme": "great-teams"}, "#/theme", "unknown_field"),
    ({"themes": ["none"]}, "#/themes/0", "unknown_theme"),
    ({"innovations": ["INN-000099"]}, "#/innovations/0", "unknown_innovation"),
    ({"organisation": "XXX"}, "#/organisation", "unknown_organisation"),
    ({"region": "XXX"}, "#/region", "unknown_region"),
    ({"verdict": "maybe"}, "#/verdict", "enum"),
    ({"source": {"system": "survey", "id": "1"}}, "#/source", "repeated_in_file"),
]


def test_a_bad_row_is_pointed_at_and_the_good_ones_are_written_in_partial_mode(
    trust: httpx.Client, subtests: pytest.Subtests
) -> None:
    for bad, pointer, code in BAD:
        with subtests.test(pointer):
            rows = [row(1), row(2, **bad)]
            report = imported(trust, rows, mode="partial")
            assert outcomes(report)[1] == "rejected"
            errors = report["rows"][1]["errors"]
            assert [(each["pointer"], each["code"]) for each in errors] == [(pointer, code)]
            head = head_of(trust)
            answer = send(trust, rows)
            assert (answer.status_code, answer.json()["type"]) == (
                *(422, "/problems/import-rejected"),
            )
            assert head_of(trust) == head
    assert found(trust) == ["STY-000001"]


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
def test_a_table_has_a_story_a_row_as_a_survey_writes_it(trust: httpx.Client, form: Format) -> None:
    header = ["Text", "Verdict", "Role", "Care setting", "Themes", "Consent to publish"]
    cells = ["It was better.", "Never again", "Senior leader", "Primary care"]
    rows = [
        [*header, "source.system", "source.id"],
        [*cells, "great-teams; valued-staff", "Yes", "survey", "1"],
        [*cells, "", "no", "survey", "2"],
        [*cells, "great-teams; none", "", "survey", "3"],
    ]
    content = as_csv(*rows) if form is Format.CSV else as_xlsx(*rows, sheet="Stories")
    report = imported(trust, content, form, mode="partial")
    assert outcomes(report) == ["created", "created", "rejected"]
    assert report["rows"][2]["errors"][0]["column"] == "themes"
    published, private = (trust.get(f"/v1/stories/STY-{n}").json() for n in (1, 2))
    assert (published["verdict"], published["role"]) == ("never_again", "senior_leader")
    assert [theme["slug"] for theme in published["themes"]] == ["great-teams", "valued-staff"]
    assert (published["visibility"], private["visibility"]) == ("published", "private")
    wrong = as_csv(["text", "verdikt", "name"], ["a", "keep", "b"])
    errors = problem_of(send(trust, wrong, Format.CSV), 422, "validation-failed")["errors"]
    assert [error["pointer"] for error in errors] == [
        *("column:verdikt", "column:name", "column:verdict"),
    ]
    assert "Did you mean `verdict`?" in errors[0]["detail"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_template_can_be_sent_as_it_is(trust: httpx.Client, form: str) -> None:
    answer = trust.get(f"{AT}/template.{form}")
    assert f"stories.{form}" in answer.headers["content-disposition"]
    media_type = answer.headers["content-type"].partition(";")[0]
    (made,) = imported(trust, answer.content, media_type)["rows"]
    story = trust.get(f"/v1/stories/{made['id']}").json()
    assert (story["role"], story["visibility"]) == ("nurse", "published")


def test_a_survey_is_safe_to_repeat_and_needs_a_key(
    trust: httpx.Client, anybody: httpx.Client
) -> None:
    headers = {"Idempotency-Key": "survey-1"}
    first, again = (send(trust, [FORMS], headers=headers) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    assert len(found(trust)) == 1
    problem_of(send(anybody, [FORMS]), 401, "unauthenticated")
    problem_of(send(trust, b"[", Format.JSON), 400, "unreadable-file")
    problem_of(send(trust, b"x", "text/plain"), 415, "unsupported-media-type")
    judged = imported(trust, [row(9)], dry_run=True)
    assert (judged["written"], outcomes(judged)) == (False, ["created"])
    assert len(found(trust)) == 1
