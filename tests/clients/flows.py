"""Runs a flow's definition as Power Automate would, as far as the flows of the docs go.

There is no Power Automate to test with. So that the definitions do not rest on reading alone, this
carries out their actions: what goes to the register goes there over HTTP, and what goes to a
SharePoint list goes to a function of the test. Anything that it does not know is an error.

Source: the Workflow Definition Language of Azure Logic Apps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

Json = Any
SharePoint = Callable[[str, dict[str, Json]], Json]

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+)|(\w+)|(\?\[|[\[\](),]))")


class Terminated(Exception):
    """The flow ended itself, with a message."""


class Failed(Exception):
    """An action failed, and nothing was there to deal with it."""


@dataclass
class Run:
    """One run of a flow: what it was given, and what it has come to."""

    definition: dict[str, Json]
    parameters: dict[str, Json]
    http: httpx.Client
    trigger: Json = None
    sharepoint: SharePoint | None = None
    name: str = "08585287554177334956853859655CU00"
    variables: dict[str, Json] = field(default_factory=dict)
    outputs: dict[str, Json] = field(default_factory=dict)
    items: dict[str, Json] = field(default_factory=dict)
    item: Json = None

    def start(self) -> None:
        """Runs it to its end, unless a condition of its trigger says that it is not to run."""
        [trigger] = self.definition["triggers"].values()
        if all(self.value(each["expression"]) for each in trigger.get("conditions", [])):
            self.actions(self.definition["actions"])

    def actions(self, actions: dict[str, Json]) -> None:
        """Carries them out in the order that their `runAfter` gives."""
        ended: dict[str, str] = {}
        while len(ended) < len(actions):
            name, action = next(
                (name, action)
                for name, action in actions.items()
                if name not in ended and set(action["runAfter"]) <= set(ended)
            )
            if all(ended[before] in states for before, states in action["runAfter"].items()):
                ended[name] = "Succeeded" if self.action(name, action) else "Failed"
            else:
                ended[name] = "Skipped"
        for name, state in ended.items():
            after = _after(name, actions)
            if state == "Failed" and not any(ended[each] == "Succeeded" for each in after):
                raise Failed(f"{name}: {self.outputs[name]}")

    def action(self, name: str, action: dict[str, Json]) -> bool:
        """Carries it out; tells whether it succeeded."""
        carry_out = getattr(self, f"_{action['type'].lower()}")
        try:
            result = carry_out(name, action)
        except Failed as failed:
            self.outputs[name] = {"error": str(failed)}
            return False
        if isinstance(result, httpx.Response):
            body = result.json() if result.content else None
            self.outputs[name] = {"statusCode": result.status_code, "body": body}
            return result.is_success
        self.outputs[name] = result if action["type"] == "Compose" else {"body": result}
        return True

    # Actions, by their type

    def _http(self, name: str, action: dict[str, Json]) -> httpx.Response:
        inputs = {key: self.value(value) for key, value in action["inputs"].items()}
        assert inputs.pop("retryPolicy"), name
        headers = inputs.get("headers", {})
        secured = action.get("runtimeConfiguration", {}).get("secureData", {})
        assert "Authorization" not in headers or secured == {"properties": ["inputs"]}, name
        return self.http.request(
            inputs["method"], inputs["uri"], headers=headers, json=inputs.get("body")
        )

    def _openapiconnection(self, name: str, action: dict[str, Json]) -> Json:
        assert self.sharepoint is not None, name
        inputs = action["inputs"]
        return self.sharepoint(inputs["host"]["operationId"], self.value(inputs["parameters"]))

    def _compose(self, name: str, action: dict[str, Json]) -> Json:
        return self.value(action["inputs"])

    def _select(self, name: str, action: dict[str, Json]) -> Json:
        return [
            self._of(item, action["inputs"]["select"])
            for item in self.value(action["inputs"]["from"])
        ]

    def _query(self, name: str, action: dict[str, Json]) -> Json:
        inputs = action["inputs"]
        return [item for item in self.value(inputs["from"]) if self._of(item, inputs["where"])]

    def _initializevariable(self, name: str, action: dict[str, Json]) -> None:
        for each in action["inputs"]["variables"]:
            assert each["name"] not in self.variables
            self.variables[each["name"]] = self.value(each["value"])

    def _setvariable(self, name: str, action: dict[str, Json]) -> None:
        assert action["inputs"]["name"] in self.variables
        self.variables[action["inputs"]["name"]] = self.value(action["inputs"]["value"])

    def _foreach(self, name: str, action: dict[str, Json]) -> None:
        for item in self.value(action["foreach"]):
            self.items[name] = item
            self.actions(action["actions"])

    def _until(self, name: str, action: dict[str, Json]) -> None:
        for _ in range(action["limit"]["count"]):
            self.actions(action["actions"])
            if self.value(action["expression"]):
                return
        raise Failed(f"{name} went on for too long")

    def _if(self, name: str, action: dict[str, Json]) -> None:
        [(kind, (left, right))] = action["expression"].items()
        assert kind == "equals"
        holds = self.value(left) == self.value(right)
        self.actions(action["actions"] if holds else action["else"]["actions"])

    def _terminate(self, name: str, action: dict[str, Json]) -> None:
        error = self.value(action["inputs"]["runError"])
        raise Terminated(f"{error['code']} {error['message']}")

    # Expressions

    def _of(self, item: Json, expression: Json) -> Json:
        self.item = item
        return self.value(expression)

    def value(self, given: Json) -> Json:
        """What is given, with its expressions carried out."""
        if isinstance(given, dict):
            return {key: self.value(value) for key, value in given.items()}
        if isinstance(given, list):
            return [self.value(value) for value in given]
        if not isinstance(given, str):
            return given
        if given.startswith("@") and not given.startswith("@{"):
            return Expression(given[1:], self).value()
        return re.sub(r"@\{(.*?)\}", lambda match: self._text(match[1]), given)

    def _text(self, expression: str) -> str:
        value = Expression(expression, self).value()
        return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _after(name: str, actions: dict[str, Json]) -> set[str]:
    """The actions that come after this one, or after one that does."""
    found = {each for each, action in actions.items() if name in action["runAfter"]}
    return found.union(*(_after(each, actions) for each in found))


class Expression:
    """An expression: calls, texts, numbers, and `?['...']` to go into what they give."""

    def __init__(self, text: str, run: Run) -> None:
        self._run = run
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            assert match is not None, text[at:]
            kind = ("text", "number", "name", "sign")[(match.lastindex or 0) - 1]
            self._tokens.append((kind, match[match.lastindex or 0]))
            at = match.end()

    def value(self) -> Json:
        result = self._one()
        assert not self._tokens, self._tokens
        return result

    def _take(self, *signs: str) -> str | None:
        if self._tokens and self._tokens[0] in [("sign", sign) for sign in signs]:
            return self._tokens.pop(0)[1]
        return None

    def _one(self) -> Json:
        kind, token = self._tokens.pop(0)
        if kind == "text":
            result: Json = token[1:-1].replace("''", "'")
        elif kind == "number":
            result = int(token)
        elif token in ("true", "false", "null"):
            result = json.loads(token)
        else:
            assert self._take("("), token
            arguments = []
            while not self._take(")"):
                arguments.append(self._one())
                self._take(",")
            result = self._call(token, arguments)
        while opened := self._take("?[", "["):
            key = self._one()
            assert self._take("]")
            # Only with the question mark may something be missing.
            result = (result or {}).get(key) if opened == "?[" else result[key]
        return result

    def _call(self, name: str, arguments: list[Json]) -> Json:
        run = self._run
        functions: dict[str, Callable[..., Json]] = {
            "triggerBody": lambda: run.trigger,
            "workflow": lambda: {"run": {"name": run.name}},
            "parameters": lambda of: run.parameters[of],
            "variables": lambda of: run.variables[of],
            "outputs": lambda of: run.outputs[of],
            "body": lambda of: run.outputs[of]["body"],
            "items": lambda of: run.items[of],
            "item": lambda: run.item,
            "coalesce": lambda *of: next((each for each in of if each is not None), None),
            "empty": lambda of: not of,
            "equals": lambda left, right: left == right,
            "greaterOrEquals": lambda left, right: left >= right,
            "if": lambda condition, yes, no: yes if condition else no,
            "int": int,
            "json": json.loads,
            "string": lambda of: of if isinstance(of, str) else json.dumps(of),
            "split": lambda text, by: text.split(by),
            "first": lambda of: of[0],
        }
        return functions[name](*arguments)
