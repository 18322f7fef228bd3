"""Conditional requests: nothing new is not sent again, and nobody's change is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import WARD_ROUNDS
from tests.http.speaking import head_of, problem_of

Submit = Callable[..., dict[str, Any]]

AUDIT = {"kind": "audit", "statement": "It held."}
THEME = "/v1/themes/21st-century-tools"


def tag_of(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.headers["etag"]


def things(trust: httpx.Client, entry: dict[str, Any]) -> list[str]:
    """Addresses of one thing of each kind, and of their collections."""
    links = entry["links"]
    piece = trust.post(links["evidence"], json=AUDIT).json()["id"]
    decision = {"status": "keep", "reason": "Fewer admissions."}
    decided = trust.post(links["decisions"], json=decision).json()["id"]
    return [
        *links.values(),
        f"{links['evidence']}/{piece}",
        f"{links['decisions']}/{decided}",
        f"{links['history']}/1",
        f"/v1/innovations/{entry['reference']}",
        *("/v1", "/v1/innovations", "/v1/innovations?q=ward&facets=theme", "/v1/changes"),
        *("/v1/themes", THEME, "/v1/organisations?q=Manchester", "/v1/organisations/R0A"),
    ]


def test_what_the_sender_has_already_is_not_sent_again(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    for path in things(trust, submit()):
        tag = tag_of(trust, path)
        assert tag.startswith('"'), "a strong ETag"
        for sent in (tag, f"W/{tag}", f'"other", W/"{path}" , {tag}', "*"):
            with subtests.test(f"{path} {sent}"):
                answer = trust.get(path, headers={"If-None-Match": sent})
                assert (answer.status_code, answer.content) == (304, b"")
                assert answer.headers["etag"] == tag
                assert answer.headers["vary"] == "Accept, Authorization"
                assert "content-type" not in answer.headers
        for sent in ('"other"', tag.strip('"'), f"{tag}, *", "nonsense", ""):
            with subtests.test(f"{path} {sent}"):
                assert trust.get(path, headers={"If-None-Match": sent}).status_code == 200


def test_a_list_of_tags_may_stand_in_several_lines(trust: httpx.Client) -> None:
    tag = tag_of(trust, "/v1")
    lines = [("If-None-Match", '"other"'), ("If-None-Match", tag)]
    assert trust.get("/v1", headers=lines).status_code == 304


def test_a_tag_does_not_hide_a_problem(trust: httpx.Client) -> None:
    everything = {"If-None-Match": "*"}
    problem_of(trust.get("/v1/innovations/INN-000001", headers=everything), 404, "not-found")
    answer = trust.get("/v1/innovations?limit=0", headers=everything)
    problem_of(answer, 422, "validation-failed")


def test_a_write_makes_a_collection_new(trust: httpx.Client, submit: Submit) -> None:
    paths = ("/v1", "/v1/innovations", "/v1/themes", "/v1/changes", "/v1/innovations?facets=theme")
    before = {path: tag_of(trust, path) for path in paths}
    entry = submit()
    for path, tag in before.items():
        answer = trust.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer.headers["etag"] != tag
    evidence = tag_of(trust, entry["links"]["evidence"])
    trust.post(entry["links"]["evidence"], json=AUDIT)
    assert tag_of(trust, entry["links"]["evidence"]) != evidence


def test_a_tag_that_anybody_got_is_not_the_owners(
    trust: httpx.Client, anybody: httpx.Client, submit: Submit
) -> None:
    path = f"/v1/changes?after={head_of(trust)}"
    draft = submit(visibility="draft")
    seen = anybody.get(path)
    assert draft["id"] not in seen.text
    own = trust.get(path, headers={"If-None-Match": seen.headers["etag"]})
    assert own.status_code == 200
    assert draft["id"] in own.text


def test_a_themes_new_name_makes_its_innovations_new(curator: httpx.Client, submit: Submit) -> None:
    touched = submit()["links"]["self"]
    further = submit(theme="great-teams", further_themes=["21st-century-tools"])["links"]["self"]
    other = submit(theme="great-teams")["links"]["self"]
    before = {path: tag_of(curator, path) for path in (touched, further, other)}

    renamed = {"name": "Tools of this century"}
    headers = {"If-Match": tag_of(curator, THEME)}
    assert curator.patch(THEME, json=renamed, headers=headers).status_code == 200

    for path in (touched, further):
        answer = curator.get(path, headers={"If-None-Match": before[path]})
        assert answer.status_code == 200
        assert answer.headers["etag"] != before[path]
        assert "Tools of this century" in answer.text
    unchanged = curator.get(other, headers={"If-None-Match": before[other]})
    assert unchanged.status_code == 304


# Writing


def changeable(trust: httpx.Client, entry: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Each write that asks for If-Match: its method, its address, a body that changes something."""
    at = entry["links"]["self"]
    piece = trust.post(f"{at}/evidence", json=AUDIT).headers["location"]
    by_source = "/v1/innovations/by-source/intranet/42"
    return [
        ("PATCH", at, {"title": "Another title"}),
        ("PUT", by_source, WARD_ROUNDS | {"title": "A third title", "evidence": [AUDIT, AUDIT]}),
        ("PATCH", piece, {"strength": "strong"}),
        ("DELETE", piece, None),
        ("DELETE", f"{at}?reason=Submitted%20twice.", None),
    ]


def sourced(submit: Submit) -> dict[str, Any]:
    return submit(source={"system": "intranet", "id": "42"}, evidence=[AUDIT])


def test_a_change_by_somebody_who_has_not_seen_the_newest_version_is_refused(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    writes = changeable(trust, sourced(submit))
    before = head_of(trust)
    for method, path, body in writes:
        tag = tag_of(trust, path.partition("?")[0])
        stale = ['"0-0"', f"W/{tag}", f'"a", "b" , W/{tag}']
        malformed = [tag.strip('"'), "", ",", f"{tag} {tag}", '"unfinished', "w" + tag, "x" * 1001]
        malformed.append(f"{tag}, *")
        expected: list[tuple[str | None, int, str]] = [(None, 428, "precondition-required")]
        expected += [(value, 412, "precondition-failed") for value in stale]
        expected += [(value, 422, "validation-failed") for value in malformed]
        for sent, status, slug in expected:
            with subtests.test(f"{method} {path[-20:]} {sent and sent[:20]}"):
                headers = {} if sent is None else {"If-Match": sent}
                problem = problem_of(
                    trust.request(method, path, json=body, headers=headers), status, slug
                )
                if status == 422:
                    (error,) = problem["errors"]
                    assert error["pointer"].lower() == "header:if-match"
    assert head_of(trust) == before


@pytest.mark.parametrize("form", ["{}", '"other", {}', "{},", "*"])
def test_a_change_of_the_newest_version_is_made(
    trust: httpx.Client, submit: Submit, form: str, subtests: pytest.Subtests
) -> None:
    for method, path, body in changeable(trust, sourced(submit)):
        with subtests.test(f"{method} {path}"):
            before = head_of(trust)
            headers = {"If-Match": form.format(tag_of(trust, path.partition("?")[0]))}
            answer = trust.request(method, path, json=body, headers=headers)
            assert answer.status_code == (204 if "/evidence/" in path and not body else 200)
            assert head_of(trust) == before + 1


def test_the_tag_of_a_write_is_the_tag_of_the_next_read(
    trust: httpx.Client, submit: Submit, subtests: pytest.Subtests
) -> None:
    for method, path, body in changeable(trust, sourced(submit))[:3]:
        with subtests.test(f"{method} {path}"):
            headers = {"If-Match": "*"}
            changed = trust.request(method, path, json=body, headers=headers)
            assert trust.get(path).headers["etag"] == changed.headers["etag"]
            assert trust.get(path).content == changed.content


def test_a_thing_has_one_tag_by_whichever_name_it_is_read(
    trust: httpx.Client, submit: Submit
) -> None:
    entry = sourced(submit)
    names = (entry["id"], entry["id"].upper(), entry["reference"], "by-source/intranet/42")
    assert len({tag_of(trust, f"/v1/innovations/{name}") for name in names}) == 1


def test_a_change_that_changes_nothing_keeps_version_and_tag(
    trust: httpx.Client, submit: Submit
) -> None:
    entry = sourced(submit)
    at, by_source = entry["links"]["self"], "/v1/innovations/by-source/intranet/42"
    before, tag = head_of(trust), tag_of(trust, at)
    same = WARD_ROUNDS | {"evidence": [AUDIT]}
    for method, path, body in (("PATCH", at, {}), ("PUT", by_source, same)):
        answer = trust.request(method, path, json=body, headers={"If-Match": tag})
        assert (answer.status_code, answer.headers["etag"]) == (200, tag)
    assert head_of(trust) == before


def test_put_of_something_new_asks_for_no_precondition(trust: httpx.Client) -> None:
    path = "/v1/innovations/by-source/intranet/43"
    answer = trust.put(path, json=WARD_ROUNDS, headers={"If-Match": '"1-1"'})
    problem_of(answer, 412, "precondition-failed")
    created = trust.put(path, json=WARD_ROUNDS)
    assert created.status_code == 201
    assert trust.get(created.headers["location"]).headers["etag"] == created.headers["etag"]
