"""Recommendations: kept innovations with strong evidence that neighbours have, and we do not.

Neighbours are organisations of the same ICB, then of the same region. What is looked through is
what they have adopted, by an index of its own; so it does not matter how large the register is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Subquery,
    Table,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlmodel import col

from app.dialects import Reader, Statement
from app.models.adoptions import TAKEN, Adoption, AdoptionStage
from app.models.decisions import Status
from app.models.evidence import Evidence, EvidenceStrength
from app.models.fields import PageQuery
from app.models.innovations import InnovationKey, Visibility
from app.models.organisations import Organisation
from app.register import changes
from app.register.adoption_reading import kind_of, place_below
from app.register.lists import cursors
from app.register.lists.walks import ENTRIES, document_of
from app.register.stored import Listed

MOST_NAMED = 5
"""Neighbours that a reason names."""

_ADOPTIONS: Table = Adoption.__table__  # type: ignore[attr-defined]
_EVIDENCE: Table = Evidence.__table__  # type: ignore[attr-defined]
_KEYS: Table = InnovationKey.__table__  # type: ignore[attr-defined]

_RANK = ("in_icb", "in_region", "adopters", "strong", "number")
"""What comes first: what more neighbours have, is adopted more, has more strong evidence, is newer.
The number is the last key, so that the order is total."""


async def page(reader: Reader, code: str, query: PageQuery) -> Listed:
    """What an organisation could take from its neighbours, the best first.

    An ICB or a region stands for all below it: what one of them has is not recommended.

    Raises:
        NotFound, InvalidCursor
    """
    ours = place_below(await kind_of(reader, code))
    name = f"recommendations {code}"
    ((icb, icb_name, region, region_name),) = await reader.rows(_PLACE, {"code": code})
    values: dict[str, object] = {"code": code, "icb": icb, "region": region}
    values["limit"] = query.limit + 1
    if query.cursor:
        values |= zip(_RANK, cursors.decode(name, query.cursor, (int,) * len(_RANK)), strict=True)
    head = await changes.head(reader)
    rows = await reader.rows(_page(ours, after=bool(query.cursor)), values)
    total = await reader.rows(_total(ours), values)
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    following = cursors.encode(name, rows[-1][1:]) if more else None
    names = await _names(reader, region) if rows else {}
    near = _Near(code, ours, icb, icb_name, region_name, names)
    items = [_told(row[0], row[1:], near) for row in rows]
    return Listed(items, query.limit, total[0][0], following, head)


_ICB, _REGION = (Organisation.__table__.alias(of) for of in ("its_icb", "its_region"))  # type: ignore[attr-defined]
_PLACE = (
    select(col(Organisation.icb), _ICB.c.name, col(Organisation.region), _REGION.c.name)
    .outerjoin_from(Organisation, _ICB, _ICB.c.code == col(Organisation.icb))
    .outerjoin(_REGION, _REGION.c.code == col(Organisation.region))
    .where(col(Organisation.code) == bindparam("code"))
)
_NAMES = select(col(Organisation.code), col(Organisation.name)).where(
    col(Organisation.region) == bindparam("region")
)


async def _names(reader: Reader, region: str | None) -> dict[str, str]:
    """The names of a region's organisations."""
    return {row[0]: row[1] for row in await reader.rows(_NAMES, {"region": region})}


# Which, and in what order


def _ranked(ours: str) -> Subquery:
    """What neighbours have adopted that is worth it, with what it is ranked by."""
    code: ColumnElement[str] = bindparam("code", type_=String)
    adoption = _ADOPTIONS.alias("near")
    in_icb = case((adoption.c.icb == bindparam("icb", type_=String), 1), else_=0)
    taken = adoption.c.stage.in_([literal_column(f"'{stage}'") for stage in TAKEN])
    others = or_(adoption.c[ours].is_(None), adoption.c[ours] != code)
    here = (adoption.c.region == bindparam("region", type_=String), taken, others)
    number = adoption.c.number
    of_icb = cast(func.sum(in_icb), BigInteger).label("in_icb")
    near = select(number, of_icb, func.count().label("in_region")).where(*here)
    # The offset of nothing keeps it a step of its own: few are counted, before they are looked up.
    found = near.group_by(number).offset(literal_column("0")).subquery("found")
    entry, own, key = ENTRIES.alias("entry"), _ADOPTIONS.alias("own"), _KEYS.alias("strong_key")
    strong = f"'{EvidenceStrength.STRONG.value}'"
    pieces = select(func.count()).select_from(_EVIDENCE)
    pieces = pieces.where(
        _EVIDENCE.c.number == entry.c.number, _EVIDENCE.c.strength == literal_column(strong)
    )
    conditions = (
        entry.c.visibility == literal_column(f"'{Visibility.PUBLISHED.value}'"),
        entry.c.status == literal_column(f"'{Status.KEEP.value}'"),
        or_(entry.c[ours].is_(None), entry.c[ours] != code),
        exists().where(
            key.c.name == literal_column("'evidence_strength'"),
            key.c.value == literal_column(strong),
            key.c.number == entry.c.number,
        ),
        ~exists().where(own.c.number == entry.c.number, own.c[ours] == code),
    )
    ranked = select(
        found.c.in_icb,
        found.c.in_region,
        entry.c.adoption_count.label("adopters"),
        pieces.scalar_subquery().label("strong"),
        entry.c.number,
    )
    same = entry.c.number == found.c.number
    return ranked.select_from(found.join(entry, same)).where(*conditions).subquery("ranked")


@lru_cache(8)
def _page(ours: str, *, after: bool) -> Statement:
    ranked = _ranked(ours)
    keys = [ranked.c[name] for name in _RANK]
    rows: Statement = select(document_of(ranked.c.number), *keys)
    if after:
        rows = rows.where(tuple_(*keys) < tuple_(*(bindparam(n, type_=Integer) for n in _RANK)))
    return rows.order_by(*(key.desc() for key in keys)).limit(bindparam("limit"))


@lru_cache(8)
def _total(ours: str) -> Statement:
    return select(func.count()).select_from(_ranked(ours))


# Why


class _Near(NamedTuple):
    """Whom it is recommended to, and what its neighbours are called."""

    code: str
    ours: str
    icb: str | None
    icb_name: str | None
    region_name: str | None
    names: Mapping[str, str]
    """Those of the organisations of its region."""


def _told(text: str, rank: Sequence[int], near: _Near) -> str:
    """A recommendation as JSON; the innovation's document goes in as it is stored."""
    document = from_json(text)
    in_icb, in_region, adopters, strong, _ = rank
    stopped = sum(each["stage"] == AdoptionStage.STOPPED for each in document["adoptions"])
    figures = {
        "adopters_in_icb": in_icb,
        "adopters_in_region": in_region,
        "adopters": adopters,
        "stopped": stopped,
        "strong_evidence": strong,
    }
    said = to_json({"reasons": list(_reasons(document, figures, near)), "figures": figures})
    return f'{{"innovation":{text},{said.decode()[1:]}'


def _reasons(document: Mapping[str, Any], figures: Mapping[str, int], near: _Near) -> Iterable[str]:
    theirs = [
        each
        for each in document["adoptions"]
        if each["stage"] in TAKEN and each["organisation"] in near.names
        if each[near.ours] != near.code
    ]
    of_icb = [each["organisation"] for each in theirs if each["icb"] == near.icb]
    of_region = [each["organisation"] for each in theirs if each["icb"] != near.icb]
    if of_icb:
        yield f"In {near.icb_name}, {_have_it(of_icb, near.names)}."
    if of_region:
        where = "Elsewhere in" if near.icb else "In"
        yield f"{where} {near.region_name}, {_have_it(of_region, near.names)}."
    decision = document["decision"]
    yield f"{document['organisation']['name']} keeps it: {decision['reason']}"
    strong, stopped = figures["strong_evidence"], figures["stopped"]
    pieces = "1 piece" if strong == 1 else f"{strong} pieces"
    yield f"{pieces} of strong evidence {'speaks' if strong == 1 else 'speak'} for it."
    if stopped:
        who = "1 organisation has" if stopped == 1 else f"{stopped} organisations have"
        yield f"{who} stopped; read first what was learnt there."


def _have_it(codes: Sequence[str], names: Mapping[str, str]) -> str:
    """Who has it, by name; of many, the first few."""
    named = sorted(names[code] for code in codes)
    more = len(named) - MOST_NAMED
    if more > 0:
        named = [*named[:MOST_NAMED], f"{more} more"]
    *first, last = named
    who = f"{', '.join(first)} and {last}" if first else last
    return f"{who} {'has' if len(codes) == 1 else 'have'} adopted it"
