"""What is grouped: the newest innovations and stories, and the groups that they make."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import from_json

from app.likeness import texts
from app.likeness.naming import Naming
from app.models.emerging import FEWEST, Fit, MemberKind
from app.models.likeness import StoryVector
from app.models.themes import ThemeDocument
from app.register.emerging import Name, Published, Since
from app.register.emerging_themes import Chosen

if TYPE_CHECKING:
    from app.likeness.comparing import Comparing
    from app.likeness.emerging import Found, Known

WORDS = 5
"""Words that name a group."""

FIRST_WORDS = 100
"""Letters of a story that are shown in the place of a title."""

_FITS = list(Fit)


class Text(NamedTuple):
    """An innovation or a story as it is grouped."""

    kind: MemberKind
    number: int
    id: str
    title: str
    text: str
    themes: frozenset[str]
    verdict: str
    """An innovation's status, or a story's verdict."""
    published_at: str

    @property
    def name(self) -> Name:
        return self.kind, self.id

    @property
    def chosen(self) -> Chosen:
        return Chosen(self.kind, self.number, self.id)


class Member(NamedTuple):
    """A text of a group, and how near it is to the middle of the others."""

    text: Text
    score: float


class Group(NamedTuple):
    """A group as it stands now."""

    found: Found
    members: tuple[Member, ...]
    words: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id of its oldest member, which stays while others come."""
        return min((member.text for member in self.members), key=_age).id

    @property
    def weight(self) -> float:
        """How much there is to it."""
        return len(self.members) * self.found.strength


class Groups:
    """The groups of what there was at a line of the log, and what went since."""

    def __init__(
        self,
        line: int,
        themes: Iterable[ThemeDocument],
        gathered: Sequence[Text],
        found: Iterable[Found],
    ) -> None:
        self.line = line
        self.followed = line
        self.themes = {theme.slug: theme.ref() for theme in themes}
        self.looked_at = len(gathered)
        self.changed: set[Name] = set()
        self.themes_changed = False
        self._gathered = gathered
        self._naming = Naming([text.text for text in gathered])
        self._rewritten: set[Name] = set()
        self._found = list(found)
        self._groups = self._made()

    def all(self) -> list[Group]:
        """The groups: those that fit no theme first; then those that there is most to."""
        return self._groups

    def of(self, name: str) -> Group | None:
        """The group of which an innovation or a story with this id or reference is a member."""
        for group in self._groups:
            if any(member.text.chosen.is_called(name) for member in group.members):
                return group
        return None

    def note(self, since: Since) -> None:
        """Takes out what does not say any more what it said, or says it to nobody."""
        self.changed |= since.changed
        self.themes_changed |= since.themes
        self.followed = max(self.followed, since.to)
        if not since.rewritten <= self._rewritten:
            self._rewritten |= since.rewritten
            self._groups = self._made()

    def _made(self) -> list[Group]:
        groups = []
        for found in self._found:
            members = [
                (number, Member(self._gathered[number], score))
                for number, score in zip(found.members, found.nearness, strict=True)
                if self._gathered[number].name not in self._rewritten
            ]
            if len(members) >= FEWEST:
                words = self._naming.words([number for number, _ in members], WORDS)
                groups.append(Group(found, tuple(each for _, each in members), tuple(words)))
        return sorted(groups, key=lambda each: (_FITS.index(each.found.fit), -each.weight, each.id))


def _age(text: Text) -> tuple[str, str, int]:
    return text.published_at, text.kind, text.number


class Gathering:
    """Reads what is to be grouped, and groups it; all on one thread, in slices."""

    def __init__(
        self, comparing: Comparing, known: Known, themes: Sequence[ThemeDocument], most: int
    ) -> None:
        self._comparing = comparing
        self._known = known
        self._themes = themes
        self._most = most
        self._texts: dict[Name, Text] = {}
        self._vectors: dict[Name, bytes] = {}

    def take(self, rows: Iterable[Published]) -> list[Text]:
        """Takes in what is published; returns the stories that have no vector yet."""
        new = []
        for row in rows:
            text = _text(row)
            self._texts[text.name] = text
            made = (self._comparing.model, texts.digest(text.text))
            fits = (row.model, row.digest) == made
            if fits and row.vector is not None:
                self._vectors[text.name] = bytes(row.vector)
            elif text.kind is MemberKind.STORY:
                new.append(text)
        return new

    def make(self, stories: Sequence[Text]) -> list[StoryVector]:
        """Makes the vectors of stories."""
        vectors = self._comparing.packed([text.text for text in stories])
        made = []
        for text, vector in zip(stories, vectors, strict=True):
            self._vectors[text.name] = vector
            made.append(
                StoryVector(
                    number=text.number,
                    model=self._comparing.model,
                    digest=texts.digest(text.text),
                    vector=vector,
                )
            )
        return made

    def groups(self, line: int) -> Generator[None, None, Groups]:
        """The groups; it yields after each slice of the work."""
        compared = [text for text in self._texts.values() if self._has_vector(text)]
        newest = sorted(compared, key=_age)[-self._most :]
        innovations = [text for text in newest if text.kind is MemberKind.INNOVATION]
        told = [text for text in newest if text.kind is MemberKind.STORY]
        vectors = self._comparing.side_by_side(
            [text.number for text in innovations], [self._vectors[text.name] for text in told]
        )
        yield
        gathered = [*innovations, *told]
        labels = [text.themes for text in gathered]
        found = yield from self._comparing.emerging(vectors, labels, self._known)
        return Groups(line, self._themes, gathered, found)

    def _has_vector(self, text: Text) -> bool:
        if text.kind is MemberKind.STORY:
            return text.name in self._vectors
        return text.number in self._comparing.entries


def _text(row: Published) -> Text:
    document = from_json(row.document)
    if row.kind is MemberKind.INNOVATION:
        themes = [document["theme"], *document["further_themes"]]
        title, verdict = document["title"], document["status"]
        text = texts.of_entry(title, document["summary"])
    else:
        themes, text, verdict = document["themes"], document["text"], document["verdict"]
        title = _first_words(text)
    return Text(
        kind=row.kind,
        number=row.number,
        id=document["id"],
        title=title,
        text=text,
        themes=frozenset(theme["slug"] for theme in themes),
        verdict=verdict,
        published_at=row.published_at,
    )


def _first_words(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= FIRST_WORDS:
        return line
    cut, _, _ = line[:FIRST_WORDS].rpartition(" ")
    return f"{cut or line[: FIRST_WORDS - 1]}…"
