"""EPCIS 2.0 documents in JSON-LD: capture and query documents, a bare event, a bare list of events, master data.

EPCIS 2.0 clause 10 with its JSON schema. Costs are bounded by `Limits`: bytes before parsing, events before the first
is read, depth on the way down. The answer to a query with master data alone has no events.
"""

from __future__ import annotations

import re
from typing import Any

from jinka.codec.epcis.contexts import ROOT, Context, fault_at
from jinka.codec.epcis.json_extensions import read_extensions, read_values
from jinka.codec.epcis.json_reader import read_event
from jinka.codec.epcis.json_text import escape, load_json
from jinka.codec.epcis.model import Document, Event, Extension, Vocabulary, VocabularyElement
from jinka.codec.epcis.scalars import LIMITS, Limits, time_us
from jinka.codec.epcis.structure import check_size
from jinka.kit.errors import Refused

_TEXTS = {
    "schemaVersion": "schema_version",
    "id": "id",
    "@id": "id",
    "sender": "sender",
    "receiver": "receiver",
    "instanceIdentifier": "instance_identifier",
}
_KNOWN = frozenset((*_TEXTS, "@context", "type", "@type", "creationDate", "epcisHeader", "epcisBody"))
_VERSION = re.compile(r"2(?:\.[0-9]{1,3}){0,2}").fullmatch
Faults = list[tuple[int, Refused]]


def read_json(data: bytes, *, limits: Limits = LIMITS, faults: Faults | None = None) -> Document:
    """Read a document, an event or a list of events.

    The first fault is raised as `Refused` with its JSON pointer. With a list for ``faults``, an event that is refused
    is put there with its index instead, and the document has the others; a fault outside the events is raised.
    """
    found, context = load_json(data, limits), ROOT
    if limits is not LIMITS:
        context = Context(ROOT.prefixes, limits)
    if type(found) is list:
        return Document(events=_events(found, context, "", faults, len(data)))
    if type(found) is not dict:
        raise Refused(
            "is no EPCIS document",
            fix="an EPCISDocument, an EPCISQueryDocument, an event or a list of events",
        )
    kind = found.get("type", found.get("@type"))
    name = kind.removeprefix("epcis:") if type(kind) is str else ""
    if name not in ("EPCISDocument", "EPCISQueryDocument"):
        return Document(events=_events([found], context, None, faults, len(data)))
    if "@context" in found:
        context = context.extended(found["@context"])
    head = _head(found, context)
    if "epcisBody" not in found:
        raise Refused("is missing", where="/epcisBody")
    body = _object(found["epcisBody"], "/epcisBody")
    if name == "EPCISDocument":
        _only(body, ("eventList",), "/epcisBody")
        events, place = body.get("eventList"), "/epcisBody/eventList"
    else:
        results, place = _results(body, head)
        if "vocabularyList" in results:
            head["vocabularies"] = _vocabularies(
                results["vocabularyList"], context, f"{place}/vocabularyList"
            )
        events, place = results.get("eventList", []), f"{place}/eventList"
    if type(events) is not list:
        raise Refused("is no array of events", where=place)
    made = _events(events, context, place, faults, len(data))
    return Document(events=made, prefixes=context.declared, **head)


def _head(found: dict[str, Any], context: Context) -> dict[str, Any]:
    head: dict[str, Any] = {}
    for name, value in found.items():
        attribute = _TEXTS.get(name)
        if attribute is not None:
            if type(value) is not str:
                raise Refused("is not text", where=f"/{name}")
            head[attribute] = value
    if "@id" in found:
        head["id"] = found["@id"]
    if "creationDate" in found:
        try:
            head["creation_time_us"] = time_us(str(found["creationDate"]))
        except Refused as fault:
            raise fault_at("/creationDate", fault) from None
    if "id" in head:
        head["id"] = _child(head["id"], context, "/id")
    version = head.get("schema_version", "2.0")
    if version != "2.0" and not _VERSION(version):
        raise Refused(f"version {version[:20]} is not read", where="/schemaVersion", fix="2.0")
    if "epcisHeader" in found:
        header = _object(found["epcisHeader"], "/epcisHeader")
        _only(header, ("epcisMasterData",), "/epcisHeader")
        if "epcisMasterData" in header:
            place = "/epcisHeader/epcisMasterData"
            master = _object(header["epcisMasterData"], place)
            _only(master, ("vocabularyList",), place)
            place += "/vocabularyList"
            head["vocabularies"] = _vocabularies(master.get("vocabularyList", []), context, place)
    if not found.keys() <= _KNOWN:
        rest = [(name, value) for name, value in found.items() if name not in _KNOWN]
        head["extensions"] = read_extensions(rest, context)
    return head


def _results(body: dict[str, Any], head: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The resultsBody of a query document and its place; its names go into the head."""
    place = "/epcisBody/queryResults"
    _only(body, ("queryResults",), "/epcisBody")
    results = _object(body.get("queryResults"), place)
    _only(results, ("queryName", "subscriptionID", "resultsBody"), place)
    for name, attribute in (("queryName", "query_name"), ("subscriptionID", "subscription_id")):
        if name in results:
            if type(results[name]) is not str:
                raise Refused("is not text", where=f"{place}/{name}")
            head[attribute] = results[name]
    head.setdefault("query_name", "")
    place += "/resultsBody"
    found = _object(results.get("resultsBody"), place)
    _only(found, ("eventList", "vocabularyList"), place)
    return found, place


def _events(
    found: list[Any], context: Context, place: str | None, faults: Faults | None, octets: int
) -> tuple[Event, ...]:
    if len(found) > context.limits.events:
        raise Refused(f"{len(found)} events", where=place or "", fix=f"at most {context.limits.events}")
    made: list[Event] = []
    for at, entry in enumerate(found):
        try:
            event = read_event(entry, context)
            check_size(event, octets=octets)
            made.append(event)
        except Refused as fault:
            placed = fault if place is None else fault_at(f"{place}/{at}", fault)
            if faults is None:
                raise placed from None
            faults.append((at, placed))
    return tuple(made)


def _vocabularies(found: Any, context: Context, place: str) -> tuple[Vocabulary, ...]:
    made: list[Vocabulary] = []
    for at, entry in enumerate(_array(found, place)):
        inner = f"{place}/{at}"
        vocabulary = _object(entry, inner)
        _only(vocabulary, ("type", "@type", "vocabularyElementList"), inner)
        elements = _array(vocabulary.get("vocabularyElementList", []), f"{inner}/vocabularyElementList")
        kind = _uri(vocabulary, ("type", "@type"), context, inner)
        made.append(
            Vocabulary(
                type=kind,
                elements=tuple(
                    _element(element, context, f"{inner}/vocabularyElementList/{number}")
                    for number, element in enumerate(elements)
                ),
            )
        )
    return tuple(made)


def _element(found: Any, context: Context, place: str) -> VocabularyElement:
    element = _object(found, place)
    _only(element, ("id", "@id", "attributes", "children"), place)
    attributes: list[tuple[str, Extension]] = []
    for at, entry in enumerate(_array(element.get("attributes", []), f"{place}/attributes")):
        inner = f"{place}/attributes/{at}"
        attribute = _object(entry, inner)
        _only(attribute, ("id", "@id", "attribute"), inner)
        name = _uri(attribute, ("id", "@id"), context, inner)
        try:
            values = read_values("attribute", attribute.get("attribute", ""), context)
        except Refused as fault:
            raise fault_at(f"{inner}/attribute", fault) from None
        attributes += [(name, value) for value in values]
    children = _array(element.get("children", []), f"{place}/children")
    return VocabularyElement(
        id=_uri(element, ("id", "@id"), context, place),
        attributes=tuple(attributes),
        children=tuple(_child(child, context, f"{place}/children/{at}") for at, child in enumerate(children)),
    )


def _uri(found: dict[str, Any], names: tuple[str, ...], context: Context, place: str) -> str:
    return _child(
        next((found[name] for name in names if name in found), None), context, f"{place}/{names[0]}"
    )


def _child(value: Any, context: Context, place: str) -> str:
    try:
        return context.uri(value)
    except Refused as fault:
        raise fault_at(place, fault) from None


def _object(value: Any, place: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise Refused("is no object", where=place)
    return value


def _array(value: Any, place: str) -> list[Any]:
    if type(value) is not list:
        raise Refused("is no array", where=place)
    return value


def _only(found: dict[str, Any], names: tuple[str, ...], place: str) -> None:
    for name in found:
        if name not in names:
            raise Refused(
                "is not read here", where=f"{place}/{escape(name)}", fix=f"{', '.join(names)} alone"
            )
