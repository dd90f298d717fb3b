"""Events to EPCIS 2.0 JSON-LD, as GS1's JSON schema wants it: bare words, one form for each value, no blanks.

EPCIS 2.0 clause 10. `event_text` is an event that stands for itself, with a context of its own where it has extensions,
so texts that were kept can be put into a document one after the other (`document_text`) without being read again.
Prefixes are the ones that the event came with, as far as they are free; none is declared that would give an identifier
of the event (``example:1``) another meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from json.encoder import encode_basestring as quoted
from typing import Any

from jinka.codec.epcis.contexts import GS1_CONTEXT, choose_prefixes, to_uri
from jinka.codec.epcis.fields import SENSOR_METADATA, SENSOR_REPORT, Form, Simple, Table, table
from jinka.codec.epcis.json_extensions import TEXT
from jinka.codec.epcis.model import (
    Action,
    Document,
    ErrorDeclaration,
    Event,
    EventType,
    Extension,
    Extensions,
    Kind,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
    Vocabulary,
)
from jinka.codec.epcis.namespaces import event_extensions, grouped, names_of
from jinka.codec.epcis.scalars import number_text, time_text
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    PREFIXES,
    TRANSACTION_TYPES,
    Words,
)

Names = Mapping[str, str]  # namespace -> prefix
_FEW = 8  # prefixes, which are sought by name sooner than all heads of values are listed
_HEAD_OF_VALUE = re.compile('"([A-Za-z_][A-Za-z0-9_.-]*):[^"]*"(?!:)')


def event_text(event: Event) -> str:
    """An event for a list of events: its own context is there only if it has extensions."""
    trees = tuple(event_extensions(event))
    if not trees:
        return _event(event, {})
    text, names = _settled(trees, event.prefixes, lambda names: _event(event, names))
    declared = _declared(names)
    return f'{{"@context":[{{{declared}}}],{text[1:]}' if declared else text


def write_event(event: Event) -> bytes:
    """A bare event with the contexts that it needs, as ``POST /events`` takes it."""
    trees = tuple(event_extensions(event))
    text, names = _settled(trees, event.prefixes, lambda names: _event(event, names))
    return f'{{"@context":{_contexts(names)},{text[1:]}'.encode()


def write_json(document: Document) -> bytes:
    """A document: the answer to a query where it has a query's name, a capture document otherwise."""
    trees = [tree for event in document.events for tree in event_extensions(event)] + _trees(document)
    hints = dict(document.prefixes)
    for event in document.events:
        hints |= dict(event.prefixes)

    def body(names: Names) -> str:
        return _around(document, ",".join(_event(event, names) for event in document.events), names)

    text, names = _settled(trees, hints.items(), body)
    return f'{{"@context":{_contexts(names)},{text[1:]}'.encode()


def document_text(document: Document, events: Iterable[str]) -> str:
    """A document around events that are text already (`event_text`); `document.events` are not written."""
    inner = ",".join(events)
    text, names = _settled(_trees(document), document.prefixes, lambda names: _around(document, "\0", names))
    return f'{{"@context":{_contexts(names)},{text[1:].replace(chr(0), inner)}'


def _trees(document: Document) -> list[Extension]:
    found = [
        tree for one in document.vocabularies for element in one.elements for _, tree in element.attributes
    ]
    return [*found, *document.extensions]


def _settled(
    trees: Iterable[Extension], hints: Iterable[tuple[str, str]], write: Callable[[Names], str]
) -> tuple[str, Names]:
    """Write with prefixes that are declared, again with others while a value begins like one of them."""
    namespaces, banned = names_of(trees)
    while True:
        names = choose_prefixes(namespaces, hints, banned)
        text = write(names)
        declared = {prefix for prefix in names.values() if prefix not in PREFIXES}
        heads: set[str] = set()
        if len(declared) > _FEW or _stands_before(declared, text):
            heads.update(_HEAD_OF_VALUE.findall(text))
        if declared.isdisjoint(heads):
            return text, names
        banned |= heads  # all of them: another prefix may not be one of these either


def _stands_before(prefixes: Iterable[str], text: str) -> bool:
    """Whether a value may begin with one of some prefixes."""
    several = "|".join(map(re.escape, sorted(prefixes)))
    return bool(several) and re.search(f'"(?:{several}):[^"]*"(?!:)', text) is not None


def _declared(names: Names) -> str:
    pairs = ((prefix, namespace) for namespace, prefix in names.items() if prefix not in PREFIXES)
    return ",".join(f"{quoted(prefix)}:{quoted(namespace)}" for prefix, namespace in pairs)


def _contexts(names: Names) -> str:
    declared = _declared(names)
    return f'["{GS1_CONTEXT}",{{{declared}}}]' if declared else f'["{GS1_CONTEXT}"]'


def _around(document: Document, events: str, names: Names) -> str:
    """A document's text with its events put in."""
    query = document.query_name is not None
    parts = [f'"type":"{"EPCISQueryDocument" if query else "EPCISDocument"}"']
    if document.id is not None:
        parts.append(f'"id":{quoted(document.id)}')
    parts.append(f'"schemaVersion":{quoted(document.schema_version)}')
    if document.creation_time_us is not None:
        parts.append(f'"creationDate":"{time_text(document.creation_time_us)}"')
    for name, text in (
        ("instanceIdentifier", document.instance_identifier),
        ("sender", document.sender),
        ("receiver", document.receiver),
    ):
        if text is not None:
            parts.append(f'"{name}":{quoted(text)}')
    parts += _extensions(document.extensions, names)
    master = f'"vocabularyList":[{",".join(_vocabulary(one, names) for one in document.vocabularies)}]'
    if query:
        result = f'"queryName":{quoted(document.query_name or "")}'
        if document.subscription_id is not None:
            result += f',"subscriptionID":{quoted(document.subscription_id)}'
        listed = f'"eventList":[{events}]' + (f",{master}" if document.vocabularies else "")
        parts.append(f'"epcisBody":{{"queryResults":{{{result},"resultsBody":{{{listed}}}}}}}')
    else:
        if document.vocabularies:
            parts.append(f'"epcisHeader":{{"epcisMasterData":{{{master}}}}}')
        parts.append(f'"epcisBody":{{"eventList":[{events}]}}')
    return _object(parts)


def _object(members: list[str]) -> str:
    return "{" + ",".join(members) + "}"


def _vocabulary(found: Vocabulary, names: Names) -> str:
    elements: list[str] = []
    for element in found.elements:
        parts = [f'"id":{quoted(element.id)}']
        if element.attributes:
            values = (
                f'{{"id":{quoted(name)},"attribute":{_value(tree, names)}}}'
                for name, tree in element.attributes
            )
            parts.append(f'"attributes":[{",".join(values)}]')
        if element.children:
            parts.append(f'"children":{_strings(element.children)}')
        elements.append(_object(parts))
    return f'{{"type":{quoted(found.type)},"vocabularyElementList":[{",".join(elements)}]}}'


def _event(event: Event, names: Names) -> str:
    kind = event.event_type
    parts = [f'"type":"{kind.value}"']
    if event.event_id is not None:
        parts.append(f'"eventID":{quoted(event.event_id)}')
    parts.append(f'"eventTime":"{time_text(event.event_time_us, event.zone_offset)}"')
    if event.record_time_us is not None:
        parts.append(f'"recordTime":"{time_text(event.record_time_us)}"')
    parts.append(f'"eventTimeZoneOffset":"{event.zone_offset}"')
    if event.error is not None:
        parts.append(f'"errorDeclaration":{_error(event.error, names)}')
    if event.certification:
        one = quoted(event.certification[0]) if len(event.certification) == 1 else None
        parts.append(f'"certificationInfo":{one or _strings(event.certification)}')
    _what(event, parts)
    if event.action is not None:
        parts.append(f'"action":"{event.action.value}"')
    _why(event, parts)
    if event.read_point is not None:
        parts.append(f'"readPoint":{_place(event.read_point, names)}')
    if event.biz_location is not None:
        parts.append(f'"bizLocation":{_place(event.biz_location, names)}')
    if event.transactions:
        parts.append(_typed("bizTransactionList", "bizTransaction", event.transactions, TRANSACTION_TYPES))
    if event.sources:
        parts.append(_typed("sourceList", "source", event.sources, PARTY_TYPES))
    if event.destinations:
        parts.append(_typed("destinationList", "destination", event.destinations, PARTY_TYPES))
    if event.sensors:
        parts.append(f'"sensorElementList":[{",".join(_sensor(one, names) for one in event.sensors)}]')
    if event.ilmd:
        parts.append(f'"ilmd":{{{",".join(_extensions(event.ilmd, names))}}}')
    parts += _extensions(event.extensions, names)
    return _object(parts)


def _what(event: Event, parts: list[str]) -> None:
    kind = event.event_type
    if event.parent_id is not None:
        parts.append(f'"parentID":{quoted(event.parent_id)}')
    if event.epcs or (kind in (EventType.OBJECT, EventType.TRANSACTION) and _needs_list(event)):
        parts.append(f'"epcList":{_strings(event.epcs)}')
    for name, epcs in (
        ("childEPCs", event.child_epcs),
        ("inputEPCList", event.input_epcs),
        ("outputEPCList", event.output_epcs),
    ):
        if epcs:
            parts.append(f'"{name}":{_strings(epcs)}')
    for name, quantities in (
        ("quantityList", event.quantities),
        ("childQuantityList", event.child_quantities),
        ("inputQuantityList", event.input_quantities),
        ("outputQuantityList", event.output_quantities),
    ):
        if quantities:
            parts.append(f'"{name}":[{",".join(map(_quantity, quantities))}]')
    if event.transformation_id is not None:
        parts.append(f'"transformationID":{quoted(event.transformation_id)}')


def _needs_list(event: Event) -> bool:
    """The schema wants an empty list where nothing else says what the event is about."""
    if event.event_type is EventType.TRANSACTION:
        return not event.quantities and event.action is not Action.DELETE
    return not (event.quantities or (event.sensors and event.read_point))


def _why(event: Event, parts: list[str]) -> None:
    if event.biz_step is not None:
        parts.append(f'"bizStep":{quoted(BIZ_STEPS.json(event.biz_step))}')
    if event.disposition is not None:
        parts.append(f'"disposition":{quoted(DISPOSITIONS.json(event.disposition))}')
    if event.dispositions_set or event.dispositions_unset:
        both = (("set", event.dispositions_set), ("unset", event.dispositions_unset))
        inner = (f'"{name}":{_strings(map(DISPOSITIONS.json, words))}' for name, words in both if words)
        parts.append(f'"persistentDisposition":{{{",".join(inner)}}}')


def _strings(texts: Iterable[str]) -> str:
    return f"[{','.join(map(quoted, texts))}]"


def _quantity(element: Quantity) -> str:
    text = f'{{"epcClass":{quoted(element.epc_class)}'
    if element.quantity is not None:
        text += f',"quantity":{number_text(element.quantity)}'
    return f'{text},"uom":"{element.uom}"}}' if element.uom is not None else text + "}"


def _place(place: Place, names: Names) -> str:
    return _object([f'"id":{quoted(place.id)}', *_extensions(place.extensions, names)])


def _typed(name: str, entry: str, found: tuple[Typed, ...], words: Words) -> str:
    texts = (
        (f'{{"type":{quoted(words.json(one.type))},' if one.type is not None else "{")
        + f'"{entry}":{quoted(one.id)}}}'
        for one in found
    )
    return f'"{name}":[{",".join(texts)}]'


def _error(error: ErrorDeclaration, names: Names) -> str:
    parts = [f'"declarationTime":"{time_text(error.declaration_time_us)}"']
    if error.reason is not None:
        parts.append(f'"reason":{quoted(ERROR_REASONS.json(error.reason))}')
    if error.corrective_event_ids:
        parts.append(f'"correctiveEventIDs":{_strings(error.corrective_event_ids)}')
    return _object([*parts, *_extensions(error.extensions, names)])


def _sensor(sensor: SensorElement, names: Names) -> str:
    parts: list[str] = []
    if sensor.metadata is not None:
        parts.append(f'"sensorMetadata":{_record(_METADATA, sensor.metadata, names)}')
    reports = ",".join(_record(_REPORT, report, names) for report in sensor.reports)
    parts.append(f'"sensorReport":[{reports}]')
    return _object([*parts, *_extensions(sensor.extensions, names)])


def _text(field: Simple) -> Callable[[Any], str]:
    """How JSON writes a field of a sensor."""
    if field.words is not None:
        json = field.words.json
        return lambda value: quoted(json(value))
    return {
        Form.TIME: lambda value: f'"{time_text(value)}"',
        Form.NUMBER: number_text,
        Form.BOOLEAN: lambda value: "true" if value else "false",
    }.get(field.form, quoted)


_METADATA, _REPORT = table(SENSOR_METADATA, _text), table(SENSOR_REPORT, _text)


def _record(known: Table, found: SensorMetadata | SensorReport, names: Names) -> str:
    parts = [
        f'"{name}":{write(value)}'
        for (name, write), value in zip(known.rows, known.values(found), strict=True)
        if value is not None
    ]
    if isinstance(found, SensorReport) and found.type is None:
        parts.insert(0, '"type":"rdfs:Resource"')  # UNSPECIFIED
    if found.extensions:
        parts += _extensions(found.extensions, names)
    return _object(parts)


def _extensions(found: Extensions, names: Names) -> list[str]:
    """The members of an object, an array for siblings of one name."""
    parts: list[str] = []
    for (namespace, name), same in grouped(found).items() if found else ():
        key = f"{names[namespace]}:{to_uri(name)}" if namespace else name
        values = [_value(one, names) for one in same]
        several = f"[{','.join(values)}]" if len(values) > 1 else values[0]
        parts.append(f"{quoted(key)}:{several}")
    return parts


def _value(one: Extension, names: Names) -> str:
    text = one.text if one.kind is not Kind.STRING else quoted(one.text)
    if not one.children:
        return text
    inner = _extensions(one.children, names)
    return _object([f'"{TEXT}":{text}', *inner] if one.text else inner)
