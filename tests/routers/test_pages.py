"""Pages: all of them together are the list, once each and in order, whatever happens meanwhile."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from app.models.clients import Scope
from app.models.finding import InnovationSort
from app.models.innovations import InnovationCreate
from app.register import innovations
from app.register.access import Caller
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, problem_of
from tests.routers.test_finding import Entry, everything, random_entry

SORTS = [sort.value for sort in InnovationSort]


def query_of(sort: str) -> dict[str, Any]:
    """What asks for this order."""
    return {"sort": sort, **({"q": "round or huddle or audit"} if "relevance" in sort else {})}


def pages(client: httpx.Client, query: dict[str, Any]) -> Iterator[list[Entry]]:
    """One page after another, by the address in each answer's `Link`."""
    answer = client.get("/v1/innovations", params=query)
    while True:
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        if "next" not in answer.links:
            assert answer.json()["page"]["next"] is None
            return
        answer = client.get(answer.links["next"]["url"])


def references(found: list[Entry]) -> list[str]:
    return [entry["reference"] for entry in found]


@pytest.fixture
def tied(register: Register, anybody: httpx.Client) -> list[Entry]:
    """Forty entries that were submitted in one moment, with few titles and days of review."""
    dice = random.Random(3)  # noqa: S311

    def work(session: Session) -> None:
        for _ in range(40):
            entry = InnovationCreate.model_validate(random_entry(dice))
            innovations.add(session, entry, by=Caller(organisation="R0A", scopes=CURATES))

    register.database.transaction(work)
    listed: list[Entry] = anybody.get("/v1/innovations?sort=created_at&limit=100").json()["items"]
    assert len({entry["created_at"] for entry in listed}) == 1
    return listed


CURATES = frozenset({Scope.CURATE})


def fold(title: str) -> str:
    decomposed = unicodedata.normalize("NFKD", title)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def review_on(entry: Entry) -> str:
    return (entry["decision"] or {}).get("review_on") or "9999"


KEYS: dict[str, Callable[[Entry], str]] = {
    "created_at": lambda entry: entry["created_at"],
    "updated_at": lambda entry: entry["updated_at"],
    "title": lambda entry: fold(entry["title"]),
    "review_on": review_on,
}


def test_an_order_is_what_its_name_says_and_total(
    trust: httpx.Client, anybody: httpx.Client, tied: list[Entry], subtests: pytest.Subtests
) -> None:
    for entry in random.Random(5).sample(tied, 5):  # noqa: S311
        at = entry["links"]["self"]
        piece = {"kind": "audit", "statement": "It held."}
        assert trust.post(f"{at}/evidence", json=piece).status_code in (201, 403)
    entries = anybody.get("/v1/innovations?sort=created_at&limit=100").json()["items"]
    for sort in SORTS:
        name, backwards = sort.lstrip("-"), sort.startswith("-")
        if name in KEYS:
            with subtests.test(sort):
                key = KEYS[name]
                ordered = sorted(
                    entries, key=lambda entry: (key(entry), entry["reference"]), reverse=backwards
                )
                assert everything(anybody, {"sort": sort, "limit": 7}) == references(ordered)


@pytest.mark.usefixtures("tied")
@pytest.mark.parametrize("sort", SORTS)
def test_nothing_comes_twice_or_goes_missing_while_others_are_added(
    anybody: httpx.Client, trust: httpx.Client, sort: str
) -> None:
    query = query_of(sort)
    before = everything(anybody, {**query, "limit": 100})
    dice = random.Random(9)  # noqa: S311
    seen: list[str] = []
    for page in pages(anybody, {**query, "limit": 3}):
        seen += references(page)
        entry = {**random_entry(dice), "organisation": "R0A"}
        assert trust.post("/v1/innovations", json=entry).status_code == 201
        if len(seen) > 300:
            break
    assert len(seen) == len(set(seen))
    assert [reference for reference in seen if reference in before] == before


def test_a_search_can_be_had_in_any_order(
    anybody: httpx.Client, tied: list[Entry], subtests: pytest.Subtests
) -> None:
    for sort in SORTS:
        with subtests.test(sort):
            query = {"q": "huddle", "status": ["keep", "retire"], "sort": sort}
            whole = everything(anybody, {**query, "limit": 100})
            assert [
                name for page in pages(anybody, {**query, "limit": 2}) for name in references(page)
            ] == whole
            assert set(whole) == {
                entry["reference"]
                for entry in tied
                if "huddle" in f"{entry['title']} {entry['tags']}"
                and entry["status"] != "under_review"
            }


def test_a_page_goes_on_after_any_title_that_can_be_submitted(
    anybody: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    titles = [
        "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{STAFF OF AESCULAPIUS} on call",
        "Soft\N{SOFT HYPHEN}hyphen",
        "Zero\N{ZERO WIDTH SPACE}width",
        "No\N{NO-BREAK SPACE}break",
        "Π" * 200,
        "診" * 200,
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 50,
        "'; DROP TABLE innovation; --",
    ]
    for title in titles:
        three = [submit(title=each) for each in ("!", title, "\N{NAZAR AMULET}")]
        query = {"limit": 1, "updated_since": three[0]["updated_at"]}
        for sort, ordered in (("title", three), ("-title", three[::-1])):
            with subtests.test(f"{sort} {title[:20]!r}"):
                assert everything(anybody, {**query, "sort": sort}) == references(ordered)


@pytest.mark.usefixtures("tied")
def test_the_link_is_the_same_query_at_the_next_page(anybody: httpx.Client) -> None:
    query: dict[str, Any] = {
        "theme": ["great-teams", "basics-sorted"],
        "q": "huddle or round",
        "limit": 2,
    }
    answer = anybody.get("/v1/innovations", params=query)

    link = httpx.URL(answer.links["next"]["url"]).params
    assert link.get_list("theme") == query["theme"]
    assert (link["q"], link["limit"]) == (query["q"], "2")
    assert link["cursor"] == answer.json()["page"]["next"]
    following = anybody.get("/v1/innovations", params={**query, "cursor": link["cursor"]})
    assert following.json() == anybody.get(answer.links["next"]["url"]).json()
    # Pages of another length may follow.
    longer = anybody.get(
        "/v1/innovations", params={**query, "limit": 100, "cursor": link["cursor"]}
    )
    assert longer.json()["items"][:2] == following.json()["items"]


@pytest.mark.usefixtures("tied")
def test_a_page_has_at_most_a_hundred_and_says_how_many_there_are(
    anybody: httpx.Client,
) -> None:
    for limit in (1, 39, 40, 41, 100):
        answer = anybody.get(f"/v1/innovations?limit={limit}")
        items, page = answer.json()["items"], answer.json()["page"]
        assert len(items) == min(limit, 40)
        assert (page["limit"], page["total"]) == (limit, 40)
        assert (page["next"] is None) == (limit >= 40) == ("link" not in answer.headers)
    assert anybody.get("/v1/innovations").json()["page"]["limit"] == 50
    for wrong in ("0", "101", "-1", "ten"):
        answer = anybody.get(f"/v1/innovations?limit={wrong}")
        (error,) = problem_of(answer, 422, "validation-failed")["errors"]
        assert error["pointer"] == "?limit"


def test_an_empty_register_has_an_empty_page(anybody: httpx.Client) -> None:
    for query in ("", "?q=anything", "?sort=title", "?tag=none", "?facets=theme,tag"):
        answer = anybody.get(f"/v1/innovations{query}").json()
        assert (answer["items"], answer["page"]["total"], answer["page"]["next"]) == ([], 0, None)
    assert WARD_ROUNDS["theme"] not in anybody.get("/v1/innovations?facets=theme").text
