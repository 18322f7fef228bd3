"""Expressions of OData as SQL, with the meaning that OData gives to null.

A comparison with null is false (part 2, section 5.1.1.1), where SQL's is unknown: that matters
below a `not`. A function of null is null in both.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Integer,
    String,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    true,
)

from app.dialects import EACH, Dialect
from app.models.tables import Column
from app.odata import expressions as ex
from app.odata.expressions import Expression, Kind
from app.register.identifiers import identifier, reference
from app.register.odata.functions import FUNCTIONS
from app.register.odata.sources import Source, said, stored
from app.register.told import STORIES

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_ORDERED_TEXTS = frozenset({Kind.TEXT, Kind.DAY, Kind.MOMENT})
_REFERENCE = ("reference",)


def values_of(values: tuple[str | float, ...]) -> dict[str, object]:
    """The values that stand beside an expression, by their names in SQL."""
    named: dict[str, object] = {}
    for i, value in enumerate(values):
        named[_name(i)] = value
        if isinstance(value, str):
            named[_number_name(i)] = _number_of(value)
    return named


def _name(index: int) -> str:
    return f"value_{index}"


def _number_name(index: int) -> str:
    return f"number_{index}"


def _number_of(text: str) -> int:
    """The number of the innovation that has this reference; 0 when it is none."""
    number = identifier(text)
    return number if isinstance(number, int) and reference(number) == text else 0


class Conditions:
    """Makes the SQL of expressions over one source."""

    def __init__(self, dialect: Dialect, source: Source) -> None:
        self._dialect = dialect
        self._source = source
        self._each: ColumnElement[str] | None = None
        self._exact = False
        """Whether it counts that something is false, and not only that it is not true."""
        self.looks_into_documents = False
        """Whether something was asked for that no index, and no column, tells."""

    def of(self, expression: Expression) -> ColumnElement[Any]:
        """The SQL of an expression."""
        return _WAYS[type(expression)](self, expression)

    def column(self, column: Column) -> ColumnElement[Any]:
        """The SQL of a property."""
        found = stored(self._source, column)
        if found is not None:
            return found
        self.looks_into_documents |= not self._source.few
        return said(self._dialect, self._source, column)

    def ordered(self, expression: Expression) -> ColumnElement[Any]:
        """The SQL of something that is put in an order: the same order on every database."""
        made = self.of(expression)
        return self._dialect.by_code_point(made) if expression.kind in _ORDERED_TEXTS else made

    def _value(self, value: ex.Value) -> ColumnElement[Any]:
        kind: Any = Double if value.kind is Kind.NUMBER else String
        return bindparam(_name(value.index), type_=kind)

    def _comparison(self, asked: ex.Comparison) -> ColumnElement[bool]:
        left, right = asked.left, asked.right
        if asked.operator in ("eq", "ne"):
            # A constant comes last: the other way round, it means the same.
            if isinstance(left, ex.Null | ex.Truth):
                left, right = right, left
            with self._exactly(Kind.TRUTH in (left.kind, right.kind)):
                return self._equality(left, right, asked.operator == "eq")
        if Kind.NULL in (left.kind, right.kind):
            return false()
        compare = _OPERATORS[asked.operator]
        return self._known(compare(self.ordered(left), self.ordered(right)), left, right)

    def _equality(self, left: Expression, right: Expression, wanted: bool) -> ColumnElement[bool]:
        if isinstance(right, ex.Null):
            return self._missing(left, wanted)
        if isinstance(right, ex.Truth):
            return self._true(left, right.value == wanted, or_unknown=not wanted)
        number = self._by_number(left, right)
        if number is not None:
            return number if wanted else not_(number)
        if not wanted:
            return self.of(left).is_distinct_from(self.of(right))
        if may_be_null(left) and may_be_null(right):
            return self.of(left).is_not_distinct_from(self.of(right))
        return self._known(self.of(left) == self.of(right), left, right)

    @contextmanager
    def _exactly(self, needed: bool = True) -> Iterator[None]:
        before, self._exact = self._exact, self._exact or needed
        yield
        self._exact = before

    def _known(self, compared: ColumnElement[bool], *of: Expression) -> ColumnElement[bool]:
        """A comparison that is false where it is unknown."""
        if not self._exact or not any(map(may_be_null, of)):
            return compared
        return func.coalesce(compared, false(), type_=Boolean)

    def _missing(self, what: Expression, wanted: bool) -> ColumnElement[bool]:
        if not may_be_null(what):
            return false() if wanted else true()
        if isinstance(what, ex.Null):
            return true() if wanted else false()
        return self.of(what).is_(None) if wanted else self.of(what).is_not(None)

    def _true(self, what: Expression, value: bool, *, or_unknown: bool) -> ColumnElement[bool]:
        """That a condition is true, or false; what is unknown is neither."""
        found = self.of(what)
        held = found if value else not_(found)
        if not or_unknown:
            return self._known(held, what)
        either: ColumnElement[bool] = func.coalesce(held, true(), type_=Boolean)
        return either if may_be_null(what) else held

    def _by_number(self, what: Expression, value: Expression) -> ColumnElement[bool] | None:
        """References are not stored: what is, is the number that stands in one."""
        if not (isinstance(what, ex.Property) and isinstance(value, ex.Value)):
            return None
        if what.column.path != _REFERENCE or self._source.things is STORIES:
            return None
        return self._source.row[2] == bindparam(_number_name(value.index), type_=Integer)

    def _one_of(self, asked: ex.OneOf) -> ColumnElement[bool]:
        options = [option for option in asked.options if isinstance(option, ex.Value)]
        found: list[ColumnElement[bool]] = []
        if options:
            numbers = [self._by_number(asked.what, option) for option in options]
            if all(number is not None for number in numbers):
                found += [number for number in numbers if number is not None]
            else:
                among = self.of(asked.what).in_([self._value(option) for option in options])
                found.append(self._known(among, asked.what))
        if len(options) < len(asked.options):
            found.append(self._missing(asked.what, wanted=True))
        return or_(*found)

    def _all(self, asked: ex.All) -> ColumnElement[bool]:
        return and_(*map(self.of, asked.of))

    def _any(self, asked: ex.Any) -> ColumnElement[bool]:
        return or_(*map(self.of, asked.of))

    def _not(self, asked: ex.Not) -> ColumnElement[bool]:
        with self._exactly():
            return not_(self.of(asked.what))

    def _among(self, asked: ex.Among) -> ColumnElement[bool]:
        self.looks_into_documents |= not self._source.few
        document = self._dialect.parsed(self._source.things.c.document)
        first, *rest = asked.column.path
        each = self._dialect.texts_at(document, first, EACH, *rest)
        some = exists().select_from(each.source)
        if asked.condition is None:
            return some
        self._each = each.text
        with self._exactly(asked.every):
            condition = self.of(asked.condition)
        self._each = None
        return not_(some.where(not_(condition))) if asked.every else some.where(condition)

    def _call(self, call: ex.Call) -> ColumnElement[Any]:
        return FUNCTIONS[call.function](self._dialect, *map(self.of, call.arguments))


_WAYS: Mapping[type, Callable[..., ColumnElement[Any]]] = {
    ex.Value: Conditions._value,
    ex.Truth: lambda _, truth: true() if truth.value else false(),
    ex.Null: lambda *_: literal_column("NULL"),
    ex.Property: lambda self, asked: self.column(asked.column),
    ex.Each: lambda self, _: self._each,
    ex.Call: Conditions._call,
    ex.Comparison: Conditions._comparison,
    ex.OneOf: Conditions._one_of,
    ex.All: Conditions._all,
    ex.Any: Conditions._any,
    ex.Not: Conditions._not,
    ex.Among: Conditions._among,
}


def may_be_null(expression: Expression) -> bool:
    """Whether an expression may have no value."""
    match expression:
        case ex.Property(column=column):
            return column.nullable
        case ex.Call(arguments=of) | ex.All(of=of) | ex.Any(of=of):
            return any(map(may_be_null, of))
        case ex.Not(what=what):
            return may_be_null(what)
        case ex.Null():
            return True
    return False
