"""Rows that a unit of work needs again and again, held so that they need not be looked up.

A session forgets what nobody holds on to, and even for what it knows a look-up costs it more than
all else that an entry of an import needs of a theme.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from sqlmodel import Session, SQLModel

M = TypeVar("M", bound=SQLModel)

_HELD = "held"


def hold(session: Session, rows: Iterable[tuple[str, SQLModel]]) -> None:
    """Holds rows, each with its primary key, until the session ends or holds others."""
    session.info[_HELD] = {(type(row), key): row for key, row in rows}


def get(session: Session, model: type[M], key: str) -> M | None:
    """The row with this primary key."""
    row = session.info.get(_HELD, {}).get((model, key))
    return row if row is not None else session.get(model, key)
