"""Addresses below the service's root: which set, which of its entities, and what of it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from app.errors import NotFound, NotSupported
from app.models.tables import Column
from app.odata.sets import SETS, EntitySet, Navigation

_ADDRESS = re.compile(
    r"""
    (?P<set>\w+)
    (?: \( (?: (?P<name>\w+) \s* = \s* )? (?P<key> '(?:[^']|'')*' | [^()']* ) \) )?
    (?: / (?P<below> .+ ) )?
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Address:
    """What is asked for (part 2, section 4)."""

    of: EntitySet
    key: str | None = None
    """Of one entity."""
    navigation: Navigation | None = None
    """What belongs to that one."""
    column: Column | None = None
    """Just this of it."""
    raw: bool = False
    """``$value``: the property's value alone."""
    counted: bool = False
    """``$count``: only how many there are."""

    @property
    def target(self) -> EntitySet:
        """The set that what is found is in."""
        return SETS[self.navigation.target] if self.navigation else self.of

    @property
    def many(self) -> bool:
        """Whether it is several entities, and not one."""
        return self.navigation.many if self.navigation else self.key is None


def read(path: str) -> Address:
    """What an address asks for; it has no slash before it.

    Raises:
        NotFound: when there is nothing of that name.
        NotSupported
    """
    match = _ADDRESS.fullmatch(path)
    found = SETS.get(match["set"]) if match else None
    if match is None or found is None:
        if path.startswith("$"):
            raise NotSupported(f"There is no `{path[:20]}` here.")
        raise NotFound(f"There is no such set; there are {', '.join(SETS)}.{_near(path)}")
    below = match["below"] or ""
    if match["key"] is None:
        if below == "$count":
            return Address(found, counted=True)
        if below.startswith("$"):
            raise NotSupported("Below a set there is `$count` alone.")
        if below:
            raise NotFound(f"What is below a set is one of it: {found.name}('...').")
        return Address(found)
    key = match["key"]
    if match["name"] not in (None, found.table.key):
        raise NotFound(f"The key of {found.name} is `{found.table.key}`.")
    if not key.startswith("'"):
        raise NotFound(f"A key is a text in single quotes: {found.name}('...').")
    key = key[1:-1].replace("''", "'")
    return _below(found, key, below) if below else Address(found, key)


def _below(found: EntitySet, key: str, below: str) -> Address:
    name, _, rest = below.partition("/")
    navigation, column = found.navigation(name), found.column(name)
    if navigation is not None and rest in ("", "$count"):
        if rest and not navigation.many:
            raise NotFound("There is one of it; only several can be counted.")
        return Address(found, key, navigation, counted=bool(rest))
    if column is not None and rest in ("", "$value"):
        return Address(found, key, column=column, raw=bool(rest))
    step = found.navigation(name.partition("(")[0])
    if step is not None:
        where = f"{step.target}('...')"
        raise NotSupported(f"An address goes one step from an entity; go on from {where}.")
    if column is not None or name.startswith("$"):
        raise NotSupported("Below an entity are its properties, each with `$value`, and no more.")
    known = [each.name for each in found.navigations]
    raise NotFound(
        f"{found.name} has nothing of this name: there are its properties, and {', '.join(known)}."
        if known
        else f"{found.name} has no such property."
    )


def _near(path: str) -> str:
    near = difflib.get_close_matches(path.partition("(")[0].partition("/")[0][:60], SETS, 1)
    return f" Did you mean {near[0]}?" if near else ""
