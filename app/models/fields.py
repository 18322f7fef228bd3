"""The kinds of field that models are made of: what each takes, and what it refuses.

A text that one of the databases could not hold (with NUL, or a lone surrogate) is refused here,
for both of them.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictFloat,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from app.dialects import rfc3339

_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_BREAK = re.compile("[\t\n\r\x85\u2028\u2029]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PERIOD = re.compile(r"(\d{4}(?:-\d{2}){0,2})(?:/(\d{4}(?:-\d{2}){0,2}))?", re.ASCII)
_EARLIEST = date(1900, 1, 1)
_LATEST = date(2199, 12, 31)


def storable(value: str) -> str:
    """The text, if both databases can hold it."""
    if _UNSTORABLE.search(value):
        raise PydanticCustomError(
            "unstorable_text", "Text may not contain NUL, other control characters or surrogates"
        )
    return value


def _one_line(value: str) -> str:
    if _LINE_BREAK.search(value):
        raise PydanticCustomError("several_lines", "This text goes on one line")
    return value


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s<>\"\\^`{|}]", value):
        raise PydanticCustomError("not_a_web_address", "Give an address with http:// or https://")
    return value


def _iso_day(value: object) -> object:
    # Pydantic would take a number for seconds since 1970, and "1e3" for a number.
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("not_a_day", "Give a day as YYYY-MM-DD")
    if not isinstance(value, str | date) or isinstance(value, datetime):
        raise PydanticCustomError("not_a_day", "Give a day as YYYY-MM-DD, in quotes")
    return value


def _sensible_day(value: date) -> date:
    if not _EARLIEST <= value <= _LATEST:
        raise PydanticCustomError("day_out_of_range", "Give a day between 1900 and 2199")
    return value


def _past_day(value: date) -> date:
    # The day has begun in England up to an hour before it begins in UTC.
    if value > (datetime.now(UTC) + timedelta(hours=1)).date():
        raise PydanticCustomError("day_in_the_future", "This day is still to come")
    return value


def _form(pattern: str, words: str) -> tuple[AfterValidator, FieldInfo]:
    """A text of this form, with words for who gets it wrong, and the pattern in the schema."""
    form = re.compile(pattern)

    def check(value: str) -> str:
        if not form.fullmatch(value):
            raise PydanticCustomError("wrong_form", "{words}", {"words": words})
        return value

    return AfterValidator(check), Field(json_schema_extra={"pattern": f"^{pattern}$"})


def _finite(value: float) -> float:
    if not abs(value) <= 1e15:  # neither is NaN
        raise PydanticCustomError(
            "number_out_of_range", "Give a number between minus and plus 1,000,000,000,000,000"
        )
    return value


def _period(value: str) -> str:
    match = _PERIOD.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        bounds = [part for part in match.groups() if part is not None]
        for part in bounds:
            date.fromisoformat((part + "-01-01")[:10])
    except ValueError:
        raise PydanticCustomError(
            "not_a_period", "Give a period as 2020, 2020-04, 2020-04-01, or two of these with a /"
        ) from None
    if bounds != sorted(bounds):
        raise PydanticCustomError("period_runs_backwards", "The period ends before it starts")
    return value


def _moment(value: object) -> object:
    """An RFC 3339 time; a bare day is its first moment in UTC."""
    if isinstance(value, str):
        try:
            if _DAY.fullmatch(value):
                return datetime.combine(date.fromisoformat(value), time(), UTC)
            # In a query string, a plus that was not escaped arrives as a space.
            moment = datetime.fromisoformat(value.replace(" ", "+"))
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    elif isinstance(value, datetime):
        return value
    raise PydanticCustomError(
        "not_a_moment", "Give a time as 2026-04-01T09:30:00Z (with Z or an offset), or a day"
    )


Text = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(storable)]
"""Any text that can be stored."""

Line = Annotated[Text, AfterValidator(_one_line), StringConstraints(min_length=1, max_length=200)]
"""A text on one line: 1 to 200 characters."""

Words = Annotated[Text, Field(min_length=1, max_length=200)]
"""What is searched for."""

Summary = Annotated[Text, StringConstraints(min_length=1, max_length=1_000)]
Prose = Annotated[Text, StringConstraints(min_length=1, max_length=20_000)]

Slug = Annotated[
    str,
    StringConstraints(max_length=60),
    *_form(r"[a-z0-9]+(-[a-z0-9]+)*", "Give a name in small letters and digits, with hyphens"),
]
OdsCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, max_length=12),
    *_form(r"[A-Z0-9]+", "Give an ODS code: letters and digits only"),
]
"""An organisation's code; looked up, never guessed by its shape."""

Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=40),
    *_form(r"[^\W_]+([ '&+./-]?[^\W_]+)*", "Give a word or a few, joined by a space or a hyphen"),
]
"""A word or a few, in lower case; hyphens and spaces may join them."""

WebAddress = Annotated[Text, StringConstraints(max_length=2_000), AfterValidator(_http_url)]
Day = Annotated[
    date,
    BeforeValidator(_iso_day),
    AfterValidator(_sensible_day),
]
PastDay = Annotated[Day, AfterValidator(_past_day)]
"""A day up to today."""

Number = Annotated[StrictInt | StrictFloat, AfterValidator(_finite)]
Period = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_period)]
"""When a measure was taken: ISO 8601, ``2020-04/2020-09``."""

MomentIn = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time in a request."""


def _line_or_moment(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 15:
        return int(value)
    try:
        return _moment(value)
    except PydanticCustomError:
        raise PydanticCustomError(
            "not_a_moment",
            "Give a time as 2026-04-01T09:30:00Z (with Z or an offset), a day, or a `sequence` of "
            "the change log",
        ) from None


AsOf = Annotated[
    int | datetime,
    BeforeValidator(_line_or_moment),
    WithJsonSchema({"type": "string"}),
]
"""A moment of the register: a line of its log, or a time."""

MomentOut = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-11-23T09:30:00.000000Z"]}
    ),
]
"""A time in a document: RFC 3339 in UTC, with ``Z``."""

SourceId = Annotated[Line, StringConstraints(max_length=100)]
SourceSystem = Annotated[SourceId, *_form(r"[^/]+", "Give a name without a slash")]
"""A system's name; in an address its id follows, in which there may be slashes."""

Limit = Annotated[int, Field(ge=1, le=100)]


class Strict(BaseModel):
    """A body or a query: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


def _open(schema: dict[str, Any]) -> None:
    # It has nothing else now, but may have more in a later version, and clients have to bear it.
    schema.pop("additionalProperties", None)


class Document(BaseModel):
    """A part of an answer; every field is always there, empty or not."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=_open,
        json_schema_serialization_defaults_required=True,
    )


class PageQuery(Strict):
    """Which page of a list."""

    limit: Limit = Field(default=50, description="How many on a page.", examples=[5])
    cursor: str | None = Field(
        default=None,
        max_length=4_000,  # for a page that ended at the longest of names
        description="The `page.next` of the page before.",
    )


class Page(Document):
    """Where a list stands."""

    limit: int = Field(description="How many items a page holds at most.")
    total: int = Field(description="How many items there are in all, on all pages.")
    next: str | None = Field(
        description="Send it as `cursor` with the same query for the next page; null at the end."
    )
