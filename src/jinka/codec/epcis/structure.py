"""What every event must have, whatever it was written in: the rules that are those of its type, not of a vocabulary.

EPCIS 2.0 clause 7.4 (the tables of each event type) and 7.3 (quantity elements), and the conditions of its JSON schema.
Called by every reader on what it read, so that what Jinka holds can be written in every form. Whether a story makes
sense is for `trace`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from jinka.codec.epcis.model import Action, Event, EventType, Quantity, SensorReport
from jinka.kit.errors import Refused


def check_event(event: Event) -> None:
    """Raise `Refused`, with the name of the field, for an event that lacks what its type needs."""
    kind = event.event_type
    if (event.action is None) != (kind is EventType.TRANSFORMATION):
        raise Refused("the action is missing", where="/action", fix="ADD, OBSERVE or DELETE")
    if event.ilmd and event.action not in (None, Action.ADD):
        raise Refused("master data of instances and lots belong to ADD", where="/ilmd", fix="leave it out")
    if kind is EventType.TRANSFORMATION:
        _transformation(event)
    elif kind is EventType.AGGREGATION or kind is EventType.ASSOCIATION:
        _group(event)
    elif kind is EventType.TRANSACTION and not event.transactions:
        raise Refused("names no transaction", where="/bizTransactionList", fix="at least one")


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
    if event.parent_id is None and (
        event.action is not Action.OBSERVE or event.event_type is EventType.ASSOCIATION
    ):
        raise Refused("names no parent", where="/parentID", fix="only an observed aggregation may do without")
    if event.action is not Action.DELETE:
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
