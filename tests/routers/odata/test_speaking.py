"""How OData speaks: metadata, formats, errors, and what was read before."""

from __future__ import annotations

import httpx
import pytest

from tests.conftest import Register
from tests.http.speaking import Submit, head_of, odata_error_of
from tests.odata.meaning import Entity
from tests.routers.odata.asking import ROOT, get, titles
from tests.routers.odata.conftest import ENTRIES


def test_metadata_come_as_much_as_is_asked_for(
    anybody: httpx.Client, entries: list[Entity]
) -> None:
    at = f"{ROOT}/Innovations('{entries[5]['id']}')"
    accepts = {
        "application/json;odata.metadata=none": "none",
        "application/json;odata.metadata=full, */*;q=0.1": "full",
        "application/json;odata.streaming=true;IEEE754Compatible=false": "minimal",
        "text/html, */*;q=0.5": "minimal",
        "application/json;odata.metadata=none;q=0.5, application/json": "minimal",
    }
    for accept, level in accepts.items():
        answer = anybody.get(at, headers={"Accept": accept})
        assert answer.headers["content-type"] == f"application/json;odata.metadata={level}"
        assert ("@odata.context" in answer.json()) == (level != "none")
        assert ("@odata.id" in answer.json()) == (level == "full")
    full = anybody.get(f"{at}?$format=application/json;odata.metadata=full").json()
    assert full["@odata.type"] == "#InnovationRegister.Innovation"
    assert full["decided_on@odata.type"] == "#Date"
    assert full["tags@odata.type"] == "#Collection(String)"
    assert anybody.get(full["@odata.id"]).json()["id"] == full["id"]
    assert len(anybody.get(full["evidence@odata.navigationLink"]).json()["value"]) == 2


def test_other_formats_and_versions_are_refused(anybody: httpx.Client) -> None:
    refused: list[tuple[str, dict[str, str]]] = [
        ("Themes", {"Accept": "application/atom+xml"}),
        ("Themes?$format=atom", {}),
        ("Themes", {"Accept": "*/*, application/json;q=0"}),
        ("$metadata", {"Accept": "application/json"}),
        ("Themes", {"OData-MaxVersion": "3.0"}),
        ("Themes", {"OData-MaxVersion": "four"}),
    ]
    for path, headers in refused:
        odata_error_of(anybody.get(f"{ROOT}/{path}", headers=headers), 406, "not-acceptable")
    for version in ("4.0", "4.01", "5.0"):
        answer = anybody.get(f"{ROOT}/Themes", headers={"OData-MaxVersion": version})
        assert (answer.status_code, answer.headers["odata-version"]) == (200, "4.0")
    assert anybody.get(f"{ROOT}/$metadata?$format=xml").status_code == 200


def test_what_was_read_before_is_not_sent_again(anybody: httpx.Client, submit: Submit) -> None:
    before = submit()
    for path in ("Innovations?$filter=theme ne 'x'", "Innovations/$count", "$metadata", ""):
        answer = anybody.get(f"{ROOT}/{path}")
        known = {"If-None-Match": answer.headers["etag"]}
        unmodified = anybody.get(f"{ROOT}/{path}", headers=known)
        assert (unmodified.status_code, unmodified.content) == (304, b"")
        assert unmodified.headers["odata-version"] == "4.0"
        other = {**known, "Accept": "application/json;odata.metadata=full"}
        if path.startswith("Innovations?"):
            assert anybody.get(f"{ROOT}/{path}", headers=other).status_code == 200
        head = anybody.head(f"{ROOT}/{path}")
        assert (head.content, head.headers["etag"]) == (b"", answer.headers["etag"])
        submit()
        assert anybody.get(f"{ROOT}/{path}", headers=known).status_code == 200
    assert head_of(anybody) > before["version"]


BAD = [
    # What is sent, the status, and what the answer says of it.
    ("Innovations?$filter=titel eq 'x'", 400, "malformed-query", "Did you mean `title`"),
    ("Innovations?$filter=version add 1 eq 2", 501, "not-supported", "does not calculate"),
    ("Innovations?$search=video", 501, "not-supported", "`q` of `/v1/innovations`"),
    ("Innovations?$apply=aggregate($count as n)", 501, "not-supported", "/v1/statistics"),
    ("Innovations?$serch=x", 400, "malformed-query", "not known"),
    ("Innovations?filter=x", 400, "malformed-query", "not known"),
    ("Innovations?$top=-1", 400, "malformed-query", "not valid"),
    ("Innovations?$top=9999999999", 400, "malformed-query", "not valid"),
    ("Innovations?$count=maybe", 400, "malformed-query", "not valid"),
    ("Innovations?$top=1&$top=2", 400, "malformed-query", "repeated"),
    ("Innovations?$skiptoken=x", 400, "invalid-cursor", ""),
    ("Innovations/$count?$top=1", 400, "malformed-query", "A count takes no `$top`"),
    ("Innovations('x')", 404, "not-found", "nothing with this key"),
    ("Innovations('%00')", 400, "", ""),
    ("Innovations(1)", 404, "not-found", "single quotes"),
    ("Innovations(name='x')", 404, "not-found", "`id`"),
    ("Inovations", 404, "not-found", "Did you mean Innovations"),
    ("Themes('great-teams')/nothing", 404, "not-found", "no such property"),
    ("Innovations('x')/decisions('y')", 501, "not-supported", "Decisions('...')"),
    ("Innovations('x')/tags/$count", 501, "not-supported", ""),
    ("Innovations/$ref", 501, "not-supported", ""),
    ("$batch", 501, "not-supported", ""),
    ("$all", 501, "not-supported", ""),
    ("Themes('great-teams')?$top=1", 400, "malformed-query", "takes no `$top`"),
    ("?$top=1", 400, "malformed-query", "not known"),
    ("Innovations?$filter=title eq '%00'", 400, "", ""),
    ("Innovations?$filter=version eq 1e400", 400, "malformed-query", "not a number"),
    ("Innovations?$filter=" + "(" * 500, 400, "malformed-query", "nested too deep"),
    ("Innovations?$filter=" + "a" * 20_001, 400, "malformed-query", "not valid"),
    ("Innovations?$filter=" + "not " * 4_000, 400, "malformed-query", "too long"),
]


def test_what_is_wrong_is_an_error_that_says_what_would_be_right(
    anybody: httpx.Client, subtests: pytest.Subtests
) -> None:
    for path, status, slug, said in BAD:
        with subtests.test(path[:60]):
            answer = anybody.get(f"{ROOT}/{path}")
            assert answer.status_code == status, answer.text
            if slug:
                error = odata_error_of(answer, status, slug)
                assert said in error["message"]
            assert "titel" not in answer.text, "what was sent is not echoed"
    answer = anybody.post(f"{ROOT}/Innovations", json={})
    odata_error_of(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_page_of_another_query_is_refused(anybody: httpx.Client, entries: list[Entity]) -> None:
    prefer = {"Prefer": "odata.maxpagesize=1"}
    link = get(anybody, "Innovations", headers=prefer, filter="version eq 1")["@odata.nextLink"]
    assert anybody.get(link).status_code == 200
    for other in (
        link.replace("version", "evidence_count"),
        link.replace("Innovations", "Themes"),
        f"{link}&$orderby=title",
        link.replace("Innovations?", f"Innovations('{entries[5]['id']}')/evidence?"),
        f"{link}x",
    ):
        odata_error_of(anybody.get(other), 400, "invalid-cursor")


@pytest.mark.usefixtures("entries")
def test_a_long_filter_is_answered(anybody: httpx.Client) -> None:
    references = [f"reference eq 'INN-{number:06}'" for number in range(1, 240)]
    assert len(titles(anybody, filter=" or ".join(references))) == len(ENTRIES)
    names = ",".join(f"'{number}'" for number in range(399))
    assert titles(anybody, filter=f"title in ({names},'Zebra')") == ["Zebra"]
    deep = "(" * 35 + "title eq 'Zebra'" + ")" * 35
    assert titles(anybody, filter=deep) == ["Zebra"]


def test_power_bi_opens_on_it(register: Register) -> None:
    answer = register.client().get("/v1/exports/register.pbids")
    (connection,) = answer.json()["connections"]
    assert connection["details"] == {
        "protocol": "odata",
        "address": {"url": f"{register.url}{ROOT}/"},
    }
    assert "register.pbids" in answer.headers["content-disposition"]
