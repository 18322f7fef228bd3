"""The register as it was, out of its log.

What an innovation was at a line of the log is its newest version up to there. Its theme and its
organisation are named, and stand in the hierarchy, as their own newest lines up to there say. No
index holds any of that, so a list of the past costs what there is to look through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    String,
    Table,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlmodel import col

from app.dialects import EACH, Dialect, Reader, Statement, Texts, rfc3339
from app.errors import Fault, ValidationFailed
from app.models.adoptions import TAKEN
from app.models.changes import Change, Kind
from app.models.fields import AsOf
from app.models.innovations import NO_REVIEW, PLACES, Visibility
from app.models.organisations import Organisation, Place
from app.models.themes import ThemeRef
from app.register import changes
from app.register.lists.walks import COLUMNS, ENTRIES, KEYS, Shape, Walk, created_in, not_in, one_of

_LINES: Table = Change.__table__  # type: ignore[attr-defined]
_AS_OF: ColumnElement[int] = bindparam("as_of", type_=Integer)

_NONE = literal_column("'0'", String)

_TEXTS = {
    "tag": ("tags", EACH),
    "evidence_kind": ("evidence", EACH, "kind"),
    "evidence_strength": ("evidence", EACH, "strength"),
    "adoption_stage": ("adoptions", EACH, "stage"),
}
"""Where a document says what its entry may have several of."""


# Which line


async def line_of(reader: Reader, as_of: AsOf) -> int:
    """The line of the log as of which the register is asked for.

    Raises:
        ValidationFailed: when it is still to come.
    """
    head = await changes.head(reader)
    if isinstance(as_of, int):
        if as_of > head:
            raise _to_come(f"The newest line of the log is {head}.")
        return as_of
    if as_of > datetime.now(UTC):
        raise _to_come("This time is still to come.")
    # The log's times never run backwards, so that the lines are an index of them.
    moment, first, last = rfc3339(as_of), 0, head
    while first < last:
        middle = (first + last + 1) // 2
        if await _written_at(reader, middle) <= moment:
            first = middle
        else:
            last = middle - 1
    return first


def _to_come(detail: str) -> ValidationFailed:
    fault = Fault("?as_of", "in_the_future", detail)
    return ValidationFailed("The register is not known as it will be.", faults=(fault,))


async def asked_for(reader: Reader, as_of: AsOf | None) -> tuple[int | None, date]:
    """The line as of which the register is asked for, and its day; none and today where it is asked
    for as it is.

    Raises:
        ValidationFailed: when it is still to come.
    """
    if as_of is None:
        return None, datetime.now(UTC).date()
    line = await line_of(reader, as_of)
    return line, (await _written_on(reader, as_of, line)).date()


async def _written_on(reader: Reader, as_of: AsOf, line: int) -> datetime:
    """The moment that is asked for; of a line, when it was written."""
    if not isinstance(as_of, int):
        return as_of
    if line == 0:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromisoformat(await _written_at(reader, line))


_AT = select(col(Change.at)).where(col(Change.sequence) == bindparam("sequence"))


async def _written_at(reader: Reader, line: int) -> str:
    return str((await reader.rows(_AT, {"sequence": line}))[0][0])


# What there was


def _newest(kind: Kind, thing: ColumnElement[str]) -> ColumnElement[int]:
    """The newest line of a thing up to the one that is asked for."""
    line = _LINES.alias(f"of_{kind}")
    lines = select(line.c.sequence).where(
        line.c.thing == thing, line.c.kind == kind.value, line.c.sequence <= _AS_OF
    )
    return lines.order_by(line.c.version.desc()).limit(literal_column("1")).scalar_subquery()


def _entries(dialect: Dialect) -> FromClause:
    """The innovations as they were; they have the columns of the table as it is."""
    entry = ENTRIES.alias("of_now")
    line = _LINES.alias("line")
    here = line.c.sequence == _newest(Kind.INNOVATION, entry.c.id)
    lines = select(
        entry.c.number,
        entry.c.created_at,
        line.c.organisation,
        line.c.document,
        dialect.parsed(line.c.document).label("parsed"),
    )
    lines = lines.select_from(entry.join(line, here)).where(line.c.document.is_not(None))
    # The offset of nothing keeps it a step of its own, so that each document is parsed once.
    then = lines.offset(literal_column("0")).subquery("then")
    place = _places(dialect)
    told = {
        "visibility": ("visibility",),
        "status": ("status",),
        "theme": ("theme", "slug"),
        "care_setting": ("care_setting",),
        "updated_at": ("updated_at",),
        "review_on": ("decision", "review_on"),
    }
    said = {name: dialect.text_at(then.c.parsed, *path) for name, path in told.items()}
    said["review_on"] = func.coalesce(said["review_on"], literal_column(f"'{NO_REVIEW}'"))
    pieces, adoptions = (
        cast(func.coalesce(dialect.text_at(then.c.parsed, "counts", what), _NONE), Integer)
        for what in ("evidence", "adoptions")
    )
    rows = select(
        *(then.c[name] for name in ("number", "created_at", "organisation", "document", "parsed")),
        place.c.icb,
        place.c.region,
        pieces.label("pieces"),
        adoptions.label("adoption_count"),
        *(value.label(name) for name, value in said.items()),
    )
    joined = then.join(place, place.c.code == then.c.organisation)
    return rows.select_from(joined).subquery("past")


def _places(dialect: Dialect) -> FromClause:
    """Where each organisation stood."""
    organisation: Table = Organisation.__table__  # type: ignore[attr-defined]
    line = _LINES.alias("placed")
    here = line.c.sequence == _newest(Kind.ORGANISATION, organisation.c.code)
    parsed = dialect.parsed(line.c.document)
    places = select(
        organisation.c.code,
        dialect.text_at(parsed, "icb", "code").label("icb"),
        dialect.text_at(parsed, "region", "code").label("region"),
    )
    places = places.select_from(organisation.join(line, here))
    return places.offset(literal_column("0")).subquery("place")


def walk(shape: Shape) -> Walk:
    """All entries of the shape, as they were."""
    row = _entries(shape.dialect)
    conditions: list[ColumnElement[bool]] = []
    for name, count in shape.filters:
        if name in COLUMNS:
            conditions.append(one_of(row.c[name], name, count))
        elif name == "adopted_by":
            conditions.append(_adopted(shape.dialect, row, name, count))
        elif name == "not_adopted_by":
            conditions.append(~_adopted(shape.dialect, row, name, count))
            conditions += not_in(row, count)
        elif name in KEYS:
            each = texts(shape.dialect, row, name)
            conditions.append(
                exists().select_from(each.source).where(one_of(each.text, name, count))
            )
        elif name == "q":
            conditions.append(shape.dialect.text_in(row.c.document))
        elif name == "updated_since":
            conditions.append(row.c.updated_at >= bindparam(name, type_=String))
        elif name == "review_due_before":
            conditions.append(row.c.review_on < bindparam(name, type_=String))
        else:
            conditions.append(created_in(name, row.c.number))
    if shape.own_only:
        own = bindparam("own", type_=String)
        published = row.c.visibility == Visibility.PUBLISHED.value
        conditions.append(or_(published, *(row.c[place] == own for place in PLACES)))
    return Walk(row, row, row.c.number, conditions, None, row.c.document, entry=row)


def _adopted(dialect: Dialect, row: FromClause, name: str, count: int) -> ColumnElement[bool]:
    """That an organisation had it, or one that stood below it then."""
    place = _places(dialect)
    its = (one_of(place.c[column], name, count) for column in ("code", "icb", "region"))
    covered = select(place.c.code).where(or_(*its))
    position, said = _each_position(dialect, row)
    taken = said["stage"].in_([literal_column(f"'{stage}'") for stage in TAKEN])
    return exists().select_from(position).where(taken, said["organisation"].in_(covered))


def _each_position(
    dialect: Dialect, row: FromClause
) -> tuple[FromClause, dict[str, ColumnElement[str]]]:
    each = dialect.texts_at(row.c.parsed, "adoptions", EACH)
    parsed = dialect.parsed(each.text)
    names = ("organisation", "stage", "adopted_on")
    return each.source, {name: dialect.text_at(parsed, name) for name in names}


def positions(dialect: Dialect, entries: Walk) -> FromClause:
    """The numbers of entries, and what spread is counted by of each position on them."""
    each, said = _each_position(dialect, entries.row)
    month = func.substr(said["adopted_on"], literal_column("1"), literal_column("7"), type_=String)
    month = func.coalesce(month, literal_column("'-'"))
    value = told_of_position(said["organisation"], said["stage"], month)
    pairs = select(entries.number, value.label("value")).select_from(entries.row, each)
    return pairs.subquery("by_position")


def told_of_position(
    organisation: ColumnElement[str], stage: ColumnElement[str], month: ColumnElement[str]
) -> ColumnElement[str]:
    """What spread is counted by, as :mod:`app.register.lists.fitting` makes it of a document."""
    space = literal_column("' '", String)
    return organisation + space + stage + space + month


def texts(dialect: Dialect, row: FromClause, name: str) -> Texts:
    """What an entry's document says of something that it may have several of."""
    return dialect.texts_at(row.c.parsed, *_TEXTS[name])


# One innovation


_VERSION = (
    select(
        *(
            col(getattr(Change, name))
            for name in ("document", "version", "public", "organisation", "redacted")
        )
    )
    .where(
        col(Change.thing) == bindparam("thing"),
        col(Change.kind) == bindparam("kind"),
        col(Change.sequence) <= _AS_OF,
    )
    .order_by(col(Change.version).desc())
    .limit(1)
)


async def version(reader: Reader, kind: Kind, thing: str, line: int) -> Sequence[Any] | None:
    """Document, version, whether it is public, whose, and whether it was redacted.

    None before there was any.
    """
    values = {"thing": thing, "kind": kind.value, "as_of": line}
    rows = await reader.rows(_VERSION, values)
    return rows[0] if rows else None


# What things were called


@cache
def things(kind: Kind, key: ColumnElement[str]) -> Statement:
    """The documents of all things of a kind, as they were; the key is their table's."""
    line = _LINES.alias("line")
    then = select(line.c.document).select_from(key.table)
    return then.join(line, line.c.sequence == _newest(kind, key)).order_by(key)


async def named(reader: Reader, documents: Sequence[str], line: int) -> list[str]:
    """Documents with their themes and organisations as these were called then."""
    parsed = [from_json(document) for document in documents]
    themes = {
        theme["slug"] for each in parsed for theme in (each["theme"], *each["further_themes"])
    }
    for each in parsed:
        _complete(each)
    places = {each["organisation"]["code"] for each in parsed}
    places |= {position["organisation"] for each in parsed for position in each["adoptions"]}
    theme = {slug: await _ref(reader, Kind.THEME, slug, line) for slug in themes}
    place = {code: await _ref(reader, Kind.ORGANISATION, code, line) for code in places}
    for each in parsed:
        each["theme"] = theme[each["theme"]["slug"]]
        each["further_themes"] = [theme[other["slug"]] for other in each["further_themes"]]
        each["organisation"] = place[each["organisation"]["code"]]
        for position in each["adoptions"]:
            above = place[position["organisation"]]
            for name in ("icb", "region"):
                position[name] = above[name]["code"] if above[name] else None
    return [to_json(each).decode() for each in parsed]


def _complete(document: dict[str, Any]) -> None:
    """Adds what innovations did not say of themselves when the line was written."""
    document.setdefault("adoptions", [])
    document["counts"].setdefault("adoptions", 0)
    document["links"].setdefault("adoptions", f"{document['links']['self']}/adoptions")
    document.setdefault("superseded_by", None)
    document.setdefault("supersedes", [])


_REFS: Mapping[Kind, Any] = {Kind.THEME: ThemeRef, Kind.ORGANISATION: Place}


async def _ref(reader: Reader, kind: Kind, thing: str, line: int) -> dict[str, Any]:
    """A theme or an organisation, as documents name it."""
    found = await version(reader, kind, thing, line)
    assert found is not None, "what a document names was there before it"
    document = from_json(found[0])
    return {name: document[name] for name in _REFS[kind].model_fields}
