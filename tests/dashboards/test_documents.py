"""The pages and the M code of `docs/dashboards` name what there is."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

DASHBOARDS = Path(__file__).parents[2] / "docs" / "dashboards"
PAGES = sorted(DASHBOARDS.rglob("*.md"))
QUERIES = sorted(DASHBOARDS.rglob("*.pq"))
HERE = "http://127.0.0.1:8000"

_REQUEST = re.compile(
    rf'Web\.Contents\(\s*"{HERE}",\s*\[\s*RelativePath = "([^"]+)",\s*Query = \[(.*?)\]\s*\]', re.S
)
_COLUMN = re.compile(r'\{"(\w+)", (?:type|Int64|Percentage)')


def asked(code: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each path that M code asks for, and its query."""
    for path, query in _REQUEST.findall(code):
        given = re.findall(r'(\w+) = (\{.*?\}|".*?")', query)
        yield f"/{path}", {name: re.findall(r'"(.*?)"', values) for name, values in given}


def columns_of(answer: httpx.Response) -> set[str]:
    """The columns that Power Query finds in an answer."""
    kind = answer.headers["content-type"]
    if kind.startswith("text/csv"):
        return set(answer.text.splitlines()[0].split(","))
    if kind == "application/json":
        return set(answer.json()["items"][0])
    return set(sheet(answer, "evidence")[0])


def sheet(answer: httpx.Response, name: str) -> list[list[Any]]:
    return (
        CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        .get_sheet_by_name(name)
        .to_python()
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]*)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_first_page_leads_to_every_tool() -> None:
    text = (DASHBOARDS / "README.md").read_text()

    assert all(f"({folder.name}/" in text for folder in DASHBOARDS.iterdir() if folder.is_dir())


@pytest.mark.usefixtures("filled")
def test_every_address_of_a_page_answers(anybody: httpx.Client, subtests: pytest.Subtests) -> None:
    found = {
        address.rstrip(".,")
        for page in PAGES
        for address in re.findall(rf"{HERE}(/[^\s'\"`<>)]*)", page.read_text())
    }
    assert len(found) > 10
    for address in sorted(found):
        with subtests.test(address):
            assert anybody.get(address).status_code == 200


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.stem)
def test_a_query_asks_for_what_there_is(query: Path, anybody: httpx.Client) -> None:
    code = query.read_text()
    named = set(_COLUMN.findall(code))
    for records in re.findall(r"Answer\[items\],\s*\{(.*?)\}", code, re.DOTALL):
        named |= set(re.findall(r'"(\w+)"', records))
    for opened, closed in ("()", "[]", "{}"):
        assert code.count(opened) == code.count(closed)
    if "OData.Feed" in code:
        answer = feed_of(code, anybody)
        rows = answer.json()["value"]
        named |= set(re.findall(r"\[(\w+)\] =", code))
        named |= set(re.findall(r'"(\w+)"', code.partition("SelectColumns")[2]))
        assert len(named) > 4
        assert named <= set(rows[0])
        return
    ((path, given),) = asked(code)
    answer = anybody.get(path, params=given)
    assert answer.status_code == 200, answer.text
    of_today = {name: values for name, values in given.items() if name != "as_of"}
    assert named <= columns_of(anybody.get(path, params=of_today))
    if "Excel.Workbook" in code:
        (name,) = re.findall(r'Item = "(\w+)"', code)
        assert len(sheet(answer, name)) == 2, "a header, and the one piece of the ICB's"


def feed_of(code: str, client: httpx.Client) -> httpx.Response:
    """What the service has under the name that the code goes to."""
    (root,) = re.findall(rf'OData\.Feed\("{HERE}([^"]+)"', code)
    (name,) = re.findall(r'Name = "(\w+)"', code)
    sets = {each["name"]: each["url"] for each in client.get(root).json()["value"]}
    return client.get(f"{root}{sets[name]}", params={"$filter": "icb eq 'QOP'"})


@pytest.mark.usefixtures("filled")
def test_a_timeline_has_what_its_query_unfolds(anybody: httpx.Client) -> None:
    code = (DASHBOARDS / "power-query" / "timeline.pq").read_text()
    ((path, given),) = asked(code)
    step = anybody.get(path, params=given).json()["items"][0]

    unfolded = code.partition('"in_all",')[2].partition("}")[0]
    assert re.findall(r'"(\w+)"', unfolded) == list(step["in_all"])


@pytest.mark.usefixtures("filled")
def test_excel_gets_what_its_page_says(anybody: httpx.Client) -> None:
    export = "/v1/exports/innovations"
    header, *rows = sheet(anybody.get(f"{export}.xlsx?icb=QOP"), "innovations")
    titles = [row[header.index("title")] for row in rows]
    assert titles == ["Rounds", "=Huddle; \N{SNOWMAN}", "Paper"]

    content = anybody.get(f"{export}.csv?icb=QOP&bom=true").content
    assert content.startswith(b"\xef\xbb\xbf")
    assert "'=Huddle; \N{SNOWMAN}" in content.decode("utf-8-sig")
