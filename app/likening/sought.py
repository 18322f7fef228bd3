"""What a new entry may be a duplicate of, told with the answer to its submission."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from pydantic_core import from_json, to_json
from sqlmodel import Session

from app.register import likeness
from app.register.stored import Stored

if TYPE_CHECKING:
    from app.likeness.neighbours import Near

P = ParamSpec("P")

_TOLD = ("id", "reference", "title", "summary", "status", "organisation")


class Sought:
    """What is being looked for on another thread while the entry is stored."""

    def __init__(self, found: Future[list[Near]] | None, wait: float) -> None:
        self._found = found
        self._wait = wait

    def told(
        self, add: Callable[Concatenate[Session, P], Stored]
    ) -> Callable[Concatenate[Session, P], Stored]:
        """The write, with an answer that tells of possible duplicates beside what was stored.

        It is told within the unit of work, so that a repeated request gets the same answer.
        """

        def add_and_tell(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> Stored:
            stored = add(session, *args, **kwargs)
            beside = to_json({"possible_duplicates": self._possible(session)}).decode()
            return replace(stored, answer=f"{stored.document[:-1]},{beside[1:]}")

        return add_and_tell

    def _possible(self, session: Session) -> list[dict[str, Any]] | None:
        if self._found is None:
            return None
        try:
            near = self._found.result(self._wait)
        except TimeoutError:
            return None
        documents = likeness.documents_now(session, [each.number for each in near]) if near else {}
        return possible(near, documents)


def possible(near: list[Near], documents: dict[int, str]) -> list[dict[str, Any]]:
    """What is told of possible duplicates, of those of which there is a document."""
    return [
        _part_of(from_json(documents[each.number])) | {"score": round(each.score, 3)}
        for each in near
        if each.number in documents
    ]


def _part_of(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in _TOLD}
