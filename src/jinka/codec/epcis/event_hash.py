"""The hash that identifies an event whatever it was written in: ``ni:///sha-256;...?ver=CBV2.0``.

CBV 2.0 clause 8.9. The pre-hash string is the event's fields in one order, each as ``name=value`` with nothing between:
times in UTC to the millisecond (the next digit rounds), identifiers as canonical Digital Links, words as web URIs,
entries of a list sorted, then what has no place in the order (transactions, destinations, master data, sources and
extensions) sorted by name. It leaves out the event's id, its record time, its error declaration, comments
(``rdfs:comment``), and what the caller names.

Habits of GS1's reference implementation are in its published hashes and therefore kept: whatever looks like a number
is one (``007`` is ``7``, also where it is text), it is rounded to a double (a row of 24 digits changes its last ones),
and the business rules of a sensor report come at the end. Extensions of a place or a sensor stand within it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinka.codec.epcis.fields import SENSOR_METADATA, SENSOR_REPORT, Form, Simple, Table, table
from jinka.codec.epcis.model import (
    Event,
    Extensions,
    Place,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Typed,
)
from jinka.codec.epcis.scalars import minute_text, number_text
from jinka.codec.epcis.vocabulary import (
    BIZ_STEPS,
    COMPONENTS,
    DISPOSITIONS,
    ERROR_REASONS,
    EXCEPTIONS,
    MEASUREMENTS,
    PARTY_TYPES,
    TRANSACTION_TYPES,
)
from jinka.codec.tags import canonical_id, canonical_ids

_COMMENT = ("http://www.w3.org/2000/01/rdf-schema#", "comment")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?").fullmatch
_PLAIN = re.compile(r"(?:0|-?[1-9][0-9]{0,14})").fullmatch  # its own canonical form
_OLD_STEMS = tuple(
    (words.urn_stem, words.stem)
    for words in (BIZ_STEPS, DISPOSITIONS, TRANSACTION_TYPES, PARTY_TYPES, ERROR_REASONS)
)  # the readers change them in fields that hold words; in extensions nobody else does
_STEMS = tuple(stem for stem, _ in _OLD_STEMS)
# Words as the readers hold them, which are no numbers and no identities of things.
_SETTLED = frozenset(
    uri
    for words in (
        BIZ_STEPS, DISPOSITIONS, TRANSACTION_TYPES, PARTY_TYPES, ERROR_REASONS, COMPONENTS, MEASUREMENTS, EXCEPTIONS,
    )
    for uri in words.bare
)  # fmt: skip
_NUMBERS = 4_000  # remembered: measures come again and again
Names = Collection[tuple[str, str]]


def event_hash(event: Event, *, ignore: Names = ()) -> str:
    """The event's hash as a ``ni`` URI (RFC 6920)."""
    return f"ni:///sha-256;{hashlib.sha256(pre_hash(event, ignore=ignore).encode()).hexdigest()}?ver=CBV2.0"


def event_digest(event: Event, *, ignore: Names = ()) -> bytes:
    """The 32 octets of the event's hash."""
    return hashlib.sha256(pre_hash(event, ignore=ignore).encode()).digest()


def pre_hash(event: Event, *, ignore: Names = ()) -> str:
    """The string that is hashed. ``ignore``: (namespace, name) of extensions that do not count."""
    parts = [
        "eventType=",
        event.event_type._value_,  # ``value`` is a call
        "eventTime=",
        _time(event.event_time_us),
        "eventTimeZoneOffset=",
        event.zone_offset,
    ]
    if event.certification:
        parts += sorted(f"certificationInfo={_value(text)}" for text in event.certification)
    if event.parent_id is not None:
        parts += ("parentID=", _value(event.parent_id))
    if event.epcs:
        _epcs("epcList", event.epcs, parts)
    if event.input_epcs:
        _epcs("inputEPCList", event.input_epcs, parts)
    if event.child_epcs:
        _epcs("childEPCs", event.child_epcs, parts)
    if event.quantities:
        _quantities("quantityList", event.quantities, parts)
    if event.child_quantities:
        _quantities("childQuantityList", event.child_quantities, parts)
    if event.input_quantities:
        _quantities("inputQuantityList", event.input_quantities, parts)
    if event.output_epcs:
        _epcs("outputEPCList", event.output_epcs, parts)
    if event.output_quantities:
        _quantities("outputQuantityList", event.output_quantities, parts)
    if event.action is not None:
        parts += ("action=", event.action._value_)
    if event.transformation_id is not None:
        parts += ("transformationID=", _value(event.transformation_id))
    if event.biz_step is not None:
        parts += ("bizStep=", _value(event.biz_step))
    if event.disposition is not None:
        parts += ("disposition=", _value(event.disposition))
    if event.dispositions_set or event.dispositions_unset:
        parts.append("persistentDisposition")
        parts += sorted(f"set={_value(text)}" for text in event.dispositions_set)
        parts += sorted(f"unset={_value(text)}" for text in event.dispositions_unset)
    _place("readPoint", event.read_point, ignore, parts)
    _place("bizLocation", event.biz_location, ignore, parts)
    if event.sensors:
        parts.append("sensorElementList")
        parts += sorted([_sensor(sensor, ignore) for sensor in event.sensors])
    if event.transactions:
        _typed("bizTransactionList", "bizTransaction", event.transactions, parts)
    if event.destinations:
        _typed("destinationList", "destination", event.destinations, parts)
    if event.ilmd:
        parts.append("ilmd")
        parts += _extensions(event.ilmd, ignore)
    if event.sensors:
        parts += _report_rules(event.sensors)
    if event.sources:
        _typed("sourceList", "source", event.sources, parts)
    if event.extensions:
        parts += _extensions(event.extensions, ignore)
    return "".join(parts)


def _time(micros: int) -> str:
    minute, millis = divmod((micros + 500) // 1000, 60_000)
    digits = str(100_000 + millis)
    return f"{minute_text(minute)}{digits[1:3]}.{digits[3:]}Z"


def _value(text: str) -> str:
    """A value in its one form: a number as a double's shortest text, an identity as its canonical link."""
    if text in _SETTLED:
        return text
    first = text[:1]
    if first in "0123456789+-." and text and not _PLAIN(text) and _NUMBER(text):
        double = float(text)
        if double.is_integer():
            return str(int(double))
        if double not in (float("inf"), float("-inf")):
            return str(double)
    if first == "u" and text.startswith("urn:epcglobal:cbv:"):
        for stem, web in _OLD_STEMS if text.startswith(_STEMS) else ():
            if text.startswith(stem):
                return web + text[len(stem) :]
        return text
    return canonical_id(text) if ":" in text else text


@lru_cache(_NUMBERS)
def _number(value: Decimal) -> str:
    return _value(number_text(value))


def _epcs(name: str, epcs: tuple[str, ...], parts: list[str]) -> None:
    parts.append(name)
    if len(epcs) == 1:
        parts += ("epc=", canonical_ids(epcs)[0])
    else:
        parts += ("epc=", "epc=".join(sorted(canonical_ids(epcs))))


def _quantities(name: str, quantities: tuple[Quantity, ...], parts: list[str]) -> None:
    parts.append(name)
    parts += sorted(map(_quantity, quantities))


def _quantity(element: Quantity) -> str:
    text = f"quantityElementepcClass={canonical_id(element.epc_class)}"
    if element.quantity is not None:
        text += f"quantity={_number(element.quantity)}"
    return text if element.uom is None else f"{text}uom={_value(element.uom)}"


def _place(name: str, place: Place | None, ignore: Names, parts: list[str]) -> None:
    if place is not None:
        parts += (name, "id=", canonical_id(place.id))
        if place.extensions:
            parts += _extensions(place.extensions, ignore)


def _typed(name: str, entry: str, found: tuple[Typed, ...], parts: list[str]) -> None:
    parts.append(name)
    parts += sorted(
        [
            ("" if one.type is None else f"type={_value(one.type)}") + f"{entry}={_value(one.id)}"
            for one in found
        ]
    )


def _sensor(sensor: SensorElement, ignore: Names) -> str:
    parts = ["sensorElement"]
    if sensor.metadata is not None:
        parts.append(_record("sensorMetadata", _METADATA, sensor.metadata, ignore))
    parts += sorted([_record("sensorReport", _REPORT, report, ignore) for report in sensor.reports])
    if sensor.extensions:
        parts += _extensions(sensor.extensions, ignore)
    return "".join(parts)


def _report_rules(sensors: tuple[SensorElement, ...]) -> list[str]:
    """``bizRules`` of a report has no place in the standard's order, so it comes with what is left over."""
    found: list[str] = []
    for sensor in sensors:
        rules = [f"sensorReportbizRules={_value(one.biz_rules)}" for one in sensor.reports if one.biz_rules]
        if rules:
            found.append("sensorElement" + "".join(sorted(rules)))
    return ["sensorElementList", *sorted(found)] if found else []


def _text(field: Simple) -> Callable[[Any], str]:
    """How the hash writes a field of a sensor; what is empty it leaves out."""
    writers: dict[Form, Callable[[Any], str]] = {
        Form.TIME: _time,
        Form.NUMBER: _number,
        Form.BOOLEAN: lambda value: "true" if value else "false",
    }
    return writers.get(field.form, lambda value: _value(value.strip()))


_METADATA = table(SENSOR_METADATA, _text)
_REPORT = table(tuple(field for field in SENSOR_REPORT if field.name != "bizRules"), _text)


def _record(name: str, known: Table, found: SensorMetadata | SensorReport, ignore: Names) -> str:
    parts = [name]
    rows = known.rows
    for at, value in enumerate(known.values(found)):
        if value is not None:
            label, write = rows[at]
            if text := write(value):
                parts += (label, "=", text)
    if found.extensions:
        parts += _extensions(found.extensions, ignore)
    return "".join(parts)


def _extensions(found: Extensions, ignore: Names) -> list[str]:
    texts: list[str] = []
    for one in found:
        name, space = one.name, one.namespace
        if name == "comment" and (space, name) == _COMMENT:
            continue
        if ignore and (space, name) in ignore:
            continue
        text = f"{{{space}}}{name}" if space else name
        if one.text:
            text += "=" + _value(one.text)
        if one.children:
            text += "".join(_extensions(one.children, ignore))
        texts.append(text)
    texts.sort()
    return texts
