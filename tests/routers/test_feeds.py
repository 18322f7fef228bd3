"""The news as an Atom feed: what a feed reader makes of it, and what RFC 4287 asks for."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import fromstring

import feedparser
import httpx
import pytest

from tests.conftest import Register
from tests.http.speaking import Submit, problem_of
from tests.routers.test_innovations import patch, withdraw

FEED = "/feeds/innovations.atom"
ATOM = "{http://www.w3.org/2005/Atom}"

HARD = 'A <b>&amp; "B"</b> ]]> \N{NAZAR AMULET} é'
UNLAWFUL = "\ufffe\uffff"  # in XML 1.0


def read(client: httpx.Client, **query: Any) -> Any:
    """The feed, as a feed reader sees it."""
    answer = client.get(FEED, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = feedparser.parse(answer.content, response_headers=dict(answer.headers))
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    return feed


def test_what_was_submitted_last_comes_first(
    register: Register, anybody: httpx.Client, submit: Submit
) -> None:
    first, second = submit(title="The first"), submit(title="The second", tags=["video"])

    feed = read(anybody)
    assert [entry.title for entry in feed.entries] == ["The second", "The first"]
    entry = feed.entries[0]
    assert entry.id == f"urn:uuid:{second['id']}"
    assert (entry.published, entry.updated) == (second["created_at"], second["updated_at"])
    assert entry.author == second["organisation"]["name"]
    (link,) = entry.links
    assert (link.rel, link.type) == ("alternate", "application/json")
    assert link.href.startswith(register.url)
    assert anybody.get(link.href).json() == second
    assert {tag.term for tag in entry.tags} == {second["theme"]["slug"], "under_review", "video"}
    assert entry.summary == second["summary"]
    assert feed.feed.updated == second["updated_at"]
    assert first["id"] in feed.entries[1].id


def test_it_has_all_that_atom_asks_for(anybody: httpx.Client, submit: Submit) -> None:
    for _ in range(3):
        submit(title=HARD, summary=f"{HARD}{UNLAWFUL}", description=HARD)

    root = fromstring(anybody.get(FEED).content)  # noqa: S314  (our own)
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iter(f"{ATOM}entry")):
        for required in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{required}")) == 1
    ids = [each.text for each in root.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids) == 4
    entry = root.find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == HARD
    assert entry.findtext(f"{ATOM}summary") == HARD
    assert entry.findtext(f"{ATOM}author/{ATOM}name")


def test_the_filters_of_the_list_apply(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    submit(title="A", theme="great-teams", tags=["video"])
    submit(title="B", theme="basics-sorted", tags=["video"])
    submit(title="C", theme="great-teams", visibility="draft")
    gone = submit(title="D", theme="great-teams")
    withdraw(trust, gone)

    assert [entry.title for entry in read(anybody, theme="great-teams").entries] == ["A"]
    both = read(anybody, tag="video", q="A or B").entries
    assert [entry.title for entry in both] == ["B", "A"]
    assert read(anybody, icb="QYG").entries == []


def test_it_can_tell_what_changed_last(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    first = submit(title="A")
    submit(title="B")
    patch(trust, first, summary="Now in another way.")

    feed = read(anybody, sort="-updated_at")
    assert [entry.title for entry in feed.entries] == ["A", "B"]
    assert feed.entries[0].published < feed.entries[0].updated


def test_pages_are_linked(anybody: httpx.Client, submit: Submit) -> None:
    for number in range(5):
        submit(title=f"Number {number}")

    titles, feed = [], read(anybody, limit=2)
    own = feed.feed.id
    while True:
        titles += [entry.title for entry in feed.entries]
        links = {link.rel: link.href for link in feed.feed.links}
        if "next" not in links:
            break
        feed = feedparser.parse(anybody.get(links["next"]).content)
        assert feed.feed.id == own
    assert titles == [f"Number {number}" for number in (4, 3, 2, 1, 0)]
    assert read(anybody, limit=2, theme="great-teams").feed.id != own


def test_nothing_new_is_not_sent_again(anybody: httpx.Client, submit: Submit) -> None:
    submit()
    etag = anybody.get(FEED).headers["etag"]

    assert anybody.get(FEED, headers={"If-None-Match": etag}).status_code == 304
    submit()
    assert anybody.get(FEED, headers={"If-None-Match": etag}).status_code == 200


def test_addresses_are_those_by_which_it_was_asked_for(
    register: Register, anybody: httpx.Client, submit: Submit
) -> None:
    submit()
    port = httpx.URL(register.url).port
    for host in ("127.0.0.1", "localhost", "127.0.0.1"):
        answer = anybody.get(FEED, headers={"Host": f"{host}:{port}"})
        links = feedparser.parse(answer.content).feed.links
        assert {httpx.URL(link.href).host for link in links} == {host}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("sort=title", "?sort"), ("as_of=1", "?as_of"), ("limit=0", "?limit"), ("thema=x", "?thema")],
)
def test_what_it_cannot_tell_is_a_problem(anybody: httpx.Client, query: str, pointer: str) -> None:
    problem = problem_of(anybody.get(f"{FEED}?{query}"), 422, "validation-failed")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_a_page_of_another_query_is_a_problem(anybody: httpx.Client, submit: Submit) -> None:
    for _ in range(3):
        submit(theme="great-teams")
    links = read(anybody, limit=1, theme="great-teams").feed.links
    (following,) = (link.href for link in links if link.rel == "next")

    for other in ("basics-sorted", "local-system"):
        answer = anybody.get(following.replace("great-teams", other))
        problem_of(answer, 400, "invalid-cursor")


def test_pages_for_people_lead_to_it(anybody: httpx.Client) -> None:
    assert f'type="application/atom+xml" title="New innovations" href="{FEED}"' in (
        anybody.get("/").text
    )
    assert anybody.get("/v1").json()["links"]["news_feed"] == FEED
