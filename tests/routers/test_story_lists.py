"""Stories in lists, searches, files, figures and OData: what is published, and nothing else."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import httpx
import pytest

from app.models.organisations import OrganisationKind
from app.register import organisations
from app.register.access import OPERATOR
from app.register.organisations import Facts
from tests.conftest import Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_changes import all_lines
from tests.routers.test_stories import FORMS, HUDDLE, SECRET, STORIES, Entry, found, patch, tell

TEXTS = {
    "video": "The café lends a tablet, and families join the ward round by video.",
    "rounds": "Ward rounds took all morning; a check-in at eight o'clock replaced them.",
    "parking": "Nobody pays for parking. It says “you matter” to me.",
}

SEARCHES: list[tuple[str, list[str]]] = [
    ("parking", ["parking"]),
    ("ward", ["rounds", "video"]),
    ('"ward rounds"', ["rounds", "video"]),
    ('"rounds ward"', []),
    ("ward -video", ["rounds"]),
    ("tablet or parking", ["parking", "video"]),
    ("cafe", ["video"]),
    ("family", ["video"]),
    ("check in", ["rounds"]),
    ("you matter", ["parking"]),
    ("WARD AND morning", []),
    ("-- '; DROP TABLE story", []),
]


@pytest.fixture
def stories(trust: httpx.Client) -> dict[str, Entry]:
    return {name: tell(trust, HUDDLE, text=text) for name, text in TEXTS.items()}


def test_a_search_finds_what_it_means_on_both_databases(
    anybody: httpx.Client, stories: dict[str, Entry], subtests: pytest.Subtests
) -> None:
    names = {story["reference"]: name for name, story in stories.items()}
    for q, expected in SEARCHES:
        with subtests.test(q):
            assert [names[reference] for reference in found(anybody, q=q)] == expected
    problem_of(anybody.get(f"{STORIES}?q=-video"), 422, "validation-failed")


def test_what_was_edited_out_is_not_found_any_more(
    anybody: httpx.Client, trust: httpx.Client, stories: dict[str, Entry]
) -> None:
    patch(trust, stories["parking"], text="It costs nothing to leave the bicycle.")
    assert found(anybody, q="parking") == []
    assert found(anybody, q="bicycle") == [stories["parking"]["reference"]]


def test_filters_go_together_and_are_counted(trust: httpx.Client, anybody: httpx.Client) -> None:
    huddle = tell(trust, HUDDLE, organisation="R0A")["reference"]
    forms = tell(trust, FORMS, region="Y56")["reference"]
    bare = tell(trust, HUDDLE, themes=[], role=None, care_setting=None)["reference"]
    tell(trust, SECRET)
    for query, expected in (
        ({}, [bare, forms, huddle]),
        ({"verdict": "keep"}, [bare, huddle]),
        ({"verdict": ["keep", "never_again"]}, [bare, forms, huddle]),
        ({"theme": ["great-teams", "basics-sorted"]}, [forms, huddle]),
        ({"theme": "great-teams", "verdict": "never_again"}, []),
        ({"role": ["nurse", "carer"], "theme": "basics-sorted"}, [forms]),
        ({"care_setting": "acute"}, [huddle]),
        ({"organisation": "R0A", "q": "zebra"}, [huddle]),
        ({"region": ["Y56", "Y62"]}, [forms, huddle]),
        ({"sort": "created_at"}, [huddle, forms, bare]),
        ({"created_from": "2020-01-01", "updated_since": "2020-01-01"}, [bare, forms, huddle]),
        ({"created_to": "2020-01-01"}, []),
    ):
        assert found(anybody, **query) == expected, query
    facets = anybody.get(f"{STORIES}?facets=verdict,theme,role,region&limit=1").json()["facets"]
    assert facets["verdict"][0] == {"value": "keep", "count": 2}
    assert {each["value"] for each in facets["theme"]} == {
        *("great-teams", "valued-staff", "basics-sorted")
    }
    for asked, slug in (
        ("theme=canary", "unknown-theme"),
        ("organisation=CANARY", "unknown-organisation"),
        ("icb=R0A", "unknown-organisation"),
        ("innovation=INN-000009", "unknown-innovation"),
        ("verdict=canary", "validation-failed"),
        ("facets=canary", "validation-failed"),
        ("status=keep", "validation-failed"),
        ("created_from=2021-01-01&created_to=2020-01-01", "validation-failed"),
    ):
        answer = anybody.get(f"{STORIES}?{asked}")
        problem_of(answer, 422, slug)
        assert "canary" not in answer.text.lower()


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "updated_at", "-updated_at"])
def test_pages_together_are_the_list(trust: httpx.Client, anybody: httpx.Client, sort: str) -> None:
    for number in range(7):
        tell(trust, HUDDLE, themes=[], text=f"The story of number {number}.")
    whole = anybody.get(STORIES, params={"sort": sort}).json()["items"]
    answer = anybody.get(STORIES, params={"sort": sort, "limit": 3, "q": "story"})
    seen = answer.json()["items"]
    while "next" in answer.links:
        assert answer.json()["page"]["total"] == 7
        answer = anybody.get(answer.links["next"]["url"])
        seen += answer.json()["items"]
    assert seen == whole
    first = anybody.get(f"{STORIES}?limit=1&sort={sort}").json()["page"]["next"]
    problem_of(anybody.get(f"{STORIES}?limit=1&cursor={first}x"), 400, "invalid-cursor")


def test_a_list_that_somebody_has_costs_nothing(trust: httpx.Client, anybody: httpx.Client) -> None:
    story = tell(trust, HUDDLE)
    answer = anybody.get(STORIES)
    tag = {"If-None-Match": answer.headers["etag"]}
    assert anybody.get(STORIES, headers=tag).status_code == 304
    assert anybody.head(STORIES).headers["etag"] == answer.headers["etag"]
    patch(trust, story, consent_to_publish=False)
    fresh = anybody.get(STORIES, headers=tag)
    assert (fresh.status_code, fresh.json()["items"]) == (200, [])


# Names that change


def test_a_story_follows_the_names_of_its_theme_and_its_place(
    trust: httpx.Client, curator: httpx.Client, register: Register, anybody: httpx.Client
) -> None:
    story = tell(trust, HUDDLE, organisation="R0A")
    private = tell(trust, SECRET)
    anyhow = {"If-Match": "*"}
    curator.patch("/v1/themes/great-teams", json={"name": "Greater teams"}, headers=anyhow)
    facts = Facts("R0A", "Mancunian Trust", OrganisationKind.TRUST, "QYG", date(2017, 10, 1), None)
    register.database.transaction(organisations.put, facts, by=OPERATOR)

    after = anybody.get(story["links"]["self"]).json()

    assert [theme["name"] for theme in after["themes"]] == ["Greater teams", "Valued staff"]
    assert after["organisation"]["name"] == "Mancunian Trust"
    assert found(anybody, icb="QYG") == [story["reference"]]
    assert found(anybody, icb="QOP") == []
    merseyside = register.client(register.key("QYG"))
    assert merseyside.get(private["links"]["self"]).status_code == 200
    manchester = register.client(register.key("QOP"))
    problem_of(manchester.get(private["links"]["self"]), 404, "not-found")


# The feed


def test_who_follows_stories_is_told_of_those_that_fit(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    head = head_of(anybody)
    entry = submit(theme="great-teams")
    huddle, forms = tell(trust, HUDDLE), tell(trust, FORMS)
    tell(trust, SECRET)
    for query, expected in (
        ({"kind": "story"}, [huddle, forms]),
        ({"verdict": "never_again"}, [forms]),
        ({"role": ["nurse", "carer"], "theme": "great-teams"}, [huddle]),
        ({"kind": "story", "q": "zebra"}, [huddle]),
        ({"kind": "story", "q": "quokka"}, []),
        ({"theme": "great-teams"}, [entry]),
        ({"kind": ["innovation", "story"], "theme": "great-teams"}, [entry, huddle]),
        ({"kind": "story", "status": "keep"}, []),
    ):
        lines = all_lines(anybody, after=head, **query)
        assert [line["id"] for line in lines] == [each["id"] for each in expected], query
    patch(trust, huddle, themes=["basics-sorted"])
    left = all_lines(anybody, after=head, kind="story", theme="great-teams")
    assert [line["version"] for line in left] == [1, 2], "who follows is told that it left"


# Files, figures, OData


def rows(client: httpx.Client, **query: Any) -> list[Entry]:
    answer = client.get("/v1/exports/stories.csv", params=query)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_what_is_published_is_exported_and_nothing_else(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    story = tell(trust, HUDDLE, organisation="R0A", innovations=[entry["reference"]])
    tell(trust, FORMS)
    tell(trust, SECRET)
    (forms,) = rows(anybody, verdict="never_again")
    assert (forms["organisation"], forms["role"]) == ("", "carer")
    first, _ = rows(anybody)
    assert first["themes"] == "great-teams; valued-staff"
    assert (first["innovations"], first["icb"]) == (entry["reference"], "QOP")
    assert len(rows(trust, visibility=["private", "published"])) == 3
    lines = anybody.get("/v1/exports/stories.ndjson").text.splitlines()
    assert len(lines) == 2
    evidence = anybody.get("/v1/exports/evidence.csv").text
    assert story["id"] in evidence
    for form in ("xlsx", "parquet"):
        assert anybody.get(f"/v1/exports/stories.{form}").status_code == 200
    for what in ("schema", "csv-metadata"):
        assert anybody.get(f"/v1/exports/stories.{what}.json").status_code == 200


def test_odata_has_what_is_published(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    story = tell(trust, HUDDLE, region="Y62", innovations=[entry["reference"]])
    tell(trust, FORMS)
    hidden = tell(trust, SECRET)
    for query, expected in (
        ("", 2),
        ("?$filter=verdict eq 'keep' and region eq 'Y62'", 1),
        (f"?$filter=reference eq '{story['reference']}'", 1),
        ("?$filter=reference eq 'INN-000001'", 0),
        ("?$filter=contains(text,'quokka')", 0),
        ("?$filter=themes/any(t:t eq 'great-teams')&$expand=region_detail", 1),
        ("?$orderby=role desc,reference&$count=true", 2),
    ):
        answer = anybody.get(f"/odata/v4/Stories{query}")
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["value"]) == expected, query
    assert anybody.get(f"/odata/v4/Stories('{hidden['id']}')").status_code == 404
    pieces = anybody.get("/odata/v4/Evidence?$expand=story_detail").json()["value"]
    assert [piece["story_detail"]["text"] for piece in pieces] == [HUDDLE["text"]]


def test_stories_are_counted_in_groups(trust: httpx.Client, anybody: httpx.Client) -> None:
    at = "/v1/statistics/stories"
    tell(trust, HUDDLE, organisation="R0A")
    tell(trust, FORMS)
    tell(trust, SECRET)
    whole = anybody.get(at).json()
    assert whole == {
        "group_by": [],
        "items": [],
        "total": {"stories": 2, "keep": 1, "never_again": 1},
    }
    by_theme = anybody.get(f"{at}?group_by=theme&group_by=verdict").json()
    assert [(row["theme_name"], row["verdict"], row["stories"]) for row in by_theme["items"]] == [
        ("Valued staff", "keep", 1),
        ("Basics sorted", "never_again", 1),
        ("Great teams", "keep", 1),
    ]
    assert by_theme["total"]["stories"] == 2
    by_role = anybody.get(f"{at}?group_by=role&empty=true").json()["items"]
    assert [row["role"] for row in by_role if row["stories"]] == ["carer", "nurse"]
    assert len(by_role) > 10
    by_region = anybody.get(f"{at}?group_by=region&group_by=icb").json()["items"]
    assert [(row["region_name"], row["icb"]) for row in by_region] == [
        ("NHS England North West", "QOP"),
        (None, None),
    ]
    for dimension in ("group", "care_setting", "organisation", "month"):
        items = anybody.get(f"{at}?group_by={dimension}").json()["items"]
        assert sum(row["stories"] for row in items) >= 2
    assert anybody.get(f"{at}?verdict=keep&theme=great-teams").json()["total"]["stories"] == 1
    assert trust.get(f"{at}?visibility=private").json()["total"]["stories"] == 1
    problem_of(anybody.get(f"{at}?group_by=role&group_by=role"), 422, "validation-failed")
    problem_of(anybody.get(f"{at}?group_by=status"), 422, "validation-failed")
    totals = anybody.get("/v1/statistics/overview").json()["totals"]
    assert (totals["stories"], totals["never_again"]) == (2, 1)


# Never again


def test_what_was_retired_is_told_with_why_and_by_whose_stories(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    at = "/v1/never-again"
    why = {"status": "retire", "reason": "It kept people in bed.", "decided_by": "Chief nurse"}
    retired = submit(title="Four forms", theme="basics-sorted", decision=why)
    submit(title="Kept", decision={"status": "keep", "reason": "It works."})
    quiet = submit(title="Nobody told of it", decision=why)
    linked = {"innovations": [retired["reference"]]}
    told = [tell(trust, FORMS, text=f"No more forms, {number}.", **linked) for number in range(4)]
    tell(trust, HUDDLE, **linked)
    tell(trust, SECRET, **linked)

    page = anybody.get(at).json()

    assert [item["reference"] for item in page["items"]] == [
        quiet["reference"],
        retired["reference"],
    ]
    first, second = page["items"]
    assert (first["story_count"], first["stories"]) == (0, [])
    assert (second["reason"], second["decided_by"]) == (why["reason"], "Chief nurse")
    assert second["story_count"] == 4
    assert [story["text"] for story in second["stories"]] == [
        story["text"] for story in told[:0:-1]
    ]
    listed = anybody.get(second["links"]["stories"]).json()
    assert listed["page"]["total"] == second["story_count"]
    for query, total in (
        ("theme=basics-sorted", 1),
        ("region=Y62", 2),
        ("region=Y56", 0),
        ("q=forms", 1),
        ("icb=QOP&theme=great-teams", 0),
    ):
        assert anybody.get(f"{at}?{query}").json()["page"]["total"] == total, query
    answer = anybody.get(f"{at}?limit=1")
    following = anybody.get(answer.links["next"]["url"]).json()
    assert [item["id"] for item in following["items"]] == [retired["id"]]
    tag = {"If-None-Match": answer.headers["etag"]}
    assert anybody.get(f"{at}?limit=1", headers=tag).status_code == 304
    problem_of(anybody.get(f"{at}?theme=none"), 422, "unknown-theme")
    problem_of(anybody.get(f"{at}?status=keep"), 422, "validation-failed")
    patch(trust, told[0], consent_to_publish=False)
    assert anybody.get(at).json()["items"][1]["story_count"] == 3
