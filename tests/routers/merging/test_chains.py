"""What was merged into what is then merged itself: all point to the last."""

from __future__ import annotations

import httpx

from tests.conftest import WARD_ROUNDS
from tests.http.speaking import Submit, head_of, problem_of
from tests.routers.merging.merges import AUDIT, INNOVATIONS, MEASURE, VOICE, get, merged, ref
from tests.routers.test_adoptions import adopt
from tests.routers.test_imports import imported, outcomes
from tests.routers.test_innovations import lines_since


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
