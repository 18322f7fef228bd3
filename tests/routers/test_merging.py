"""Merging: one innovation becomes superseded by another, and what belonged to it follows."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from app.register import redaction
from tests.conftest import WARD_ROUNDS, Register
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.test_adoptions import STOPPED, adopt, remove
from tests.routers.test_adoptions import patch as patch_adoption
from tests.routers.test_imports import imported, outcomes
from tests.routers.test_innovations import Entry, lines_since, patch, withdraw
from tests.routers.test_stories import HUDDLE, STORIES, tell
from tests.routers.test_stories import withdraw as withdraw_story

INNOVATIONS = "/v1/innovations"
ANYHOW = {"If-Match": "*"}
REASON = "Both are the same rounds."
AUDIT: Entry = {"kind": "audit", "statement": "It held.", "strength": "strong"}
VOICE: Entry = {"kind": "staff_voice", "statement": "We get home on time."}
MEASURE: Entry = {"kind": "evaluation", "statement": "Fewer admissions."}
KEEP: Entry = {"status": "keep", "reason": "It works.", "decided_on": "2021-06-30"}


def merge(
    client: httpx.Client, gone: Entry, into: Entry | str, *, tag: str | None = "*", **headers: str
) -> httpx.Response:
    name = into if isinstance(into, str) else into["reference"]
    headers |= {} if tag is None else {"If-Match": tag}
    at = f"{gone['links']['self']}/merge"
    return client.post(at, json={"into": name, "reason": REASON}, headers=headers)


def merged(client: httpx.Client, gone: Entry, into: Entry) -> Entry:
    answer = merge(client, gone, into)
    assert answer.status_code == 200, answer.text
    document: Entry = answer.json()
    return document


def get(client: httpx.Client, entry: Entry) -> Entry:
    answer = client.get(entry["links"]["self"])
    assert answer.status_code == 200, answer.text
    document: Entry = answer.json()
    return document


def ref(entry: Entry) -> Entry:
    return {"id": entry["id"], "reference": entry["reference"]}


def successor_of(answer: httpx.Response) -> str:
    """The address that the answer's `Link` leads to."""
    return answer.links["successor-version"]["url"]


@pytest.fixture
def ours(submit: Submit) -> Entry:
    """What a trust submitted first."""
    return submit(title="Rounds by video", evidence=[AUDIT], tags=["ours"])


@pytest.fixture
def theirs(other_trust: httpx.Client, submit: Submit) -> Entry:
    """The same practice, which another trust submitted."""
    return submit(other_trust, title="Video ward rounds", evidence=[VOICE], tags=["theirs"])


@pytest.fixture
def pair(ours: Entry, theirs: Entry) -> tuple[Entry, Entry]:
    """Both of them."""
    return ours, theirs


# The one that goes


def test_what_is_merged_says_what_took_its_place_and_keeps_its_address(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    submit: Submit,
    ours: Entry,
) -> None:
    source = {"system": "intranet", "id": "42"}
    theirs = submit(other_trust, decision=KEEP, source=source, started_on=None)

    answer = merge(curator, theirs, ours)

    gone = answer.json()
    assert answer.status_code == 200, answer.text
    assert (gone["visibility"], gone["version"], gone["supersedes"]) == ("superseded", 2, [])
    supersession = gone["superseded_by"]
    assert supersession == {
        **ref(ours),
        "reason": REASON,
        "superseded_at": gone["updated_at"],
    }
    assert (gone["title"], gone["status"]) == (theirs["title"], "keep")
    assert (gone["decision"], gone["source"]) == (theirs["decision"], source)
    at = theirs["links"]["self"]
    for found in (
        answer,
        anybody.get(at),
        anybody.get(f"{INNOVATIONS}/{theirs['reference']}"),
        other_trust.get(f"{INNOVATIONS}/by-source/intranet/42"),
    ):
        assert found.json() == gone
        assert successor_of(found) == ours["links"]["self"]
        assert found.headers["etag"] == answer.headers["etag"]
    assert anybody.get(f"{at}/decisions").json()["items"] == [theirs["decision"]]
    assert "link" not in anybody.get(ours["links"]["self"]).headers
    assert get(anybody, ours)["supersedes"] == [{**ref(theirs), "evidence": []}]
    assert get(anybody, ours)["status"] == "under_review", "a decision stays with its own entry"


def test_it_leaves_all_lists_and_figures(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    queries = ("", "?tag=theirs", "?q=video", "?region=Y56", "?sort=title", "?evidence_kind=audit")
    merged(curator, theirs, ours)

    now = get(anybody, ours)
    for query, total in zip(queries, (1, 0, 1, 0, 1, 1), strict=True):
        page = anybody.get(f"{INNOVATIONS}{query}").json()
        assert page["items"] == [now][:total], query
        assert page["page"]["total"] == total, query
    assert anybody.get("/v1/statistics").json()["total"]["innovations"] == 1
    assert anybody.get("/v1/statistics/overview").json()["totals"]["innovations"] == 1
    exported = list(csv.DictReader(io.StringIO(anybody.get("/v1/exports/innovations.csv").text)))
    assert [row["reference"] for row in exported] == [ours["reference"]]
    pieces = csv.DictReader(io.StringIO(anybody.get("/v1/exports/evidence.csv").text))
    assert {row["reference"] for row in pieces} == {ours["reference"]}
    entities = anybody.get("/odata/v4/Innovations?$count=true").json()
    assert (entities["@odata.count"], entities["value"][0]["id"]) == (1, ours["id"])
    assert theirs["id"] not in anybody.get("/feeds/innovations.atom").text
    similar = anybody.get(f"{ours['links']['self']}/similar").json()
    assert similar["items"] == []
    of_theirs = anybody.get(f"{theirs['links']['self']}/similar").json()["items"]
    assert [each["innovation"]["id"] for each in of_theirs] == [ours["id"]]


def test_who_may_see_it_lists_it(
    curator: httpx.Client,
    trust: httpx.Client,
    other_trust: httpx.Client,
    anybody: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    gone = merged(curator, theirs, ours)
    query = {"visibility": "superseded"}
    problem_of(anybody.get(INNOVATIONS, params=query), 401, "unauthenticated")
    assert trust.get(INNOVATIONS, params=query).json()["items"] == []
    for client in (curator, other_trust):
        assert client.get(INNOVATIONS, params=query).json()["items"] == [gone]
    every = {"visibility": ["published", "superseded"], "facets": "visibility", "q": "video"}
    page = curator.get(INNOVATIONS, params=every).json()
    assert page["page"]["total"] == 2
    assert {each["value"]: each["count"] for each in page["facets"]["visibility"]} == {
        "published": 1,
        "superseded": 1,
    }


# What follows


def test_evidence_follows(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    submit: Submit,
    ours: Entry,
) -> None:
    theirs = submit(other_trust, evidence=[VOICE, AUDIT, MEASURE])
    voice, audit, measure = theirs["evidence"]

    gone = merged(curator, theirs, ours)

    kept = get(anybody, ours)
    assert kept["evidence"] == [*ours["evidence"], voice, measure]
    assert kept["counts"]["evidence"] == 3
    assert gone["evidence"] == [audit], "what both said is said once, and stays where it was"
    assert kept["supersedes"] == [{**ref(theirs), "evidence": [voice["id"], measure["id"]]}]
    assert anybody.get(ours["links"]["evidence"]).json()["items"] == kept["evidence"]
    for piece in (voice, audit, measure):
        before = anybody.get(f"{theirs['links']['evidence']}/{piece['id']}")
        assert before.json() == piece, "its link still works"
    at = f"{ours['links']['evidence']}/{voice['id']}"
    assert (
        anybody.get(at).headers["etag"]
        == anybody.get(f"{theirs['links']['evidence']}/{voice['id']}").headers["etag"]
    )
    assert curator.patch(at, json={"strength": "strong"}, headers=ANYHOW).status_code == 200
    strong = anybody.get(INNOVATIONS, params={"evidence_kind": "evaluation"}).json()
    assert strong["page"]["total"] == 1
    assert anybody.get("/v1/statistics").json()["total"]["evidence"] == 3


def test_adoptions_follow_with_their_histories(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    adoption = adopt(curator, theirs, organisation="RM3", stage="piloting", learnt="Buy tablets.")
    patch_adoption(curator, adoption, stage="adopted", since="2024-05-01")
    before = head_of(anybody)

    gone = merged(curator, theirs, ours)

    kept = get(anybody, ours)
    assert (gone["adoptions"], gone["counts"]["adoptions"]) == ([], 0)
    assert [position["organisation"] for position in kept["adoptions"]] == ["RM3"]
    assert kept["counts"]["adoptions"] == 1
    old, new = (f"{each['links']['adoptions']}/{adoption['id']}" for each in (theirs, ours))
    moved = anybody.get(new).json()
    assert (moved["innovation"], moved["version"]) == (ref(ours), 3)
    assert moved["links"] == {
        "self": new,
        "innovation": ours["links"]["self"],
        "history": f"{new}/history",
    }
    assert (moved["learnt"], moved["adopted_on"]) == ("Buy tablets.", "2024-05-01")
    assert anybody.get(old).json() == moved, "its link still works"
    histories = [anybody.get(f"{at}/history").json() for at in (old, new)]
    assert histories[0] == histories[1]
    assert [line["document"]["stage"] for line in histories[0]["items"]] == [
        "piloting",
        "adopted",
        "adopted",
    ]
    assert anybody.get(theirs["links"]["adoptions"]).json()["items"] == []
    assert anybody.get(ours["links"]["adoptions"]).json()["items"] == [moved]
    (of_organisation,) = anybody.get("/v1/organisations/RM3/adoptions").json()["items"]
    assert of_organisation["about"]["title"] == ours["title"]
    spread = anybody.get("/v1/statistics/spread").json()["total"]
    assert (spread["adoptions"], spread["adopters"]) == (1, 1)
    found = anybody.get(INNOVATIONS, params={"adopted_by": "QOP", "sort": "-adoption_count"})
    assert found.json()["items"] == [kept]
    own = [line for line in lines_since(anybody, before) if line["kind"] == "adoption"]
    assert [(line["action"], line["document"]) for line in own] == [("updated", moved)]
    # It is the other's now, and changes and ends there.
    assert patch_adoption(curator, moved, **STOPPED).status_code == 200
    assert remove(curator, moved).status_code == 204
    for at in (old, new):
        problem_of(anybody.get(at), 410, "withdrawn")
        assert len(anybody.get(f"{at}/history").json()["items"]) == 5


POSITIONS: list[tuple[Entry, Entry, Entry]] = [
    # What an organisation said of the one that stays and of the one that goes, and what it then
    # says.
    (
        {"stage": "considering", "since": "2025-01-01"},
        {"stage": "adopted", "since": "2023-01-01", "learnt": "There."},
        {"stage": "adopted", "since": "2023-01-01", "adopted_on": "2023-01-01", "learnt": "There."},
    ),
    (
        {"stage": "adapted", "since": "2022-01-01", "learnt": "Here."},
        {"stage": "piloting", "since": "2024-01-01", "learnt": "There."},
        {"stage": "adapted", "since": "2022-01-01", "adopted_on": "2022-01-01", "learnt": "Here."},
    ),
    (
        {"stage": "adopted", "since": "2024-01-01", "learnt": "Here."},
        {"stage": "adopted", "since": "2021-01-01", "learnt": "There."},
        {"stage": "adopted", "since": "2024-01-01", "adopted_on": "2021-01-01", "learnt": "Here."},
    ),
    (
        {"stage": "adopted", "since": "2021-01-01"},
        {"stage": "stopped", "since": "2024-01-01", "learnt": "There."},
        {"stage": "stopped", "since": "2024-01-01", "adopted_on": "2021-01-01", "learnt": "There."},
    ),
    (
        {"stage": "stopped", "since": "2021-01-01", "learnt": "Here."},
        {"stage": "adopted", "since": "2024-01-01", "learnt": None},
        {"stage": "adopted", "since": "2024-01-01", "adopted_on": "2024-01-01", "learnt": None},
    ),
    (
        {"stage": "piloting", "since": "2024-01-01", "learnt": "Here."},
        {"stage": "piloting", "since": "2024-01-01", "learnt": "There."},
        {"stage": "piloting", "since": "2024-01-01", "adopted_on": None, "learnt": "Here."},
    ),
]


def test_of_two_positions_of_one_organisation_the_further_one_is_kept(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    for here, there, expected in POSITIONS:
        with subtests.test(f"{here['stage']} {there['stage']}"):
            kept, gone = submit(), submit()
            own = adopt(curator, kept, organisation="RM3", **here)
            other = adopt(curator, gone, organisation="RM3", **there)

            left = merged(curator, gone, kept)

            (position,) = get(anybody, kept)["adoptions"]
            assert (
                expected.items()
                >= {name: position[name] for name in ("stage", "since", "adopted_on")}.items()
            )
            now = anybody.get(own["links"]["self"]).json()
            assert now.items() >= expected.items()
            assert now["version"] == 1 + (now != own)
            # What it said of the other is still there to be read, and counted nowhere.
            assert anybody.get(other["links"]["self"]).json() == other
            assert [each["organisation"] for each in left["adoptions"]] == ["RM3"]


def test_an_organisation_does_not_come_to_adopt_its_own(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    adoption = adopt(curator, theirs, organisation="R0A", learnt="Buy tablets.")
    merged(curator, theirs, ours)
    assert get(anybody, ours)["adoptions"] == []
    assert anybody.get(adoption["links"]["self"]).json() == adoption
    assert anybody.get("/v1/statistics/spread").json()["total"]["adoptions"] == 0
    assert anybody.get(f"{INNOVATIONS}?adopted_by=R0A").json()["items"] == []


def test_whose_entry_goes_has_it_too_if_it_keeps_it_and_said_since_when(
    curator: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    kept = submit()
    gone = submit(other_trust, decision=KEEP, started_on="2020-04-01")

    merged(curator, gone, kept)

    (adoption,) = anybody.get(kept["links"]["adoptions"]).json()["items"]
    assert (adoption["organisation"]["code"], adoption["stage"]) == ("RJ1", "adopted")
    assert (adoption["since"], adoption["adopted_on"]) == ("2020-04-01", "2020-04-01")
    assert gone["reference"] in adoption["learnt"]
    assert get(anybody, kept)["counts"]["adoptions"] == 1
    # It is the trust's own, to be changed as any other.
    assert patch_adoption(other_trust, adoption, learnt="Start small.").status_code == 200


MADE_UP: list[Entry] = [
    {"decision": {**KEEP, "status": "retire"}, "started_on": "2020-04-01"},
    {"started_on": "2020-04-01"},
    {"decision": KEEP},
    {"decision": KEEP, "started_on": "2199-04-01"},
    {"decision": KEEP, "started_on": "2020-04-01", "organisation": "R0A"},
]
"""Retired, not judged, since nobody knows when, still to come, of the very organisation: none of
these is an adoption."""


def test_no_adoption_is_made_up(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    kept = submit()
    for fields in MADE_UP:
        merged(curator, submit(curator, **{"organisation": "RJ1", **fields}), kept)
    assert get(anybody, kept)["adoptions"] == []
    assert len(get(anybody, kept)["supersedes"]) == len(MADE_UP)


def test_what_its_organisation_said_before_of_the_one_that_stays_stands(
    curator: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client, submit: Submit
) -> None:
    kept, gone = submit(), submit(other_trust, decision=KEEP, started_on="2020-04-01")
    adoption = adopt(other_trust, kept, stage="adapted")
    merged(curator, gone, kept)
    assert anybody.get(kept["links"]["adoptions"]).json()["items"] == [adoption]


def test_stories_tell_of_the_one_that_stays(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    one = tell(other_trust, HUDDLE, innovations=[theirs["id"]])
    both = tell(curator, HUDDLE, innovations=[theirs["id"], ours["id"]])
    private = tell(other_trust, HUDDLE, innovations=[theirs["id"]], consent_to_publish=False)
    gone_story = tell(other_trust, HUDDLE, innovations=[theirs["id"]])
    assert withdraw_story(other_trust, gone_story).status_code == 200
    piece = next(each for each in get(anybody, theirs)["evidence"] if each["story"] == one["id"])

    gone = merged(curator, theirs, ours)

    for story, client in ((one, anybody), (both, anybody), (private, other_trust)):
        assert client.get(story["links"]["self"]).json()["innovations"] == [ref(ours)]
    pieces = {each["story"]: each for each in get(anybody, ours)["evidence"] if each["story"]}
    assert set(pieces) == {one["id"], both["id"]}
    assert pieces[one["id"]] == piece
    assert [each for each in gone["evidence"] if each["story"]] == []
    for name in (theirs["reference"], theirs["id"], ours["id"]):
        found = anybody.get(STORIES, params={"innovation": name}).json()
        assert {each["id"] for each in found["items"]} == {one["id"], both["id"]}
        assert found["page"]["total"] == 2
    # And what becomes of them is seen there.
    assert withdraw_story(other_trust, one).status_code == 200
    stories = [each["story"] for each in get(anybody, ours)["evidence"] if each["story"]]
    assert stories == [both["id"]]


def test_a_survey_that_names_the_one_that_went_is_taken_as_before(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    at = f"{STORIES}/by-source/survey/1"
    sent = {**HUDDLE, "innovations": [theirs["reference"]]}
    assert other_trust.put(at, json=sent).status_code == 201
    merged(curator, theirs, ours)
    before = head_of(anybody)

    again = other_trust.put(at, json=sent, headers=ANYHOW)

    assert again.status_code == 200, again.text
    assert again.json()["innovations"] == [ref(ours)]
    assert head_of(anybody) == before
    new = tell(other_trust, HUDDLE, innovations=[theirs["id"]])
    assert new["innovations"] == [ref(ours)]
    assert new["id"] in {piece["story"] for piece in get(anybody, ours)["evidence"]}
    refused = trust.post(STORIES, json={**HUDDLE, "innovations": [theirs["id"]]})
    problem_of(refused, 403, "forbidden")


def test_what_took_its_place_may_be_withdrawn(
    curator: httpx.Client,
    anybody: httpx.Client,
    trust: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    at = f"{STORIES}/by-source/survey/1"
    sent = {**HUDDLE, "innovations": [theirs["reference"]]}
    assert other_trust.put(at, json=sent).status_code == 201
    merged(curator, theirs, ours)
    withdraw(trust, ours)

    found = anybody.get(theirs["links"]["self"])
    assert found.status_code == 200
    problem_of(anybody.get(successor_of(found)), 410, "withdrawn")
    assert patch(other_trust, theirs, title="Still ours").status_code == 200
    assert other_trust.put(at, json=sent, headers=ANYHOW).status_code == 200, "it was linked before"
    answer = other_trust.post(STORIES, json=sent)
    (error,) = problem_of(answer, 422, "unknown-innovation")["errors"]
    assert (error["pointer"], error["code"]) == ("#/innovations/0", "innovation_withdrawn")


# The log, and the past


def test_each_of_them_has_a_line_and_a_history(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    before = head_of(anybody)

    answer = merge(curator, theirs, ours)

    superseded, taken_in = lines_since(anybody, before)
    assert (superseded["action"], superseded["id"]) == ("superseded", theirs["id"])
    assert (taken_in["action"], taken_in["id"]) == ("merged", ours["id"])
    assert superseded["document"] == answer.json()
    assert taken_in["document"] == get(anybody, ours)
    assert {superseded["by"], taken_in["by"]} == {"RJ1"}
    assert int(answer.headers["register-sequence"]) == taken_in["sequence"]
    for entry, line in ((ours, taken_in), (theirs, superseded)):
        history = anybody.get(entry["links"]["history"]).json()["items"]
        assert [each["document"] for each in history] == [entry, line["document"]]


def test_the_past_stays_as_it_was(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    adopt(curator, theirs, organisation="RM3")
    queries = [INNOVATIONS, f"{INNOVATIONS}?q=video", "/v1/statistics?group_by=region"]
    queries += ["/v1/statistics/spread?by=region", theirs["links"]["self"], ours["links"]["self"]]
    line = head_of(anybody)

    def then(at: str, as_of: int) -> Any:
        told = anybody.get(at, params={**httpx.URL(at).params, "as_of": as_of}).json()
        return {name: part for name, part in told.items() if name != "as_of"}

    before = [then(at, line) for at in queries]
    merged(curator, theirs, ours)
    now = head_of(anybody)

    assert [then(at, line) for at in queries] == before
    answer = anybody.get(theirs["links"]["self"], params={"as_of": now})
    assert answer.json() == get(anybody, theirs)
    assert successor_of(answer) == ours["links"]["self"]
    assert "link" not in anybody.get(theirs["links"]["self"], params={"as_of": line}).headers
    assert then(INNOVATIONS, now)["page"]["total"] == 1


def test_who_follows_a_part_is_told_that_it_went(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    before = head_of(anybody)
    merged(curator, theirs, ours)
    parts = (
        {"tag": "theirs"},
        {"region": "Y56"},
        {"visibility": "published"},
        {"q": '"ward rounds"'},
    )
    for filters in parts:
        query: Entry = {"after": before, **filters}
        lines = anybody.get("/v1/changes", params=query).json()["items"]
        assert ("superseded", theirs["id"]) in [(line["action"], line["id"]) for line in lines]


def test_what_went_before_points_to_what_is_there_now(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    first, second, third = (
        submit(title=f"Rounds {n}", evidence=[piece])
        for n, piece in enumerate((AUDIT, VOICE, MEASURE))
    )
    adoption = adopt(curator, first, organisation="RM3")
    merged(curator, first, second)
    reason = get(anybody, first)["superseded_by"]["reason"]
    before = head_of(anybody)

    merged(curator, second, third)

    for each in (first, second):
        document = get(anybody, each)
        assert document["superseded_by"].items() >= {**ref(third), "reason": reason}.items()
        assert document["supersedes"] == []
    supersedes = get(anybody, third)["supersedes"]
    assert [ref(each) for each in supersedes] == [ref(first), ref(second)]
    assert [len(each["evidence"]) for each in supersedes] == [1, 2]
    assert len(get(anybody, third)["evidence"]) == 3
    for each in (first, second, third):
        moved = anybody.get(f"{each['links']['adoptions']}/{adoption['id']}").json()
        assert moved["innovation"] == ref(third)
    found = anybody.get(f"{first['links']['evidence']}/{first['evidence'][0]['id']}")
    assert found.json() == first["evidence"][0]
    lines = [(line["action"], line["id"]) for line in lines_since(anybody, before)]
    assert lines == [
        ("updated", adoption["id"]),
        ("superseded", first["id"]),
        ("superseded", second["id"]),
        ("merged", third["id"]),
    ]


def test_a_piece_that_stays_in_the_middle_of_a_chain_is_found_where_it_was_first(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    source = {"system": "nightly", "id": "1"}
    row = {**WARD_ROUNDS, "source": source, "evidence": [AUDIT]}
    assert outcomes(imported(trust, [row])) == ["created"]
    middle = trust.get(f"{INNOVATIONS}/by-source/nightly/1").json()
    first, last, other = submit(evidence=[VOICE]), submit(evidence=[VOICE]), submit()
    (piece,) = first["evidence"]
    links = [f"{each['links']['evidence']}/{piece['id']}" for each in (first, middle)]

    merged(curator, first, middle)
    assert merged(curator, middle, last)["evidence"] == [piece], "the third says the same"
    assert [anybody.get(link).json() for link in links] == [piece, piece]
    assert outcomes(imported(trust, [{**row, "evidence": [MEASURE]}])) == ["updated"]
    assert [anybody.get(link).json() for link in links] == [piece, piece], "it was never its own"

    for stranger in (other, last):
        at = f"{stranger['links']['evidence']}/{piece['id']}"
        problem_of(anybody.get(at), 404, "not-found")
    at = f"{first['links']['evidence']}/{submit(evidence=[AUDIT])['evidence'][0]['id']}"
    problem_of(anybody.get(at), 404, "not-found")


def test_old_links_show_nothing_of_what_was_withdrawn(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    adoption = adopt(curator, theirs, organisation="RM3")
    (piece,) = theirs["evidence"]
    merged(curator, theirs, ours)
    withdraw(curator, ours)
    for what, id in (("evidence", piece["id"]), ("adoptions", adoption["id"])):
        problem_of(anybody.get(f"{theirs['links'][what]}/{id}"), 410, "withdrawn")


# What is sent to the one that went


def test_what_belongs_to_it_is_sent_to_the_other(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    adoption = adopt(curator, theirs, organisation="RM3")
    piece = theirs["evidence"][0]
    merged(curator, theirs, ours)
    before, links = head_of(anybody), theirs["links"]
    piece_at = f"{links['evidence']}/{piece['id']}"
    at = adoption["links"]["self"]
    for answer in (
        other_trust.post(links["decisions"], json=KEEP),
        other_trust.post(links["evidence"], json=AUDIT),
        other_trust.patch(piece_at, json={"strength": "strong"}, headers=ANYHOW),
        other_trust.delete(piece_at, headers=ANYHOW),
        curator.post(links["adoptions"], json={"stage": "adopted", "organisation": "RMC"}),
        curator.patch(at, json={"stage": "piloting"}, headers=ANYHOW),
        curator.delete(at, headers=ANYHOW),
        other_trust.delete(f"{links['self']}?reason=Twice.", headers=ANYHOW),
        merge(curator, theirs, ours),
    ):
        problem = problem_of(answer, 409, "superseded")
        assert ours["reference"] in problem["detail"]
        assert ours["id"] in problem["detail"]
        assert successor_of(answer) == ours["links"]["self"]
    assert head_of(anybody) == before


def test_its_own_organisation_corrects_its_text(
    curator: httpx.Client,
    anybody: httpx.Client,
    other_trust: httpx.Client,
    pair: tuple[Entry, Entry],
) -> None:
    ours, theirs = pair
    merged(curator, theirs, ours)
    before = head_of(anybody)

    answer = patch(other_trust, theirs, title="Rounds with a camera", visibility="published")

    assert answer.status_code == 200, answer.text
    assert successor_of(answer) == ours["links"]["self"]
    after = answer.json()
    assert (after["title"], after["visibility"]) == ("Rounds with a camera", "superseded")
    assert after["superseded_by"]["id"] == ours["id"]
    assert get(anybody, theirs) == after
    assert anybody.get(f"{INNOVATIONS}?q=camera").json()["items"] == []
    (line,) = lines_since(anybody, before)
    assert (line["action"], line["document"]["visibility"]) == ("updated", "superseded")
    problem_of(patch(other_trust, theirs, visibility="draft"), 422, "validation-failed")
    assert patch(other_trust, theirs, visibility=None).json() == after


def test_a_nightly_file_goes_on_and_loses_nothing(
    curator: httpx.Client, anybody: httpx.Client, other_trust: httpx.Client, ours: Entry
) -> None:
    source = {"system": "nightly", "id": "1"}
    row = {**WARD_ROUNDS, "source": source, "decision": KEEP, "evidence": [VOICE, AUDIT]}
    assert outcomes(imported(other_trust, [row])) == ["created"]
    at = f"{INNOVATIONS}/by-source/nightly/1"
    theirs = other_trust.get(at).json()
    merged(curator, theirs, ours)
    before = head_of(anybody)

    assert outcomes(imported(other_trust, [row])) == ["unchanged"]
    sent = {name: value for name, value in row.items() if name != "source"}
    assert other_trust.put(at, json=sent, headers=ANYHOW).status_code == 200
    assert head_of(anybody) == before

    more = {**row, "title": "Rounds in the round", "evidence": [VOICE, AUDIT, MEASURE]}
    report = imported(other_trust, [more, {**WARD_ROUNDS, "source": {**source, "id": "2"}}])
    assert outcomes(report) == ["updated", "created"]
    gone = get(anybody, theirs)
    assert (gone["title"], gone["visibility"]) == ("Rounds in the round", "superseded")
    assert [piece["kind"] for piece in gone["evidence"]] == ["audit", "evaluation"]
    assert [piece["kind"] for piece in get(anybody, ours)["evidence"]] == ["audit", "staff_voice"]
    assert outcomes(imported(other_trust, [more])) == ["unchanged"]


def test_a_nightly_file_takes_nothing_away_that_came_with_another(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, submit: Submit, theirs: Entry
) -> None:
    source = {"system": "nightly", "id": "1"}
    row = {**WARD_ROUNDS, "source": source, "evidence": [AUDIT]}
    assert outcomes(imported(trust, [row])) == ["created"]
    kept = trust.get(f"{INNOVATIONS}/by-source/nightly/1").json()
    merged(curator, submit(evidence=[MEASURE]), theirs)
    merged(curator, theirs, kept)
    before = get(anybody, kept)
    assert len(before["evidence"]) == 3

    assert outcomes(imported(trust, [row])) == ["unchanged"]
    assert outcomes(imported(trust, [{**row, "evidence": [MEASURE]}])) == ["updated"]

    kinds = [piece["kind"] for piece in get(anybody, kept)["evidence"]]
    assert kinds == ["staff_voice", "evaluation"], "its own is taken back, and nothing is doubled"


# What is refused


def test_who_merges_curates(
    trust: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    problem_of(merge(trust, ours, theirs), 403, "forbidden")
    problem_of(merge(anybody, ours, theirs), 401, "unauthenticated")


def test_a_merge_asks_for_the_version_that_was_seen(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    tag = anybody.get(ours["links"]["self"]).headers["etag"]
    assert patch(trust, ours, title="Changed meanwhile").status_code == 200
    problem_of(merge(curator, ours, theirs, tag=None), 428, "precondition-required")
    problem_of(merge(curator, ours, theirs, tag=tag), 412, "precondition-failed")
    tag = anybody.get(ours["links"]["self"]).headers["etag"]
    assert merge(curator, ours, theirs, tag=tag).status_code == 200


def test_into_what_it_cannot_be_merged_is_pointed_at(
    curator: httpx.Client, trust: httpx.Client, submit: Submit, ours: Entry, theirs: Entry
) -> None:
    draft, gone, last = submit(visibility="draft"), submit(), submit()
    withdraw(trust, gone)
    merged(curator, theirs, last)
    before = head_of(curator)
    unknown = "01a20840-d264-742b-bd62-c66f43977b7b"
    for into, status, slug, code in (
        (ours, 422, "validation-failed", "into_itself"),
        (ours["id"].upper(), 422, "validation-failed", "into_itself"),
        (draft, 422, "validation-failed", "innovation_is_draft"),
        (gone, 422, "unknown-innovation", "innovation_withdrawn"),
        (unknown, 422, "unknown-innovation", "unknown_innovation"),
        ("INN-999999", 422, "unknown-innovation", "unknown_innovation"),
        ("STY-000001", 422, "unknown-innovation", "unknown_innovation"),
        ("nothing", 422, "unknown-innovation", "unknown_innovation"),
        (theirs, 409, "superseded", "innovation_superseded"),
    ):
        answer = merge(curator, ours, into)
        (error,) = problem_of(answer, status, slug)["errors"]
        assert (error["pointer"], error["code"]) == ("#/into", code)
    assert last["reference"] in error["detail"]
    assert successor_of(answer) == last["links"]["self"]
    assert head_of(curator) == before


def test_what_cannot_be_merged_is_told(
    curator: httpx.Client, trust: httpx.Client, submit: Submit, ours: Entry
) -> None:
    draft, gone = submit(visibility="draft"), submit()
    withdraw(trust, gone)
    problem_of(merge(curator, draft, ours), 422, "validation-failed")
    problem_of(merge(curator, gone, ours), 410, "withdrawn")
    nothing = {"links": {"self": f"{INNOVATIONS}/INN-999999"}}
    problem_of(merge(curator, nothing, ours), 404, "not-found")
    body = {"into": ours["id"], "reason": "Mrs Example asked."}
    at = f"{submit()['links']['self']}/merge"
    problem_of(curator.post(at, json=body, headers=ANYHOW), 422, "possible-personal-data")
    for wrong in ({"into": ours["id"]}, {"reason": REASON}, {**body, "by": 1}, {"into": 1}):
        assert curator.post(at, json=wrong, headers=ANYHOW).status_code == 422


def test_more_evidence_than_an_innovation_has_room_for_is_told(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    one, other = (
        submit(evidence=[{**AUDIT, "statement": f"{name} {n}."} for n in range(26)])
        for name in ("One", "Other")
    )
    before = head_of(anybody)
    problem = problem_of(merge(curator, one, other), 422, "too-many")
    assert "52" in problem["detail"]
    assert head_of(anybody) == before
    assert get(anybody, one) == one


def test_a_reason_that_was_accepted_is_noted_at_its_own_line_only(
    register: Register, curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    body = {"into": ours["id"], "reason": "Both are of Miss Havisham ward."}
    before, at = head_of(anybody), f"{theirs['links']['self']}/merge?accept_flagged=true"
    assert curator.post(at, json=body, headers=ANYHOW).status_code == 200
    lines = lines_since(anybody, before)
    assert [line["accepted_flagged"] for line in lines] == [True, False]
    assert register.verify().broken_at is None


def test_the_same_request_again_gets_the_first_answer_again(
    curator: httpx.Client, anybody: httpx.Client, ours: Entry, theirs: Entry
) -> None:
    key = {"Idempotency-Key": "once"}
    first = merge(curator, theirs, ours, **key)
    before = head_of(anybody)
    again = merge(curator, theirs, ours, **key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert successor_of(again) == successor_of(first) == ours["links"]["self"]
    assert head_of(anybody) == before
    problem_of(merge(curator, ours, theirs["id"], **key), 422, "idempotency-key-reused")


# At once


def test_of_two_merges_at_once_one_is_done(
    register: Register, curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    for _ in range(5):
        one, other = submit(), submit()
        pairs = [(one, other), (other, one)]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda pair: merge(curator, *pair), pairs))
        done, refused = sorted(answers, key=lambda answer: answer.status_code)
        assert done.status_code == 200
        problem_of(refused, 409, "superseded")
        kept, gone = sorted((get(anybody, one), get(anybody, other)), key=lambda e: e["visibility"])
        assert (kept["visibility"], gone["visibility"]) == ("published", "superseded")
        assert gone["superseded_by"]["id"] == kept["id"]
    assert register.verify().broken_at is None


def test_evidence_that_comes_at_once_is_with_the_one_or_refused(
    curator: httpx.Client, anybody: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    for _ in range(5):
        kept, gone = submit(), submit()
        with ThreadPoolExecutor(9) as pool:
            posts = [
                pool.submit(
                    trust.post, gone["links"]["evidence"], json={**AUDIT, "statement": f"No {n}."}
                )
                for n in range(8)
            ]
            merging = pool.submit(merge, curator, gone, kept)
            assert merging.result().status_code == 200
            answers = [post.result() for post in posts]
        assert {answer.status_code for answer in answers} <= {201, 409}
        posted = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert {piece["id"] for piece in get(anybody, kept)["evidence"]} == posted
        assert get(anybody, gone)["evidence"] == []


# Redaction


SECRET = "Havisham of bay nine"


@pytest.mark.parametrize("asked", ["gone", "kept"])
def test_a_redaction_goes_through_both(
    register: Register,
    curator: httpx.Client,
    anybody: httpx.Client,
    pair: tuple[Entry, Entry],
    asked: str,
) -> None:
    ours, theirs = pair
    piece = {**MEASURE, "statement": f"It is {SECRET} who says so."}
    assert curator.post(theirs["links"]["evidence"], json=piece).status_code == 201
    adopt(curator, theirs, organisation="RM3", learnt=f"Ask {SECRET}.")
    adopt(curator, theirs, organisation="R0A", learnt=f"We asked {SECRET}.")
    tell(curator, {**HUDDLE, "text": f"Thanks to {SECRET}."}, innovations=[theirs["id"]])
    merged(curator, theirs, ours)
    name = {"gone": theirs, "kept": ours}[asked]["reference"]

    register.database.transaction(redaction.redact, name, "Somebody was named.", [SECRET])

    pages = [f"/v1/changes?after={after}&limit=100" for after in range(0, head_of(anybody), 100)]
    pages += [each["links"][what] for each in (ours, theirs) for what in ("self", "history")]
    pages += [each["links"][what] for each in (ours, theirs) for what in ("evidence", "adoptions")]
    for at in [*pages, STORIES, "/v1/organisations/RM3/adoptions"]:
        assert SECRET not in curator.get(at).text, at
    assert register.verify().broken_at is None
    kept = get(anybody, ours)
    assert len(kept["evidence"]) == 4
    assert kept["superseded_by"] is None
    assert get(anybody, theirs)["superseded_by"]["reason"] == REASON
