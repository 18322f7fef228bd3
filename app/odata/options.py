"""Query options, read for the set that they are sent to (part 2, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic_core import to_json

from app.models.odata import ODataOptions
from app.models.tables import Column
from app.odata.expressions import Expression, Kind, Ordering, Truth, Value
from app.odata.lexing import Sort, Token, malformed, tokens
from app.odata.parsing import Reader, Values, Words, unknown_property
from app.odata.sets import SETS, EntitySet, Navigation

MOST_ORDERINGS = 8


@dataclass(frozen=True, slots=True)
class Select:
    """Which properties."""

    columns: tuple[Column, ...]
    named: tuple[str, ...] = ()
    """How the query named them; it names none if it wants all."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """What belongs to each entity, to be sent with it."""

    navigation: Navigation
    select: Select
    where: Expression | None = None
    order: tuple[Ordering, ...] = ()
    top: int | None = None
    said: tuple[tuple[str, str], ...] = ()
    """Its options as they were written, by name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query asks for of a set."""

    of: EntitySet
    select: Select
    where: Expression | None
    order: tuple[Ordering, ...]
    expand: tuple[Expanded, ...]
    values: tuple[str | float, ...]
    """The values that stand beside the expressions."""
    name: str
    """What tells this query from others, for the pages of it."""


def read(options: ODataOptions, of: EntitySet) -> Asked:
    """What options ask for.

    Raises:
        MalformedQuery, NotSupported
    """
    values: Values = []
    where: Expression | None = None
    order: tuple[Ordering, ...] = ()
    select = all_of(of)
    expand: tuple[Expanded, ...] = ()
    if options.filter is not None:
        words = Words("$filter", options.filter)
        where = Reader(words, of, values).condition()
        words.end("`and`, `or`, or the end")
    if options.orderby is not None:
        words = Words("$orderby", options.orderby)
        order = _order(words, Reader(words, of, values))
        words.end("`asc`, `desc`, a comma, or the end")
    if options.select:
        words = Words("$select", options.select)
        select = _select(words, of)
        words.end("a comma, or the end")
    if options.expand:
        words = Words("$expand", options.expand)
        expand = _expand(words, of, values)
        words.end("a comma, or the end")
    name = to_json([of.name, options.filter, options.orderby]).decode()
    return Asked(of, select, where, order, expand, tuple(values), name)


def all_of(of: EntitySet) -> Select:
    """All properties of a set."""
    return Select(of.table.columns)


def _order(words: Words, reader: Reader) -> tuple[Ordering, ...]:
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
    return tuple(order)


def _select(words: Words, of: EntitySet) -> Select:
    columns: dict[str, Column] = {}
    named: dict[str, None] = {}
    while not named or words.takes(","):
        token = words.take()
        column = of.column(token.text)
        if token.text == "*":
            columns.update({each.name: each for each in of.table.columns})
        elif column is not None:
            columns[column.name] = column
        elif of.navigation(token.text) is None:  # to select a way only says that there is one
            if "." in token.text:
                raise words.unsupported(token, "There are no derived types, and no functions.")
            raise words.wrong(token, "unknown_property", unknown_property(of, token))
        if words.here.text == "/":
            raise words.unsupported(words.here, "There is nothing to select below a name.")
        named[token.text] = None
    return Select((*columns.values(),), (*named,))


def _expand(words: Words, of: EntitySet, values: Values) -> tuple[Expanded, ...]:
    found: dict[str, Expanded] = {}
    while not found or words.takes(","):
        token = words.take()
        navigation = of.navigation(token.text)
        if token.text == "*" and of.navigations:
            for each in of.navigations:
                found.setdefault(each.name, Expanded(each, all_of(SETS[each.target])))
        elif navigation is not None:
            found[navigation.name] = _expanded(words, navigation, values)
        else:
            known = ", ".join(each.name for each in of.navigations) or "nothing"
            detail = f"{of.name} has nothing of this name to expand; it has {known}."
            raise words.wrong(token, "unknown_navigation", detail)
    return tuple(found.values())


_OF_SEVERAL = ("$filter", "$orderby", "$top")
_WITHIN = ("$select", *_OF_SEVERAL)


def _expanded(words: Words, navigation: Navigation, values: Values) -> Expanded:
    """What is said of one thing that is expanded, in parentheses behind it."""
    target = SETS[navigation.target]
    select, top = all_of(target), None
    where: Expression | None = None
    order: tuple[Ordering, ...] = ()
    said: dict[str, str] = {}
    if words.here.text == "/":
        raise words.unsupported(words.here, "What is expanded is sent one level deep.")
    if not words.takes("("):
        return Expanded(navigation, select)
    while not said or words.takes(";"):
        option = words.take()
        _check_option(words, option, navigation, said)
        words.expect("=")
        start = words.here
        match option.text:
            case "$select":
                select = _select(words, target)
            case "$filter":
                where = Reader(words, target, values).condition()
            case "$orderby":
                order = _order(words, Reader(words, target, values))
            case "$top":
                top = _whole(words)
        said[option.text] = words.since(start)
    words.expect(")")
    return Expanded(navigation, select, where, order, top, tuple(said.items()))


def _check_option(
    words: Words, option: Token, navigation: Navigation, said: Mapping[str, str]
) -> None:
    if option.text in said:
        raise words.wrong(option, "repeated", "Give this option once.")
    if option.text not in _WITHIN:
        raise words.unsupported(option, f"Within `$expand` there are {', '.join(_WITHIN)}.")
    if option.text in _OF_SEVERAL and not navigation.many:
        detail = f"There is only one `{navigation.name}`: only `$select` is of use."
        raise words.wrong(option, "not_here", detail)


def _whole(words: Words) -> int:
    token = words.take()
    if token.sort is not Sort.NUMBER or not token.text.isdigit() or len(token.text) > 9:
        raise words.wrong(token, "not_a_value", "Here should be a whole number, from 0.")
    return int(token.text)


def with_aliases(options: ODataOptions, aliases: Mapping[str, str]) -> ODataOptions:
    """The options with each alias replaced by its value (part 2, section 5.3); null if it has none.

    Raises:
        MalformedQuery
    """
    for alias, value in aliases.items():
        literal, *more = tokens(alias, value)
        if literal.sort in (Sort.SIGN, Sort.END) or len(more) > 1:
            raise malformed(alias, literal.at, "not_a_value", "An alias stands for one value.")
    changed = {}
    for name in ("filter", "orderby", "expand"):
        text: str | None = getattr(options, name)
        if text is not None and "@" in text:
            changed[name] = _replaced(f"${name}", text, aliases)
    return options.model_copy(update=changed)


def _replaced(option: str, text: str, aliases: Mapping[str, str]) -> str:
    parts, end = [], 0
    for token in tokens(option, text):
        if token.sort is Sort.NAME and token.text.startswith("@"):
            parts += [text[end : token.at - 1], aliases.get(token.text, "null")]
            end = token.at - 1 + len(token.text)
    return "".join([*parts, text[end:]])
