"""Column types that mean the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, String, types


@lru_cache(256)  # the moment of one transaction is written many times
def rfc3339(moment: datetime) -> str:
    """The moment in UTC as text, always 27 characters, so that text order is time order."""
    # strftime would write the year 999 with three digits.
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Moment(types.TypeDecorator[datetime]):
    """A moment in UTC, stored as RFC 3339 text with microseconds and ``Z``.

    The text is the same on both databases and in every document, so that a stored moment goes
    into an answer as it stands, and SQLite (which has no time type) hands back no naive time.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        # Byte order, whatever the database's own collation: an index on it is in time order.
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(27, collation=collation))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return rfc3339(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)
