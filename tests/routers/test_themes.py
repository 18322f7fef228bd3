"""Themes: the ten leaps with their counts, and what a curator makes of them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_innovations import Entry, lines_since, patch, withdraw

GREENER: Entry = {
    "slug": "greener-care",
    "name": "Greener care",
    "group": "now_have",
    "description": "Fewer journeys, less waste.",
}


def change(client: httpx.Client, slug: str, /, **fields: Any) -> httpx.Response:
    return client.patch(f"/v1/themes/{slug}", json=fields, headers={"If-Match": "*"})


def counts(client: httpx.Client, slug: str) -> list[int]:
    """Under review, keep, retire."""
    themes = client.get("/v1/themes").json()["items"]
    (theme,) = (theme for theme in themes if theme["slug"] == slug)
    return [theme["counts"][status] for status in ("under_review", "keep", "retire")]


def test_there_are_ten_in_their_order_and_groups(anybody: httpx.Client) -> None:
    themes = anybody.get("/v1/themes").json()["items"]
    assert [theme["number"] for theme in themes] == list(range(1, 11))
    groups = [theme["group"] for theme in themes]
    assert groups == ["sorted"] * 4 + ["seen"] * 3 + ["now_have"] * 3
    for theme in themes:
        one = anybody.get(f"/v1/themes/{theme['slug']}").json()
        assert {**one, "counts": theme["counts"]} == theme
    problem_of(anybody.get("/v1/themes/nowhere"), 404, "not-found")


def test_counts_are_of_what_is_published_by_main_theme_and_status(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    keep = {"decision": {"status": "keep", "reason": "It works."}}
    entry = submit(theme="great-teams")
    submit(theme="great-teams", **keep)
    gone = submit(theme="great-teams", **keep)
    submit(theme="basics-sorted", further_themes=["great-teams"], **keep)
    submit(theme="great-teams", visibility="draft")
    assert counts(anybody, "great-teams") == [1, 2, 0]

    withdraw(trust, gone)
    trust.post(entry["links"]["decisions"], json={"status": "retire", "reason": "It tires."})

    assert counts(anybody, "great-teams") == [0, 1, 1]
    patch(trust, entry, theme="local-system")
    assert (counts(anybody, "great-teams"), counts(anybody, "local-system")) == (
        [0, 1, 0],
        [0, 0, 1],
    )


def test_a_curator_adds_a_theme_that_counts_on(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    before = head_of(anybody)

    answer = curator.post("/v1/themes", json=GREENER)

    assert answer.status_code == 201
    theme = answer.json()
    assert theme.items() >= {**GREENER, "number": 11, "version": 1}.items()
    found = anybody.get(answer.headers["location"])
    assert (found.json(), found.headers["etag"]) == (theme, answer.headers["etag"])
    (line,) = lines_since(anybody, before)
    assert (line["action"], line["kind"], line["id"]) == ("created", "theme", "greener-care")
    assert line["document"] == theme
    assert submit(theme="greener-care")["theme"]["number"] == 11
    assert curator.post("/v1/themes", json={**GREENER, "slug": "twelfth"}).json()["number"] == 12
    (error,) = problem_of(curator.post("/v1/themes", json=GREENER), 409, "duplicate")["errors"]
    assert error["pointer"] == "#/slug"


def test_no_theme_takes_the_address_of_something_else(curator: httpx.Client) -> None:
    before = head_of(curator)
    for slug in ("emerging", "suggestions"):
        answer = curator.post("/v1/themes", json={**GREENER, "slug": slug})
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert (error["pointer"], error["code"]) == ("#/slug", "reserved")
    assert head_of(curator) == before


def test_only_a_curator_changes_themes(
    trust: httpx.Client, icb: httpx.Client, anybody: httpx.Client
) -> None:
    before = head_of(anybody)
    for client, status, slug in (
        (trust, 403, "forbidden"),
        (icb, 403, "forbidden"),
        (anybody, 401, "unauthenticated"),
    ):
        problem_of(client.post("/v1/themes", json=GREENER), status, slug)
        problem_of(change(client, "great-teams", name="Better"), status, slug)
    assert head_of(anybody) == before


def test_a_new_name_shows_wherever_the_theme_is_named(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    main = submit(theme="great-teams", visibility="draft")
    further = submit(further_themes=["local-system", "great-teams"])
    others = submit()
    before = head_of(anybody)

    theme = change(curator, "great-teams", name='Teams of "all" {sorts}').json()

    assert (theme["name"], theme["version"]) == ('Teams of "all" {sorts}', 2)
    (line,) = lines_since(curator, before)
    assert (line["kind"], line["action"], line["document"]) == ("theme", "updated", theme)
    ref = {"slug": "great-teams", "number": 6, "name": theme["name"]}
    after = trust.get(main["links"]["self"])
    assert after.json() == {**main, "theme": ref}
    further["further_themes"][1] = ref
    assert anybody.get(further["links"]["self"]).json() == further
    assert anybody.get(others["links"]["self"]).json() == others
    listed = anybody.get("/v1/innovations?q=ward&sort=created_at").json()["items"]
    assert listed == [further, others]
    # Who changes it next starts from the new name.
    published = patch(trust, main, visibility="published").json()
    assert published["theme"] == ref


def test_another_description_is_no_new_name(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    at = entry["links"]["self"]
    tag, before = anybody.get(at).headers["etag"], head_of(anybody)
    changed = change(curator, entry["theme"]["slug"], description="Other words.", group="seen")
    assert changed.json()["description"] == "Other words."
    assert anybody.get(at).headers["etag"] == tag
    assert head_of(anybody) == before + 1
    assert change(curator, entry["theme"]["slug"], group="seen").json() == changed.json()
    assert head_of(anybody) == before + 1
    for fields in ({"name": None}, {"slug": "other"}, {"number": 3}, {"name": ""}):
        problem_of(change(curator, "great-teams", **fields), 422, "validation-failed")
    problem_of(change(curator, "nowhere", name="Else"), 404, "not-found")
