"""What is stored, and what goes over the wire; both of a thing in its one file.

Importing this package declares every table.
"""

from app.models import (
    changes,
    clients,
    decisions,
    evidence,
    idempotency,
    innovations,
    organisations,
    themes,
)

__all__ = [
    "changes",
    "clients",
    "decisions",
    "evidence",
    "idempotency",
    "innovations",
    "organisations",
    "themes",
]
