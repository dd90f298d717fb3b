"""EPCIS documents in XML: capture, query and master data documents of 2.0, 1.2 and 1.1, and a bare event.

EPCIS 2.0 clauses 9 and 12.7 with their XML schemas. Of a Standard Business Document Header the first sender, the first
receiver and the instance identifier are kept, the rest is not. 1.2 is upgraded: its namespaces end in 1 and its fields
are nested (`jinka.codec.epcis.xml_reader`). Results of a query that stand in the root itself are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from jinka.codec.epcis import scalars
from jinka.codec.epcis.contexts import fault_at, is_free_prefix
from jinka.codec.epcis.json_documents import Faults
from jinka.codec.epcis.model import Document, Event, Extension, Vocabulary, VocabularyElement
from jinka.codec.epcis.scalars import LIMITS, Limits
from jinka.codec.epcis.structure import check_size
from jinka.codec.epcis.xml_extensions import EPCIS_SPACES, foreign, together, tree_of
from jinka.codec.epcis.xml_fields import children, identifier_of
from jinka.codec.epcis.xml_reader import EVENT_TYPES, QUANTITY_EVENT, read_xml_event
from jinka.codec.epcis.xml_text import XSI, Element, load_xml
from jinka.kit.errors import Refused

SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
_ROOTS = ("EPCISDocument", "EPCISQueryDocument", "EPCISMasterDataDocument")
_RESULTS = ("queryName", "subscriptionID", "resultsBody", "QueryResults")
_KNOWN = frozenset({"EPCISHeader", "EPCISBody", *_RESULTS})
_VERSION = re.compile(r"[12](?:\.[0-9]{1,3}){0,2}").fullmatch


def read_xml(data: bytes, *, limits: Limits = LIMITS, faults: Faults | None = None) -> Document:
    """Read a document or a bare event.

    The first fault is raised as `Refused` with its XPath. With a list for ``faults``, an event that is refused is put
    there with its index instead, and the document has the others; a fault outside the events is raised.
    """
    tree = load_xml(data, limits)
    root = tree.root
    hints = tuple((prefix, uri) for prefix, uri in tree.prefixes if is_free_prefix(prefix))
    if root.name in EVENT_TYPES or root.name == QUANTITY_EVENT:
        events = [(f"/{root.name}", replace_namespace(root))]
        return Document(events=_events(events, hints, limits, faults), prefixes=hints)
    if root.name not in _ROOTS or root.namespace not in EPCIS_SPACES:
        raise Refused(f"{root.name[:60]!r} is no EPCIS document", where="/", fix="one of EPCIS 2.0 or 1.2")
    head = _head(root)
    place = f"/{root.name}"
    body = _child(root, "EPCISBody")
    if body is not None:
        place += "/EPCISBody"
    results = _child(body or root, "QueryResults") or body or root
    if root.name == "EPCISQueryDocument":
        if results not in (body, root):
            place += "/QueryResults"
        for name, attribute in (("queryName", "query_name"), ("subscriptionID", "subscription_id")):
            found = _child(results, name)
            if found is not None:
                head[attribute] = found.text
        head.setdefault("query_name", "")
        inner = _child(results, "resultsBody")
        if inner is None:
            raise Refused("is missing", where=f"{place}/resultsBody", fix="the answer to a query")
        body, place = inner, f"{place}/resultsBody"
    elif body is None:
        raise Refused("is missing", where=f"{place}/EPCISBody")
    listed = [(f"{place}{step}", child) for step, child in children(body or root)]
    head["vocabularies"] = (
        *head.get("vocabularies", ()),
        *(
            one
            for where, child in listed
            if child.name == "VocabularyList"
            for one in _vocabularies(child, where)
        ),
    )
    events = [
        (where + step, event)
        for where, child in listed
        if child.name == "EventList"
        for step, event in children(child)
    ]
    for where, child in listed:
        if child.name not in ("EventList", "VocabularyList"):
            raise Refused("is not read here", where=where, fix="leave it out")
    return Document(events=_events(events, hints, limits, faults), prefixes=hints, **head)


def replace_namespace(root: Element) -> Element:
    """An event that is the root may stand in EPCIS's namespace; within a document it stands in none."""
    if root.namespace in EPCIS_SPACES:
        return Element("", root.name, root.attributes, root.text, root.children)
    return root


def _events(
    found: list[tuple[str, Element]],
    hints: tuple[tuple[str, str], ...],
    limits: Limits,
    faults: Faults | None,
) -> tuple[Event, ...]:
    if len(found) > limits.events:
        raise Refused(f"{len(found)} events", where="/EventList", fix=f"at most {limits.events}")
    made: list[Event] = []
    for at, (place, element) in enumerate(found):
        try:
            event = read_xml_event(element, hints)
            check_size(event)
            made.append(event)
        except Refused as fault:
            if faults is None:
                raise fault_at(place, fault) from None
            faults.append((at, fault_at(place, fault)))
    return tuple(made)


def _head(root: Element) -> dict[str, Any]:
    head: dict[str, Any] = {}
    place = f"/{root.name}"
    version = root.attributes.get(("", "schemaVersion"), "2.0")
    if not _VERSION(version):
        raise Refused(
            f"version {version[:20]} is not read", where=f"{place}/@schemaVersion", fix="2.0 or 1.2"
        )
    created = root.attributes.get(("", "creationDate"))
    if created:
        try:
            head["creation_time_us"] = scalars.time_us(created)
        except Refused as fault:
            raise fault_at(f"{place}/@creationDate", fault) from None
    header = _child(root, "EPCISHeader")
    if header is not None:
        head |= _header(header, f"{place}/EPCISHeader")
    extensions: list[Extension] = []
    for step, child in children(root):
        if child.namespace or child.name not in _KNOWN:
            if child.namespace in EPCIS_SPACES and child.name in _KNOWN:
                continue
            try:
                extensions.append(foreign(child))
            except Refused as fault:
                raise fault_at(place + step, fault) from None
    head["extensions"] = together(extensions)
    return head


def _header(header: Element, place: str) -> dict[str, Any]:
    head: dict[str, Any] = {}
    for step, child in children(header):
        if child.namespace == SBDH and child.name == "StandardBusinessDocumentHeader":
            for attribute, path in (
                ("sender", ("Sender", "Identifier")),
                ("receiver", ("Receiver", "Identifier")),
                ("instance_identifier", ("DocumentIdentification", "InstanceIdentifier")),
            ):
                text = _text_at(child, path)
                if text:
                    head[attribute] = text
        elif child.name == "EPCISMasterData":
            lists = [(place + step + inner, one) for inner, one in children(child)]
            for where, one in lists:
                if one.name != "VocabularyList":
                    raise Refused("is not read here", where=where, fix="leave it out")
            head["vocabularies"] = tuple(made for where, one in lists for made in _vocabularies(one, where))
        else:
            raise Refused("is not read here", where=place + step, fix="leave it out")
    return head


def _text_at(element: Element, path: tuple[str, ...]) -> str:
    found: Element | None = element
    for name in path:
        found = next((child for child in found.children if child.name == name), None) if found else None
    return found.text if found else ""


def _child(element: Element, name: str) -> Element | None:
    return next((child for _, child in children(element) if child.name == name), None)


def _vocabularies(listed: Element, place: str) -> Iterator[Vocabulary]:
    for step, vocabulary in children(listed):
        where = place + step
        if vocabulary.name != "Vocabulary":
            raise Refused("is unknown here", where=where, fix="Vocabulary alone")
        elements: list[VocabularyElement] = []
        for inner, group in children(vocabulary):
            if group.name != "VocabularyElementList":
                raise Refused("is not read here", where=where + inner, fix="leave it out")
            elements += [_element(one, where + inner + last) for last, one in children(group)]
        kind = _attribute(vocabulary, "type", where)
        yield Vocabulary(type=kind, elements=tuple(elements))


def _element(element: Element, place: str) -> VocabularyElement:
    attributes, below = list[tuple[str, Extension]](), list[str]()
    for step, child in children(element):
        if child.name == "attribute" and not child.namespace:
            tree = tree_of(replace(child, attributes=_without_id(child)))
            attributes.append((_attribute(child, "id", place + step), tree))
        elif child.name == "children" and not child.namespace:
            for inner, one in children(child):
                try:
                    below.append(identifier_of(one))
                except Refused as fault:
                    raise fault_at(place + step + inner, fault) from None
        else:
            raise Refused("is not read here", where=place + step, fix="leave it out")
    return VocabularyElement(
        id=_attribute(element, "id", place), attributes=tuple(attributes), children=tuple(below)
    )


def _without_id(element: Element) -> dict[tuple[str, str], str]:
    return {name: text for name, text in element.attributes.items() if name != ("", "id") or name[0] == XSI}


def _attribute(element: Element, name: str, place: str) -> str:
    try:
        return scalars.uri(element.attributes.get(("", name), ""))
    except Refused as fault:
        raise fault_at(f"{place}/@{name}", fault) from None
