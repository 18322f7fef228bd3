"""What a filter means, in plain Python; and filters at random."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

Entity = dict[str, Any]
Meaning = Callable[[Entity], Any]


class Said(NamedTuple):
    """A part of a filter: its text, and what it is of an entity (None where that is unknown)."""

    text: str
    of: Meaning


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison, which is never unknown."""
    if operator == "eq":
        return bool(left == right)
    if operator == "ne":
        return bool(left != right)
    if left is None or right is None:
        return False
    found: bool = {
        "gt": left > right,
        "ge": left >= right,
        "lt": left < right,
        "le": left <= right,
    }[operator]
    return found


def conjunction(*parts: bool | None) -> bool | None:
    if False in parts:
        return False
    return None if None in parts else True


def negation(part: bool | None) -> bool | None:
    return None if part is None else not part


def known(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is unknown of what is unknown."""

    def called(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return called


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": known(lambda text, part: part in text),
    "startswith": known(lambda text, part: text.startswith(part)),
    "endswith": known(lambda text, part: text.endswith(part)),
    "length": known(len),
    "indexof": known(lambda text, part: text.find(part)),
    "substring": known(lambda text, *at: text[at[0] : None if len(at) == 1 else sum(at)]),
    "tolower": known(str.lower),
    "toupper": known(str.upper),
    "trim": known(lambda text: text.strip(" ")),
    "concat": known(lambda text, more: text + more),
    "year": known(lambda time: int(time[:4])),
    "month": known(lambda time: int(time[5:7])),
    "day": known(lambda time: int(time[8:10])),
    "hour": known(lambda time: int(time[11:13])),
    "minute": known(lambda time: int(time[14:16])),
    "second": known(lambda time: int(time[17:19])),
    "date": known(lambda time: time[:10]),
}

TEXTS = ("title", "summary", "theme", "status", "care_setting", "decision_reason", "icb_name")
NUMBERS = ("version", "decision_count", "evidence_count")
DAYS = ("decided_on", "started_on", "review_on")
MOMENTS = ("created_at", "updated_at")


class Filters:
    """Makes filters, the same ones from the same seed, with values that the entities have."""

    def __init__(self, seed: int, entities: list[Entity]) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._entities = entities

    def truth(self, deep: int = 3) -> Said:
        ways: list[Callable[[int], Said]] = [self._compared, self._one_of, self._part, self._tags]
        if deep:
            ways += [self._both, self._either, self._not, self._truths]
        return self._random.choice(ways)(deep - 1)

    def _both(self, deep: int) -> Said:
        one, other = self.truth(deep), self.truth(deep)
        return Said(
            f"({one.text}) and ({other.text})",
            lambda entity: conjunction(one.of(entity), other.of(entity)),
        )

    def _either(self, deep: int) -> Said:
        one, other = self.truth(deep), self.truth(deep)
        return Said(
            f"({one.text} or {other.text})",
            lambda entity: negation(
                conjunction(negation(one.of(entity)), negation(other.of(entity)))
            ),
        )

    def _not(self, deep: int) -> Said:
        what = self.truth(deep)
        return Said(f"not ({what.text})", lambda entity: negation(what.of(entity)))

    def _truths(self, deep: int) -> Said:
        one = self.truth(deep)
        literal = self._random.choice(("true", "false", "null"))
        other = Said(f"({literal})", lambda _: {"true": True, "false": False}.get(literal))
        if self._random.random() < 0.5:
            other = self.truth(deep)
        operator = self._random.choice(("eq", "ne"))
        return Said(
            f"({one.text}) {operator} ({other.text})",
            lambda entity: compare(operator, one.of(entity), other.of(entity)),
        )

    def _compared(self, _: int) -> Said:
        kind = self._random.choice((self.text, self.number, self.day, self.moment))
        operator = self._random.choice(("eq", "ne", "gt", "ge", "lt", "le"))
        left, right = kind(), kind()
        if self._random.random() < 0.15:
            right = Said("null", constant(None))
        return Said(
            f"{left.text} {operator} {right.text}",
            lambda entity: compare(operator, left.of(entity), right.of(entity)),
        )

    def _one_of(self, _: int) -> Said:
        name = self._random.choice(TEXTS)
        options = [self._value(name) for _ in range(self._random.randint(1, 3))]
        listed = ",".join("null" if each is None else quoted(each) for each in options)
        return Said(f"{name} in ({listed})", lambda entity: entity[name] in options)

    def _part(self, _: int) -> Said:
        function = self._random.choice(("contains", "startswith", "endswith"))
        return self._called(function, self.text(), self.text())

    def _tags(self, _: int) -> Said:
        tag, name = self._random.choice(("video", "pilot", "")), self._random.choice(TEXTS)
        operator = self._random.choice(("eq", "ne", "gt", "le"))
        how, held = self._random.choice((("any", any), ("all", all)))
        return Said(
            f"tags/{how}(t:startswith(t,{quoted(tag)}) and t {operator} {name})",
            lambda entity: held(
                t.startswith(tag) and compare(operator, t, entity[name]) for t in entity["tags"]
            ),
        )

    def text(self, deep: int = 2) -> Said:
        way = self._random.randint(0, 6 if deep else 1)
        if way == 0:
            return self._property(TEXTS)
        if way == 1:
            value = self._value(self._random.choice(TEXTS)) or "é"
            start = self._random.randint(0, len(value))
            part = value[start : start + self._random.randint(0, 6)]
            return Said(quoted(part), constant(part))
        if way == 2:
            return self._called("concat", self.text(deep - 1), self.text(deep - 1))
        if way == 3:
            numbers = [self._random.randint(0, 9) for _ in range(self._random.randint(1, 2))]
            said = [Said(str(number), constant(number)) for number in numbers]
            return self._called("substring", self.text(deep - 1), *said)
        return self._called(("tolower", "toupper", "trim")[way - 4], self.text(deep - 1))

    def number(self) -> Said:
        way = self._random.randint(0, 4)
        if way == 0:
            return self._property(NUMBERS)
        if way == 1:
            number = self._random.choice((0, 1, 2, 2.5, -1, 2020, 12))
            return Said(str(number), constant(number))
        if way == 2:
            return self._called("length", self.text())
        if way == 3:
            return self._called("indexof", self.text(), self.text())
        kind, parts = self._random.choice(
            (
                (self.day, ("year", "month", "day")),
                (self.moment, ("year", "month", "day", "hour", "minute", "second")),
            )
        )
        return self._called(self._random.choice(parts), kind())

    def day(self) -> Said:
        way = self._random.randint(0, 2)
        if way == 0:
            return self._property(DAYS)
        if way == 1:
            day = self._value(self._random.choice(DAYS)) or "2020-04-01"
            return Said(day, constant(day))
        return self._called("date", self.moment())

    def moment(self) -> Said:
        if self._random.random() < 0.5:
            return self._property(MOMENTS)
        moment = self._value(self._random.choice(MOMENTS))
        return Said(moment, constant(moment))

    def _property(self, names: tuple[str, ...]) -> Said:
        name = self._random.choice(names)
        return Said(name, lambda entity: entity[name])

    def _value(self, name: str) -> Any:
        return self._random.choice(self._entities)[name]

    def _called(self, function: str, *arguments: Said) -> Said:
        texts = ",".join(argument.text for argument in arguments)
        return Said(
            f"{function}({texts})",
            lambda entity: FUNCTIONS[function](*(argument.of(entity) for argument in arguments)),
        )


def constant(value: Any) -> Meaning:
    return lambda _: value


def quoted(text: str) -> str:
    """A text as a literal."""
    return "'" + text.replace("'", "''") + "'"
