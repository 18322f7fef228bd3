"""JSON: an array of entries, or one entry a line (NDJSON)."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import IO

from app.errors import Fault, UnreadableFile
from app.files.rows import LARGEST_ROW, LONGEST_READ, Row, too_large

_CHUNK = 64 * 1024
_SPACE = " \t\n\r"
_BOM = b"\xef\xbb\xbf"


def lines(file: IO[bytes]) -> Iterator[Row]:
    """The rows of NDJSON; what is in a line is for the row's own judgement.

    Raises:
        UnreadableFile: when it is something else.
    """
    number = 0
    while line := file.readline(LARGEST_ROW + 2):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
            if line.lstrip()[:1] not in (b"{", b""):
                raise UnreadableFile("NDJSON has one object a line; the first line has none.")
        if len(line) > LARGEST_ROW + 1 and not line.endswith(b"\n"):
            while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
                pass
            yield too_large(number)
            continue
        text = line.strip()
        if text:
            yield _row(number, text)


def array(file: IO[bytes]) -> Iterator[Row]:
    """The rows of a JSON array.

    Raises:
        UnreadableFile: when it is none, or ends in the middle.
    """
    text = _Text(file)
    if text.next() != "[":
        raise UnreadableFile("Send one JSON array of entries: it starts with `[`.")
    text.at += 1
    number = 0
    if text.next() == "]":
        text.at += 1
    else:
        while True:
            number += 1
            yield text.value(number)
            mark = text.next()
            text.at += 1
            if mark == "]":
                break
            if mark != ",":
                raise UnreadableFile(_after(number, "neither a comma nor the end of the array"))
    if text.next():
        raise UnreadableFile(_after(number, "more than the one array"))


def _row(number: int, text: bytes) -> Row:
    if not text.startswith(b"{"):
        return Row(number, None, Fault("#", "model_type", "Give an object, in braces."))
    return Row(number, text)


def _after(number: int, what: str) -> str:
    return f"After entry {number} there is {what}."


class _Text:
    """The text of a file, as much of it at a time as a value takes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._decoder = json.JSONDecoder(parse_constant=_refused)
        self._text = ""
        self.at = 0

    def next(self) -> str:
        """The next letter that is not a space; none at the end."""
        while True:
            while self.at < len(self._text):
                if self._text[self.at] not in _SPACE:
                    return self._text[self.at]
                self.at += 1
            if not self._more():
                return ""

    def value(self, number: int) -> Row:
        """The value that starts here, as a row; goes on behind it."""
        self.next()
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self.at)
                break
            except json.JSONDecodeError:
                # It may be wrong, or go on in what was not read yet.
                if len(self._text) - self.at > LONGEST_READ or not self._more():
                    raise UnreadableFile(f"Entry {number} is not JSON, or has no end.") from None
            except RecursionError:
                raise UnreadableFile(f"Entry {number} is nested too deep.") from None
        found = self._text[self.at : end].encode(errors="replace")
        self.at = end
        return too_large(number) if len(found) > LARGEST_ROW else _row(number, found)

    def _more(self) -> bool:
        """Reads on; False at the end of the file."""
        read = self._file.read(_CHUNK)
        try:
            self._text = self._text[self.at :] + self._decode(read, final=not read)
        except UnicodeDecodeError:
            raise UnreadableFile("The file is not UTF-8.") from None
        self.at = 0
        return bool(read)


def _refused(name: str) -> None:
    raise UnreadableFile(f"JSON has no {name}.")
