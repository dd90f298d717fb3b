"""Which fields an event has, as tables that readers, writers and the hash share.

EPCIS 2.0 clause 7.4 and the order of its XML schema. A field's name is the same in JSON and XML; what differs between
the two lies in the readers and writers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from jinka.codec.epcis.model import EventType
from jinka.codec.epcis.vocabulary import COMPONENTS, EXCEPTIONS, MEASUREMENTS, Words


class Form(Enum):
    """What a simple value is."""

    URI = "URI"
    WORD = "word"  # of a vocabulary, or somebody's URI
    TIME = "time"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    HEX = "hexadecimal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """A simple field: its name in documents, its attribute in the model, its form."""

    name: str
    attribute: str
    form: Form
    words: Words | None = None


def _simple(line: str, words: Mapping[str, Words] | None = None) -> tuple[Simple, ...]:
    found = list[Simple]()
    for entry in line.split():
        name, attribute, form = entry.split(":")
        found.append(
            Simple(name=name, attribute=attribute or name, form=Form[form], words=(words or {}).get(name))
        )
    return tuple(found)


# In the order of the event hash (CBV 2.0, 8.9), which is that of the standard's tables.
SENSOR_METADATA = _simple(
    "time:time_us:TIME startTime:start_time_us:TIME endTime:end_time_us:TIME deviceID:device_id:URI "
    "deviceMetadata:device_metadata:URI rawData:raw_data:URI dataProcessingMethod:data_processing_method:URI "
    "bizRules:biz_rules:URI"
)
SENSOR_REPORT = _simple(
    "type::WORD exception::WORD deviceID:device_id:URI deviceMetadata:device_metadata:URI rawData:raw_data:URI "
    "dataProcessingMethod:data_processing_method:URI bizRules:biz_rules:URI time:time_us:TIME microorganism::URI "
    "chemicalSubstance:chemical_substance:URI value::NUMBER component::WORD stringValue:string_value:TEXT "
    "booleanValue:boolean_value:BOOLEAN hexBinaryValue:hex_binary_value:HEX uriValue:uri_value:URI "
    "minValue:min_value:NUMBER maxValue:max_value:NUMBER meanValue:mean_value:NUMBER sDev:s_dev:NUMBER "
    "percRank:perc_rank:NUMBER percValue:perc_value:NUMBER uom::TEXT "
    "coordinateReferenceSystem:coordinate_reference_system:URI",
    {"type": MEASUREMENTS, "exception": EXCEPTIONS, "component": COMPONENTS},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Simple fields with the function that writes each: `values` takes all at once from what has them."""

    values: Callable[[Any], tuple[Any, ...]]
    rows: tuple[tuple[str, Callable[[Any], str]], ...]  # the name, the writer


def table(fields: tuple[Simple, ...], write: Callable[[Simple], Callable[[Any], str]]) -> Table:
    """The table of some fields; ``write`` gives the writer of one."""
    return Table(
        values=attrgetter(*(field.attribute for field in fields)),
        rows=tuple((field.name, write(field)) for field in fields),
    )


# Lists of identifiers, and lists of quantities: name in documents -> attribute in the model.
EPC_LISTS: Mapping[str, str] = {
    "epcList": "epcs",
    "childEPCs": "child_epcs",
    "inputEPCList": "input_epcs",
    "outputEPCList": "output_epcs",
}
QUANTITY_LISTS: Mapping[str, str] = {
    "quantityList": "quantities",
    "childQuantityList": "child_quantities",
    "inputQuantityList": "input_quantities",
    "outputQuantityList": "output_quantities",
}
# Lists of typed identifiers: name -> (attribute, name of one entry).
TYPED_LISTS: Mapping[str, tuple[str, str]] = {
    "bizTransactionList": ("transactions", "bizTransaction"),
    "sourceList": ("sources", "source"),
    "destinationList": ("destinations", "destination"),
}

_TAIL = "sourceList destinationList sensorElementList persistentDisposition"
_WHERE = "bizStep disposition readPoint bizLocation"
# The fields of each type after those that all have, in the order of the XML schema.
_LINES: Mapping[EventType, str] = {
    EventType.OBJECT: f"epcList action {_WHERE} bizTransactionList quantityList {_TAIL} ilmd",
    EventType.AGGREGATION: f"parentID childEPCs action {_WHERE} bizTransactionList childQuantityList {_TAIL}",
    EventType.TRANSACTION: f"bizTransactionList parentID epcList action {_WHERE} quantityList {_TAIL}",
    EventType.TRANSFORMATION: (
        "inputEPCList inputQuantityList outputEPCList outputQuantityList transformationID "
        f"{_WHERE} bizTransactionList {_TAIL} ilmd"
    ),
    EventType.ASSOCIATION: f"parentID childEPCs childQuantityList action {_WHERE} bizTransactionList {_TAIL}",
}
ORDER: Mapping[EventType, tuple[str, ...]] = {kind: tuple(line.split()) for kind, line in _LINES.items()}
COMMON = (
    "eventTime",
    "recordTime",
    "eventTimeZoneOffset",
    "eventID",
    "errorDeclaration",
    "certificationInfo",
)
ALLOWED: Mapping[EventType, frozenset[str]] = {
    kind: frozenset((*COMMON, *names)) for kind, names in ORDER.items()
}
