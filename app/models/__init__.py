"""The tables, and the JSON that comes in and goes out; one file for each kind of thing.

Importing this package declares every table.
"""

from app.models import (
    adoptions,
    changes,
    clients,
    decisions,
    evidence,
    idempotency,
    innovations,
    likeness,
    organisations,
    stories,
    subscriptions,
    themes,
)

__all__ = [
    "adoptions",
    "changes",
    "clients",
    "decisions",
    "evidence",
    "idempotency",
    "innovations",
    "likeness",
    "organisations",
    "stories",
    "subscriptions",
    "themes",
]
