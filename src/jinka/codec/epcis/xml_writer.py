"""Events to EPCIS 2.0 XML, valid by GS1's schemas: fields in their order, vocabularies as web URIs or as 1.2's URNs.

EPCIS 2.0 clauses 9 and 12.7. The schema has room for one certificate; more stand in ``baseExtension``. What JSON can
say and XML cannot is refused: a tree, or several values of one name, among the extensions of sensor metadata and
reports. The zone of a time is that of its event; other times are in UTC. A document's own id has no place in XML and is
left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from jinka.codec.epcis.contexts import choose_prefixes
from jinka.codec.epcis.fields import (
    EPC_LISTS,
    ORDER,
    QUANTITY_LISTS,
    SENSOR_METADATA,
    SENSOR_REPORT,
    TYPED_LISTS,
    Form,
    Simple,
)
from jinka.codec.epcis.model import (
    Document,
    ErrorDeclaration,
    Event,
    Extension,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
    Vocabulary,
)
from jinka.codec.epcis.namespaces import event_extensions, names_of
from jinka.codec.epcis.scalars import number_text, time_text
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    TRANSACTION_TYPES,
    Words,
)
from jinka.codec.epcis.xml_documents import SBDH
from jinka.codec.epcis.xml_extensions import attribute, attributes, content, elements
from jinka.codec.epcis.xml_reader import ONTOLOGY
from jinka.codec.epcis.xml_text import XSI
from jinka.kit.errors import Refused

_XML, _XMLNS = "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/"
_XSD = "http://www.w3.org/2001/XMLSchema"
_TAKEN = frozenset({"epcis", "epcisq", "sbdh", "xsi", "xsd", "xml", "xmlns"})
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
Names = Mapping[str, str]


def write_xml(document: Document, *, urns: bool = False) -> bytes:
    """A document: the answer to a query where it has a query's name, a capture document otherwise.

    ``urns``: words of CBV as the URNs that they had before 2.0. `Refused` without a creation time, which XML needs.
    """
    if document.creation_time_us is None:
        raise Refused("XML needs the time of creation", where="creationDate", fix="give it one")
    query = document.query_name is not None
    names = _names(document)
    root = "epcisq:EPCISQueryDocument" if query else "epcis:EPCISDocument"
    space = "epcisq" if query else "epcis"
    declared = f' xmlns:{space}="urn:epcglobal:{space.replace("epcisq", "epcis-query")}:xsd:2"'
    declared += "".join(f' xmlns:{prefix}="{attribute(uri)}"' for uri, prefix in names.items() if uri != _XML)
    version = attribute(document.schema_version)
    parts = [
        f'{_HEAD}<{root}{declared} xmlns:xsi="{XSI}" xmlns:xsd="{_XSD}" schemaVersion="{version}"'
        f' creationDate="{time_text(document.creation_time_us)}">',
        _header(document, names, master=not query),
        "<EPCISBody>",
    ]
    events = "".join(_event(event, names, urns) for event in document.events)
    if query:
        if document.events and document.vocabularies:
            raise Refused(
                "XML answers with events or with master data", where="resultsBody", fix="one of them"
            )
        parts.append(f"<epcisq:QueryResults><queryName>{content(document.query_name or '')}</queryName>")
        if document.subscription_id is not None:
            parts.append(f"<subscriptionID>{content(document.subscription_id)}</subscriptionID>")
        listed = (
            _vocabularies(document, names) if document.vocabularies else f"<EventList>{events}</EventList>"
        )
        parts.append(f"<resultsBody>{listed}</resultsBody></epcisq:QueryResults>")
    else:
        parts.append(f"<EventList>{events}</EventList>")
    parts.append(f"</EPCISBody>{elements(document.extensions, names)}</{root}>")
    return "".join(parts).encode()


def _names(document: Document) -> dict[str, str]:
    trees = [tree for event in document.events for tree in event_extensions(event)] + [*document.extensions]
    trees += [tree for one in document.vocabularies for item in one.elements for _, tree in item.attributes]
    hints = dict(document.prefixes)
    for event in document.events:
        hints |= dict(event.prefixes)
    namespaces = names_of(trees)[0]
    if any(len(event.certification) > 1 for event in document.events):
        namespaces.add(ONTOLOGY)
    usable = ((prefix, uri) for prefix, uri in hints.items() if not prefix.lower().startswith("xml"))
    if _XMLNS in namespaces:
        raise Refused(f"{_XMLNS} is no namespace of an extension", fix="one of your own")
    chosen = choose_prefixes(namespaces - {_XML}, usable, _TAKEN)
    return {**chosen, _XML: "xml"} if _XML in namespaces else chosen


def _header(document: Document, names: Names, *, master: bool) -> str:
    inner = ""
    if document.sender or document.receiver or document.instance_identifier:
        inner = _sbdh(document)
    if master and document.vocabularies:
        inner += f"<extension><EPCISMasterData>{_vocabularies(document, names)}</EPCISMasterData></extension>"
    return f"<EPCISHeader>{inner}</EPCISHeader>" if inner else ""


def _sbdh(document: Document) -> str:
    """The Standard Business Document Header with what we have, and its fixed rest (EPCIS 2.0, 9.2)."""
    parties = "".join(
        f"<sbdh:{name}><sbdh:Identifier>{content(text or '')}</sbdh:Identifier></sbdh:{name}>"
        for name, text in (("Sender", document.sender), ("Receiver", document.receiver))
    )
    created = time_text(document.creation_time_us or 0)
    return (
        f'<sbdh:StandardBusinessDocumentHeader xmlns:sbdh="{SBDH}">'
        f"<sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>{parties}"
        "<sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard>"
        "<sbdh:TypeVersion>2.0</sbdh:TypeVersion>"
        f"<sbdh:InstanceIdentifier>{content(document.instance_identifier or '')}</sbdh:InstanceIdentifier>"
        f"<sbdh:Type>Events</sbdh:Type><sbdh:CreationDateAndTime>{created}</sbdh:CreationDateAndTime>"
        "</sbdh:DocumentIdentification></sbdh:StandardBusinessDocumentHeader>"
    )


def _vocabularies(document: Document, names: Names) -> str:
    return f"<VocabularyList>{''.join(_vocabulary(one, names) for one in document.vocabularies)}</VocabularyList>"


def _vocabulary(found: Vocabulary, names: Names) -> str:
    inner = ""
    for element in found.elements:
        below = "".join(_attribute(name, tree, names) for name, tree in element.attributes)
        if element.children:
            below += (
                f"<children>{''.join(f'<id>{content(text)}</id>' for text in element.children)}</children>"
            )
        inner += f'<VocabularyElement id="{attribute(element.id)}">{below}</VocabularyElement>'
    listed = f"<VocabularyElementList>{inner}</VocabularyElementList>" if inner else ""
    return f'<Vocabulary type="{attribute(found.type)}">{listed}</Vocabulary>'


def _attribute(name: str, tree: Extension, names: Names) -> str:
    """An attribute of master data: the tree's own name gives way to the schema's."""
    written = elements((tree,), names)
    tag = f'<attribute id="{attribute(name)}"'
    return tag + written[len("<attribute") :]


def _event(event: Event, names: Names, urns: bool) -> str:
    parts = [f"<{event.event_type.value}>", _common(event, names, urns)]
    for name in ORDER[event.event_type]:
        parts.append(_FIELDS[name](name, event, names, urns))
    parts.append(elements(event.extensions, names))
    parts.append(f"</{event.event_type.value}>")
    return "".join(parts)


def _common(event: Event, names: Names, urns: bool) -> str:
    text = f"<eventTime>{time_text(event.event_time_us, event.zone_offset)}</eventTime>"
    if event.record_time_us is not None:
        text += f"<recordTime>{time_text(event.record_time_us)}</recordTime>"
    text += f"<eventTimeZoneOffset>{event.zone_offset}</eventTimeZoneOffset>"
    if event.event_id is not None:
        text += f"<eventID>{content(event.event_id)}</eventID>"
    if event.error is not None:
        text += _error(event.error, names, urns)
    first, *more = event.certification or ("",)
    if first:
        text += f"<certificationInfo>{content(first)}</certificationInfo>"
    if more:
        tag = f"{names[ONTOLOGY]}:certificationInfo"
        inner = "".join(f"<{tag}>{content(one)}</{tag}>" for one in more)
        text += f"<baseExtension>{inner}</baseExtension>"
    return text


def _error(error: ErrorDeclaration, names: Names, urns: bool) -> str:
    text = f"<declarationTime>{time_text(error.declaration_time_us)}</declarationTime>"
    if error.reason is not None:
        text += f"<reason>{content(_word(ERROR_REASONS, error.reason, urns))}</reason>"
    if error.corrective_event_ids:
        inner = _list("correctiveEventID", error.corrective_event_ids)
        text += f"<correctiveEventIDs>{inner}</correctiveEventIDs>"
    return f"<errorDeclaration>{text}{elements(error.extensions, names)}</errorDeclaration>"


def _word(words: Words, uri: str, urns: bool) -> str:
    return words.urn(uri) if urns else uri


def _list(name: str, texts: Iterable[str]) -> str:
    return "".join(f"<{name}>{content(text)}</{name}>" for text in texts)


def _quantity(element: Quantity) -> str:
    text = f"<epcClass>{content(element.epc_class)}</epcClass>"
    if element.quantity is not None:
        text += f"<quantity>{number_text(element.quantity)}</quantity>"
    if element.uom is not None:
        text += f"<uom>{element.uom}</uom>"
    return f"<quantityElement>{text}</quantityElement>"


def _place(name: str, place: Place | None, names: Names) -> str:
    if place is None:
        return ""
    return f"<{name}><id>{content(place.id)}</id>{elements(place.extensions, names)}</{name}>"


def _typed(name: str, found: tuple[Typed, ...], words: Words, urns: bool) -> str:
    entry = TYPED_LISTS[name][1]
    inner = "".join(f"<{entry}{_type(words, one.type, urns)}>{content(one.id)}</{entry}>" for one in found)
    return f"<{name}>{inner}</{name}>" if inner else ""


def _type(words: Words, uri: str | None, urns: bool) -> str:
    return "" if uri is None else f' type="{attribute(_word(words, uri, urns))}"'


def _sensors(sensors: tuple[SensorElement, ...], names: Names) -> str:
    inner = ""
    for sensor in sensors:
        inner += "<sensorElement>"
        if sensor.metadata is not None:
            inner += f"<sensorMetadata{_record(SENSOR_METADATA, sensor.metadata, names)}/>"
        for report in sensor.reports:
            inner += f"<sensorReport{_record(SENSOR_REPORT, report, names)}/>"
        inner += f"{elements(sensor.extensions, names)}</sensorElement>"
    return f"<sensorElementList>{inner}</sensorElementList>" if inner else ""


def _record(fields: tuple[Simple, ...], found: SensorMetadata | SensorReport, names: Names) -> str:
    text = ""
    for field in fields:
        value = getattr(found, field.attribute)
        if value is None:
            continue
        if field.form is Form.TIME:
            value = time_text(value)
        elif field.form is Form.NUMBER:
            value = number_text(value)
        elif field.form is Form.BOOLEAN:
            value = "true" if value else "false"
        text += f' {field.name}="{attribute(value)}"'
    return text + attributes(found.extensions, names)


def _persistent(event: Event, urns: bool) -> str:
    inner = _list("unset", (_word(DISPOSITIONS, uri, urns) for uri in event.dispositions_unset))
    inner += _list("set", (_word(DISPOSITIONS, uri, urns) for uri in event.dispositions_set))
    return f"<persistentDisposition>{inner}</persistentDisposition>" if inner else ""


def _of_list(wrap: Callable[[str, Event], str]) -> Callable[[str, Event, Names, bool], str]:
    def written(name: str, event: Event, _names: Names, _urns: bool) -> str:
        inner = wrap(name, event)
        return f"<{name}>{inner}</{name}>" if inner else ""

    return written


def _simple(name: str, text: str | None) -> str:
    return "" if text is None else f"<{name}>{content(text)}</{name}>"


def _vocabulary_word(words: Words, attribute_name: str) -> Callable[[str, Event, Names, bool], str]:
    def written(name: str, event: Event, _names: Names, urns: bool) -> str:
        uri = getattr(event, attribute_name)
        return _simple(name, None if uri is None else _word(words, uri, urns))

    return written


def _ilmd(event: Event, names: Names) -> str:
    return f"<ilmd>{elements(event.ilmd, names)}</ilmd>" if event.ilmd else ""


_FIELDS: Mapping[str, Callable[[str, Event, Names, bool], str]] = {
    "action": lambda name, event, _, __: _simple(name, event.action.value if event.action else None),
    "bizStep": _vocabulary_word(BIZ_STEPS, "biz_step"),
    "disposition": _vocabulary_word(DISPOSITIONS, "disposition"),
    "readPoint": lambda name, event, names, _: _place(name, event.read_point, names),
    "bizLocation": lambda name, event, names, _: _place(name, event.biz_location, names),
    "parentID": lambda name, event, _, __: _simple(name, event.parent_id),
    "transformationID": lambda name, event, _, __: _simple(name, event.transformation_id),
    "bizTransactionList": lambda name, event, _, urns: _typed(
        name, event.transactions, TRANSACTION_TYPES, urns
    ),
    "sourceList": lambda name, event, _, urns: _typed(name, event.sources, PARTY_TYPES, urns),
    "destinationList": lambda name, event, _, urns: _typed(name, event.destinations, PARTY_TYPES, urns),
    "sensorElementList": lambda _, event, names, __: _sensors(event.sensors, names),
    "persistentDisposition": lambda _, event, __, urns: _persistent(event, urns),
    "ilmd": lambda _, event, names, __: _ilmd(event, names),
    **{
        name: _of_list(lambda name, event: _list("epc", getattr(event, EPC_LISTS[name])))
        for name in EPC_LISTS
    },
    **{
        name: _of_list(lambda name, event: "".join(map(_quantity, getattr(event, QUANTITY_LISTS[name]))))
        for name in QUANTITY_LISTS
    },
}
