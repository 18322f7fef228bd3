"""Drafts: seen by those who cover their organisation, and by nobody else."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import EVERYTHING, Entry, lines_since, patch, withdraw


@pytest.fixture
def draft(submit: Submit) -> Entry:
    return submit(**EVERYTHING | {"visibility": "draft"})


def addresses(entry: Entry) -> list[str]:
    links = entry["links"]
    named = f"/v1/innovations/{entry['reference']}"
    decision = f"{links['decisions']}/{entry['decision']['id']}"
    evidence = f"{links['evidence']}/{entry['evidence'][0]['id']}"
    return [*links.values(), named, decision, evidence, f"{links['history']}/1"]


def test_those_who_cover_its_organisation_see_a_draft(
    register: Register, trust: httpx.Client, icb: httpx.Client, curator: httpx.Client, draft: Entry
) -> None:
    region = register.client(register.key("Y62"))
    for client in (trust, icb, region, curator):
        assert client.get(draft["links"]["self"]).json() == draft
        for address in addresses(draft):
            assert client.get(address).status_code == 200, address
        listed = client.get("/v1/innovations?visibility=draft&q=rounds&facets=status").json()
        assert listed["items"] == [draft]
        assert listed["facets"] == {"status": [{"value": "keep", "count": 1}]}


def test_a_draft_shows_to_nobody_else_anywhere(
    register: Register, anybody: httpx.Client, draft: Entry
) -> None:
    strangers = [register.client(register.key(code)) for code in ("RJ1", "RBV", "QKS", "Y56")]
    for client in (anybody, *strangers):
        for address in addresses(draft):
            problem_of(client.get(address), 404, "not-found")
        listed = client.get("/v1/innovations?facets=theme,status,tag,visibility").json()
        assert (listed["items"], listed["page"]["total"]) == ([], 0)
        assert not any(listed["facets"].values())
        seen = lines_since(client, head_of(client) - 20)
        assert draft["id"] not in {line["id"] for line in seen}


@pytest.mark.usefixtures("draft")
def test_a_draft_does_not_count(anybody: httpx.Client, trust: httpx.Client) -> None:
    for client in (anybody, trust):
        themes = client.get("/v1/themes").json()["items"]
        assert all(set(theme["counts"].values()) == {0} for theme in themes)
        assert client.get("/v1/innovations").json()["page"]["total"] == 0


@pytest.mark.usefixtures("draft")
def test_drafts_are_listed_for_a_key_only(anybody: httpx.Client, other_trust: httpx.Client) -> None:
    for query in (
        "visibility=draft",
        "visibility=withdrawn",
        "visibility=published&visibility=draft",
    ):
        problem_of(anybody.get(f"/v1/innovations?{query}"), 401, "unauthenticated")
        listed = other_trust.get(f"/v1/innovations?{query}&facets=theme").json()
        assert (listed["items"], listed["facets"]) == ([], {"theme": []})


def test_the_log_shows_a_draft_to_those_who_cover_it(
    trust: httpx.Client, icb: httpx.Client, anybody: httpx.Client, draft: Entry
) -> None:
    before = int(trust.get(draft["links"]["self"]).headers["register-sequence"]) - 1
    for client, seen in ((trust, [draft]), (icb, [draft]), (anybody, [])):
        lines = lines_since(client, before)
        assert [line["document"] for line in lines] == seen
        where = client.get(f"/v1/changes?after={before}").json()["page"]
        assert (where["total"], where["next"]) == (1, before + 1)


def test_what_is_published_was_a_draft_to_its_own_organisation_only(
    trust: httpx.Client, anybody: httpx.Client, draft: Entry
) -> None:
    published = patch(trust, draft, visibility="published").json()

    assert (published["visibility"], published["version"]) == ("published", 2)
    assert anybody.get("/v1/innovations?q=rounds").json()["items"] == [published]
    at = draft["links"]["history"]
    for client, versions in ((trust, [1, 2]), (anybody, [2])):
        history = client.get(at).json()
        assert [line["version"] for line in history["items"]] == versions
        assert history["page"]["total"] == len(versions)
    problem_of(anybody.get(f"{at}/1"), 404, "not-found")
    assert trust.get(f"{at}/1").json()["document"] == draft


def test_what_was_published_does_not_become_a_draft_again(
    trust: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    before = head_of(trust)
    answer = patch(trust, entry, visibility="draft")
    (error,) = problem_of(answer, 422, "validation-failed")["errors"]
    assert error["pointer"] == "#/visibility"
    assert head_of(trust) == before


def test_a_draft_that_was_withdrawn_still_shows_to_nobody_else(
    trust: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client, draft: Entry
) -> None:
    withdraw(trust, draft, "It named a patient.")

    problem_of(trust.get(draft["links"]["self"]), 410, "withdrawn")
    for stranger in (anybody, other_trust):
        for address in addresses(draft):
            problem_of(stranger.get(address), 404, "not-found")
    refused = patch(other_trust, draft, title="Changed")
    problem_of(refused, 404, "not-found")
