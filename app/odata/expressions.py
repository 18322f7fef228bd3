"""Expressions of ``$filter`` and ``$orderby``, read into types (part 2, section 5.1.1).

Values stand beside an expression, not in it: so two that differ in their values alone are equal,
and become the same SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.models.tables import Column, ColumnType


class Kind(StrEnum):
    """What an expression is of; it tells what can be compared with what."""

    TEXT = "a text"
    NUMBER = "a number"
    DAY = "a day"
    MOMENT = "a time"
    TRUTH = "true or false"
    TEXTS = "several texts"
    NULL = "null"


KINDS = {
    ColumnType.TEXT: Kind.TEXT,
    ColumnType.INTEGER: Kind.NUMBER,
    ColumnType.NUMBER: Kind.NUMBER,
    ColumnType.DAY: Kind.DAY,
    ColumnType.MOMENT: Kind.MOMENT,
    ColumnType.TEXTS: Kind.TEXTS,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: which of the values that stand beside the expression."""

    index: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Truth:
    """``true`` or ``false``."""

    value: bool
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True, slots=True)
class Null:
    """``null``."""

    kind: Kind = Kind.NULL


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the entity."""

    column: Column

    @property
    def kind(self) -> Kind:
        return KINDS[self.column.type]


@dataclass(frozen=True, slots=True)
class Each:
    """In a condition on several texts: each of them."""

    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Call:
    """A function, called."""

    function: str
    arguments: tuple[Expression, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Comparison:
    """``eq``, ``ne``, ``gt``, ``ge``, ``lt`` or ``le``."""

    operator: str
    left: Expression
    right: Expression
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True, slots=True)
class OneOf:
    """``in``."""

    what: Expression
    options: tuple[Expression, ...]
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True, slots=True)
class All:
    """``and``."""

    of: tuple[Expression, ...]
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True, slots=True)
class Any:
    """``or``."""

    of: tuple[Expression, ...]
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True, slots=True)
class Not:
    """``not``."""

    what: Expression
    kind: Kind = Kind.TRUTH


@dataclass(frozen=True, slots=True)
class Among:
    """``any`` or ``all``: that a condition holds for some, or for every one, of several texts."""

    column: Column
    every: bool
    condition: Expression | None
    """None where it is asked only whether there are any."""
    kind: Kind = Kind.TRUTH


Expression = (
    Value | Truth | Null | Property | Each | Call | Comparison | OneOf | All | Any | Not | Among
)


class Ordering(NamedTuple):
    """What to order by."""

    by: Expression
    backwards: bool


class Signature(NamedTuple):
    """What a function takes, and what it gives."""

    takes: tuple[frozenset[Kind], ...]
    gives: Kind
    optional: int = 0
    """How many of the last arguments may be left out."""

    @property
    def needs(self) -> int:
        return len(self.takes) - self.optional


WHOLE = frozenset({Kind.NUMBER})
"""A whole number, as it is written: from 0."""

_TEXT = frozenset({Kind.TEXT})
_MOMENT = frozenset({Kind.MOMENT})
_DAY_OF = frozenset({Kind.DAY, Kind.MOMENT})

FUNCTIONS = {
    "contains": Signature((_TEXT, _TEXT), Kind.TRUTH),
    "startswith": Signature((_TEXT, _TEXT), Kind.TRUTH),
    "endswith": Signature((_TEXT, _TEXT), Kind.TRUTH),
    "length": Signature((_TEXT,), Kind.NUMBER),
    "indexof": Signature((_TEXT, _TEXT), Kind.NUMBER),
    "substring": Signature((_TEXT, WHOLE, WHOLE), Kind.TEXT, optional=1),
    "tolower": Signature((_TEXT,), Kind.TEXT),
    "toupper": Signature((_TEXT,), Kind.TEXT),
    "trim": Signature((_TEXT,), Kind.TEXT),
    "concat": Signature((_TEXT, _TEXT), Kind.TEXT),
    "year": Signature((_DAY_OF,), Kind.NUMBER),
    "month": Signature((_DAY_OF,), Kind.NUMBER),
    "day": Signature((_DAY_OF,), Kind.NUMBER),
    "hour": Signature((_MOMENT,), Kind.NUMBER),
    "minute": Signature((_MOMENT,), Kind.NUMBER),
    "second": Signature((_MOMENT,), Kind.NUMBER),
    "date": Signature((_MOMENT,), Kind.DAY),
}
"""The functions that there are, by their names (part 2, section 5.1.1.4)."""

NOT_SUPPORTED = frozenset(
    {
        *("matchesPattern", "hassubset", "hassubsequence", "substringof"),
        *("fractionalseconds", "maxdatetime", "mindatetime", "now", "time"),
        *("totaloffsetminutes", "totalseconds", "ceiling", "floor", "round", "cast", "isof"),
        *("geo.distance", "geo.intersects", "geo.length", "case"),
    }
)
"""Functions of OData that are not taken here."""
