"""The seam between the register and its two databases, SQLite and PostgreSQL.

Nothing outside this package asks which database it is on. What both have in common is written in
the protocols here; what differs is in :mod:`app.dialects.sqlite` and
:mod:`app.dialects.postgresql`.
"""

from __future__ import annotations

from app.dialects.protocol import (
    EACH,
    Dialect,
    Prepared,
    Read,
    Reader,
    Reads,
    Statement,
    TakesLong,
    TextIn,
    TextMatch,
    Texts,
    TextSearch,
    Values,
)
from app.dialects.types import Moment, rfc3339

__all__ = [
    "EACH",
    "Dialect",
    "Moment",
    "Prepared",
    "Read",
    "Reader",
    "Reads",
    "Statement",
    "TakesLong",
    "TextIn",
    "TextMatch",
    "TextSearch",
    "Texts",
    "Values",
    "dialect_for",
    "rfc3339",
]


def dialect_for(url: str) -> Dialect:
    """The dialect of a database URL.

    Raises:
        ValueError: when the URL names no database that the register can use.
    """
    # Each module imports its own driver: a service on SQLite never loads psycopg.
    if url.startswith("sqlite:"):
        from app.dialects.sqlite import Sqlite  # noqa: PLC0415

        return Sqlite(url)
    if url.startswith(("postgresql:", "postgresql+psycopg:", "postgres:")):
        from app.dialects.postgresql import Postgresql  # noqa: PLC0415

        return Postgresql(url)
    raise ValueError(
        "REGISTER_DATABASE_URL must start with `sqlite:///` (then a file) or `postgresql://`."
    )
