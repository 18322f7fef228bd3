"""Two entries that are one practice."""

from __future__ import annotations

import httpx
import pytest

from tests.http.speaking import Submit
from tests.routers.merging.merges import AUDIT, VOICE
from tests.routers.test_innovations import Entry


@pytest.fixture
def ours(submit: Submit) -> Entry:
    """What a trust submitted first."""
    return submit(title="Rounds by video", evidence=[AUDIT], tags=["ours"])


@pytest.fixture
def theirs(other_trust: httpx.Client, submit: Submit) -> Entry:
    """The same practice, which another trust submitted."""
    return submit(other_trust, title="Video ward rounds", evidence=[VOICE], tags=["theirs"])


@pytest.fixture
def pair(ours: Entry, theirs: Entry) -> tuple[Entry, Entry]:
    """Both of them."""
    return ours, theirs
