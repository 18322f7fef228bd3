"""Lists of words, each a file beside this one; written by us, from general knowledge."""

from __future__ import annotations

from importlib.resources import files


def _words(name: str) -> frozenset[str]:
    return frozenset(files("app.screening").joinpath(f"{name}.txt").read_text("utf-8").split())


GIVEN_NAMES = _words("given_names")
"""Given names that many people in England have, in small letters."""

NO_NAMES = _words("no_names")
"""What follows where a title is none: MS patients, MS Teams, an MR scan, Miss Rate."""
