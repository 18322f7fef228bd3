"""Histories at random: writes of all kinds, as they may come in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx

from app.models.organisations import OrganisationKind
from app.register import organisations
from app.register.access import OPERATOR
from app.register.organisations import Facts
from tests.conftest import Register

ANYHOW = {"If-Match": "*"}
AUDIT = {"kind": "audit", "statement": "It was looked at.", "strength": "strong"}
VOICE = {"kind": "staff_voice", "statement": "We liked it.", "strength": "suggestive"}


class Histories:
    """Writes of all kinds, at random."""

    def __init__(self, register: Register, client: httpx.Client, seed: int) -> None:
        self._register, self._client = register, client
        self._chance = random.Random(seed)  # noqa: S311
        self._ids: list[str] = []
        self._adoptions: list[str] = []

    def step(self) -> None:
        acts: list[Callable[[], object]] = [self._submit, self._submit, self._change]
        acts += [self._decide, self._add_evidence, self._withdraw, self._move, self._move]
        acts += [self._rename, self._adopt, self._adopt, self._merge, self._merge]
        acts += [self._move_on, self._stop_adopting] if self._adoptions else []
        act = self._chance.choice(acts) if self._ids else self._submit
        act()

    def _submit(self) -> None:
        chance = self._chance
        entry = {
            "title": chance.choice(["The zebra", "A zebra", "The zebra and the lion", "A cow"]),
            "summary": "One of many.",
            "tags": chance.sample(["video", "paper", "voice"], chance.randint(0, 2)),
            "theme": chance.choice(["great-teams", "basics-sorted"]),
            "organisation": chance.choice(["RMC", "RMC", "R0A"]),
            "care_setting": chance.choice(["acute", None]),
            "visibility": chance.choice(["published", "published", "draft"]),
            "evidence": chance.sample([AUDIT, VOICE], chance.randint(0, 2)),
        }
        self._ids.append(self._sent("POST", "", json=entry)["id"])

    def _change(self) -> None:
        fields = {
            "theme": self._chance.choice(["great-teams", "local-system"]),
            "organisation": self._chance.choice(["RMC", "RMC", "R0A"]),
            "visibility": "published",
            "title": self._chance.choice(["The zebra", "A horse"]),
            "tags": self._chance.choice([["video"], []]),
        }
        name = self._chance.choice(list(fields))
        self._sent("PATCH", f"/{self._any()}", json={name: fields[name]}, headers=ANYHOW)

    def _decide(self) -> None:
        decision = {"status": self._chance.choice(["keep", "retire"]), "reason": "Because."}
        decision |= self._chance.choice([{}, {"review_on": "2030-01-01"}])
        self._sent("POST", f"/{self._any()}/decisions", json=decision)

    def _add_evidence(self) -> None:
        self._sent("POST", f"/{self._any()}/evidence", json=self._chance.choice([AUDIT, VOICE]))

    def _adopt(self) -> None:
        adoption = {
            "organisation": self._chance.choice(["RMC", "RM3", "RJ1"]),
            "stage": self._chance.choice(["piloting", "adopted", "adapted"]),
            "since": self._chance.choice(["2024-01-01", "2024-05-31"]),
        }
        made = self._sent("POST", f"/{self._any()}/adoptions", json=adoption)
        if "links" in made:
            at = made["links"]["self"].removeprefix("/v1/innovations")
            self._adoptions.append(at)

    def _move_on(self) -> None:
        stage = self._chance.choice(["considering", "adopted", "stopped"])
        fields = {"stage": stage, "learnt": "A little.", "since": "2025-01-01"}
        at = self._chance.choice(self._adoptions)
        self._sent("PATCH", at, json=fields, headers=ANYHOW)

    def _stop_adopting(self) -> None:
        self._sent("DELETE", self._adoptions.pop(), headers=ANYHOW)

    def _withdraw(self) -> None:
        self._sent("DELETE", f"/{self._any()}?reason=Twice.", headers=ANYHOW)

    def _merge(self) -> None:
        body = {"into": self._any(), "reason": "They are one."}
        self._sent("POST", f"/{self._any()}/merge", json=body, headers=ANYHOW)

    def _move(self) -> None:
        """The trust comes to another ICB, and so do all its innovations."""
        facts = Facts("RMC", "Bolton", OrganisationKind.TRUST, self._chance.choice(["QOP", "QYG"]))
        self._register.database.transaction(organisations.put, facts, by=OPERATOR)

    def _rename(self) -> None:
        """A theme is called by another name, and so it is in all innovations that have it."""
        name = f"Great teams, {self._chance.randint(1, 1000)}"
        self._client.patch("/v1/themes/great-teams", json={"name": name}, headers=ANYHOW)

    def _any(self) -> str:
        return self._chance.choice(self._ids)

    def _sent(self, method: str, to: str, **request: Any) -> dict[str, Any]:
        answer = self._client.request(method, f"/v1/innovations{to}", **request)
        # What was withdrawn does not change any more, and a published one is no draft again; nobody
        # adopts what is its own, or twice; and what was merged has its things elsewhere.
        assert answer.status_code in (200, 201, 204, 409, 410, 422), answer.text
        body: dict[str, Any] = answer.json() if answer.content else {}
        return body
