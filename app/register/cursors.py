"""Cursors: where a keyset page ended, opaque, and bound to the query that it came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Sequence

from pydantic_core import from_json, to_json

from app.errors import InvalidCursor

Key = str | int | float

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def encode(query: str, key: Sequence[Key]) -> str:
    """A cursor after the entry with this sort key, for this query and no other."""
    text = to_json([_seal(query, key), *key])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode(query: str, cursor: str, kinds: Sequence[type[Key]]) -> list[Key]:
    """The sort key that a cursor of this query holds.

    Raises:
        InvalidCursor: when it was made up, or belongs to another query.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        seal, *parts = from_json(raw)
        key: list[Key] = parts
        fits = (
            seal == _seal(query, key)
            and [type(part) for part in key] == list(kinds)
            and all(_storable(part) for part in key)
        )
    except (ValueError, TypeError, RecursionError, binascii.Error):
        fits = False
    if not fits:
        raise InvalidCursor("The cursor is not one that this query gave.")
    return key


def _storable(part: Key) -> bool:
    """Whether a database can compare with it; the seal is no secret, so anybody may make one."""
    if isinstance(part, str):
        return not _UNSTORABLE.search(part)
    return math.isfinite(part) and abs(part) < 2**31


def _seal(query: str, key: Sequence[Key]) -> str:
    return hashlib.sha256(to_json([query, *key])).hexdigest()[:16]
