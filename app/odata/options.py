"""Query options, read for the set that they are sent to (part 2, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import to_json

from app.models.odata import ODataOptions
from app.models.tables import Column
from app.odata.expressions import Expression, Kind, Ordering, Truth, Value
from app.odata.lexing import Sort
from app.odata.parsing import Reader, Words, unknown_property
from app.odata.sets import SETS, EntitySet, Navigation

MOST_ORDERINGS = 8


@dataclass(frozen=True, slots=True)
class Expanded:
    """What belongs to each entity, to be sent with it."""

    navigation: Navigation
    select: Select


@dataclass(frozen=True, slots=True)
class Select:
    """Which properties."""

    columns: tuple[Column, ...]
    named: tuple[str, ...] | None
    """How the query named them; None where it named none, and so wants all."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for of a set."""

    of: EntitySet
    select: Select
    where: Expression | None
    order: tuple[Ordering, ...]
    values: tuple[str | float, ...]
    """The values that stand beside the expressions."""
    expand: tuple[Expanded, ...]
    name: str
    """What tells this query from others, for the pages of it."""


def read(options: ODataOptions, of: EntitySet) -> Asked:
    """What options ask for.

    Raises:
        MalformedQuery, NotSupported
    """
    values: list[str | float] = []
    where = None
    if options.filter is not None:
        words = Words("$filter", options.filter)
        where = Reader(words, of, values).condition()
        words.end("`and`, `or`, or the end")
    order = _order(options.orderby, of, values) if options.orderby is not None else ()
    select = _select(Words("$select", options.select), of) if options.select else all_of(of)
    expand = _expand(options.expand, of) if options.expand else ()
    name = to_json([of.name, options.filter, options.orderby]).decode()
    return Asked(of, select, where, order, tuple(values), expand, name)


def all_of(of: EntitySet) -> Select:
    """All properties of a set."""
    return Select(of.table.columns, None)


def _order(text: str, of: EntitySet, values: list[str | float]) -> tuple[Ordering, ...]:
    words = Words("$orderby", text)
    reader = Reader(words, of, values)
    order: list[Ordering] = []
    while not order or words.takes(","):
        start = words.here
        by = reader.expression()
        if isinstance(by, Value | Truth) or by.kind in (Kind.TRUTH, Kind.TEXTS, Kind.NULL):
            detail = f"Here should be something that has an order; this is {by.kind}."
            raise words.wrong(start, "no_order", detail)
        backwards = words.takes("desc")
        if not backwards:
            words.takes("asc")
        order.append(Ordering(by, backwards))
        if len(order) > MOST_ORDERINGS:
            detail = f"Order by at most {MOST_ORDERINGS} things."
            raise words.wrong(start, "too_many", detail)
    words.end("`asc`, `desc`, a comma, or the end")
    return tuple(order)


def _select(words: Words, of: EntitySet, *, closed_by: str | None = None) -> Select:
    """Some properties: to the end, or to the sign that closes them."""
    columns: dict[str, Column] = {}
    every = False
    while True:
        token = words.take()
        if token.text == "*":
            every = True
        elif (column := of.column(token.text)) is not None:
            columns[column.name] = column
        elif token.sort is Sort.NAME and of.navigation(token.text) is not None:
            detail = "What is elsewhere is asked for with `$expand`."
            raise words.wrong(token, "navigation", detail)
        else:
            raise words.wrong(token, "unknown_property", unknown_property(of, token.text))
        if words.here.text == "/":
            raise words.wrong(words.here, "unexpected", "There is nothing below a property.")
        if not words.takes(","):
            break
    if closed_by is None:
        words.end("a comma, or the end")
    return Select(of.table.columns, ("*",)) if every else Select((*columns.values(),), (*columns,))


def _expand(text: str, of: EntitySet) -> tuple[Expanded, ...]:
    words = Words("$expand", text)
    found: dict[str, Expanded] = {}
    while True:
        token = words.take()
        if token.text == "*":
            for navigation in of.navigations:
                found[navigation.name] = Expanded(navigation, all_of(SETS[navigation.target]))
        elif token.sort is Sort.NAME and (named := of.navigation(token.text)) is not None:
            found[named.name] = Expanded(named, _within(words, SETS[named.target]))
        else:
            known = ", ".join(navigation.name for navigation in of.navigations) or "nothing"
            detail = f"{of.name} has no such way to somewhere else; it has {known}."
            raise words.wrong(token, "unknown_navigation", detail)
        if not words.takes(","):
            break
    words.end("a comma, or the end")
    return tuple(found.values())


def _within(words: Words, target: EntitySet) -> Select:
    """What is said of one thing that is expanded, in parentheses behind it."""
    token = words.here
    if words.takes("/"):
        raise words.unsupported(token, "What is expanded is sent whole, one level deep.")
    if not words.takes("("):
        return all_of(target)
    token = words.take()
    if token.text != "$select":
        raise words.unsupported(token, "Within `$expand` there is `$select`, and no other option.")
    words.expect("=")
    select = _select(words, target, closed_by=")")
    if words.here.text == ";":
        raise words.unsupported(words.here, "Within `$expand` there is `$select` alone.")
    words.expect(")")
    return select
