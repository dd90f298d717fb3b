"""What one event says about where things come from and where they are, as edges.

GS1 EPCIS 2.0, 7.4 (aggregation, transformation, association), CBV 2.0, 7.1 (business steps). Edges are facts with a
time and never changed: that a thing lay in a container *until* something happened follows from several of them, in
whatever order they were captured (`jinka.trace.stays`). What an error declaration voids has no edges at all.

- A transformation is a node between its inputs and its outputs, so that a thousand of each are two thousand edges;
  events with one ``transformationID`` share the node.
- A lot is a node (GTIN with batch, an LGTIN). An item belongs to it when the ILMD of its making gives the lot's number,
  or when its Digital Link names lot and serial.
- A class without a lot (a bare GTIN) is a node through which nothing can be followed: everything of that kind bears it.

It judges nothing and checks no order of events (`jinka.trace.choreography`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from jinka.codec.epcis import Action, Event, EventType, Extension, Quantity
from jinka.codec.tags import canonical_id

LOT_NAMES = frozenset({"lotNumber", "batchLotNumber", "hasBatchLotNumber"})  # CBV 9.3; GS1 Web Vocabulary
TRANSFORMATION = "transformation:"
EDGES_VERSION = 2  # what `edges_of` says of an event: with another number stores make all edges again
_STEP = "https://ref.gs1.org/cbv/BizStep-"
_STEM = "https://id.gs1.org/"
_GTIN = f"{_STEM}01/"
_GTIN_END = len(_GTIN) + 14
_LOT_TEXT_MAX = 20  # GS1 General Specifications, AI 10


class EdgeKind(IntEnum):
    """What an edge says of its two ends. The numbers are kept in stores: they are never given anew."""

    PACK = 1  # a thing is put into a container
    UNPACK = 2  # and taken out
    EMPTY = 3  # everything is taken out: from the container to itself
    SEEN_IN = 4  # a thing is seen in a container
    ATTACH = 5  # association: as PACK, and a thing may be attached to several
    DETACH = 6
    DETACH_ALL = 7
    SEEN_ON = 8
    USE = 9  # a thing goes into a transformation
    MAKE = 10  # and another one comes out
    MEMBER = 11  # a lot has an item
    AT = 12  # a thing is at a place; the step says what for
    SENT = 13  # a thing is sent to a place or a party
    BELONGS = 14  # a place is a party's: an event names both as its source or its destination
    HOLDS = 15  # what is no container by its key had something in it: from itself to itself


PACKING = (EdgeKind.PACK, EdgeKind.UNPACK, EdgeKind.EMPTY, EdgeKind.SEEN_IN)
ATTACHING = (EdgeKind.ATTACH, EdgeKind.DETACH, EdgeKind.DETACH_ALL, EdgeKind.SEEN_ON)


class Step(IntEnum):
    """The business steps of CBV 2.0, 7.1, by numbers that stores keep; OTHER for what is no word of it."""

    NONE = 0
    OTHER = 1
    ACCEPTING = 2
    ARRIVING = 3
    ASSEMBLING = 4
    COLLECTING = 5
    COMMISSIONING = 6
    CONSIGNING = 7
    CREATING_CLASS_INSTANCE = 8
    CYCLE_COUNTING = 9
    DECOMMISSIONING = 10
    DEPARTING = 11
    DESTROYING = 12
    DISASSEMBLING = 13
    DISPENSING = 14
    ENCODING = 15
    ENTERING_EXITING = 16
    HOLDING = 17
    INSPECTING = 18
    INSTALLING = 19
    KILLING = 20
    LOADING = 21
    PACKING = 22
    PICKING = 23
    RECEIVING = 24
    REMOVING = 25
    REPACKAGING = 26
    REPAIRING = 27
    REPLACING = 28
    RESERVING = 29
    RETAIL_SELLING = 30
    SAMPLING = 31
    SENSOR_REPORTING = 32
    SHIPPING = 33
    STAGING_OUTBOUND = 34
    STOCK_TAKING = 35
    STOCKING = 36
    STORING = 37
    TRANSPORTING = 38
    UNLOADING = 39
    UNPACKING = 40
    VOID_SHIPPING = 41

    @property
    def word(self) -> str:
        return self.name.lower()


STEPS = {_STEP + step.name.lower(): step for step in Step if step is not Step.NONE}
ENDS = frozenset({Step.RETAIL_SELLING, Step.DISPENSING, Step.DESTROYING, Step.DECOMMISSIONING})
LEAVES = frozenset({Step.SHIPPING, Step.DEPARTING, Step.CONSIGNING, Step.TRANSPORTING})
ARRIVES = frozenset(
    {Step.RECEIVING, Step.ARRIVING, Step.ACCEPTING, Step.UNLOADING, Step.STOCKING, Step.STORING}
)
BIRTHS = frozenset({Step.COMMISSIONING, Step.CREATING_CLASS_INSTANCE, Step.ENCODING, Step.ASSEMBLING})


class NodeSort(IntEnum):
    """What a node is. Stores keep the number in the node's id."""

    OTHER = 0
    ITEM = 1  # an instance of a trade item
    LOT = 2
    CLASS = 3  # a kind of trade item with no lot
    TRANSFORMATION = 4
    PLACE = 5
    CONTAINER = 6  # a logistic unit (SSCC) or a returnable asset (GRAI)


_SORTS = {"00": NodeSort.CONTAINER, "8003": NodeSort.CONTAINER, "414": NodeSort.PLACE, "417": NodeSort.PLACE}


class Edge(NamedTuple):
    """One fact: ``source`` and ``target`` are canonical ids, ``quantity`` is decimal text of a class, else None."""

    source: str
    kind: EdgeKind
    at_us: int
    target: str
    step: Step
    quantity: str | None = None
    uom: str | None = None


def is_lot(node: str) -> bool:
    """Whether a canonical id names a lot: a GTIN with a batch."""
    return node.startswith("/10/", _GTIN_END) and node.startswith(_GTIN)


def is_class(node: str) -> bool:
    """Whether it names a class with no lot: an item cannot be told from any other of the kind."""
    return len(node) == _GTIN_END and node.startswith(_GTIN)


def kind_of(item: str) -> str:
    """The class of an item or a lot: its GTIN as a canonical id; empty for what has none."""
    return item[:_GTIN_END] if item.startswith(_GTIN) and len(item) >= _GTIN_END else ""


def sort_of(node: str) -> NodeSort:
    """What a canonical id names."""
    if node.startswith(_GTIN):
        if is_lot(node):
            return NodeSort.LOT
        return NodeSort.CLASS if len(node) == _GTIN_END else NodeSort.ITEM
    if node.startswith(TRANSFORMATION):
        return NodeSort.TRANSFORMATION
    return _SORTS.get(node[len(_STEM) :].partition("/")[0] if node.startswith(_STEM) else "", NodeSort.OTHER)


def lot_of(item: str, lot_number: str) -> str | None:
    """The canonical id of the lot ``lot_number`` of an item's (or a class's) GTIN."""
    if not item.startswith(_GTIN) or not 0 < len(lot_number) <= _LOT_TEXT_MAX:
        return None
    made = canonical_id(f"{item[:_GTIN_END]}/10/{lot_number}")
    return made if is_lot(made) else None


def place_of(event: Event) -> str | None:
    """Where the things are after the event, or at least where they were read."""
    place = event.biz_location or event.read_point
    return None if place is None else canonical_id(place.id)


def edges_of(event: Event, *, key: str) -> list[Edge]:
    """Every edge of an event. ``key`` names it, so that a transformation without an id has a node of its own."""
    if event.error is not None:
        return []  # the event that it voids has no edges either: the store takes them away
    step = STEPS.get(event.biz_step or "", Step.OTHER if event.biz_step else Step.NONE)
    if event.event_type is EventType.TRANSFORMATION:
        return list(_transformation(event, step, key))
    return [
        *_belongings(event),
        *_grouping(event, step),
        *_sightings(event, step),
        *_members(event, event.epcs),
        *_linked(
            event, event.child_epcs if event.parent_id is None else (event.parent_id, *event.child_epcs)
        ),
    ]


def _grouping(event: Event, step: Step) -> Iterator[Edge]:
    """Aggregation and association; a DELETE that names no child empties the parent."""
    if event.parent_id is None or event.event_type is EventType.TRANSACTION or event.action is None:
        return
    attached = event.event_type is EventType.ASSOCIATION
    parent, at = canonical_id(event.parent_id), event.event_time_us
    add, delete, every, seen = ATTACHING if attached else PACKING
    kind = {Action.ADD: add, Action.DELETE: delete, Action.OBSERVE: seen}[event.action]
    if event.action is Action.DELETE and not event.child_epcs and not event.child_quantities:
        yield Edge(parent, every, at, parent, step)
    if sort_of(parent) is not NodeSort.CONTAINER:
        yield Edge(parent, EdgeKind.HOLDS, at, parent, step)
    for child in event.child_epcs:
        yield Edge(canonical_id(child), kind, at, parent, step)
    for part in _merged(event.child_quantities):
        yield Edge(canonical_id(part.epc_class), kind, at, parent, step, *_amount(part))


def _sightings(event: Event, step: Step) -> Iterator[Edge]:
    """Where the event's own things are. What lies in them is wherever they are, and has no edge of its own."""
    at, place = event.event_time_us, place_of(event)
    things: list[tuple[str, str | None, str | None]] = [(canonical_id(epc), None, None) for epc in event.epcs]
    if event.parent_id is not None:
        things.append((canonical_id(event.parent_id), None, None))
    things += [(_kind_of(part, event), *_amount(part)) for part in _merged(event.quantities)]
    if place is not None:
        for thing, quantity, uom in things:
            yield Edge(thing, EdgeKind.AT, at, place, step, quantity, uom)
    target = _destination(event)
    if target is not None and step in LEAVES:
        for thing, quantity, uom in things:
            yield Edge(thing, EdgeKind.SENT, at, target, step, quantity, uom)


def _destination(event: Event) -> str | None:
    """Where it is sent: the place before who shall possess it before who shall own it (CBV 2.0, 7.4)."""
    best: tuple[int, str] | None = None
    for each in event.destinations:
        kind = (each.type or "").rsplit("-", 1)[-1]
        rank = {"location": 0, "possessing_party": 1, "owning_party": 2}.get(kind, 3)
        if best is None or rank < best[0]:
            best = (rank, each.id)
    return None if best is None else canonical_id(best[1])


def _belongings(event: Event) -> Iterator[Edge]:
    """Whose the places are between which goods move: the party that shall possess them there (CBV 2.0, 7.4)."""
    for listed in (event.sources, event.destinations):
        if len(listed) < 2:
            continue
        kinds = {(each.type or "").rsplit("-", 1)[-1]: canonical_id(each.id) for each in listed}
        if "location" in kinds and "possessing_party" in kinds:
            yield Edge(
                kinds["location"], EdgeKind.BELONGS, event.event_time_us, kinds["possessing_party"], Step.NONE
            )


def _transformation(event: Event, step: Step, key: str) -> Iterator[Edge]:
    node = TRANSFORMATION + (canonical_id(event.transformation_id) if event.transformation_id else key)
    at, place = event.event_time_us, place_of(event)
    if place is not None:
        yield Edge(node, EdgeKind.AT, at, place, step)
    for epc in event.input_epcs:
        yield Edge(canonical_id(epc), EdgeKind.USE, at, node, step)
    yield from _linked(event, event.input_epcs)
    for part in _merged(event.input_quantities):
        yield Edge(canonical_id(part.epc_class), EdgeKind.USE, at, node, step, *_amount(part))
    for epc in event.output_epcs:
        yield Edge(node, EdgeKind.MAKE, at, canonical_id(epc), step)
    outputs = set()
    for part in _merged(event.output_quantities):
        outputs.add(made := _kind_of(part, event))
        yield Edge(node, EdgeKind.MAKE, at, made, step, *_amount(part))
    for edge in _members(event, event.output_epcs):
        if edge.source not in outputs:  # the lot itself comes out too, of which these items are
            outputs.add(edge.source)
            yield Edge(node, EdgeKind.MAKE, at, edge.source, step)
        yield edge


def _members(event: Event, epcs: tuple[str, ...]) -> Iterator[Edge]:
    """Which lot each item is of: by the link that names both, or by the lot number of the event's ILMD."""
    number, at = _lot_number(event.ilmd), event.event_time_us
    for text in epcs:
        own = _lot_in_link(text) if "/10/" in text else number
        if own and (lot := lot_of(item := canonical_id(text), own)) is not None:
            yield Edge(lot, EdgeKind.MEMBER, at, item, Step.NONE)


def _linked(event: Event, epcs: tuple[str, ...]) -> Iterator[Edge]:
    """The lots that links of containers, parts and inputs name; the ILMD speaks of what is made, not of these."""
    links = tuple(text for text in epcs if "/10/" in text)
    return _members(event, links) if links else iter(())


def _kind_of(part: Quantity, event: Event) -> str:
    """The lot or class of a quantity; what is made under a lot number in the ILMD is that lot's."""
    node = canonical_id(part.epc_class)
    if is_class(node) and event.ilmd and (number := _lot_number(event.ilmd)):
        return lot_of(node, number) or node
    return node


def _lot_number(ilmd: tuple[Extension, ...]) -> str:
    return next((each.text.strip() for each in ilmd if each.name in LOT_NAMES and each.text), "")


def _lot_in_link(text: str) -> str:
    return text.partition("/10/")[2].partition("/")[0] if "/21/" in text else ""


def _merged(parts: tuple[Quantity, ...]) -> Iterable[Quantity]:
    """Elements of one class and one unit are one amount; of an unknown one, or in two units, it is unknown."""
    if len(parts) < 2:
        return parts
    made: dict[str, Quantity] = {}
    for part in parts:
        node = canonical_id(part.epc_class)
        known = made.get(node)
        if known is None:
            made[node] = part
        elif known.quantity is None or part.quantity is None or known.uom != part.uom:
            made[node] = Quantity(epc_class=part.epc_class)
        else:
            made[node] = Quantity(
                epc_class=part.epc_class, quantity=known.quantity + part.quantity, uom=part.uom
            )
    return made.values()


def _amount(part: Quantity) -> tuple[str | None, str | None]:
    return None if part.quantity is None else format(part.quantity, "f"), part.uom
