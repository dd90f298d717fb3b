"""The fields of an event in XML, each with the function that reads its element.

EPCIS 2.0 clause 9.5 and its XML schema. `Refused` carries the XPath from the element down; `xml_reader`
puts the fields together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinka.codec.epcis import scalars
from jinka.codec.epcis.contexts import fault_at
from jinka.codec.epcis.fields import (
    EPC_LISTS,
    QUANTITY_LISTS,
    SENSOR_METADATA,
    SENSOR_REPORT,
    TYPED_LISTS,
    Form,
    Simple,
)
from jinka.codec.epcis.model import (
    Action,
    ErrorDeclaration,
    Extension,
    Extensions,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
)
from jinka.codec.epcis.structure import check_quantity, check_report, once
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    DISPOSITIONS,
    ERROR_REASONS,
    PARTY_TYPES,
    PREFIXES,
    TRANSACTION_TYPES,
    Words,
)
from jinka.codec.epcis.xml_extensions import foreign, foreign_attributes, together
from jinka.codec.epcis.xml_text import XSI, Element
from jinka.kit.errors import Refused

_WRAPPERS = frozenset({"extension", "baseExtension"})
Read = Callable[[Element], Any]


def missing(where: str) -> str:
    raise Refused("is missing", where=where)


def children(element: Element) -> Iterator[tuple[str, Element]]:
    """The children with their XPath steps, those of wrappers in their place."""
    counts: dict[str, int] = {}
    for child in element.children:
        counts[child.name] = number = counts.get(child.name, 0) + 1
        place = f"/{child.name}" if number == 1 else f"/{child.name}[{number}]"
        if not child.namespace and child.name in _WRAPPERS:
            for inner_place, inner in children(child):
                yield place + inner_place, inner
        else:
            yield place, child


def no_text(element: Element) -> None:
    if element.text:
        raise Refused("has text among its elements", fix="elements alone")


def _expanded(text: str) -> str:
    if text.startswith(scalars.ABSOLUTE):
        return text
    head, colon, rest = text.partition(":")
    return PREFIXES[head] + rest if colon and head in PREFIXES else text


def identifier_of(element: Element) -> str:
    return scalars.uri(_expanded(plain(element)))


def plain(element: Element) -> str:
    if element.children:
        raise Refused("is text alone", fix="no elements in it")
    return element.text


def _each(name: str, read: Read) -> Callable[[Element], tuple[Any, ...]]:
    """A reader of lists whose entries are called ``name``."""

    def several(element: Element) -> tuple[Any, ...]:
        no_text(element)
        made: list[Any] = []
        for place, child in children(element):
            try:
                if child.name != name or child.namespace:
                    raise Refused("is unknown here", fix=f"{name} alone")
                made.append(read(child))
            except Refused as fault:
                raise fault_at(place, fault) from None
        return tuple(made)

    return several


def _ids(name: str) -> Callable[[Element], tuple[str, ...]]:
    each = _each(name, identifier_of)

    def unique(element: Element) -> tuple[str, ...]:
        return once(each(element))

    return unique


def _word(words: Words) -> Callable[[str], str]:
    def word(text: str) -> str:
        return words.uris.get(text) or scalars.uri(words.uri(_expanded(text)))

    return word


def _once(element: Element, names: Mapping[str, Read]) -> dict[str, Any]:
    """The fields of an element of a closed kind, each once."""
    no_text(element)
    made: dict[str, Any] = {}
    for place, child in children(element):
        try:
            if child.name not in names or child.namespace:
                raise Refused("is unknown here", fix="leave it out")
            if child.name in made:
                raise Refused("stands twice", fix="once")
            made[child.name] = names[child.name](child)
        except Refused as fault:
            raise fault_at(place, fault) from None
    return made


def amount(element: Element) -> Any:
    if element.attributes.get((XSI, "nil")) in ("true", "1") and not element.text:
        return None
    return scalars.number(plain(element))


_QUANTITY: Mapping[str, Read] = {
    "epcClass": identifier_of,
    "quantity": amount,
    "uom": lambda child: scalars.unit(plain(child)),
}


def _quantity(element: Element) -> Quantity:
    found = _once(element, _QUANTITY)
    made = Quantity(
        epc_class=found.get("epcClass") or missing("/epcClass"),
        quantity=found.get("quantity"),
        uom=found.get("uom"),
    )
    check_quantity(made)
    return made


def _typed(words: Words, *, needs_type: bool) -> Callable[[Element], Typed]:
    word = _word(words)

    def typed(element: Element) -> Typed:
        kind = element.attributes.get(("", "type"))
        if kind is None and needs_type:
            raise Refused("is missing", where="/@type", fix=f"what kind of {element.name} it is")
        try:
            made = None if kind is None else word(kind)
        except Refused as fault:
            raise fault_at("/@type", fault) from None
        return Typed(id=identifier_of(element), type=made)

    return typed


def _place(element: Element) -> Place:
    identifier, extensions = None, list[Extension]()
    no_text(element)
    for place, child in children(element):
        try:
            if child.name == "id" and not child.namespace:
                identifier = identifier_of(child)
            else:
                extensions.append(foreign(child))
        except Refused as fault:
            raise fault_at(place, fault) from None
    if identifier is None:
        raise Refused("is missing", where="/id", fix="the identifier of the place")
    return Place(id=identifier, extensions=together(extensions))


def _from_text(field: Simple) -> Callable[[str], Any]:
    if field.words is not None:
        return _word(field.words)
    readers: dict[Form, Callable[[str], Any]] = {
        Form.URI: lambda text: scalars.uri(_expanded(text)),
        Form.TIME: scalars.time_us,
        Form.NUMBER: scalars.number,
        Form.BOOLEAN: _boolean,
        Form.HEX: scalars.hex_text,
    }
    return readers.get(field.form, str)


def _boolean(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise Refused(f"{text[:20]!r} is neither true nor false")
    return text in ("true", "1")


def _record(element: Element, fields: Mapping[str, tuple[str, Callable[[str], Any]]]) -> dict[str, Any]:
    """Attributes as values; those of another namespace as extensions."""
    if element.children or element.text:
        raise Refused("has content", fix="attributes alone")
    values: dict[str, Any] = {}
    for (space, name), text in element.attributes.items():
        if space:
            continue
        try:
            attribute, read = fields[name] if name in fields else _unknown()
            values[attribute] = read(text)
        except Refused as fault:
            raise fault_at(f"/@{name}", fault) from None
    values["extensions"] = foreign_attributes(element)
    return values


def _unknown() -> tuple[str, Callable[[str], Any]]:
    raise Refused("is unknown here", fix="a field of EPCIS, or an attribute of a namespace of your own")


def _named(fields: tuple[Simple, ...]) -> dict[str, tuple[str, Callable[[str], Any]]]:
    return {field.name: (field.attribute, _from_text(field)) for field in fields}


_METADATA, _REPORT = _named(SENSOR_METADATA), _named(SENSOR_REPORT)


def _sensor(element: Element) -> SensorElement:
    metadata, reports, extensions = None, list[SensorReport](), list[Extension]()
    no_text(element)
    for place, child in children(element):
        try:
            if child.name == "sensorMetadata" and not child.namespace:
                metadata = SensorMetadata(**_record(child, _METADATA))
            elif child.name == "sensorReport" and not child.namespace:
                reports.append(SensorReport(**_record(child, _REPORT)))
                check_report(reports[-1], "/@type")
            else:
                extensions.append(foreign(child))
        except Refused as fault:
            raise fault_at(place, fault) from None
    if not reports:
        raise Refused("has no report", where="/sensorReport", fix="at least one")
    return SensorElement(metadata=metadata, reports=tuple(reports), extensions=together(extensions))


def _error(element: Element) -> ErrorDeclaration:
    no_text(element)
    values, extensions = dict[str, Any](), list[Extension]()
    for place, child in children(element):
        try:
            if child.name in _ERROR and not child.namespace:
                attribute, read = _ERROR[child.name]
                values[attribute] = read(child)
            else:
                extensions.append(foreign(child))
        except Refused as fault:
            raise fault_at(place, fault) from None
    if "declaration_time_us" not in values:
        raise Refused("is missing", where="/declarationTime", fix="when the error was declared")
    return ErrorDeclaration(extensions=together(extensions), **values)


def _persistent(element: Element) -> tuple[tuple[str, ...], tuple[str, ...]]:
    made: dict[str, list[str]] = {"set": [], "unset": []}
    word = _word(DISPOSITIONS)
    for place, child in children(element):
        try:
            if child.name not in made or child.namespace:
                raise Refused("is unknown here", fix="set or unset")
            made[child.name].append(word(plain(child)))
        except Refused as fault:
            raise fault_at(place, fault) from None
    return once(made["set"]), once(made["unset"])


def _ilmd(element: Element) -> Extensions:
    no_text(element)
    found = list[Extension](foreign_attributes(element))
    for place, child in children(element):
        try:
            found.append(foreign(child))
        except Refused as fault:
            raise fault_at(place, fault) from None
    return together(found)


def _action(element: Element) -> Action:
    try:
        return Action(plain(element))
    except ValueError:
        raise Refused(f"{element.text[:20]!r} is no action", fix="ADD, OBSERVE or DELETE") from None


def _time(element: Element) -> int:
    return scalars.time_us(plain(element))


def _text_word(words: Words) -> Read:
    word = _word(words)
    return lambda element: word(plain(element))


_ERROR: Mapping[str, tuple[str, Read]] = {
    "declarationTime": ("declaration_time_us", _time),
    "reason": ("reason", _text_word(ERROR_REASONS)),
    "correctiveEventIDs": ("corrective_event_ids", _ids("correctiveEventID")),
}
PERSISTENT = "persistent"  # no attribute of the model: two of them
FIELDS: Mapping[str, tuple[str, Read]] = {
    "eventTime": ("event_time_us", _time),
    "recordTime": ("record_time_us", _time),
    "eventTimeZoneOffset": ("zone_offset", lambda child: scalars.zone_offset(plain(child))),
    "eventID": ("event_id", identifier_of),
    "errorDeclaration": ("error", _error),
    "certificationInfo": ("certification", identifier_of),
    "action": ("action", _action),
    "bizStep": ("biz_step", _text_word(BIZ_STEPS)),
    "disposition": ("disposition", _text_word(DISPOSITIONS)),
    "persistentDisposition": (PERSISTENT, _persistent),
    "readPoint": ("read_point", _place),
    "bizLocation": ("biz_location", _place),
    "parentID": ("parent_id", identifier_of),
    "transformationID": ("transformation_id", identifier_of),
    "sensorElementList": ("sensors", _each("sensorElement", _sensor)),
    "ilmd": ("ilmd", _ilmd),
    **{name: (attribute, _ids("epc")) for name, attribute in EPC_LISTS.items()},
    **{name: (attribute, _each("quantityElement", _quantity)) for name, attribute in QUANTITY_LISTS.items()},
    **{
        name: (
            attribute,
            _each(
                entry,
                _typed(
                    TRANSACTION_TYPES if attribute == "transactions" else PARTY_TYPES,
                    needs_type=attribute != "transactions",
                ),
            ),
        )
        for name, (attribute, entry) in TYPED_LISTS.items()
    },
}
