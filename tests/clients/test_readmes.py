"""The pages of `docs/clients` say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.models.innovations import CareSetting
from tests.clients.running import CLIENTS

PAGES = sorted(CLIENTS.rglob("README.md"))
FLOWS = [page for page in PAGES if list(page.parent.glob("*.json")) and "flow" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\((?!https://)([^)#]*)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_first_page_leads_to_every_client() -> None:
    text = (CLIENTS / "README.md").read_text()

    assert all(f"({folder.name}/" in text for folder in CLIENTS.iterdir() if folder.is_dir())


@pytest.mark.parametrize("page", FLOWS, ids=lambda page: page.parent.name)
def test_a_page_tells_the_expressions_of_its_flows(page: Path) -> None:
    text = page.read_text()
    flows = " ".join(file.read_text() for file in page.parent.glob("*.json"))
    flows = flows.replace("@{parameters('register_url')}", "https://register.example.nhs.uk")
    found = [code for code in re.findall(r"`([^`]+)`", text) if re.search(r"\w\('|\w\(\)", code)]

    assert found
    assert [code for code in found if code not in flows] == []


def test_the_columns_of_the_list_are_those_that_the_flow_reads() -> None:
    rows = re.findall(r"^\| (\w+) \|", (CLIENTS / "sharepoint" / "README.md").read_text(), re.M)
    flow = (CLIENTS / "sharepoint" / "send.json").read_text()

    assert rows[0] == "column"
    assert set(rows[1:]) == set(re.findall(r"triggerBody\(\)\?\['(\w+)'\]", flow)) - {"ID"}


def test_the_page_of_the_list_has_every_care_setting() -> None:
    text = (CLIENTS / "sharepoint" / "README.md").read_text()

    assert all(f"`{setting}`" in text for setting in CareSetting)
