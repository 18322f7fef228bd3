"""What stood as retired at a line of the log, and what the next lines submit that is like it.

Which practices stand as retired at a line, and what the texts up to there have in common, is a
matter of the log. So a line is judged alike by whichever process, and whenever it comes to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from app.likeness import texts
from app.models.decisions import Status
from app.models.innovations import Visibility
from app.models.likeness import InnovationVector
from app.models.retired_elsewhere import LineLikeness
from app.register.judging import Version

if TYPE_CHECKING:
    from app.likeness.comparing import Comparing

MOST_TOLD = 5
"""Practices that a line is told to be like."""


class _Published(NamedTuple):
    """What of a published innovation is judged by.

    A version that differs from the one before in any of it, and is not retired, submits something
    to be done: it is new, or published now, or says another thing, or is somebody else's, or is
    taken up again. What is submitted as retired agrees with the others.
    """

    organisation: str
    text: str
    retired: bool


class Retired:
    """The practices that stand as retired, by whose they are. It is used on one thread only."""

    def __init__(self, comparing: Comparing) -> None:
        self._comparing = comparing
        self._practices = comparing.apart()
        self.model = comparing.model
        self._of: dict[str, set[int]] = {}
        self._whose: dict[int, str] = {}
        self._made: dict[int, InnovationVector] = {}

    def made(self) -> list[InnovationVector]:
        """The vectors that had to be made since this was asked last."""
        made, self._made = list(self._made.values()), {}
        return made

    def usual(self) -> bytes:
        """What the texts so far have in common."""
        return self._practices.usual.packed()

    def restore(self, model: str | None, usual: bytes | None) -> None:
        """Goes on from what texts had in common; of another model, from the start."""
        if usual is not None and model == self.model:
            self._practices.usual.restore(bytes(usual))

    def judge(self, versions: Sequence[Version]) -> list[LineLikeness]:
        """Goes on along the lines of these versions; returns what each is like."""
        now = [
            (version, entry, _published(version.before))
            for version in versions
            for entry in [_published(version.document)]
        ]
        vectors = self._vectors(
            [
                (version, entry)
                for version, entry, before in now
                if entry is not None and (entry.retired or entry != before)
            ]
        )
        found: list[LineLikeness] = []
        for version, entry, before in now:
            self._drop(version.number)
            if entry is None:
                continue
            vector = vectors.get(version.sequence, b"")
            if before is None or before.text != entry.text:
                self._practices.show(vector)
            if entry.retired:
                self._put(version.number, entry.organisation, vector)
            elif entry != before:
                found += self._like(version.sequence, entry, vector)
        return found

    def follow(self, versions: Sequence[Version]) -> None:
        """Goes on along lines that others have judged."""
        retired = []
        for version in versions:
            entry = _published(version.document)
            self._drop(version.number)
            if entry is not None and entry.retired:
                retired.append((version, entry))
        vectors = self._vectors(retired)
        # Of several versions of one, the last is kept, if it is not gone by then.
        last = {version.number: version.sequence for version in versions}
        for version, entry in retired:
            if last[version.number] == version.sequence:
                self._put(version.number, entry.organisation, vectors[version.sequence])

    def _like(self, sequence: int, entry: _Published, vector: bytes) -> Iterable[LineLikeness]:
        own = self._of.get(entry.organisation, ())
        for each in self._practices.likely(vector, MOST_TOLD, own):
            yield LineLikeness(sequence=sequence, number=each.number, score=round(each.score, 3))

    def _vectors(self, of: Sequence[tuple[Version, _Published]]) -> dict[int, bytes]:
        """By their lines; those that are not stored are made."""
        vectors: dict[int, bytes] = {}
        missing: list[tuple[Version, str]] = []
        for version, entry in of:
            named = (self._comparing.model, texts.digest(entry.text))
            if version.vector is not None and (version.model, version.digest) == named:
                vectors[version.sequence] = bytes(version.vector)
            else:
                missing.append((version, entry.text))
        made = self._comparing.packed([text for _, text in missing]) if missing else []
        for (version, text), vector in zip(missing, made, strict=True):
            vectors[version.sequence] = vector
            self._made[version.number] = InnovationVector(
                number=version.number,
                model=self._comparing.model,
                digest=texts.digest(text),
                vector=vector,
            )
        return vectors

    def _put(self, number: int, organisation: str, vector: bytes) -> None:
        self._practices.put(number, vector)
        self._whose[number] = organisation
        self._of.setdefault(organisation, set()).add(number)

    def _drop(self, number: int) -> None:
        organisation = self._whose.pop(number, None)
        if organisation is not None:
            self._practices.drop(number)
            self._of[organisation].discard(number)


def _published(document: str | None) -> _Published | None:
    entry = from_json(document) if document else None
    if entry is None or entry["visibility"] != Visibility.PUBLISHED:
        return None
    return _Published(
        entry["organisation"]["code"],
        texts.of_entry(entry["title"], entry["summary"]),
        entry["status"] == Status.RETIRE,
    )
