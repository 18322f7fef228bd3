"""The metadata document: all sets and their properties, as CSDL (part 3) in XML."""

from __future__ import annotations

from functools import cache
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from app.models.tables import Column, ColumnType
from app.odata.expressions import FUNCTIONS
from app.odata.sets import SETS, EntitySet, Navigation

NAMESPACE = "InnovationRegister"
CONTAINER = "Register"

_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_VOCABULARIES = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies"
_CORE = "Org.OData.Core.V1"
_CAPABILITIES = "Org.OData.Capabilities.V1"

_TYPES = {
    ColumnType.TEXT: "Edm.String",
    ColumnType.INTEGER: "Edm.Int32",
    ColumnType.NUMBER: "Edm.Double",
    ColumnType.DAY: "Edm.Date",
    ColumnType.MOMENT: "Edm.DateTimeOffset",
    ColumnType.TEXTS: "Collection(Edm.String)",
}

register_namespace("edmx", _EDMX)


def type_of(column: Column) -> str:
    """The type of a property, as ``Edm.String``."""
    return _TYPES[column.type]


@cache
def metadata() -> bytes:
    """The document that ``$metadata`` is."""
    root = Element(f"{{{_EDMX}}}Edmx", {"Version": "4.0"})
    for vocabulary, alias in ((_CORE, "Core"), (_CAPABILITIES, "Capabilities")):
        uri = {"Uri": f"{_VOCABULARIES}/{vocabulary}.xml"}
        reference = SubElement(root, f"{{{_EDMX}}}Reference", uri)
        SubElement(reference, f"{{{_EDMX}}}Include", {"Namespace": vocabulary, "Alias": alias})
    services = SubElement(root, f"{{{_EDMX}}}DataServices")
    schema = SubElement(services, "Schema", {"xmlns": _EDM, "Namespace": NAMESPACE})
    for each in SETS.values():
        _entity_type(schema, each)
    container = SubElement(schema, "EntityContainer", {"Name": CONTAINER})
    for each in SETS.values():
        _entity_set(container, each)
    _capabilities(container)
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _entity_type(schema: Element, of: EntitySet) -> None:
    entity = SubElement(schema, "EntityType", {"Name": of.entity})
    SubElement(SubElement(entity, "Key"), "PropertyRef", {"Name": of.table.key})
    for column in of.table.columns:
        told = {"Name": column.name, "Type": type_of(column)}
        if not column.nullable or column.type is ColumnType.TEXTS:
            told["Nullable"] = "false"
        if column.type is ColumnType.MOMENT:
            told["Precision"] = "6"
        _describe(SubElement(entity, "Property", told), _description(column))
    for navigation in of.navigations:
        _navigation(entity, navigation, of.table.column(navigation.here))
    _describe(entity, of.table.description)


def _navigation(entity: Element, navigation: Navigation, here: Column) -> None:
    target = f"{NAMESPACE}.{SETS[navigation.target].entity}"
    type_ = f"Collection({target})" if navigation.many else target
    told = {"Name": navigation.name, "Type": type_}
    if not navigation.many and not here.nullable:
        told["Nullable"] = "false"
    element = SubElement(entity, "NavigationProperty", told)
    if not navigation.many:
        ends = {"Property": navigation.here, "ReferencedProperty": navigation.there}
        SubElement(element, "ReferentialConstraint", ends)


def _entity_set(container: Element, of: EntitySet) -> None:
    told = {"Name": of.name, "EntityType": f"{NAMESPACE}.{of.entity}"}
    element = SubElement(container, "EntitySet", told)
    for navigation in of.navigations:
        ends = {"Path": navigation.name, "Target": navigation.target}
        SubElement(element, "NavigationPropertyBinding", ends)


def _capabilities(container: Element) -> None:
    """What a client need not try: it does the rest by itself."""
    level = SubElement(container, "Annotation", {"Term": "Capabilities.ConformanceLevel"})
    SubElement(level, "EnumMember").text = f"{_CAPABILITIES}.ConformanceLevelType/Intermediate"
    no_batch = {"Term": "Capabilities.BatchSupported", "Bool": "false"}
    SubElement(container, "Annotation", no_batch)
    functions = SubElement(container, "Annotation", {"Term": "Capabilities.FilterFunctions"})
    names = SubElement(functions, "Collection")
    for name in FUNCTIONS:
        SubElement(names, "String").text = name


def _description(column: Column) -> str:
    if not column.choices:
        return column.description
    return f"{column.description} One of: {', '.join(column.choices)}."


def _describe(element: Element, words: str) -> None:
    SubElement(element, "Annotation", {"Term": "Core.Description", "String": words})
