"""How far the log is judged (see `judging.py`), for whoever follows what was found."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Select, select
from sqlmodel import Session, col

from app.dialects import Reader
from app.likeness import model
from app.models.changes import LogHead
from app.models.retired_elsewhere import LinesJudged
from app.register import changes


class Reach(NamedTuple):
    """How far it got, of how many lines, and who judged last."""

    judged: int
    head: int
    owner: str | None

    def waits_for(self) -> str | None:
        """What newer lines wait for before they can be told."""
        if self.judged >= self.head:
            return None
        if not model.installed():
            return (
                f"Lines after {self.judged} cannot be compared with what was retired: the model of "
                "language is not installed here."
            )
        return f"Lines after {self.judged} are still to be compared with what was retired."


_REACH: Select[int, int, str | None] = select(
    col(LinesJudged.sequence), col(LogHead.sequence), col(LinesJudged.owner)
).where(col(LogHead.id) == col(LinesJudged.id))  # each has one row, of the same number


async def reach(reader: Reader) -> Reach:
    """How far it got."""
    return Reach(*(await reader.rows(_REACH, {}))[0])


def reach_now(session: Session) -> Reach:
    """As :func:`reach`, within a unit of work."""
    row = session.execute(select(col(LinesJudged.sequence), col(LinesJudged.owner))).one()
    return Reach(row.sequence, changes.next_sequence(session) - 1, row.owner)
