"""History: every version of an innovation, as it was."""

from __future__ import annotations

import httpx

from tests.http.speaking import Submit, problem_of
from tests.routers.test_innovations import lines_since, patch, withdraw


def test_every_version_is_there_as_it_was(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    before = int(anybody.get(entry["links"]["self"]).headers["register-sequence"]) - 1
    versions = [entry]
    for i in range(6):
        versions.append(patch(trust, entry, title=f"Title {i}").json())
        submit(title="Another one in between")

    history = anybody.get(entry["links"]["history"]).json()

    assert [line["document"] for line in history["items"]] == versions
    assert history["page"] == {"limit": 50, "total": 7, "next": None}
    lines = [line for line in lines_since(anybody, before) if line["id"] == entry["id"]]
    assert history["items"] == lines
    for number, line in enumerate(lines, start=1):
        for at in (entry["links"]["history"], f"/v1/innovations/{entry['reference']}/history"):
            assert anybody.get(f"{at}/{number}").json() == line
    problem_of(anybody.get(f"{entry['links']['history']}/8"), 404, "not-found")


def test_history_comes_in_pages(trust: httpx.Client, anybody: httpx.Client, submit: Submit) -> None:
    entry = submit()
    for i in range(4):
        patch(trust, entry, title=f"Title {i}")
    seen = []
    answer = anybody.get(f"{entry['links']['history']}?limit=2")
    while True:
        assert answer.json()["page"]["total"] == 5
        seen += [line["version"] for line in answer.json()["items"]]
        if "next" not in answer.links:
            break
        answer = anybody.get(answer.links["next"]["url"])
    assert seen == [1, 2, 3, 4, 5]


def test_a_version_never_changes_whatever_is_renamed(
    curator: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit(theme="great-teams")
    at = f"{entry['links']['history']}/1"
    first = anybody.get(at)
    curator.patch("/v1/themes/great-teams", json={"name": "Better"}, headers={"If-Match": "*"})
    again = anybody.get(at)
    assert (again.json(), again.headers["etag"]) == (first.json(), first.headers["etag"])
    assert again.json()["document"]["theme"]["name"] == "Great teams"
    assert anybody.get(entry["links"]["self"]).json()["theme"]["name"] == "Better"
    assert anybody.get(entry["links"]["history"]).json()["page"]["total"] == 1


def test_what_was_withdrawn_keeps_its_history(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    entry = submit()
    tombstone = withdraw(trust, entry, "Submitted twice.")
    last = anybody.get(f"{entry['links']['history']}/2").json()
    assert (last["action"], last["document"]) == ("withdrawn", tombstone)
    assert anybody.get(f"{entry['links']['history']}/1").json()["document"] == entry


def test_there_is_no_history_of_nothing(anybody: httpx.Client) -> None:
    for path in ("INN-000001/history", "INN-000001/history/1", "none/history"):
        problem_of(anybody.get(f"/v1/innovations/{path}"), 404, "not-found")
