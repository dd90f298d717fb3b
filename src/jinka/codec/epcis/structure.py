"""What every event must have, whatever it was written in: the rules that are those of its type, not of a vocabulary.

EPCIS 2.0 clause 7.4 (the tables of each event type) and 7.3 (quantity elements), and the conditions of its JSON schema.
Called by every reader on what it read, so that what Jinka holds can be written in every form. Whether a story makes
sense is for `trace`.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter

from jinka.codec.epcis.fields import EPC_LISTS, QUANTITY_LISTS, TYPED_LISTS
from jinka.codec.epcis.model import Action, Event, EventType, Extension, Quantity, SensorReport
from jinka.codec.epcis.namespaces import event_extensions, names_of
from jinka.kit.errors import Refused

# What one event may hold: each is a row or more by which it is found, written before any other event's.
THINGS_MAX = 100_000  # identifiers, quantities, transactions, parties
FACTS_MAX = 20_000  # sensor reports, values of extensions and of master data
NAMESPACES_MAX = 100  # of extensions: what is kept of an event declares them all
_LISTS: Mapping[str, str] = {  # name -> attribute
    **EPC_LISTS,
    **QUANTITY_LISTS,
    **{name: attribute for name, (attribute, _) in TYPED_LISTS.items()},
    "certificationInfo": "certification",
    "persistentDisposition/set": "dispositions_set",
    "persistentDisposition/unset": "dispositions_unset",
}
# To look a member up by its name is dear.
_AGGREGATION, _TRANSACTION = EventType.AGGREGATION, EventType.TRANSACTION
_TRANSFORMATION, _ASSOCIATION = EventType.TRANSFORMATION, EventType.ASSOCIATION
_ADD, _OBSERVE, _DELETE = Action.ADD, Action.OBSERVE, Action.DELETE
_lists = attrgetter(*_LISTS.values())


def check_event(event: Event) -> None:
    """Raise `Refused`, with the name of the field, for an event that lacks what its type needs."""
    kind = event.event_type
    if (event.action is None) != (kind is _TRANSFORMATION):
        raise Refused("the action is missing", where="/action", fix="ADD, OBSERVE or DELETE")
    if event.ilmd and event.action not in (None, _ADD):
        raise Refused("master data of instances and lots belong to ADD", where="/ilmd", fix="leave it out")
    if kind is _TRANSFORMATION:
        _transformation(event)
    elif kind is _AGGREGATION or kind is _ASSOCIATION:
        _group(event)
    elif kind is _TRANSACTION and not event.transactions:
        raise Refused("names no transaction", where="/bizTransactionList", fix="at least one")


def check_size(event: Event, *, octets: int = sys.maxsize) -> None:
    """Raise `Refused` for an event of more values than are taken of one, with the field that has most of them.

    For who reads documents: what is kept was let in. A document of few ``octets`` has no more things than these.
    """
    if octets > THINGS_MAX and sum(map(len, _lists(event))) > THINGS_MAX:
        sizes = dict(zip(_LISTS, map(len, _lists(event)), strict=True))
        _too_many(sizes, THINGS_MAX, "identifiers and quantities")
    error = event.error
    count = _values(event.extensions) + _values(event.ilmd)
    if event.sensors:
        count += _sensor_values(event)
    for place in (event.read_point, event.biz_location):
        if place is not None and place.extensions:
            count += _values(place.extensions)
    if error is not None:
        count += len(error.corrective_event_ids) + _values(error.extensions)
    if count > FACTS_MAX:
        _too_many(_facts(event), FACTS_MAX, "sensor reports and values of extensions")
    if count > NAMESPACES_MAX and len(names_of(event_extensions(event))[0]) > NAMESPACES_MAX:
        sizes, fix = _facts(event), f"at most {NAMESPACES_MAX} in one event"
        raise Refused(
            "extensions of too many namespaces", where=f"/{max(sizes, key=sizes.__getitem__)}", fix=fix
        )


def _facts(event: Event) -> dict[str, int]:
    """How many values stand in each field, by the names of fields."""
    sizes = {"sensorElementList": _sensor_values(event), "ilmd": _values(event.ilmd)}
    if event.error is not None:
        sizes["errorDeclaration"] = _values(event.error.extensions)
        sizes["errorDeclaration/correctiveEventIDs"] = len(event.error.corrective_event_ids)
    for name, place in (("readPoint", event.read_point), ("bizLocation", event.biz_location)):
        sizes[name] = 0 if place is None else _values(place.extensions)
    prefixes = {namespace: f"{prefix}:" for prefix, namespace in event.prefixes}
    for tree in event.extensions:
        name = prefixes.get(tree.namespace, "") + tree.name
        sizes[name] = sizes.get(name, 0) + _values((tree,))
    return sizes


def _sensor_values(event: Event) -> int:
    """Reports of sensors, and the values that extend them."""
    count = 0
    for sensor in event.sensors:
        count += len(sensor.reports)
        for one in (sensor, sensor.metadata, *sensor.reports):
            if one is not None and one.extensions:
                count += _values(one.extensions)
    return count


def _values(trees: tuple[Extension, ...]) -> int:
    """How many values trees have, whole trees and their parts."""
    if not trees:
        return 0
    count, todo = 0, [trees]
    while todo:
        some = todo.pop()
        count += len(some)
        for one in some:
            if one.children:
                todo.append(one.children)
    return count


def _too_many(sizes: Mapping[str, int], most: int, what: str) -> None:
    name = max(sizes, key=sizes.__getitem__)
    fix = f"at most {most} in one event: several events"
    raise Refused(f"{sum(sizes.values())} {what}", where=f"/{name}", fix=fix)


def once(ids: Iterable[str]) -> tuple[str, ...]:
    """A list of identifiers without those that stand in it again: it says no more than once what they are."""
    return tuple(dict.fromkeys(ids))


def check_report(report: SensorReport, where: str) -> None:
    """Raise `Refused` for a report of nothing: neither of a measurement nor of an exception (``where`` it is said)."""
    if report.type is None and report.exception is None:
        raise Refused("is missing", where=where, fix="what was measured")


def check_quantity(element: Quantity) -> None:
    """Raise `Refused` for a quantity that cannot be one: not positive, or a count that is not whole."""
    amount = element.quantity
    if amount is None:
        if element.uom is not None:
            raise Refused("a unit without a quantity", where="/uom", fix="both or neither")
    elif amount <= 0:
        raise Refused(f"{amount} is no quantity", where="/quantity", fix="more than nothing")
    elif element.uom is None and amount != amount.to_integral_value():
        raise Refused(f"{amount} is no count", where="/quantity", fix="a whole number, or a unit (uom)")


def _group(event: Event) -> None:
    if event.parent_id is None and (event.action is not _OBSERVE or event.event_type is _ASSOCIATION):
        raise Refused("names no parent", where="/parentID", fix="only an observed aggregation may do without")
    if event.action is not _DELETE:
        _some("names no child", "/childEPCs", event.child_epcs, event.child_quantities)


def _transformation(event: Event) -> None:
    if event.transformation_id is None:
        _some("has no input", "/inputEPCList", event.input_epcs, event.input_quantities)
        _some("has no output", "/outputEPCList", event.output_epcs, event.output_quantities)
    else:
        lists = (event.input_epcs, event.input_quantities, event.output_epcs, event.output_quantities)
        _some("has neither input nor output", "/inputEPCList", *lists)


def _some(what: str, where: str, *lists: Collection[object]) -> None:
    if not any(lists):
        raise Refused(what, where=where, fix="at least one identifier or quantity")
