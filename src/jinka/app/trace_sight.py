"""A graph of things as a participant may see it: what is hidden has other names, what joins still joins.

The events that the graph stands on are shown to the participant as any others (`jinka.store.trace_access`), as those of
a chain that leads from, or to, a thing that it had. What a shown event names keeps its name; everything else of the
graph has the word that hides it from this participant. What no event may tell, the edges do not tell either: neither
times nor quantities nor evidence, only that they are there. A thing has one name in a graph, so that it joins; a place
is named by the event that tells of it, so one that is known from another event stays hidden in a redacted one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from jinka.app.trace_access import Access
from jinka.codec.epcis import Event
from jinka.codec.tags import canonical_id
from jinka.kit import NotFound
from jinka.trace.access import HIDDEN, Along, Veil
from jinka.trace.provenance import Break, Graph, GraphEdge, GraphNode, Sight
from jinka.trace.stays import BEFORE_US, FOREVER_US


def seen_by(
    access: Access, viewer: str, graph: Graph, events: Mapping[int, Event], seeds: Sequence[str]
) -> tuple[Graph, dict[int, str]]:
    """The graph, and the ids of its evidence; `NotFound` for a thing that the viewer never had.

    ``events`` are those that the graph names, ``seeds`` the canonical ids that were asked for.
    """
    require_had(access, viewer, seeds)
    order = sorted(events)
    along = Along.FORWARD if graph.forward else Along.BACK
    what = f"{along.value} {' '.join(seeds)}"
    shown = access.look(viewer, [events[seq] for seq in order], what, along)
    told = {seq: event for seq, event in zip(order, shown, strict=True) if event is not None}
    known = set(seeds) | {name for event in told.values() for name in _names(event)}
    veil = access.veil(viewer)
    names = {node: name if name in known else veil.hide(name) for node, name in graph.names.items()}
    ids = {seq: event.event_id or "" for seq, event in told.items()}
    cover = _Cover(graph, told, names, veil)

    def placed(edge: GraphEdge) -> tuple[object, ...]:
        """Their order tells nothing either: by what is shown."""
        return edge.since_us, names.get(edge.source, ""), names.get(edge.target, ""), edge.kind

    return (
        replace(
            graph,
            nodes=tuple(
                sorted(
                    (_node(node, cover) for node in graph.nodes),
                    key=lambda n: (n.context, n.depth, n.name),
                )
            ),
            edges=tuple(sorted((_edge(edge, cover) for edge in graph.edges), key=placed)),
            breaks=tuple(
                sorted(
                    (
                        each
                        if not each.event or each.event in told
                        else Break(each.node, each.kind, BEFORE_US, 0)
                        for each in graph.breaks
                    ),
                    key=lambda each: (each.at_us, names.get(each.node, ""), each.kind.name),
                )
            ),
            journeys={node: tuple(_sights(sights, cover)) for node, sights in graph.journeys.items()},
            names=names,
        ),
        ids,
    )


def require_had(access: Access, viewer: str, seeds: Sequence[str]) -> None:
    """Raise `NotFound` for a thing that a participant never had, the same whether there is such a thing."""
    unknown = set(seeds) - access.had(viewer, seeds)
    if unknown:
        raise NotFound("no event that you may see names it", where=min(unknown), fix="ask for what you had")


def _names(event: Event) -> Iterator[str]:
    """Everything that a shown event names and does not hide, by canonical id."""
    ids = [*event.all_epcs(), *(each.epc_class for each in event.all_quantities())]
    ids += [each.id for each in (*event.sources, *event.destinations)]
    ids += [place.id for place in (event.read_point, event.biz_location) if place is not None]
    yield from (canonical_id(id_) for id_ in ids if not id_.startswith(HIDDEN))


class _Cover:
    """What of a graph is told. ``names`` grows by places as redacted events have them, under numbers below 0."""

    def __init__(self, graph: Graph, told: Mapping[int, Event], names: dict[int, str], veil: Veil) -> None:
        self.told, self.names, self._graph, self._veil = told, names, graph, veil
        self._says: dict[int, set[str]] = {}

    def whole(self, event: int) -> bool:
        """Whether an event is shown as it is."""
        return event in self.told and not (self.told[event].event_id or "").startswith(HIDDEN)

    def at(self, number: int, event: int) -> int:
        """A place or a container by its number, as this event tells of it."""
        real = self._graph.names.get(number)
        if real is None or event not in self.told or self.whole(event):
            return number
        if event not in self._says:
            self._says[event] = set(_names(self.told[event]))
        if real in self._says[event]:
            return number
        self.names[-number] = self._veil.hide(real)
        return -number


def _node(node: GraphNode, cover: _Cover) -> GraphNode:
    where = node.holding
    if where is not None and where.event:
        at = partial(cover.at, event=where.event)
        where = (
            where._replace(place=at(where.place), sent_to=at(where.sent_to), inside=at(where.inside))
            if where.event in cover.told
            else None
        )
    return replace(node, name=cover.names.get(node.number, node.name and HIDDEN), holding=where)


def _edge(edge: GraphEdge, cover: _Cover) -> GraphEdge:
    if all(event in cover.told for event in edge.events):
        whole = all(cover.whole(event) for event in edge.events)
        return edge if whole else replace(edge, quantity=None, uom=None)
    events = tuple(event for event in edge.events if event in cover.told)
    return replace(
        edge, events=events, since_us=BEFORE_US, until_us=FOREVER_US, quantity=None, uom=None, ending=None
    )


def _sights(sights: Sequence[Sight], cover: _Cover) -> Iterator[Sight]:
    for sight in sights:
        if sight.event in cover.told:
            at = partial(cover.at, event=sight.event)
            yield sight._replace(place=at(sight.place), inside=at(sight.inside))
