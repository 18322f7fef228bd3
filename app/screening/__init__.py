"""Screening: what in a text may be personal data.

A text goes in, and findings come out: which kind, and where, never the value. Nothing here knows
HTTP or a database. What is looked for, how well it is found, and what is not looked for stands in
decision record 0020.
"""

from __future__ import annotations

from app.screening.kinds import Finding, Identifying
from app.screening.text import findings

__all__ = ["Finding", "Identifying", "findings"]
