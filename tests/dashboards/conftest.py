"""An ICB's register, for those who look at it; on SQLite alone, as it makes no difference here."""

from __future__ import annotations

import pytest

from tests.clients.conftest import database_url
from tests.conftest import Register
from tests.http.speaking import Submit

__all__ = ["database_url"]

AUDIT = {"kind": "audit", "statement": "It held.", "strength": "strong"}
KEEP = {"status": "keep", "reason": "Fewer admissions.", "decided_on": "2024-01-31"}


@pytest.fixture
def filled(register: Register, submit: Submit) -> Register:
    """Three innovations of the ICB QOP, of which one is kept and has strong evidence; and one of
    another ICB."""
    submit(title="Rounds", decision=KEEP, evidence=[AUDIT], tags=["video"])
    submit(title="=Huddle; \N{SNOWMAN}", theme="great-teams", description='One,\n"two".')
    submit(title="Paper", theme="great-teams", tags=["video"])
    submit(register.client(register.key("RJ1")), title="Elsewhere", evidence=[AUDIT])
    return register
