"""What stood as retired at a line of the log, and what the next lines submit that is like it.

A score is a matter of two texts alone, and which practices stand as retired is one of the log. So a
line is judged alike by whichever process, and whenever it comes to it.
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
    """What of a published innovation is judged by."""

    organisation: str
    text: str
    retired: bool


class Retired:
    """The practices that stand as retired, by whose they are. It is used on one thread only."""

    def __init__(self, comparing: Comparing) -> None:
        self._comparing = comparing
        self._practices = comparing.apart()
        self._of: dict[str, set[int]] = {}
        self._whose: dict[int, str] = {}
        self._made: dict[int, InnovationVector] = {}

    def made(self) -> list[InnovationVector]:
        """The vectors that had to be made since this was asked last."""
        made, self._made = list(self._made.values()), {}
        return made

    def judge(self, versions: Sequence[Version]) -> list[LineLikeness]:
        """Goes on along the lines of these versions; returns what each is like."""
        now = [(version, _published(version.document)) for version in versions]
        if not self._whose and not any(entry and entry.retired for _, entry in now):
            return []  # there is nothing to be like, nor will there be after these
        of_submissions = {
            version.sequence for version, entry in now if entry and _submits(version, entry)
        }
        needed = [
            (version, entry)
            for version, entry in now
            if entry and (entry.retired or version.sequence in of_submissions)
        ]
        vectors = self._vectors(needed)
        found: list[LineLikeness] = []
        for version, entry in now:
            self._drop(version.number)
            if entry is None:
                continue
            if entry.retired:
                self._put(version.number, entry.organisation, vectors[version.sequence])
            elif version.sequence in of_submissions:
                found += self._like(version.sequence, entry, vectors[version.sequence])
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
        near = self._comparing.likely_among(self._practices, vector, MOST_TOLD, own)
        for each in near:
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


def _submits(version: Version, entry: _Published) -> bool:
    """Whether by this version something is submitted to be done: it is new, or published now, or
    says another thing, or is taken up again. What is itself submitted as retired agrees."""
    before = _published(version.before)
    return not entry.retired and (before is None or before != entry)
