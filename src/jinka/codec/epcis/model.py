"""The one form in which Jinka holds an EPCIS event, whatever it was written in.

GS1 EPCIS 2.0 clause 7 (the data model of events: what, when, where, why and how). JSON and XML readers make these
values, the writers, the store, the rules and the event hash take them. Normal forms, so that two documents which mean
the same are equal here:

- times are UTC microseconds since 1970 (what is finer is cut off); `Event.zone_offset` is ``eventTimeZoneOffset``
  verbatim;
- words of the Core Business Vocabulary are full web URIs (``https://ref.gs1.org/cbv/BizStep-shipping``,
  ``https://gs1.org/voc/Temperature``), whether they came as a bare word, a CURIE or a URN;
- identifiers (EPCs, classes, places, parties, documents) are as they came: `jinka.codec.tags` says which are the same;
  one that stands twice in a list stands there once;
- numbers are `Decimal`, exactly as written;
- extensions are trees of (namespace, name, text): an XML attribute and a child element are one thing, siblings of
  one name stand together (a JSON array), a JSON array of one value is that value.

It judges nothing: neither vocabulary nor choreography. `Event.prefixes` is a hint for writers and no part of equality.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from jinka.kit.frozen import quick


class EventType(Enum):
    """The five kinds of event, EPCIS 2.0 clause 7.4; extended types are refused by the readers."""

    OBJECT = "ObjectEvent"
    AGGREGATION = "AggregationEvent"
    TRANSACTION = "TransactionEvent"
    TRANSFORMATION = "TransformationEvent"
    ASSOCIATION = "AssociationEvent"


class Action(Enum):
    """What an event does to its object's life, its group or its transaction, clause 7.3."""

    ADD = "ADD"
    OBSERVE = "OBSERVE"
    DELETE = "DELETE"


class Kind(Enum):
    """How the text of an extension is written in JSON: ``"12"``, ``12`` or ``true``."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A vendor's or user's field: ``{namespace}name = text``, or children, or both (text beside attributes)."""

    namespace: str  # "" only inside another extension
    name: str
    text: str = ""
    kind: Kind = Kind.STRING
    children: tuple[Extension, ...] = ()


Extensions = tuple[Extension, ...]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """So much of a class: without a unit, a count; without a quantity, an unknown one."""

    epc_class: str
    quantity: Decimal | None = None
    uom: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A read point or a business location."""

    id: str
    extensions: Extensions = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A business transaction, a source or a destination: an identifier with its type as a full URI."""

    id: str
    type: str | None = None  # a source and a destination always have one


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDeclaration:
    """The event never happened, or its data are wrong; what holds instead is named, if known."""

    declaration_time_us: int
    reason: str | None = None
    corrective_event_ids: tuple[str, ...] = ()
    extensions: Extensions = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SensorMetadata:
    """What holds for all reports of a sensor element."""

    time_us: int | None = None
    start_time_us: int | None = None
    end_time_us: int | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    extensions: Extensions = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SensorReport:
    """One property that was measured or derived."""

    type: str | None = None  # None only beside an exception
    exception: str | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    time_us: int | None = None
    microorganism: str | None = None
    chemical_substance: str | None = None
    coordinate_reference_system: str | None = None
    value: Decimal | None = None
    component: str | None = None
    string_value: str | None = None
    boolean_value: bool | None = None
    hex_binary_value: str | None = None
    uri_value: str | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    mean_value: Decimal | None = None
    s_dev: Decimal | None = None
    perc_rank: Decimal | None = None
    perc_value: Decimal | None = None
    uom: str | None = None
    extensions: Extensions = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class SensorElement:
    """Reports with what they share."""

    metadata: SensorMetadata | None = None
    reports: tuple[SensorReport, ...] = ()
    extensions: Extensions = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One EPCIS event. Fields that its type does not have are empty; lists keep their order."""

    event_type: EventType
    event_time_us: int
    zone_offset: str
    event_id: str | None = None
    record_time_us: int | None = None
    certification: tuple[str, ...] = ()
    error: ErrorDeclaration | None = None
    action: Action | None = None  # None in a transformation alone
    # What
    epcs: tuple[str, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    parent_id: str | None = None
    child_epcs: tuple[str, ...] = ()
    child_quantities: tuple[Quantity, ...] = ()
    input_epcs: tuple[str, ...] = ()
    input_quantities: tuple[Quantity, ...] = ()
    output_epcs: tuple[str, ...] = ()
    output_quantities: tuple[Quantity, ...] = ()
    transformation_id: str | None = None
    # Where
    read_point: Place | None = None
    biz_location: Place | None = None
    # Why
    biz_step: str | None = None
    disposition: str | None = None
    dispositions_set: tuple[str, ...] = ()  # persistentDisposition
    dispositions_unset: tuple[str, ...] = ()
    transactions: tuple[Typed, ...] = ()
    sources: tuple[Typed, ...] = ()
    destinations: tuple[Typed, ...] = ()
    # How
    sensors: tuple[SensorElement, ...] = ()
    # The rest
    ilmd: Extensions = ()
    extensions: Extensions = ()
    prefixes: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)

    def all_quantities(self) -> Iterator[Quantity]:
        """Every quantity element, whichever list it stands in."""
        yield from self.quantities
        yield from self.child_quantities
        yield from self.input_quantities
        yield from self.output_quantities

    def all_epcs(self) -> Iterator[str]:
        """Every instance identifier of the dimension What, the parent first (it is what MATCH_anyEPC looks at)."""
        if self.parent_id is not None:
            yield self.parent_id
        yield from self.epcs
        yield from self.child_epcs
        yield from self.input_epcs
        yield from self.output_epcs


@dataclass(frozen=True, slots=True, kw_only=True)
class VocabularyElement:
    """One entry of master data: an identifier, its attributes and its children.

    An attribute is its id and its value: an `Extension` without namespace, called ``attribute``.
    """

    id: str
    attributes: tuple[tuple[str, Extension], ...] = ()
    children: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Master data of one type: in the header of a document, or the answer to a query for it."""

    type: str
    elements: tuple[VocabularyElement, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A capture document, or the answer to a query (then `query_name` is set)."""

    events: tuple[Event, ...]
    creation_time_us: int | None = None
    schema_version: str = "2.0"
    id: str | None = None
    sender: str | None = None
    receiver: str | None = None
    instance_identifier: str | None = None
    vocabularies: tuple[Vocabulary, ...] = ()
    query_name: str | None = None
    subscription_id: str | None = None
    extensions: Extensions = ()
    prefixes: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
