"""Small chains for the tests: events in short words, and links in memory that answer as a store does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from jinka.codec.epcis import Action, Event, EventType, Extension, Place, Quantity, Typed
from jinka.trace.lineage import EdgeKind, edges_of, sort_of
from jinka.trace.stays import Row, node_number

HOUR_US = 3_600_000_000
CBV = "https://ref.gs1.org/cbv/"


def item(serial: object, gtin: str = "011122") -> str:
    return f"https://id.gs1.org/01/0401234{gtin}0/21/{serial}"


def lot(number: object, gtin: str = "011122") -> str:
    return f"https://id.gs1.org/01/0401234{gtin}0/10/{number}"


def kind(gtin: str = "011122") -> str:
    return f"https://id.gs1.org/01/0401234{gtin}0"


def case(number: int) -> str:
    return f"https://id.gs1.org/00/{number:018d}"


def place(number: int) -> str:
    return f"https://id.gs1.org/414/{number:013d}"


def parts(*pairs: tuple[str, object]) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(epc_class=key, quantity=None if amount is None else Decimal(str(amount)), uom="KGM")
        for key, amount in pairs
    )


def lot_ilmd(number: str) -> tuple[Extension, ...]:
    return (Extension(namespace="urn:epcglobal:cbv:mda", name="lotNumber", text=number),) if number else ()


def seen(hour: float, step: str, where: int, *things: str, to: int = 0, lot: str = "", add: bool = False,
         quantities: tuple[Quantity, ...] = ()) -> Event:  # fmt: skip
    return Event(
        event_type=EventType.OBJECT, event_time_us=int(hour * HOUR_US), zone_offset="+08:00",
        action=Action.ADD if add or lot else Action.OBSERVE, epcs=things, biz_step=f"{CBV}BizStep-{step}",
        read_point=Place(id=place(where)), quantities=quantities, ilmd=lot_ilmd(lot),
        destinations=(Typed(id=place(to), type=f"{CBV}SDT-location"),) if to else (),
    )  # fmt: skip


def packed(hour: float, parent: str, *children: str, action: Action = Action.ADD, where: int = 0,
           quantities: tuple[Quantity, ...] = (), attached: bool = False) -> Event:  # fmt: skip
    return Event(
        event_type=EventType.ASSOCIATION if attached else EventType.AGGREGATION,
        event_time_us=int(hour * HOUR_US), zone_offset="+08:00", action=action, parent_id=parent,
        child_epcs=children, child_quantities=quantities,
        biz_location=Place(id=place(where)) if where else None,
    )  # fmt: skip


def unpacked(hour: float, parent: str, *children: str, where: int = 0,
             quantities: tuple[Quantity, ...] = ()) -> Event:  # fmt: skip
    return packed(hour, parent, *children, action=Action.DELETE, where=where, quantities=quantities)


def made(hour: float, inputs: Sequence[str], outputs: Sequence[str], *, lot: str = "", where: int = 0, id: str = "",
         used: tuple[Quantity, ...] = (), gave: tuple[Quantity, ...] = ()) -> Event:  # fmt: skip
    return Event(
        event_type=EventType.TRANSFORMATION, event_time_us=int(hour * HOUR_US), zone_offset="+08:00",
        input_epcs=tuple(inputs), output_epcs=tuple(outputs), transformation_id=id or None,
        input_quantities=used, output_quantities=gave, ilmd=lot_ilmd(lot),
        biz_location=Place(id=place(where)) if where else None,
    )  # fmt: skip


class MemoryLinks:
    """Implements `jinka.trace.Links` on lists; events are numbered from 1 in the order in which they come."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.shown: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._rows: list[Row] = []
        self._index: tuple[dict[int, list[Row]], dict[int, list[Row]]] | None = None
        for number, event in enumerate(events, 1):
            for edge in edges_of(event, key=f"event{number}"):
                self._rows.append(
                    Row(self.number(edge.source), edge.kind, edge.at_us, self.number(edge.target), number,
                        edge.step, edge.quantity, edge.uom)
                )  # fmt: skip

    def number(self, name: str) -> int:
        if name not in self._numbers:
            number = node_number(len(self._numbers) + 1, sort_of(name))
            self._numbers[name], self.shown[number] = number, name
        return self._numbers[name]

    def named(self, nodes: Iterable[int]) -> set[str]:
        return {self.shown[node] for node in nodes}

    def names(self, wanted: Iterable[int]) -> dict[int, str]:
        return {node: self.shown[node] for node in wanted}

    def parties(self, places: Iterable[int]) -> dict[int, set[int]]:
        return {
            place: {row.target for row in self.leaving([place]) if row.kind == EdgeKind.BELONGS}
            for place in places
        }

    def leaving(self, nodes: Sequence[int]) -> list[Row]:
        return [row for node in nodes for row in self._ends()[0].get(node, ())]

    def arriving(self, nodes: Sequence[int], kinds: Sequence[int]) -> list[Row]:
        return [row for node in nodes for row in self._ends()[1].get(node, ()) if row.kind in kinds]

    def _ends(self) -> tuple[dict[int, list[Row]], dict[int, list[Row]]]:
        if self._index is None:
            self._index = ({}, {})
            for row in sorted(self._rows, key=lambda row: row[:5]):
                self._index[0].setdefault(row.source, []).append(row)
                self._index[1].setdefault(row.target, []).append(row)
        return self._index


def without_voided(events: Iterable[Event]) -> list[Event]:
    """What counts when all has been captured, as a store does it: each event once."""
    listed = list({repr(event): event for event in events}.values())
    voided = {event.event_id for event in listed if event.error is not None}
    return [event for event in listed if event.event_id is None or event.event_id not in voided]
