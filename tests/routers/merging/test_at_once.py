"""Merges, and what comes to what is merged, at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.conftest import Register
from tests.http.speaking import Submit, problem_of
from tests.routers.merging.merges import AUDIT, get, merge


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
