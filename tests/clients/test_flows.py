"""The flows of `docs/clients/power-automate` and `docs/clients/sharepoint`, carried out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.clients.flows import Failed, Json, Run, Terminated
from tests.clients.running import CLIENTS
from tests.conftest import Register
from tests.http.speaking import Submit, head_of

FLOWS = sorted([*CLIENTS.glob("power-automate/*.json"), *CLIENTS.glob("sharepoint/*.json")])

ITEM: dict[str, Json] = {
    "ID": 7,
    "Title": "Virtual care-home ward rounds",
    "Summary": "A GP sees residents by video twice a week.",
    "Description": None,
    "Theme": {"Id": 1, "Value": "21st-century-tools"},
    "CareSetting": {"Id": 5, "Value": "care_home"},
    "Tags": [{"Id": 0, "Value": "video"}, {"Id": 1, "Value": "ward-round"}],
    "StartedOn": "2020-04-01",
    "Judgement": {"Id": 0, "Value": "keep"},
    "Reason": "Fewer admissions.",
    "DecidedBy": "Medical director",
    "Ready": True,
}
"""An item of the list, as the trigger gives it."""


def definition(name: str) -> dict[str, Json]:
    read: dict[str, Json] = json.loads((CLIENTS / name).read_text())
    return read


def requests(actions: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The inputs of each HTTP action, however deep it stands."""
    for action in actions.values():
        if action["type"] == "Http":
            yield action["inputs"]
        yield from requests(action.get("actions", {}))
        yield from requests(action.get("else", {}).get("actions", {}))


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_each_request_of_a_flow_is_an_operation(flow: Path) -> None:
    made = json.loads(flow.read_text())
    paths = create_app(Settings()).openapi()["paths"]
    found = list(requests(made["actions"]))

    assert made["$schema"].endswith("/2016-06-01/workflowdefinition.json#")
    assert found
    for inputs in found:
        path, _, query = inputs["uri"].removeprefix("@{parameters('register_url')}").partition("?")
        path = re.sub(r"@\{.*?\}", "1", path)
        [operation] = [
            item[inputs["method"].lower()]
            for template, item in paths.items()
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        known = {parameter["name"] for parameter in operation["parameters"]}
        assert {name for name, _ in parse_qsl(query)} <= known
        assert set(inputs["headers"]) <= known | {"Authorization", "Content-Type"}
        assert ("body" in inputs) == ("requestBody" in operation)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_a_flow_holds_no_key(flow: Path) -> None:
    parameters = json.loads(flow.read_text())["parameters"]

    assert parameters["register_key"] == {"type": "SecureString", "defaultValue": ""}
    assert "inr_" not in flow.read_text()


Start = Callable[..., Run]


@pytest.fixture
def start(register: Register) -> Start:
    """Runs a flow, with a trust's key."""
    key = register.key("R0A")

    def start(flow: str, /, **given: Any) -> Run:
        made = definition(flow)
        own = {"register_url": register.url, "register_key": key}
        defaults = {name: each["defaultValue"] for name, each in made["parameters"].items()}
        run = Run(made, defaults | own, register.client(), **given)
        run.start()
        return run

    return start


# Submitting

ANSWERS = {
    "text": "Ten-minute huddle",
    "text_1": "All meet at eight.",
    "text_2": "great-teams",
    "text_3": "keep",
    "text_4": "Staff ask for it.",
}


def test_what_somebody_typed_in_is_submitted(start: Start, trust: httpx.Client) -> None:
    run = start("power-automate/submit.json", trigger=ANSWERS)

    made = trust.get(f"/v1/innovations/{run.outputs['Reference']}").json()
    assert (made["title"], made["theme"]["slug"]) == ("Ten-minute huddle", "great-teams")
    assert (made["status"], made["decision"]["reason"]) == ("keep", "Staff ask for it.")


def test_a_run_submits_once_and_another_run_again(start: Start, trust: httpx.Client) -> None:
    for name in ("first", "first", "second"):
        start("power-automate/submit.json", trigger=ANSWERS, name=name)

    assert trust.get("/v1/innovations").json()["page"]["total"] == 2


def test_without_a_judgement_it_is_under_review(start: Start, trust: httpx.Client) -> None:
    given = {name: ANSWERS[name] for name in ("text", "text_1", "text_2")}

    run = start("power-automate/submit.json", trigger=given)

    made = trust.get(f"/v1/innovations/{run.outputs['Reference']}").json()
    assert (made["status"], made["decision"]) == ("under_review", None)


def test_the_form_offers_the_themes_that_there_are(trust: httpx.Client) -> None:
    trigger = definition("power-automate/submit.json")["triggers"]["manual"]
    offered = trigger["inputs"]["schema"]["properties"]["text_2"]["enum"]

    assert offered == [theme["slug"] for theme in trust.get("/v1/themes").json()["items"]]


def test_a_flow_ends_with_what_is_wrong(start: Start) -> None:
    with pytest.raises(Terminated, match=r"422 .*#/decision/reason"):
        start("power-automate/submit.json", trigger={**ANSWERS, "text_4": ""})
    with pytest.raises(Terminated, match=r"422 There is no such theme.*#/theme"):
        start("sharepoint/send.json", trigger={**ITEM, "Theme": {"Value": "none"}})


# Following


class Lists:
    """Two SharePoint lists: the news, and the place in the log."""

    def __init__(self) -> None:
        self.news: list[dict[str, Json]] = []
        self.state: dict[str, Json] = {"ID": 1, "Title": "changes"}

    def __call__(self, operation: str, given: dict[str, Json]) -> Json:
        columns = {
            name.removeprefix("item/"): value for name, value in given.items() if "item/" in name
        }
        if operation == "PostItem":
            assert given["table"] == "Register news"
            self.news.append(columns)
            return columns
        assert (given["table"], given["id"]) == ("Register state", 1)
        assert operation in ("GetItem", "PatchItem")
        self.state |= columns
        return self.state


def test_each_run_follows_from_where_the_last_one_was(
    start: Start, trust: httpx.Client, submit: Submit
) -> None:
    lists = Lists()
    first = submit(title="First")
    start("power-automate/follow.json", sharepoint=lists)
    [line] = lists.news
    assert line == {
        "Title": "First",
        "Reference": first["reference"],
        "What": "created",
        "Line": head_of(trust),
    }
    assert lists.state["Next"] == str(head_of(trust))

    made = [submit(title=f"Huddle {number}")["reference"] for number in range(101)]
    start("power-automate/follow.json", sharepoint=lists)
    start("power-automate/follow.json", sharepoint=lists)

    assert [each["Reference"] for each in lists.news[1:]] == made
    assert lists.state["Next"] == str(head_of(trust))


def test_the_place_is_not_kept_when_a_page_was_not_dealt_with(
    start: Start, trust: httpx.Client, submit: Submit
) -> None:
    lists = Lists()
    made = submit()

    def broken(operation: str, given: dict[str, Json]) -> Json:
        if operation == "PostItem":
            raise Failed("SharePoint is away")
        return lists(operation, given)

    with pytest.raises(Terminated, match="stopped"):
        start("power-automate/follow.json", sharepoint=broken)
    assert "Next" not in lists.state or int(lists.state["Next"]) < head_of(trust)
    start("power-automate/follow.json", sharepoint=lists)

    assert [each["Reference"] for each in lists.news] == [made["reference"]]


# A SharePoint list


def by_source(client: httpx.Client) -> dict[str, Json]:
    found: dict[str, Json] = client.get("/v1/innovations/by-source/sharepoint/7").json()
    return found


def test_an_item_is_sent_as_it_stands(start: Start, trust: httpx.Client) -> None:
    start("sharepoint/send.json", trigger=ITEM)

    made = by_source(trust)
    assert (made["title"], made["summary"]) == (ITEM["Title"], ITEM["Summary"])
    assert (made["theme"]["slug"], made["care_setting"]) == ("21st-century-tools", "care_home")
    assert (made["tags"], made["started_on"]) == (["video", "ward-round"], "2020-04-01")
    assert (made["status"], made["decision"]["decided_by"]) == ("keep", "Medical director")


def test_an_item_that_changed_is_sent_again(start: Start, trust: httpx.Client) -> None:
    start("sharepoint/send.json", trigger=ITEM)

    start("sharepoint/send.json", trigger={**ITEM, "Title": "Ward rounds by video"})

    assert (by_source(trust)["title"], by_source(trust)["version"]) == ("Ward rounds by video", 2)
    before = head_of(trust)
    start("sharepoint/send.json", trigger={**ITEM, "Title": "Ward rounds by video"})
    assert head_of(trust) == before


def test_an_item_with_empty_columns_is_sent(start: Start, trust: httpx.Client) -> None:
    needed = {name: ITEM[name] for name in ("ID", "Title", "Summary", "Theme", "Ready")}

    start("sharepoint/send.json", trigger=needed)

    made = by_source(trust)
    assert (made["status"], made["tags"], made["care_setting"]) == ("under_review", [], None)


def test_an_item_that_is_not_ready_is_not_sent(start: Start, trust: httpx.Client) -> None:
    start("sharepoint/send.json", trigger={**ITEM, "Ready": False})

    assert trust.get("/v1/innovations").json()["page"]["total"] == 0


def test_a_change_that_is_refused_ends_with_what_is_wrong(start: Start) -> None:
    start("sharepoint/send.json", trigger=ITEM)

    with pytest.raises(Terminated, match=r"422 .*#/title"):
        start("sharepoint/send.json", trigger={**ITEM, "Title": "x" * 201})
