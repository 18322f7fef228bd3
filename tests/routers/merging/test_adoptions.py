"""Adoptions follow; an organisation then has one position, and none on its own."""

from __future__ import annotations

import httpx
import pytest

from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.merging.merges import INNOVATIONS, KEEP, get, merged, ref
from tests.routers.test_adoptions import STOPPED, adopt, remove
from tests.routers.test_adoptions import patch as patch_adoption
from tests.routers.test_innovations import Entry, lines_since


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
