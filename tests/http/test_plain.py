"""Operations that only read are run the short way."""

from __future__ import annotations

from fastapi.routing import APIRoute

from app.http import plain
from app.main import create_app


def test_every_read_is_run_the_short_way() -> None:
    routes = [route for route in create_app().routes if isinstance(route, APIRoute)]
    reads = [route for route in routes if route.methods == {"GET"}]

    assert len(reads) > 15
    assert [route.name for route in reads if not plain.fits(route.dependant)] == []


def test_no_write_is() -> None:
    routes = [route for route in create_app().routes if isinstance(route, APIRoute)]
    writes = [route for route in routes if route.methods & {"POST", "PUT"}]  # type: ignore[operator]

    # A test message needs nothing but its path. That it is a POST keeps it off the short way.
    fitting = [route.name for route in writes if plain.fits(route.dependant)]
    assert fitting == ["create_subscription_test"]
