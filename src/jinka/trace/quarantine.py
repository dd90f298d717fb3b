"""What a recall holds back: sales, shipments and use of its things, until they go where recalled goods go.

CBV 2.0, 7.1 and 7.2. A shipment is let through when its disposition says that it takes the goods away (`recalled`,
`returned`, `disposed`, ...); receipts, inspections and destruction always are. What lies in a container is held back
with it. Speaks through the rule QUARANTINED (`jinka.trace.rules`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from jinka.codec.epcis import Action, Event, EventType
from jinka.codec.tags import canonical_id
from jinka.trace.choreography import Contradiction

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

    ``held`` are the canonical ids that recalls hold back, and the containers with something of it inside now.
    """

    def __init__(self, held: Collection[str]) -> None:
        self._held = set(held)

    def __call__(self, event: Event) -> Iterator[Contradiction]:
        """What of an event is held back; what it packs with held things is held from then on."""
        if event.event_type in (EventType.AGGREGATION, EventType.ASSOCIATION) and event.parent_id is not None:
            self._pack(event)
        if event.event_type is EventType.TRANSFORMATION:
            yield from self._found("/inputEPCList", event.input_epcs)
            yield from self._found("/inputQuantityList", [each.epc_class for each in event.input_quantities])
        elif event.biz_step in HELD_STEPS and event.disposition not in AWAY:
            if event.parent_id is not None:
                yield from self._found("/parentID", [event.parent_id], numbered=False)
            yield from self._found("/epcList", event.epcs)
            yield from self._found("/quantityList", [each.epc_class for each in event.quantities])
            yield from self._found("/childEPCs", event.child_epcs)
            yield from self._found("/childQuantityList", [each.epc_class for each in event.child_quantities])

    def _found(self, where: str, ids: Collection[str], *, numbered: bool = True) -> Iterator[Contradiction]:
        for n, text in enumerate(ids):
            if (thing := canonical_id(text)) in self._held:
                tail = "/epcClass" if where.endswith("QuantityList") or where == "/quantityList" else ""
                yield Contradiction("QUARANTINED", f"{where}/{n}{tail}" if numbered else where, thing)

    def _pack(self, event: Event) -> None:
        parent = canonical_id(event.parent_id or "")
        inside = [*event.child_epcs, *(each.epc_class for each in event.child_quantities)]
        if event.action is Action.ADD and any(canonical_id(child) in self._held for child in inside):
            self._held.add(parent)
        if event.action is Action.DELETE and not inside:
            self._held.discard(parent)
