"""Full-text search on SQLite: FTS5's syntax, and words in a document that is in no index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, MetaData, Table, literal_column, text

from app.dialects.protocol import Alternative, TextMatch, TextSearch, Values

COLUMNS = ("title", "summary", "description", "tags", "evidence", "text")
"""All that documents have words in; ``text`` is a story's."""

INDEXES = ("innovation_text", "innovation_text_hidden")
"""The index of all innovations, and that of those which are not published."""

STORIES = "story_text"
"""The index of all stories."""

STORY_HAS_WORDS: Any = text(
    f"story.number IN (SELECT rowid FROM {STORIES} WHERE {STORIES} MATCH :q)"  # noqa: S608 (ours)
)

TEXT_IN = "register_text_in"
"""The function by which SQL asks whether a document has words; see :class:`TextOf`."""

LOWER, UPPER = "register_lower", "register_upper"
"""The functions by which SQL changes the case of letters; SQLite's own know A to Z alone."""

CASES: dict[str, Callable[[str | None], str | None]] = {
    LOWER: lambda text: None if text is None else text.lower(),
    UPPER: lambda text: None if text is None else text.upper(),
}

_TOKENIZER = "porter unicode61 remove_diacritics 2"  # as the migration makes the index

# A semicolon, which nobody can search for, ends each tag and each statement: no phrase goes on.
_WORDS = """
    INSERT INTO words (rowid, title, summary, description, tags, evidence, text)
    SELECT 1, :document ->> '$.title', :document ->> '$.summary', :document ->> '$.description',
           (SELECT group_concat(value, ' ; ') FROM json_each(:document, '$.tags')),
           (SELECT group_concat(value ->> '$.statement', ' ; ')
              FROM json_each(:document, '$.evidence')),
           :document ->> '$.text'
"""


def query(alternatives: Sequence[Alternative]) -> Values:
    """What to look for, in FTS5's syntax."""

    def all_of(each: Sequence[Sequence[str]], operator: str) -> str:
        return f" {operator} ".join(f'"{" ".join(words)}"' for words in each)

    wanted = [f"({all_of(side.wanted, 'AND')})" for side in alternatives]
    sides = [
        f"({found} NOT {all_of(side.unwanted, 'NOT')})" if side.unwanted else found
        for found, side in zip(wanted, alternatives, strict=True)
    ]
    return {"q": " OR ".join(sides), "wanted": " OR ".join(wanted)}


def _match(words: str, score: float) -> TextMatch:
    """A match of words in FTS5's syntax, with parameters in them."""
    parts = re.split(r":(q|wanted)\b", words)
    joined = "||".join(f":{part}" if i % 2 else f"'{part}'" for i, part in enumerate(parts) if part)
    condition: Any = text(f"innovation_text MATCH {joined}")
    return TextMatch(condition, score)


def _count(index: str) -> str:
    return f"(SELECT count(*) FROM {index} WHERE {index} MATCH :q)"  # noqa: S608 (ours, both)


_PUBLISHED: ColumnElement[int] = literal_column(" - ".join(map(_count, INDEXES)), Integer)


def search() -> TextSearch:
    """Search over the index."""
    index = Table("innovation_text", MetaData(), Column("rowid", Integer))
    # Not by `bm25`: that has to score all that is found before the first page, and an entry
    # that somebody adds changes the scores of others between two pages.
    titles, prominent = "{title} : (:wanted)", "{title summary tags} : (:wanted)"
    best_first = (
        _match(f"(:q) AND {titles}", 0.0),
        _match(f"((:q) AND {prominent}) NOT {titles}", 1.0),
        _match(f"(:q) NOT {prominent}", 2.0),
    )
    return TextSearch(index, index.c.rowid, _match(":q", 0.0), best_first, _PUBLISHED)


class TextOf:
    """Looks for words in one document at a time: an index in memory of this one alone.

    FTS5 itself does it, so that it finds what the index would: by the same stems, phrases and
    accents. A document takes it some 0.1 ms.
    """

    def __init__(self) -> None:
        self._index = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        columns = ", ".join(COLUMNS)
        self._index.execute(
            f"CREATE VIRTUAL TABLE words USING fts5({columns}, tokenize = '{_TOKENIZER}')"
        )

    def __call__(self, document: str | None, q: str) -> bool:
        """Whether the document has the words that ``q`` asks for, in FTS5's syntax."""
        if document is None:
            return False
        self._index.execute(_WORDS, {"document": document})
        try:
            found = self._index.execute("SELECT 1 FROM words WHERE words MATCH ?", (q,))
            return found.fetchone() is not None
        finally:
            self._index.execute("DELETE FROM words")
