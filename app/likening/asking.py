"""Asking what is like what; and reading, on the way, what came since."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from pydantic_core import from_json

from app.database import Database
from app.errors import NotInstalled, Unavailable
from app.likeness import model, texts
from app.likeness.themes import Ranked, Themes
from app.likening.held import Held, Pairs
from app.likening.sought import Sought, possible
from app.models.innovations import InnovationCreate
from app.models.likeness import InnovationVector, PossibleDuplicate, ThemeSuggestion
from app.models.themes import ThemeDocument
from app.register import likeness
from app.register.access import Caller
from app.register.likeness import Entry
from app.settings import Settings

if TYPE_CHECKING:
    from app.likeness.comparing import Comparing
    from app.likeness.neighbours import Near

P = ParamSpec("P")
T = TypeVar("T")

LEARN_AFTER = 25
"""Changed innovations after which themes are learnt anew."""

MADE_AT_ONCE = 16
"""Vectors that are made at once; then others have as long a turn."""

STORED_AT_ONCE = 64
"""Vectors that are stored together. What was not comes again at the next start."""

READ_EVERY = 1.0
"""Seconds after which submissions have what came before them read; others who ask wait for it."""

PATIENCE = 20.0
"""Seconds that who asks waits for the register to be read."""

NO_MODEL = "The model of language is not installed here."

_log = logging.getLogger("register")


class Similar(NamedTuple):
    """An innovation that is like another, and the words that say so."""

    score: float
    why: Pairs
    document: str


class Suggested(NamedTuple):
    """The themes for a text, and what they were learnt from."""

    ranked: list[tuple[ThemeDocument, Ranked]]
    learnt_to: int

    def told(self) -> list[ThemeSuggestion]:
        return [
            ThemeSuggestion(
                theme=theme.ref(), score=round(ranked.score, 3), words=list(ranked.words)
            )
            for theme, ranked in self.ranked
        ]


class Likening:
    """What one process knows of likeness."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._wait = settings.likeness_wait_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="likeness")
        self._held: Held | None = None
        self._loading = asyncio.Lock()
        self._reached: int | None = None
        """The line up to which the register was read; None before it was once."""
        self._reading: asyncio.Task[None] | None = None
        self._read_next = 0.0
        """From when on what came is read though nobody waits for it."""
        self._stopping = False
        self._documents: list[ThemeDocument] = []
        self._themes: Themes | None = None
        self._learning: asyncio.Task[None] | None = None
        self._learnt_to = 0
        self._changed = 0
        self._unstored: dict[int, InnovationVector] = {}

    @property
    def model(self) -> str | None:
        """The model of language that answers rest on, if it is installed."""
        return model.NAME if model.installed() else None

    async def stop(self) -> None:
        self._stopping = True
        if under_way := [task for task in (self._reading, self._learning) if task is not None]:
            await asyncio.wait(under_way)
        with suppress(Unavailable):
            await self._store(1)
        self._thread.shutdown()

    # For who compares beside

    async def comparing(self) -> Comparing:
        """The model. It may be used on this thread only: see :meth:`run`.

        Raises:
            NotInstalled
        """
        comparing = (await self._hold()).comparing
        if comparing is None:
            raise NotInstalled(NO_MODEL)
        return comparing

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs something on the thread on which all comparing is done."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))

    # Asking

    async def suggest(self, text: str, limit: int, patience: float = PATIENCE) -> Suggested:
        """The themes for a text, the likeliest first.

        Raises:
            Unavailable: while the register is still being read.
        """
        themes = await self._learnt(await self._ready(patience))
        named = {document.slug: document for document in self._documents}
        ranked = await self.run(themes.rank, text)
        found = [(named[each.theme], each) for each in ranked if each.theme in named]
        return Suggested(found[:limit], self._learnt_to)

    async def similar(self, name: str, caller: Caller, limit: int) -> list[Similar]:
        """What is published and like an innovation that the caller may see, the likest first.

        Raises:
            NotFound, Withdrawn
            NotInstalled: without the extra `semantic`.
            Unavailable: while the register is still being read.
        """
        subject = await self._database.read(likeness.subject, name, caller)
        text = texts.of_entry(subject.title, subject.summary)
        return await self.like(text, limit, but=(subject.number,))

    async def like(self, text: str, limit: int, *, but: tuple[int, ...] = ()) -> list[Similar]:
        """What is published and like a text, the likest first; see :meth:`similar`."""
        held = await self.compared(PATIENCE)
        near = await self.run(held.near, text, limit, but)
        numbers = [each.number for each in near]
        documents = await self._database.read(likeness.documents, numbers)
        others = {number: _text(document) for number, document in documents.items()}
        why = await self.run(held.why, text, others)
        return [
            Similar(round(each.score, 3), why[each.number], documents[each.number])
            for each in near
            if each.number in documents
        ]

    async def likely(self, text: str, patience: float) -> list[PossibleDuplicate]:
        """What is published and so like a text that it may be the same practice.

        Raises:
            NotInstalled, Unavailable: as for :meth:`similar`.
        """
        held = await self.compared(patience)
        near = await self.run(held.likely, text)
        documents = await self._database.read(likeness.documents, [each.number for each in near])
        return [PossibleDuplicate.model_validate(each) for each in possible(near, documents)]

    def seek(self, entry: InnovationCreate) -> Sought:
        """Looks for what a new entry may be a duplicate of, while that is being stored.

        It uses what has been read by now, and has the rest read for whoever comes next.
        """
        if not self._wait or not model.installed():
            return Sought(None, self._wait)
        found: Future[list[Near]] | None = None
        if self._held is not None and self._reached is not None:
            text = texts.of_entry(entry.title, entry.summary)
            found = self._thread.submit(self._held.likely, text)
        if time.monotonic() >= self._read_next:
            self._read_next = time.monotonic() + READ_EVERY
            _ = self._read_on()
        return Sought(found, self._wait)

    # Reading the register

    async def compared(self, patience: float) -> Held:
        """What was made of all that is in the log by now, if there is a model to compare with.

        Raises:
            NotInstalled, Unavailable
        """
        if not model.installed():
            raise NotInstalled(NO_MODEL)
        return await self._ready(patience)

    async def _ready(self, patience: float) -> Held:
        """What was made of all that is in the log by now.

        Raises:
            Unavailable
        """
        head = await self._database.head()
        until = time.monotonic() + patience
        while True:
            if self._held is not None and self._reached is not None and self._reached >= head:
                return self._held
            reading = asyncio.shield(self._read_on())
            try:
                await asyncio.wait_for(reading, until - time.monotonic())
            except TimeoutError:
                raise Unavailable(
                    "What the register holds is still being read, to compare with it; after a "
                    "start, that takes a while."
                ) from None

    def _read_on(self) -> asyncio.Task[None]:
        """Reads what came since, if that is not being done already."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(noted)
        return self._reading

    async def _read(self) -> None:
        held = await self._hold()
        if self._reached is None:
            await self._read_all(held)
        else:
            await self._read_news(held, self._reached)

    async def _hold(self) -> Held:
        async with self._loading:
            if self._held is None:
                self._held = await self.run(Held)
            return self._held

    async def _learnt(self, held: Held) -> Themes:
        """What ranks themes; if much has come since, it is learnt anew for whoever asks next."""
        if self._themes is None:
            await self._learn(held)
        elif self._changed >= LEARN_AFTER and (self._learning is None or self._learning.done()):
            self._learning = asyncio.create_task(self._learn(held))
            self._learning.add_done_callback(noted)
        assert self._themes is not None, "it was learnt"
        return self._themes

    async def _learn(self, held: Held) -> None:
        self._changed, learnt_to = 0, self._reached or 0
        self._themes = await self.run(held.learn, self._documents)
        self._learnt_to = learnt_to

    async def _read_all(self, held: Held) -> None:
        head = await self._database.head()
        self._documents = await self._read_themes()
        after = 0
        while entries := await self._database.read(likeness.published, after):
            await self._take(held, entries)
            await self._store(STORED_AT_ONCE)
            if self._stopping:
                return
            after = entries[-1].number
        await self._store(1)
        self._reached = head

    async def _read_news(self, held: Held, reached: int) -> None:
        head = await self._database.head()
        while reached < head and not self._stopping:
            news = await self._database.read(likeness.news, reached)
            if news.themes:
                self._documents = await self._read_themes()
                self._themes = None
            await self._take(held, news.entries)
            self._changed += len(news.entries)
            self._reached = reached = news.to
        await self._store(STORED_AT_ONCE)

    async def _read_themes(self) -> list[ThemeDocument]:
        documents = await self._database.read(likeness.themes)
        return [ThemeDocument.model_validate_json(document) for document in documents]

    async def _take(self, held: Held, entries: list[Entry]) -> None:
        """Notes innovations as they stand now."""
        for start in range(0, len(entries), MADE_AT_ONCE):
            began = time.perf_counter()
            made = await self.run(held.note, entries[start : start + MADE_AT_ONCE])
            if made:
                self._unstored |= {vector.number: vector for vector in made}
                # Python runs one thread at a time; the others have as long.
                await asyncio.sleep(time.perf_counter() - began)
            if self._stopping:
                return

    async def _store(self, least: int) -> None:
        if len(self._unstored) >= least:
            vectors, self._unstored = self._unstored, {}
            await self._database.write(likeness.keep, list(vectors.values()))


def _text(document: str) -> str:
    parts = from_json(document)
    return texts.of_entry(parts["title"], parts["summary"])


def noted(task: asyncio.Task[None]) -> None:
    """What goes wrong where nobody waits is told to who runs the service; it is tried again."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Unavailable):
        _log.error("what the register holds could not be compared", exc_info=error)
