"""What a trust's system does each night: send what it has, and fetch what is new.

    python nightly.py send innovations.csv
    python nightly.py follow copy.json

It needs httpx (`pip install httpx`). REGISTER_URL names the register, and REGISTER_KEY has the key.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

SYSTEM = "intranet"
"""What the register calls the system that the entries come from; never change it."""

CHANGES = {"limit": 100}
"""How the change log is asked."""

GONE = {"withdrawn", "unpublished", "superseded"}
"""What is to be taken out of a copy."""

PATIENCE = 6
"""How often a request is tried before the job gives up."""


class Register:
    """The register, with a key, and with patience."""

    def __init__(self, url: str, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=60)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer. Only for what may be carried out twice: GET and PUT, or POST with a key."""
        for tried in range(1, PATIENCE):
            wait = 2.0**tried
            try:
                answer = self._client.request(method, path, **more)
                if answer.status_code not in (429, 502, 503, 504):
                    return answer
                reason = str(answer.status_code)
                wait = float(answer.headers.get("Retry-After", wait))
            except httpx.TransportError as error:
                reason = str(error)
            print(f"{reason}; trying again in {wait:g} s", file=sys.stderr)
            time.sleep(wait)
        return self._client.request(method, path, **more)


def entries(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Your own ids, and what the register is to hold under each. Write this for your system."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            entry: dict[str, Any] = {
                "title": row["title"],
                "summary": row["summary"],
                "theme": row["theme"],
                "care_setting": row["care_setting"] or None,
                "tags": row["tags"].split(),
            }
            if row["status"]:
                entry["decision"] = {"status": row["status"], "reason": row["reason"]}
            yield row["id"], entry


def send(register: Register, file: Path) -> bool:
    """Brings the register in step with the file; tells whether all of it was accepted."""
    refused = 0
    for id, entry in entries(file):
        at = f"/v1/innovations/by-source/{SYSTEM}/{quote(id, safe='')}"
        answer = register.ask("PUT", at, json=entry)
        if answer.status_code == 428:
            # It is there already. This system alone writes it, so whatever is there may go.
            answer = register.ask("PUT", at, json=entry, headers={"If-Match": "*"})
        if answer.status_code in (401, 403):
            sys.exit(f"{id}: {answer.json()['detail']}")
        if answer.is_error:
            # Sending it again would not help: somebody has to mend it. The others go on.
            refused += 1
            problem = answer.json()
            print(f"{id}: {problem['title']}: {problem['detail']}", file=sys.stderr)
            for error in problem["errors"]:
                print(f"  {error['pointer']}: {error['detail']}", file=sys.stderr)
    return refused == 0


def follow(register: Register, file: Path) -> None:
    """Brings a copy of the register in step, from where it was left the last time.

    The copy and the place in the log stand in one file, which is replaced as a whole: after a
    breakdown, both are what they were. A theme's or an organisation's name is looked up in its own
    document, since the innovations are not sent again when it changes.
    """
    copy: dict[str, Any] = {"next": 0, "innovation": {}, "theme": {}, "organisation": {}}
    if file.exists():
        copy = json.loads(file.read_text())
    while True:
        answer = register.ask("GET", "/v1/changes", params={**CHANGES, "after": copy["next"]})
        page = answer.raise_for_status().json()
        for line in page["items"]:
            things = copy.setdefault(line["kind"], {})
            document = line["document"]
            # What was merged into another can still be corrected, and stays out.
            if line["action"] in GONE or (document or {}).get("visibility") in GONE:
                things.pop(line["id"], None)
            elif document is not None:
                things[line["id"]] = document
        copy["next"] = page["page"]["next"]
        new = file.with_name(f"{file.name}.new")
        new.write_text(json.dumps(copy))
        new.replace(file)
        if copy["next"] >= page["page"]["head"]:
            return


def main() -> None:
    register = Register(
        os.environ.get("REGISTER_URL", "http://127.0.0.1:8000"), os.environ.get("REGISTER_KEY")
    )
    match sys.argv[1:]:
        case ["send", file]:
            sys.exit(0 if send(register, Path(file)) else 1)
        case ["follow", file]:
            follow(register, Path(file))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
