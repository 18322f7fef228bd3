"""The service itself: one address leads to everything, and it says how it is."""

from __future__ import annotations

import httpx
from sqlmodel import Session

from app import __version__, schema
from app.likeness import model
from tests.conftest import Register
from tests.http.speaking import Submit, drop, head_of, problem_of


def test_one_address_leads_to_everything(
    anybody: httpx.Client, admin: httpx.Client, trust: httpx.Client, submit: Submit
) -> None:
    entrance = anybody.get("/v1").json()
    assert entrance["version"] == __version__
    for name, link in entrance["links"].items():
        client = {"clients": admin, "subscriptions": trust}.get(name, anybody)
        assert client.get(link).status_code == 200, name
        assert client.head(link).status_code == 200, name
    assert {"innovations", "themes", "organisations", "changes", "docs"} <= set(entrance["links"])
    submit()
    assert head_of(anybody) == entrance["sequence"] + 1


def test_it_is_alive_and_ready(anybody: httpx.Client) -> None:
    for path in ("/livez", "/readyz"):
        answer = anybody.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["cache-control"] == "no-store"
    assert anybody.get("/version").json() == {
        "version": __version__,
        "schema_revision": schema.expected(),
        "language_model": model.NAME,
    }


def test_it_is_not_ready_without_its_schema_but_alive(
    register: Register, anybody: httpx.Client
) -> None:
    drop(register, "alembic_version")
    answer = anybody.get("/readyz")
    problem_of(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert anybody.get("/livez").status_code == 200
    assert anybody.get("/version").status_code == 200


def test_it_is_not_ready_at_another_revision(register: Register, anybody: httpx.Client) -> None:
    def set_revision(session: Session, revision: str) -> None:
        session.connection().exec_driver_sql(
            f"UPDATE alembic_version SET version_num = '{revision}'"
        )

    register.database.transaction(set_revision, "0000")
    problem_of(anybody.get("/readyz"), 503, "unavailable")
    register.database.transaction(set_revision, str(schema.expected()))
    assert anybody.get("/readyz").status_code == 200
