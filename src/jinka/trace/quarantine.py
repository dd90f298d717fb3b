"""What a recall holds back: sales, shipments and use of its things, until they go where recalled goods go.

CBV 2.0, 7.1 and 7.2. A shipment is let through when its disposition says that it takes the goods away (`recalled`,
`returned`, `disposed`, ...); receipts, inspections and destruction always are. What lies in a container is held back
with it. What happened before the recall began, and is only told now, is kept: the records must not lose it. Speaks
through the rule QUARANTINED (`jinka.trace.rules`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from jinka.codec.epcis import Action, Event, EventType
from jinka.codec.tags import canonical_id
from jinka.trace.choreography import Contradiction
from jinka.trace.stays import FOREVER_US

_CBV = "https://ref.gs1.org/cbv/"
HELD_STEPS = frozenset(
    f"{_CBV}BizStep-{word}"
    for word in (
        "shipping", "departing", "consigning", "loading", "transporting", "retail_selling", "dispensing",
    )
)  # fmt: skip
AWAY = frozenset(
    f"{_CBV}Disp-{word}"
    for word in ("recalled", "returned", "disposed", "destroyed", "non_sellable_other", "needs_replacement")
)


class Quarantine:
    """The gate of one capture job: asked for each event in its order (`jinka.trace.rules.Gate`).

    ``held`` are the canonical ids that recalls hold back, and the containers with something of it inside now, each with
    the moment since when.
    """

    def __init__(self, held: Mapping[str, int]) -> None:
        self._held = dict(held)

    def __call__(self, event: Event) -> Iterator[Contradiction]:
        """What of an event is held back; what it packs with held things is held from then on."""
        if event.event_type in (EventType.AGGREGATION, EventType.ASSOCIATION) and event.parent_id is not None:
            self._pack(event)
        at = event.event_time_us
        if event.event_type is EventType.TRANSFORMATION:
            yield from self._found(at, "/inputEPCList", event.input_epcs)
            yield from self._found(
                at, "/inputQuantityList", [each.epc_class for each in event.input_quantities]
            )
        elif event.biz_step in HELD_STEPS and event.disposition not in AWAY:
            if event.parent_id is not None:
                yield from self._found(at, "/parentID", [event.parent_id], numbered=False)
            yield from self._found(at, "/epcList", event.epcs)
            yield from self._found(at, "/quantityList", [each.epc_class for each in event.quantities])
            yield from self._found(at, "/childEPCs", event.child_epcs)
            yield from self._found(
                at, "/childQuantityList", [each.epc_class for each in event.child_quantities]
            )

    def _found(
        self, at_us: int, where: str, ids: Collection[str], *, numbered: bool = True
    ) -> Iterator[Contradiction]:
        for n, text in enumerate(ids):
            if self._held.get(thing := canonical_id(text), FOREVER_US) <= at_us:
                tail = "/epcClass" if where.endswith("QuantityList") or where == "/quantityList" else ""
                yield Contradiction("QUARANTINED", f"{where}/{n}{tail}" if numbered else where, thing)

    def _pack(self, event: Event) -> None:
        parent = canonical_id(event.parent_id or "")
        inside = [*event.child_epcs, *(each.epc_class for each in event.child_quantities)]
        if event.action is Action.ADD:
            since = [self._held[name] for child in inside if (name := canonical_id(child)) in self._held]
            if since:
                self._held[parent] = min(since)
        if event.action is Action.DELETE and not inside:
            self._held.pop(parent, None)
