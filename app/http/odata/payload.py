"""Entities as JSON (OData JSON format 4.0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request
from pydantic_core import to_json

from app.http.odata.asking import Level
from app.http.odata.errors import ROOT
from app.models.tables import Column, ColumnType
from app.odata.addresses import Address
from app.odata.csdl import NAMESPACE, type_of
from app.odata.options import Asked, Expanded, Select
from app.odata.sets import SETS, EntitySet
from app.register.odata.reading import MOST_RELATED, Found, Row
from app.register.rows import cells_of

Json = dict[str, Any]

_AS_IT_IS = "!$'()*,/:;=@~"
"""Letters that a query may have as they are."""

_PLAIN = (ColumnType.TEXT, ColumnType.INTEGER)
"""Types of which JSON shows by itself what they are."""


def root_of(request: Request) -> str:
    """The address of the service, as the request came to it."""
    return f"{str(request.base_url).rstrip('/')}{ROOT}"


def service(root: str, level: Level) -> bytes:
    """The service document."""
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in SETS]
    return to_json({**_context(root, level), "value": sets})


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes what was found."""

    root: str
    level: Level
    asked: Asked

    def collection(self, found: Found, following: str | None) -> bytes:
        """Several entities; the address of those that follow stands last."""
        whole: Json = _context(self.root, self.level, self._context())
        if found.total is not None:
            whole["@odata.count"] = found.total
        whole["value"] = list(self._entities(found))
        if following is not None:
            whole["@odata.nextLink"] = following
        return to_json(whole)

    def entity(self, found: Found) -> bytes:
        """One entity."""
        (entity,) = self._entities(found)
        context = _context(self.root, self.level, f"{self._context()}/$entity")
        return to_json({**context, **entity})

    def _context(self) -> str:
        """What the answer is of, as a fragment of the metadata's address (part 1, section 10)."""
        named = list(self.asked.select.named)
        named += [
            f"{expanded.navigation.name}({','.join(expanded.select.named)})"
            for expanded in self.asked.expand
            if expanded.select.named
        ]
        return f"{self.asked.of.name}({','.join(named)})" if named else self.asked.of.name

    def _entities(self, found: Found) -> Iterator[Json]:
        of = self.asked.of
        entities = self._written(of, self.asked.select, found.rows)
        names_here = [each.navigation.here for each in self.asked.expand]
        keys = cells_of((of.key, *map(of.table.column, names_here)))
        for row, entity in zip(found.rows, entities, strict=True):
            key, *names = keys(row)
            for expanded, name in zip(self.asked.expand, names, strict=True):
                things = found.related[expanded.navigation.name].get(name, ())
                entity.update(self._expanded(expanded, f"{of.name}({_literal(key)})", things))
            yield entity

    def _expanded(self, expanded: Expanded, here: str, things: Iterable[Row]) -> Json:
        navigation, select = expanded.navigation, expanded.select
        target = SETS[navigation.target]
        entities = list(self._written(target, select, things))
        if not navigation.many:
            return {navigation.name: entities[0] if entities else None}
        written: Json = {navigation.name: entities[:MOST_RELATED]}
        if len(entities) > MOST_RELATED:
            link = f"{self.root}/{here}/{navigation.name}?{_rest(expanded)}"
            written[f"{navigation.name}@odata.nextLink"] = link
        return written

    def _written(self, of: EntitySet, select: Select, rows: Iterable[Row]) -> Iterator[Json]:
        names = [column.name for column in select.columns]
        cells = cells_of((of.key, *select.columns))
        for row in rows:
            key, *values = cells(row)
            entity = dict(zip(names, values, strict=True))
            yield self._told(of, select, key, entity) if self.level is Level.FULL else entity

    def _told(self, of: EntitySet, select: Select, key: str, entity: Json) -> Json:
        """An entity with all that could also be known from the metadata."""
        where = f"{of.name}({_literal(key)})"
        told: Json = {
            "@odata.type": f"#{NAMESPACE}.{of.entity}",
            "@odata.id": f"{self.root}/{where}",
        }
        for column in select.columns:
            if column.type not in _PLAIN:
                told[f"{column.name}@odata.type"] = f"#{_short(column)}"
            told[column.name] = entity[column.name]
        for navigation in of.navigations:
            link = f"{self.root}/{where}/{navigation.name}"
            told[f"{navigation.name}@odata.navigationLink"] = link
        return told


def _rest(expanded: Expanded) -> str:
    """The options that ask for what did not fit in."""
    said = dict(expanded.said) | {"$skip": str(MOST_RELATED)}
    if expanded.top is not None:
        said["$top"] = str(expanded.top - MOST_RELATED)
    return "&".join(f"{name}={quote(text, safe=_AS_IT_IS)}" for name, text in said.items())


def value_of(root: str, level: Level, address: Address, value: Any) -> bytes:
    """One property of one entity."""
    assert address.key is not None
    assert address.column is not None
    where = f"{address.of.name}({_literal(address.key)})/{address.column.name}"
    return to_json({**_context(root, level, where), "value": value})


def _context(root: str, level: Level, what: str | None = None) -> Json:
    if level is Level.NONE:
        return {}
    return {"@odata.context": f"{root}/$metadata" + (f"#{what}" if what else "")}


def _literal(key: str) -> str:
    quoted = quote(key.replace("'", "''"), safe="'")
    return f"'{quoted}'"


_SHORT: Mapping[ColumnType, str] = {ColumnType.TEXTS: "Collection(String)"}


def _short(column: Column) -> str:
    return _SHORT.get(column.type) or type_of(column).removeprefix("Edm.")
