"""The answer to where a thing comes from, or where it went: a graph with the evidence on each edge, and its breaks.

A break is a place where the chain does not tell: a thing that nobody made or received before it was used, one that came
to a place and was never sent there, one that left a container without being taken out. It is said and not filled in.
Who may see which event is decided elsewhere (`jinka.trace.access`); edges name events, so they can be hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from jinka.trace.holding import Holding, holdings
from jinka.trace.lineage import ARRIVES, BIRTHS, LEAVES, EdgeKind, NodeSort, Step
from jinka.trace.spread import NamedLinks, Spread
from jinka.trace.stays import BEFORE_US, FOREVER_US, Ending

SIGHTS_MAX = 2_000  # of one thing
_PASSING = frozenset(
    {Step.SENSOR_REPORTING, Step.ENTERING_EXITING}
)  # seen on its way: nobody has it for that


class BreakKind(Enum):
    """Why the chain is broken: (value, Chinese, English)."""

    ORIGIN = ("unknown origin", "来源不明", "nobody made it, and nobody says where it came from")
    NOT_SENT = ("never sent", "未发货即到达", "it came to a place and nobody sent it there")
    NOT_RECEIVED = ("never received", "发货后无收货", "it was sent and nobody received it")
    NOT_UNPACKED = ("never taken out", "未记录取出", "it left its container and nobody took it out")
    NOT_PACKED = ("never put in", "未记录装入", "it was taken out of where nobody put it in")
    CLASS = (
        "a class without a lot",
        "仅有品类而无批次",
        "everything of that kind bears the name: nothing follows",
    )
    PART = ("a part of a lot", "批次的一部分", "which part of the lot lay in it, nobody knows")
    CYCLE = ("packed into itself", "循环包装", "it lies in something that lies in it")
    TIME = ("used before it was made", "先投料后产出", "its use stands before its making")


class Break(NamedTuple):
    """Where the chain is broken: a thing, why, since when, by which event (0: none)."""

    node: int
    kind: BreakKind
    at_us: int
    event: int


class Sight(NamedTuple):
    """A thing at a place, itself or in ``inside``."""

    at_us: int
    event: int
    place: int
    step: Step
    inside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNode:
    """A thing, a transformation or a container of the answer."""

    number: int
    name: str
    sort: NodeSort
    depth: int
    seed: bool
    context: bool  # a container that only tells where the thing was
    holding: Holding | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEdge:
    """From what is before to what is after; a stay in a container has an interval. ``events`` are the evidence."""

    source: int
    target: int
    kind: EdgeKind
    since_us: int
    until_us: int
    events: tuple[int, ...]
    ending: Ending | None = None
    quantity: str | None = None
    uom: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """An answer. ``names`` are those of its nodes and places, ``journeys`` where its seeds were."""

    forward: bool
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    breaks: tuple[Break, ...]
    journeys: Mapping[int, tuple[Sight, ...]]
    names: Mapping[int, str]

    def events(self) -> set[int]:
        """Every event that it stands on."""
        found = {event for edge in self.edges for event in edge.events}
        found |= {sight.event for sights in self.journeys.values() for sight in sights}
        found |= {node.holding.event for node in self.nodes if node.holding is not None}
        return {event for event in found | {each.event for each in self.breaks} if event}


def graph_of(links: NamedLinks, found: Spread) -> Graph:
    """The graph of a walk: its nodes, its edges with their events, and where it is broken."""
    carriers = [node for node in found.carriers if node not in found.reached]
    things = [n for n in (*found.reached, *carriers) if n & 7 != NodeSort.LOT]
    where = holdings(links, found, things)
    seeds = [node for node, how in found.reached.items() if how.depth == 0]
    births = births_of(links, found, seeds)
    journeys = {
        node: tuple(journey(found, node, births.get(node, ())))
        for node in seeds
        if node & 7 != NodeSort.TRANSFORMATION
    }
    edges = tuple(sorted(_edges(found), key=lambda e: (e.since_us, e.source, e.target, e.kind)))
    breaks = tuple(
        sorted(set(_breaks(links, found, edges, journeys)), key=lambda b: (b.at_us, b.node, b.kind.name))
    )
    places = {holding.holder for holding in where.values()} | {holding.place for holding in where.values()}
    places |= {sight.place for sights in journeys.values() for sight in sights}
    names = links.names({*found.reached, *carriers, *(place for place in places if place)})
    depths = {node: how.depth for node, how in found.reached.items()}
    nodes = [
        GraphNode(
            number=node, name=names.get(node, ""), sort=NodeSort(node & 7), depth=depths.get(node, -1),
            seed=depths.get(node) == 0, context=node not in depths, holding=where.get(node),
        )
        for node in (*found.reached, *carriers)
    ]  # fmt: skip
    return Graph(
        forward=found.forward, nodes=tuple(sorted(nodes, key=lambda n: (n.context, n.depth, n.name))), edges=edges,
        breaks=breaks, journeys=journeys, names=names,
    )  # fmt: skip


def _edges(found: Spread) -> Iterable[GraphEdge]:
    known = {*found.reached, *found.carriers}
    for node in known:
        for source, kind, at, target, event, _, quantity, uom in found.rows.get(node, ()):
            if kind in (EdgeKind.USE, EdgeKind.MAKE, EdgeKind.MEMBER) and target in known:
                yield GraphEdge(
                    source=source, target=target, kind=EdgeKind(kind), since_us=at, until_us=at, events=(event,),
                    quantity=quantity, uom=uom,
                )  # fmt: skip
        for stay in found.stays.get(node, ()):
            if stay.parent in known:
                yield GraphEdge(
                    source=node, target=stay.parent, kind=EdgeKind.PACK, since_us=stay.since_us,
                    until_us=stay.until_us, events=tuple(e for e in (stay.begun, stay.ended) if e),
                    ending=stay.ending, quantity=stay.quantity,
                )  # fmt: skip


def births_of(links: NamedLinks, found: Spread, nodes: Sequence[int]) -> dict[int, list[Sight]]:
    """Where things were made: where the transformation was."""
    rows = links.arriving(sorted(nodes), (EdgeKind.MAKE,))
    unknown = sorted({row[0] for row in rows if row[0] not in found.rows})
    places = {(row[0], row[4]): row for row in links.leaving(unknown) if row[1] == EdgeKind.AT}
    for source, _, _, _, event, *_ in rows:
        for row in found.rows.get(source, ()):
            if row[1] == EdgeKind.AT and row[4] == event:
                places[source, event] = row
    made: dict[int, list[Sight]] = {}
    for source, _, at, node, event, *_ in rows:
        if (source, event) in places:
            seen = places[source, event]
            made.setdefault(node, []).append(Sight(at, event, seen[3], Step(seen[5]), source))
    return made


def journey(found: Spread, node: int, births: Iterable[Sight] = ()) -> list[Sight]:
    """Where a thing was, by its own sightings and those of what it lay in, in the order of time."""
    sights: dict[tuple[int, int], Sight] = {(sight.at_us, sight.event): sight for sight in births}

    def follow(which: int, since: int, until: int, inside: int, path: tuple[int, ...]) -> None:
        for _, kind, at, target, event, step, *_ in found.rows.get(which, ()):
            if kind == EdgeKind.AT and since <= at <= until and len(sights) < SIGHTS_MAX:
                sights.setdefault((at, event), Sight(at, event, target, Step(step), inside))
        for stay in found.stays.get(which, ()):
            low, high = max(since, stay.since_us), min(until, stay.until_us)
            if low <= high and stay.parent not in path:
                follow(stay.parent, low, high, stay.parent, (*path, stay.parent))

    follow(node, BEFORE_US, FOREVER_US, 0, (node,))
    return [sights[key] for key in sorted(sights)]


def _breaks(links: NamedLinks, found: Spread, edges: Sequence[GraphEdge],
            journeys: Mapping[int, tuple[Sight, ...]]) -> Iterable[Break]:  # fmt: skip
    yield from _origins(links, found)
    for node in found.limits:
        kind = BreakKind.CLASS if node & 7 == NodeSort.CLASS else BreakKind.PART
        yield Break(node, kind, found.reached[node].since_us, found.reached[node].event)
    for sights in journeys.items():
        yield from _moves(*sights)
    made: dict[int, int] = {}
    for edge in edges:
        if edge.kind is EdgeKind.MAKE:
            made[edge.target] = min(edge.since_us, made.get(edge.target, edge.since_us))
        elif edge.ending in (Ending.MOVED, Ending.GONE):
            yield Break(
                edge.source, BreakKind.NOT_UNPACKED, edge.until_us, edge.events[-1] if edge.events else 0
            )
        if edge.kind is EdgeKind.PACK and edge.ending is Ending.UNPACKED and len(edge.events) == 1:
            yield Break(edge.source, BreakKind.NOT_PACKED, edge.until_us, edge.events[-1])
    for edge in edges:
        if edge.kind is EdgeKind.USE and edge.since_us < made.get(edge.source, BEFORE_US):
            yield Break(edge.source, BreakKind.TIME, edge.since_us, edge.events[0])
    yield from _cycles(found)


def _origins(links: NamedLinks, found: Spread) -> Iterable[Break]:
    """Things at the beginning of the chain that no event brings into being. Asked backward only."""
    if found.forward:
        return
    ends = [
        node
        for node in found.reached
        if node & 7 in (NodeSort.ITEM, NodeSort.LOT, NodeSort.OTHER) and node not in found.limits
    ]
    begun = {row[3] for row in links.arriving(sorted(ends), (EdgeKind.MAKE, EdgeKind.MEMBER))}
    for node in ends:
        rows = found.rows.get(node, ())
        born = any(row[1] == EdgeKind.AT and row[5] in BIRTHS for row in rows)
        if node not in begun and not born:
            first = min(((row[2], row[4]) for row in rows), default=(BEFORE_US, 0))
            yield Break(node, BreakKind.ORIGIN, *first)


def _moves(node: int, sights: Sequence[Sight]) -> Iterable[Break]:
    """Moves from place to place that nobody sent, and shipments that nobody received."""
    sent, last = False, 0
    for n, sight in enumerate(sights):
        if sight.step in _PASSING:
            continue
        if sight.step in LEAVES:
            if sent and last and last != sight.place:
                yield Break(node, BreakKind.NOT_RECEIVED, sights[n - 1].at_us, sights[n - 1].event)
            sent = True
        else:
            if last and last != sight.place:
                if not sent:
                    yield Break(node, BreakKind.NOT_SENT, sight.at_us, sight.event)
                elif sight.step not in ARRIVES:
                    yield Break(node, BreakKind.NOT_RECEIVED, sight.at_us, sight.event)
                sent = False
            elif sight.step in ARRIVES:
                sent = False
        last = sight.place


def _cycles(found: Spread) -> Iterable[Break]:
    """Things that lie in something that lies in them at the same moment."""
    done: set[int] = set()

    def climb(start: int, node: int, since: int, until: int, path: tuple[int, ...]) -> int:
        for stay in found.stays.get(node, ()):
            low, high = max(since, stay.since_us), min(until, stay.until_us)
            if low >= high:
                continue
            if stay.parent == start:
                return stay.begun or stay.ended
            if stay.parent not in path and (
                event := climb(start, stay.parent, low, high, (*path, stay.parent))
            ):
                return event
        return 0

    for node in found.carriers:
        if node not in done and (event := climb(node, node, BEFORE_US, FOREVER_US, (node,))):
            done.add(node)
            yield Break(node, BreakKind.CYCLE, BEFORE_US, event)
