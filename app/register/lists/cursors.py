"""Cursors: where a keyset page ended, opaque, and bound to the query that it came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Sequence
from types import UnionType
from typing import get_args

from pydantic_core import from_json, to_json

from app.errors import InvalidCursor

Key = str | int | float | None

Kinds = Sequence[type[str | int | float] | UnionType]
"""What the parts of a key are; ``str | None`` of one that may be missing."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def encode(query: str, key: Sequence[Key]) -> str:
    """A cursor after the entry with this sort key, for this query and no other."""
    text = to_json([_seal(query, key), *key])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def decode(query: str, cursor: str, kinds: Kinds) -> list[Key]:
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
            and len(key) == len(kinds)
            and all(_is(part, kind) for part, kind in zip(key, kinds, strict=True))
            and all(_storable(part) for part in key)
        )
    except (ValueError, TypeError, RecursionError, binascii.Error):
        fits = False
    if not fits:
        raise InvalidCursor("The cursor is not one that this query gave.")
    return key


def _is(part: object, kind: type | UnionType) -> bool:
    # Nothing is taken for what it is not: JSON's `true` is an int to Python, and 1 is no float.
    return type(part) in (get_args(kind) or (kind,))


def _storable(part: Key) -> bool:
    """Whether a database can compare with it; the seal is no secret, so anybody may make one."""
    if isinstance(part, str):
        return not _UNSTORABLE.search(part)
    return part is None or (math.isfinite(part) and abs(part) < 2**31)


def _seal(query: str, key: Sequence[Key]) -> str:
    return hashlib.sha256(to_json([query, *key])).hexdigest()[:16]
