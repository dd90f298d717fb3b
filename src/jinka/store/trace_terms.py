"""What an EPCIS event can be found by: the rows of `trace_terms` and `trace_numbers` that it gets.

EPCIS 2.0, 8.2.7.1: each parameter of SimpleEventQuery looks at a field; `Field` names those that are asked for
equality or existence, `Measure` those that are compared. Identifiers are held in their canonical form, so a URN and a
Digital Link are found by either; measures in the base unit of their dimension, so 20 CEL is found as 68 FAH.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import IntEnum
from math import isfinite

from jinka.codec.epcis import Event, Extension, Place, Quantity, SensorElement, SensorReport
from jinka.codec.epcis.model import Extensions
from jinka.codec.epcis.scalars import time_us
from jinka.codec.epcis.units import Scaled, scaled
from jinka.codec.tags import canonical_id
from jinka.kit import Refused

# Characters that are looked at: a row of PostgreSQL's index has 2,704 bytes, and a character up to four.
VALUE_MAX = 600
ATTRIBUTE_MAX = 200  # of master data, whose row has an identifier besides


class Field(IntEnum):
    """What a term is; the numbers are in the database and stay."""

    TYPE = 1
    ACTION = 2
    BIZ_STEP = 3
    DISPOSITION = 4
    READ_POINT = 5
    BIZ_LOCATION = 6
    EPC = 7
    PARENT = 8
    INPUT = 9
    OUTPUT = 10
    EPC_CLASS = 11
    INPUT_CLASS = 12
    OUTPUT_CLASS = 13
    TRANSFORMATION = 14
    TRANSACTION = 15  # type and id
    SOURCE = 16
    DESTINATION = 17
    DISPOSITION_SET = 18
    DISPOSITION_UNSET = 19
    ERROR = 20  # its value is empty: the event is declared to be an error
    ERROR_REASON = 21
    CORRECTIVE_ID = 22
    SENSOR = 23  # empty: there is a sensor element
    REPORT_TYPE = 24
    DEVICE = 25
    PROCESSING = 26
    MICROORGANISM = 27
    SUBSTANCE = 28
    BIZ_RULES = 29
    STRING_VALUE = 30
    HEX_VALUE = 31
    URI_VALUE = 32
    BOOLEAN_VALUE = 33
    # Extensions, each "{namespace}name" for existence and "{namespace}name=text" for equality; INNER: +20
    EXTENSION = 40
    ILMD = 41
    ERROR_EXTENSION = 42
    SENSOR_EXTENSION = 43
    METADATA_EXTENSION = 44
    REPORT_EXTENSION = 45
    READ_POINT_EXTENSION = 46
    BIZ_LOCATION_EXTENSION = 47
    INNER_EXTENSION = 60
    INNER_ILMD = 61
    INNER_ERROR_EXTENSION = 62
    INNER_SENSOR_EXTENSION = 63
    INNER_METADATA_EXTENSION = 64
    INNER_REPORT_EXTENSION = 65
    INNER_READ_POINT_EXTENSION = 66
    INNER_BIZ_LOCATION_EXTENSION = 67


INNER = 20
TIMES = 100  # added to an extension's field: its times, in microseconds, as a measure


class Measure(IntEnum):
    """What a number is; extensions have the numbers of their field, and `TIMES` more for times."""

    QUANTITY = 1  # name: empty, or the dimension
    VALUE = 2
    MIN = 3
    MAX = 4
    MEAN = 5
    DEVIATION = 6
    PERCENTILE = 7  # percValue
    RANK = 8  # percRank
    DECLARED = 9
    TIME = 10
    START = 11
    END = 12


Term = tuple[int, str]
Number = tuple[int, str, float]


def terms_of(event: Event) -> set[Term]:
    """All terms of an event."""
    found: set[Term] = {(Field.TYPE, event.event_type.value)}
    add = found.add
    if event.action is not None:
        add((Field.ACTION, event.action.value))
    for field, word in ((Field.BIZ_STEP, event.biz_step), (Field.DISPOSITION, event.disposition)):
        if word is not None:
            add((field, word[:VALUE_MAX]))
    for field, place in ((Field.READ_POINT, event.read_point), (Field.BIZ_LOCATION, event.biz_location)):
        if place is not None:
            add((field, canonical(place.id)))
    if event.parent_id is not None:
        add((Field.PARENT, canonical(event.parent_id)))
    if event.transformation_id is not None:
        add((Field.TRANSFORMATION, canonical(event.transformation_id)))
    for field, epcs in (
        (Field.EPC, event.epcs), (Field.EPC, event.child_epcs), (Field.INPUT, event.input_epcs),
        (Field.OUTPUT, event.output_epcs), (Field.DISPOSITION_SET, event.dispositions_set),
        (Field.DISPOSITION_UNSET, event.dispositions_unset),
    ):  # fmt: skip
        found.update([(field, canonical(epc)) for epc in epcs])
    for field, quantities in (
        (Field.EPC_CLASS, event.quantities), (Field.EPC_CLASS, event.child_quantities),
        (Field.INPUT_CLASS, event.input_quantities), (Field.OUTPUT_CLASS, event.output_quantities),
    ):  # fmt: skip
        found.update([(field, canonical(quantity.epc_class)) for quantity in quantities])
    for field, typed in (
        (Field.TRANSACTION, event.transactions), (Field.SOURCE, event.sources),
        (Field.DESTINATION, event.destinations),
    ):  # fmt: skip
        found.update([(field, typed_value(one.type or "", one.id)) for one in typed])
    if event.error is not None:
        found.update(_error_terms(event))
    for sensor in event.sensors:
        found.update(_sensor_terms(sensor))
    for field, extensions in _extensions(event):
        _extension_terms(found, field, extensions)
    return found


def numbers_of(event: Event) -> set[Number]:
    """All numbers of an event."""
    found: set[Number] = set()
    for quantity in event.all_quantities():
        found.update(_quantity_numbers(quantity))
    if event.error is not None:
        found.add((Measure.DECLARED, "", float(event.error.declaration_time_us)))
    for sensor in event.sensors:
        found.update(_sensor_numbers(sensor))
    for field, extensions in _extensions(event):
        _extension_numbers(found, field, extensions)
    return found


def canonical(identifier: str) -> str:
    """How an identifier stands in a term."""
    return canonical_id(identifier)[:VALUE_MAX]


def typed_value(type_: str, identifier: str) -> str:
    """How a transaction, a source or a destination stands in a term."""
    return f"{type_}\x1f{canonical(identifier)}"[:VALUE_MAX]


def field_name(namespace: str, name: str) -> str:
    """How an extension's name stands in a term."""
    return f"{{{namespace}}}{name}"[:VALUE_MAX]


def field_value(name: str, text: str) -> str:
    """How an extension's text stands in a term."""
    return f"{name}={text}"[:VALUE_MAX]


def plain_number(text: str) -> float | None:
    """The number that a text is, as an extension's value; None for another text, or one beyond a float's bounds."""
    if len(text) > 64 or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if isfinite(number) else None


def plain_time(text: str) -> int | None:
    """The time that a text is, in microseconds since 1970; None for another text, and for a time without a zone."""
    if len(text) < 20 or text[10] != "T":
        return None
    try:
        return time_us(text)
    except Refused:
        return None


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def _error_terms(event: Event) -> Iterator[Term]:
    error = event.error
    assert error is not None
    yield Field.ERROR, ""
    if error.reason is not None:
        yield Field.ERROR_REASON, error.reason[:VALUE_MAX]
    for id_ in error.corrective_event_ids:
        yield Field.CORRECTIVE_ID, id_[:VALUE_MAX]


_REPORT_FIELDS = (
    (Field.REPORT_TYPE, "type"), (Field.DEVICE, "device_id"), (Field.PROCESSING, "data_processing_method"),
    (Field.MICROORGANISM, "microorganism"), (Field.SUBSTANCE, "chemical_substance"),
    (Field.BIZ_RULES, "biz_rules"), (Field.STRING_VALUE, "string_value"), (Field.HEX_VALUE, "hex_binary_value"),
    (Field.URI_VALUE, "uri_value"),
)  # fmt: skip
_METADATA_FIELDS = (
    (Field.DEVICE, "device_id"),
    (Field.PROCESSING, "data_processing_method"),
    (Field.BIZ_RULES, "biz_rules"),
)


def _sensor_terms(sensor: SensorElement) -> Iterator[Term]:
    yield Field.SENSOR, ""
    if sensor.metadata is not None:
        for field, name in _METADATA_FIELDS:
            if (value := getattr(sensor.metadata, name)) is not None:
                yield field, canonical(value)
    for report in sensor.reports:
        for field, name in _REPORT_FIELDS:
            if (value := getattr(report, name)) is not None:
                yield field, value.lower()[:VALUE_MAX] if field is Field.HEX_VALUE else canonical(value)
        if report.boolean_value is not None:
            yield Field.BOOLEAN_VALUE, str(report.boolean_value).lower()


_REPORT_MEASURES = (
    (Measure.VALUE, "value"), (Measure.MIN, "min_value"), (Measure.MAX, "max_value"),
    (Measure.MEAN, "mean_value"), (Measure.PERCENTILE, "perc_value"),
)  # fmt: skip


def _sensor_numbers(sensor: SensorElement) -> Iterator[Number]:
    metadata = sensor.metadata
    if metadata is not None:
        for measure, micros in (
            (Measure.TIME, metadata.time_us), (Measure.START, metadata.start_time_us),
            (Measure.END, metadata.end_time_us),
        ):  # fmt: skip
            if micros is not None:
                yield measure, "", float(micros)
    for report in sensor.reports:
        if report.time_us is not None:
            yield Measure.TIME, "", float(report.time_us)
        yield from _report_numbers(report)


def _report_numbers(report: SensorReport) -> Iterator[Number]:
    for measure, name in _REPORT_MEASURES:
        if (value := getattr(report, name)) is not None:
            yield measured(measure, value, report.uom or "")
    if report.s_dev is not None:
        yield measured(Measure.DEVIATION, report.s_dev, report.uom or "")
    if report.perc_rank is not None:
        yield Measure.RANK, "", float(report.perc_rank)


def measured(measure: Measure, value: Decimal, uom: str) -> Number:
    """A measure in the base unit of its dimension; a difference (a deviation) is scaled and not shifted."""
    found: Scaled = scaled(value, uom, difference=measure is Measure.DEVIATION)
    return measure, found.dimension, found.value


def _quantity_numbers(quantity: Quantity) -> Iterator[Number]:
    if quantity.quantity is not None:
        yield Measure.QUANTITY, "", float(quantity.quantity)
        if quantity.uom:
            yield measured(Measure.QUANTITY, quantity.quantity, quantity.uom)


def _extensions(event: Event) -> Iterator[tuple[Field, Extensions]]:
    """Every place where an event may be extended."""
    if event.extensions:
        yield Field.EXTENSION, event.extensions
    if event.ilmd:
        yield Field.ILMD, event.ilmd
    if event.error is not None and event.error.extensions:
        yield Field.ERROR_EXTENSION, event.error.extensions
    for sensor in event.sensors:
        yield Field.SENSOR_EXTENSION, sensor.extensions
        if sensor.metadata is not None:
            yield Field.METADATA_EXTENSION, sensor.metadata.extensions
        for report in sensor.reports:
            yield Field.REPORT_EXTENSION, report.extensions
    places: tuple[tuple[Field, Place | None], ...] = (
        (Field.READ_POINT_EXTENSION, event.read_point),
        (Field.BIZ_LOCATION_EXTENSION, event.biz_location),
    )
    for field, place in places:
        if place is not None and place.extensions:
            yield field, place.extensions


def _walk(field: int, extensions: Extensions) -> Iterator[tuple[int, Extension]]:
    """Each extension with the number of its field; those inside others are INNER ones."""
    waiting = [(field, extension) for extension in extensions]
    while waiting:
        at, extension = waiting.pop()
        yield at, extension
        inner = at if at >= field + INNER else at + INNER
        waiting.extend((inner, child) for child in extension.children)


def _extension_terms(found: set[Term], field: Field, extensions: Extensions) -> None:
    for at, extension in _walk(field, extensions):
        name = field_name(extension.namespace, extension.name)
        found.add((at, name))
        if extension.text:
            found.add((at, field_value(name, extension.text)))


def _extension_numbers(found: set[Number], field: Field, extensions: Extensions) -> None:
    for at, extension in _walk(field, extensions):
        name, text = field_name(extension.namespace, extension.name), extension.text
        if (number := plain_number(text)) is not None:
            found.add((at, name, number))
        elif (micros := plain_time(text)) is not None:
            found.add((at + TIMES, name, float(micros)))
