"""Reading expressions: by recursive descent, with the precedences of part 2, section 5.1.1.9."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from app.dialects import rfc3339
from app.errors import MalformedQuery, NotSupported
from app.models.tables import Column
from app.odata import expressions as ex
from app.odata.expressions import FUNCTIONS, NOT_SUPPORTED, WHOLE, Expression, Kind
from app.odata.lexing import Sort, Token, malformed, tokens
from app.odata.sets import EntitySet

DEEPEST = 40
"""How deep parentheses and functions may be nested."""

MOST_OPTIONS = 400
"""Values that ``in`` may name."""

_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_NOT_SUPPORTED_OPERATORS = frozenset({"add", "sub", "mul", "div", "divby", "mod", "has"})
_ORDERED = frozenset({Kind.TEXT, Kind.NUMBER, Kind.DAY, Kind.MOMENT})


Values = list[str | float]


class Words:
    """The words of one option, read one after another."""

    def __init__(self, option: str, text: str) -> None:
        self.option = option
        self._text = text
        self._tokens = tokens(option, text)
        self._next = 0

    @property
    def here(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        """The next word; the end stays where it is."""
        token = self.here
        if token.sort is not Sort.END:
            self._next += 1
        return token

    def takes(self, text: str) -> bool:
        """Takes the next word if it is this one."""
        token = self.here
        found = token.sort in (Sort.NAME, Sort.SIGN) and token.text == text
        if found:
            self.take()
        return found

    def since(self, start: Token) -> str:
        """What was read since then, as it was written."""
        return self._text[start.at - 1 : self.here.at - 1].strip()

    def expect(self, text: str) -> None:
        if not self.takes(text):
            raise self.wrong(self.here, "unexpected", f"Here should be `{text}`.")

    def end(self, expected: str) -> None:
        if self.here.sort is not Sort.END:
            raise self.wrong(self.here, "unexpected", f"Here should be {expected}.")

    def wrong(self, token: Token, code: str, detail: str) -> MalformedQuery:
        return malformed(self.option, token.at, code, detail)

    def unsupported(self, token: Token, detail: str) -> NotSupported:
        where = f"At character {token.at} of `{self.option}`: {detail}"
        error = NotSupported.at(f"?{self.option}", "not_supported", where)
        assert isinstance(error, NotSupported)
        return error


class Reader:
    """Reads expressions over the properties of one set; values are added to ``values``."""

    def __init__(self, words: Words, of: EntitySet, values: Values) -> None:
        self._words = words
        self._of = of
        self._values = values
        self._deep = 0
        self._each: str | None = None
        """The name by which a condition on several texts calls each of them."""

    def condition(self) -> Expression:
        """What is true or false."""
        start = self._words.here
        found = self.expression()
        if found.kind is Kind.TRUTH:
            return found
        here = self._words.here
        if here.sort is Sort.END or here.text == ")":
            detail = f"A condition should stand here; this is {found.kind}."
            raise self._words.wrong(start, "not_a_condition", detail)
        detail = f"Here should be {', '.join(_COMPARISONS)} or in."
        raise self._words.wrong(here, "unexpected", detail)

    def expression(self) -> Expression:
        return self._joined("or", self._all, ex.Any)

    def _all(self) -> Expression:
        return self._joined("and", self._comparison, ex.All)

    def _joined(
        self,
        by: str,
        part: Callable[[], Expression],
        whole: type[ex.All | ex.Any],
    ) -> Expression:
        start = self._words.here
        parts = [part()]
        while self._words.takes(by):
            parts.append(self._truth(start, parts.pop(), by))
            start = self._words.here
            parts.append(self._truth(start, part(), by))
        return parts[0] if len(parts) == 1 else whole(tuple(parts))

    def _truth(self, at: Token, found: Expression, by: str) -> Expression:
        if found.kind is not Kind.TRUTH:
            raise self._words.wrong(
                at, "not_a_condition", f"`{by}` takes conditions; this is {found.kind}."
            )
        return found

    def _comparison(self) -> Expression:
        left = self._unary()
        operator = self._words.here
        self._must_not_calculate()
        if self._words.takes("in"):
            found = self._one_of(operator, left)
        elif operator.text in _COMPARISONS and self._words.takes(operator.text):
            right = self._unary()
            self._must_not_calculate()
            found = self._compared(operator, left, right)
        else:
            return left
        here = self._words.here
        if here.sort is Sort.NAME and here.text in (*_COMPARISONS, "in"):
            detail = "Put one of the two comparisons in parentheses."
            raise self._words.wrong(here, "unexpected", detail)
        return found

    def _must_not_calculate(self) -> None:
        here = self._words.here
        if here.sort is Sort.NAME and here.text in _NOT_SUPPORTED_OPERATORS:
            detail = f"There is no `{here.text}`: the register does not calculate."
            raise self._words.unsupported(here, detail)

    def _compared(self, operator: Token, left: Expression, right: Expression) -> Expression:
        kinds = {left.kind, right.kind} - {Kind.NULL}
        if Kind.TEXTS in kinds:
            detail = "Of several texts, ask `any`: `tags/any(t:t eq 'discharge')`."
            raise self._words.wrong(operator, "several", detail)
        if len(kinds) > 1:
            detail = _not_alike(left.kind, right.kind)
            raise self._words.wrong(operator, "other_kind", detail)
        if operator.text not in ("eq", "ne") and not kinds <= _ORDERED:
            detail = f"`{operator.text}` is for what has an order; this is {left.kind}."
            raise self._words.wrong(operator, "no_order", detail)
        return ex.Comparison(operator.text, left, right)

    def _one_of(self, operator: Token, what: Expression) -> Expression:
        if what.kind not in _ORDERED:
            detail = f"`in` is for a text, a number, a day or a time; this is {what.kind}."
            raise self._words.wrong(operator, "other_kind", detail)
        self._words.expect("(")
        options = [self._option(what)]
        while self._words.takes(","):
            if len(options) == MOST_OPTIONS:
                detail = f"`in` takes at most {MOST_OPTIONS} values."
                raise self._words.wrong(operator, "too_many", detail)
            options.append(self._option(what))
        self._words.expect(")")
        return ex.OneOf(what, tuple(options))

    def _option(self, what: Expression) -> Expression:
        token = self._words.here
        option = self._primary()
        if not isinstance(option, ex.Value | ex.Null):
            raise self._words.wrong(token, "not_a_value", "`in` takes values.")
        if option.kind not in (what.kind, Kind.NULL):
            raise self._words.wrong(token, "other_kind", _not_alike(what.kind, option.kind))
        return option

    def _unary(self) -> Expression:
        token = self._words.here
        if self._words.takes("-"):
            raise self._words.unsupported(token, "The register does not calculate.")
        if not self._words.takes("not"):
            return self._primary()
        with self._deeper(token):
            found = self._unary()
        if found.kind is not Kind.TRUTH:
            detail = "`not` takes a condition: put it in parentheses, `not (a eq b)`."
            raise self._words.wrong(token, "not_a_condition", detail)
        return ex.Not(found)

    def _primary(self) -> Expression:
        token = self._words.take()
        match token.sort:
            case Sort.SIGN if token.text == "(":
                with self._deeper(token):
                    found = self.expression()
                self._words.expect(")")
                return found
            case Sort.NAME:
                return self._named(token)
            case Sort.TEXT | Sort.NUMBER | Sort.DAY | Sort.MOMENT:
                return self._value(token)
            case Sort.FOREIGN:
                raise self._words.unsupported(token, "Nothing here has values of this kind.")
            case Sort.GUID:
                detail = "An id is a text here: put it in single quotes."
                raise self._words.wrong(token, "guid", detail)
        raise self._words.wrong(token, "unexpected", "Here should be a property or a value.")

    def _value(self, token: Token) -> Expression:
        kind, read = _LITERALS[token.sort]
        try:
            value = read(token.text)
        except (ValueError, OverflowError):
            raise self._words.wrong(token, "not_a_value", f"This is not {kind}.") from None
        self._values.append(value)
        return ex.Value(len(self._values) - 1, kind)

    def _named(self, token: Token) -> Expression:
        name = token.text
        if self._words.here.text == "(" and self._words.here.sort is Sort.SIGN:
            return self._call(token)
        if name == self._each:
            return ex.Each()
        if name in ("true", "false"):
            return ex.Truth(name == "true")
        if name == "null":
            return ex.Null()
        column = self._of.column(name)
        if column is None:
            raise self._no_property(token)
        if self._words.takes("/"):
            return self._among(token, column)
        return ex.Property(column)

    def _no_property(self, token: Token) -> MalformedQuery | NotSupported:
        navigation = self._of.navigation(token.text)
        if navigation is not None:
            detail = f"Only what an entity says itself can be asked: ask {navigation.target}."
            return self._words.unsupported(token, detail)
        if token.text.startswith("$") or "." in token.text or token.text in ("INF", "NaN"):
            return self._words.unsupported(token, "Here can be a property or a value.")
        return self._words.wrong(token, "unknown_property", unknown_property(self._of, token))

    def _among(self, token: Token, column: Column) -> Expression:
        how = self._words.take()
        if how.text == "$count":
            raise self._words.unsupported(how, "Of several texts, ask `any` or `all`.")
        if how.text not in ("any", "all") or ex.Property(column).kind is not Kind.TEXTS:
            detail = "Only several texts have something below them: `any` and `all`."
            raise self._words.wrong(token, "unexpected", detail)
        self._words.expect("(")
        if how.text == "any" and self._words.takes(")"):
            return ex.Among(column, every=False, condition=None)
        name = self._words.take()
        if name.sort is not Sort.NAME or not name.text.isidentifier():
            detail = "Here should be a name for each of them: `any(t:t eq 'discharge')`."
            raise self._words.wrong(name, "unexpected", detail)
        self._words.expect(":")
        if self._each is not None:
            raise self._words.unsupported(token, "One condition on several within another.")
        self._each = name.text
        with self._deeper(how):
            condition = self.condition()
        self._each = None
        self._words.expect(")")
        return ex.Among(column, how.text == "all", condition)

    def _call(self, token: Token) -> Expression:
        name = token.text
        if name in NOT_SUPPORTED:
            detail = f"This function is not taken; there are {', '.join(FUNCTIONS)}."
            raise self._words.unsupported(token, detail)
        signature = FUNCTIONS.get(name)
        if signature is None:
            detail = f"There is no such function.{_near(name, FUNCTIONS)}"
            raise self._words.wrong(token, "unknown_function", detail)
        self._words.expect("(")
        arguments: list[Expression] = []
        with self._deeper(token):
            for i, kinds in enumerate(signature.takes):
                if i >= signature.needs and self._words.here.text == ")":
                    break
                if i:
                    self._words.expect(",")
                start = self._words.here
                argument = self.expression()
                if argument.kind not in (*kinds, Kind.NULL):
                    wanted = " or ".join(sorted(kinds))
                    detail = f"`{name}` takes {wanted} here; this is {argument.kind}."
                    raise self._words.wrong(start, "other_kind", detail)
                if kinds is WHOLE and not self._is_whole(argument):
                    detail = f"`{name}` takes a whole number here, from 0."
                    raise self._words.unsupported(start, detail)
                arguments.append(argument)
        self._words.expect(")")
        return ex.Call(name, tuple(arguments), signature.gives)

    def _is_whole(self, argument: Expression) -> bool:
        if not isinstance(argument, ex.Value):
            return False
        value = self._values[argument.index]
        return value in range(2**31)

    @contextmanager
    def _deeper(self, token: Token) -> Iterator[None]:
        if self._deep == DEEPEST:
            raise self._words.wrong(token, "too_deep", "This is nested too deep.")
        self._deep += 1
        yield
        self._deep -= 1


def unknown_property(of: EntitySet, token: Token) -> str:
    """That there is no such property, and which was perhaps meant."""
    if token.sort is not Sort.NAME:
        return "Here should be the name of a property."
    near = _near(token.text, (column.name for column in of.table.columns))
    return f"{of.name} has no such property.{near}"


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:60], list(known), 1)
    return f" Did you mean `{near[0]}`?" if near else ""


def _not_alike(one: Kind, other: Kind) -> str:
    detail = f"{one.capitalize()} cannot be compared with {other}."
    if {one, other} == {Kind.DAY, Kind.MOMENT}:
        hint = "A day is written 2020-04-01 and a time 2020-04-01T00:00:00Z; date() makes a day."
    elif Kind.TEXT in (one, other):
        hint = "A text stands in single quotes, and nothing else does."
    else:
        return detail
    return f"{detail} {hint}"


def _text(word: str) -> str:
    return word[1:-1].replace("''", "'")


def _number(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError
    return number


def _day(word: str) -> str:
    return date.fromisoformat(word).isoformat()


def _moment(word: str) -> str:
    return rfc3339(datetime.fromisoformat(word))


_LITERALS: dict[Sort, tuple[Kind, Callable[[str], str | float]]] = {
    Sort.TEXT: (Kind.TEXT, _text),
    Sort.NUMBER: (Kind.NUMBER, _number),
    Sort.DAY: (Kind.DAY, _day),
    Sort.MOMENT: (Kind.MOMENT, _moment),
}
