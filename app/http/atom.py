"""Atom (RFC 4287): innovations as entries of a feed, for whatever reads news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from fastapi import Request
from pydantic_core import from_json

from app import __version__
from app.http import answers
from app.http.query import pairs

MEDIA_TYPE = "application/atom+xml"

_ATOM = "http://www.w3.org/2005/Atom"
_DECISIONS = {"keep": "Keep", "retire": "Never go back to it", "under_review": "Under review"}

register_namespace("", _ATOM)


def feed(
    request: Request, documents: Sequence[str], *, following: str | None, updated: str
) -> bytes:
    """A page of innovations as a feed; it was updated when the newest of them was.

    Addresses are those by which the request came. What follows is linked as RFC 5005 says.
    """
    base = str(request.base_url).rstrip("/")
    kept = [(name, value) for name, value in pairs(request) if name != "cursor"]
    first = f"{request.url.path}?{urlencode(kept)}" if kept else request.url.path
    entries = [from_json(document) for document in documents]
    root = Element(_named("feed"))
    _text(root, "id", uuid5(NAMESPACE_URL, f"{base}{first}").urn)
    _text(root, "title", "Innovation register")
    _text(root, "subtitle", "What the NHS in England learnt in the pandemic, kept or retired")
    _text(root, "updated", max((entry["updated_at"] for entry in entries), default=updated))
    _text(root, "generator", "Innovation register", version=__version__)
    _link(root, "self", answers.following(request), base, MEDIA_TYPE)
    _link(root, "first", first, base, MEDIA_TYPE)
    _link(root, "alternate", "/", base, "text/html")
    if following is not None:
        _link(root, "next", answers.following(request, cursor=following), base, MEDIA_TYPE)
    for entry in entries:
        _entry(SubElement(root, _named("entry")), entry, base)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _entry(element: Element, entry: Mapping[str, Any], base: str) -> None:
    _text(element, "id", f"urn:uuid:{entry['id']}")
    _text(element, "title", entry["title"])
    _text(element, "published", entry["created_at"])
    _text(element, "updated", entry["updated_at"])
    # An organisation, not a person: the register names no persons.
    _text(SubElement(element, _named("author")), "name", entry["organisation"]["name"])
    _link(element, "alternate", entry["links"]["self"], base, answers.JSON)
    theme, status = entry["theme"], entry["status"]
    _category(element, f"{base}/v1/themes", theme["slug"], theme["name"])
    _category(element, f"{base}/v1/innovations#status", status, _DECISIONS[status])
    for tag in entry["tags"]:
        _category(element, f"{base}/v1/innovations#tags", tag, tag)
    _text(element, "summary", entry["summary"])
    _text(element, "content", "\n\n".join(_told(entry)), type="text")


def _told(entry: Mapping[str, Any]) -> list[str]:
    """All that there is to read of an innovation."""
    told = [entry["summary"]]
    if entry["description"]:
        told.append(entry["description"])
    decision = entry["decision"]
    if decision:
        told.append(f"{_DECISIONS[decision['status']]}: {decision['reason']}")
    told += [piece["statement"] for piece in entry["evidence"]]
    return told


def _named(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _text(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, _named(name), attributes).text = _legal(text)


def _category(parent: Element, scheme: str, term: str, label: str) -> None:
    attributes = {"scheme": scheme, "term": _legal(term), "label": _legal(label)}
    SubElement(parent, _named("category"), attributes)


def _link(parent: Element, rel: str, to: str, base: str, type_: str) -> None:
    SubElement(parent, _named("link"), {"rel": rel, "href": f"{base}{to}", "type": type_})


_ILLEGAL = dict.fromkeys((0xFFFE, 0xFFFF))
"""What the register takes and XML 1.0 does not (section 2.2)."""


def _legal(text: str) -> str:
    return text.translate(_ILLEGAL)
