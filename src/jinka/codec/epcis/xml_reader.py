"""One event from EPCIS XML 2.0, 1.2 or 1.1 to `Event`; documents around it are `jinka.codec.epcis.xml_documents`.

EPCIS 2.0 clause 9 and its XML schema, EPCIS 1.2 clause 9.5. What 1.2 nests (``baseExtension``, ``extension`` within
``extension``) is what 2.0 has side by side, so both are read by seeing through those wrappers; the order of fields does
not matter. A ``QuantityEvent`` of 1.0 becomes the observation of a quantity that 1.1 says it is. Prefixes of GS1's
vocabularies (``gs1:``, ``cbv:``) are expanded in values, declared or not; others are not prefixes there but part of the
text. `Refused` carries the XPath from the event down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinka.codec.epcis.contexts import fault_at
from jinka.codec.epcis.fields import ALLOWED
from jinka.codec.epcis.model import Action, Event, EventType, Extension, Quantity
from jinka.codec.epcis.structure import check_event, check_quantity
from jinka.codec.epcis.vocabulary import PREFIXES
from jinka.codec.epcis.xml_extensions import foreign, foreign_attributes, together
from jinka.codec.epcis.xml_fields import (
    FIELDS,
    PERSISTENT,
    Read,
    amount,
    children,
    identifier_of,
    missing,
    no_text,
)
from jinka.codec.epcis.xml_text import Element
from jinka.kit.errors import Refused

EVENT_TYPES = {kind.value: kind for kind in EventType}
QUANTITY_EVENT = "QuantityEvent"  # deprecated since 1.1
ONTOLOGY = PREFIXES["epcis"]  # where the second of several certificates stands: the schema has room for one
_CLASS, _COUNT = "class", "count"  # no attributes of the model
_OLD: Mapping[str, tuple[str, Read]] = {"epcClass": (_CLASS, identifier_of), "quantity": (_COUNT, amount)}


def read_xml_event(element: Element, prefixes: tuple[tuple[str, str], ...] = ()) -> Event:
    """One event; `Refused` with the XPath from the event down."""
    old = element.name == QUANTITY_EVENT
    kind = EventType.OBJECT if old else EVENT_TYPES.get(element.name)
    if kind is None or element.namespace:
        raise Refused("is no type of event", fix="one of the five of EPCIS 2.0; extended types are not read")
    no_text(element)
    allowed, values = ALLOWED[kind], dict[str, Any]()
    extensions, certificates = list[Extension](foreign_attributes(element)), list[str]()
    for place, child in children(element):
        name = child.name
        try:
            if child.namespace == ONTOLOGY and name == "certificationInfo":
                certificates.append(identifier_of(child))
            elif child.namespace or not (name in allowed or (old and name in _OLD)):
                if name in FIELDS and not child.namespace:
                    raise Refused(f"is no field of a {kind.value}", fix="leave it out")
                extensions.append(foreign(child))
            elif name == "certificationInfo":
                certificates.insert(0, identifier_of(child))
            else:
                attribute, read = _OLD[name] if old and name in _OLD else FIELDS[name]
                if attribute in values:
                    raise Refused("stands twice", fix="once")
                values[attribute] = read(child)
        except Refused as fault:
            raise fault_at(place, fault) from None
    if old:
        values = _observed(values)
    if "event_time_us" not in values or "zone_offset" not in values:
        where = "/eventTimeZoneOffset" if "event_time_us" in values else "/eventTime"
        raise Refused("is missing", where=where, fix="every event has a time and its local zone's offset")
    if PERSISTENT in values:
        values["dispositions_set"], values["dispositions_unset"] = values.pop(PERSISTENT)
    event = Event(
        event_type=kind,
        prefixes=prefixes,
        certification=tuple(certificates),
        extensions=together(extensions),
        **values,
    )
    check_event(event)
    return event


def _observed(values: dict[str, Any]) -> dict[str, Any]:
    """A QuantityEvent is an observation of so many of a class (EPCIS 1.1, 7.4.4)."""
    element = Quantity(
        epc_class=values.pop(_CLASS, None) or missing("/epcClass"), quantity=values.pop(_COUNT, None)
    )
    check_quantity(element)
    return {**values, "action": Action.OBSERVE, "quantities": (element,)}
