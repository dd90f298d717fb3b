"""What a recall holds back: sales, shipments and use of its things, until they go where recalled goods go.

CBV 2.0, 7.1 and 7.2. A shipment is let through when its disposition says that it takes the goods away (`recalled`,
`returned`, `disposed`, ...); receipts, inspections and destruction always are. An event that names no such step, but a
disposition that says so (`retail_sold`, `in_transit`, ...), is held back as well. What lies in a container at the time
of an event is held back with it, and a thing with the lot that it is of. What happened before the recall began, and is
only told now, is kept: the records must not lose it. Speaks through the rule QUARANTINED (`jinka.trace.rules`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

from jinka.codec.epcis import Event, EventType
from jinka.codec.tags import canonical_id
from jinka.trace.choreography import AWAY, Contradiction
from jinka.trace.contents import Window, contents_between
from jinka.trace.job_links import JobLinks
from jinka.trace.lineage import EdgeKind
from jinka.trace.stays import FOREVER_US

_CBV = "https://ref.gs1.org/cbv/"
HELD_STEPS = frozenset(
    f"{_CBV}BizStep-{word}"
    for word in (
        "shipping", "departing", "consigning", "loading", "transporting", "retail_selling", "dispensing",
    )
)  # fmt: skip
_LET_THROUGH = frozenset(
    f"{_CBV}BizStep-{word}"
    for word in (
        "receiving",
        "arriving",
        "accepting",
        "unloading",
        "inspecting",
        "destroying",
        "void_shipping",
    )
)
_GONE = frozenset(
    f"{_CBV}Disp-{word}" for word in ("in_transit", "retail_sold", "dispensed", "partially_dispensed")
)


class Quarantine:
    """The gate of one capture job: asked for each event in its order (`jinka.trace.rules.Gate`).

    ``held`` are the canonical ids that recalls hold back, and the containers with something of it inside, each with
    the times: from, until.
    """

    def __init__(self, held: Mapping[str, Collection[Window]]) -> None:
        self._held = held

    def __call__(self, event: Event) -> Iterator[Contradiction]:
        """What of an event is held back."""
        at = event.event_time_us
        if event.event_type is EventType.TRANSFORMATION:
            yield from self._found(at, "/inputEPCList", event.input_epcs)
            yield from self._found(
                at, "/inputQuantityList", [each.epc_class for each in event.input_quantities]
            )
        elif _takes_away(event):
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
            thing = canonical_id(text)
            if any(since <= at_us < until for since, until in self._held.get(thing, ())):
                tail = "/epcClass" if where.endswith("QuantityList") or where == "/quantityList" else ""
                yield Contradiction("QUARANTINED", f"{where}/{n}{tail}" if numbered else where, thing)


def _takes_away(event: Event) -> bool:
    if event.disposition in AWAY:
        return False
    return event.biz_step in HELD_STEPS or (event.disposition in _GONE and event.biz_step not in _LET_THROUGH)


def held_windows(
    links: JobLinks, since_us: int, until_us: int, held_since: Callable[[Collection[str]], Mapping[str, int]]
) -> dict[str, list[Window]]:
    """When what the events of a job name is held back, for `Quarantine`, between their first and last moment.

    ``held_since`` says of names since when recalls hold them back, of those that they do. An item that is made known
    only now, as one of a lot that is held back, is held back with it: by the lot that was said of it last.
    """
    contents = contents_between(links, links.numbers.values(), since_us, until_us)
    things = {*links.numbers.values(), *(child for inside in contents.values() for child in inside)}
    members = links.arriving(sorted(things), (EdgeKind.MEMBER,))
    lots = {row[3]: row[0] for row in sorted(members, key=lambda row: row[2])}
    names = links.names(things | {*lots.values()})
    known = held_since({*names.values()})
    since: dict[int, int] = {}
    for node in things:
        moments = [known[names[each]] for each in (node, lots.get(node)) if each and names[each] in known]
        if moments:
            since[node] = min(moments)
    held: dict[str, list[Window]] = defaultdict(list)
    for name, node in links.numbers.items():
        if node in since:
            held[name].append((since[node], FOREVER_US))
        for child, windows in contents.get(node, {}).items():
            if child in since:
                held[name] += [(max(low, since[child]), high) for low, high in windows]
    return dict(held)
