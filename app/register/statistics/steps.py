"""Steps of time: the weeks and months that a day is in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from app.models.statistics import Period


def start(by: Period, day: date) -> date:
    """The first day of the step that a day is in."""
    return day.replace(day=1) if by is Period.MONTH else day - timedelta(days=day.weekday())


def steps(by: Period, first: date, last: date) -> Iterable[date]:
    """The first days of all steps from one day to another."""
    step = start(by, first)
    while step <= last:
        yield step
        # The longest month has 31 days, and a week 7.
        step = start(by, step + timedelta(days=31 if by is Period.MONTH else 7))


def called(by: Period, step: date) -> str:
    """A step's name, as ISO 8601 writes it: ``2026-11``, ``2026-W47``."""
    return f"{step:%Y-%m}" if by is Period.MONTH else f"{step:%G-W%V}"
