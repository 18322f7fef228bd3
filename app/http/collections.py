"""Collections: what is a pure function of the request, of who asks, and of the log up to its head.

So the head, one tiny read, tells whether a client has it already, before any of it is made.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import UTC, date, datetime
from typing import NamedTuple

from fastapi import Request, Response

from app import __version__
from app.database import Database
from app.http import conditional
from app.http.preferred import accepted
from app.register.access import Caller

CACHING = {"Cache-Control": "no-cache", "Vary": "Accept, Authorization"}
NO_CACHING = {**CACHING, "Cache-Control": "no-store"}
"""For what is not in the log, like the last use of a key: it changes, and no ETag tells."""


MOST_KEPT = 32 * 1024 * 1024
"""Bytes of answers that a process keeps."""

_OURS = f'"{__version__}-'
"""How the tag of a collection starts."""


def headers(request: Request, head: int, day: date | None = None) -> dict[str, str]:
    """The headers of a collection; with the day, where the answer depends on that, too."""
    return _headers(_tag(request, head, day), head)


def _headers(tag: str, head: int) -> dict[str, str]:
    return {"ETag": tag, "Register-Sequence": str(head), **CACHING}


def _tag(request: Request, head: int, day: date | None = None) -> str:
    """The software's version (another may give it another shape), the head, who asks, and for what.

    The request is in the tag so that a tag which fits proves that just this was answered before,
    and in this form.
    """
    caller: Caller = request.scope["caller"]
    audience = "curator" if caller.curates else caller.organisation or "all"
    path, query = request.scope["path"], request.scope["query_string"]
    form = "\n".join(_form(request)).encode("latin-1")
    asked = hashlib.blake2b(b"%b?%b\n%b" % (path.encode(), query, form), digest_size=6).hexdigest()
    return _of_day(f'"{__version__}-{head}-{audience}-{asked}"', day)


def _of_day(tag: str, day: date | None) -> str:
    return f'{tag[:-1]}-{day}"' if day else tag


def _today() -> date:
    return datetime.now(UTC).date()


def _form(request: Request) -> tuple[str, str]:
    """The headers that say in which form an answer is wanted."""
    return accepted(request), request.headers.get("prefer", "")


Asked = tuple[str | None, bool, str, str | None, str, bytes, str, str]


def asked(request: Request) -> Asked:
    """All that an answer depends on, beside the log and the day."""
    caller: Caller = request.scope["caller"]
    scope = request.scope
    who = (caller.organisation, caller.curates)
    # What has whole addresses in it has those by which the request came.
    where = (scope["scheme"], request.headers.get("host"), scope["path"], scope["query_string"])
    return *who, *where, *_form(request)


class Kept(NamedTuple):
    """An answer, and for how long it is right: while the log has this head, on this day."""

    answer: Response
    head: int
    day: date | None
    """None where it is the same on any day."""

    def holds(self, head: int) -> bool:
        return self.head == head and (self.day is None or self.day == _today())


class Recent:
    """Recent answers of this process, by who asked and for what; bounded by their size.

    None has to be taken out when something is written: each knows the head that it was made from.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self.size = 0
        self._answers: OrderedDict[Asked, Kept] = OrderedDict()

    def get(self, asked: Asked) -> Kept | None:
        kept = self._answers.get(asked)
        if kept is not None:
            self._answers.move_to_end(asked)
        return kept

    def put(self, asked: Asked, kept: Kept) -> None:
        before = self._answers.pop(asked, None)
        self.size += len(kept.answer.body) - (len(before.answer.body) if before else 0)
        self._answers[asked] = kept
        while self.size > self._most:
            _, oldest = self._answers.popitem(last=False)
            self.size -= len(oldest.answer.body)


async def known(request: Request, asked: Asked) -> Response | None:
    """The answer, if the client has it already (a 304), or this process does.

    It costs a look at the log's head, and only where there is something that may still be right.
    """
    wanted = request.headers.get("if-none-match")
    recent: Recent = request.app.state.recent
    kept = recent.get(asked)
    if kept is None and (wanted is None or _OURS not in wanted):
        return None
    database: Database = request.app.state.database
    head = await database.head()
    if kept is not None and kept.holds(head):
        unmodified = conditional.unmodified(request, kept.answer.headers) if wanted else None
        return unmodified or _copy(kept.answer)
    if wanted is None:
        return None
    tag = _tag(request, head)
    of_today = _of_day(tag, _today())
    return conditional.unmodified(request, _headers(tag, head)) or conditional.unmodified(
        request, _headers(of_today, head)
    )


def keep(request: Request, asked: Asked, answer: Response) -> None:
    """Keeps the answer for whoever asks the same, if it is a collection."""
    tag = answer.headers.get("etag", "")
    if type(answer) is not Response or not tag.startswith(_OURS):
        return
    # A tag that has a day ends with it; else with a digest, in which there is no hyphen.
    day = date.fromisoformat(tag[-11:-1]) if tag[-4] == "-" else None
    recent: Recent = request.app.state.recent
    kept = Kept(_copy(answer), int(answer.headers["register-sequence"]), day)
    recent.put(asked, kept)


def _copy(answer: Response) -> Response:
    """Each answer gets headers of its own on the way out."""
    copy = Response(status_code=answer.status_code)
    copy.body = answer.body
    copy.raw_headers = list(answer.raw_headers)
    return copy
