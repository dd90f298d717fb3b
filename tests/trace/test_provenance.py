"""The graph of an answer and its breaks. Goal: each gap of a chain is told where it is, and an honest chain has none.

Method: one honest chain; then the same with one thing forgotten each time.
"""

from __future__ import annotations

import pytest

from jinka.codec.epcis import Event
from jinka.trace.lineage import EdgeKind
from jinka.trace.provenance import BreakKind, Graph, graph_of
from jinka.trace.spread import Seed, spread_back, spread_forward
from jinka.trace.stays import Ending
from tests.trace.chains import (
    HOUR_US,
    MemoryLinks,
    case,
    item,
    kind,
    lot,
    made,
    packed,
    parts,
    place,
    seen,
    unpacked,
)

W, PRODUCT = lot("W", "099999"), item(1)
HONEST = [
    seen(1, "commissioning", 1, quantities=parts((W, 10)), add=True),
    made(2, [], [PRODUCT], lot="A", where=1, used=parts((W, 4))),
    packed(3, case(1), PRODUCT, where=1),
    packed(4, case(9), case(1), where=1),
    seen(5, "shipping", 1, case(9), to=2),
    seen(6, "receiving", 2, case(9)),
    unpacked(7, case(9), where=2),
    unpacked(8, case(1), PRODUCT, where=2),
    seen(9, "retail_selling", 2, PRODUCT),
]


def _graph(events: list[Event], name: str, *, back: bool = True) -> tuple[Graph, MemoryLinks]:
    links = MemoryLinks(events)
    walk = spread_back if back else spread_forward
    return graph_of(links, walk(links, [Seed(links.number(name))])), links


def _breaks(events: list[Event], name: str = PRODUCT, *, back: bool = True) -> set[tuple[str, BreakKind]]:
    graph, links = _graph(events, name, back=back)
    return {(links.shown[each.node], each.kind) for each in graph.breaks}


def test_an_honest_chain_has_no_break_and_evidence_on_each_edge() -> None:
    graph, links = _graph(HONEST, PRODUCT)
    assert graph.breaks == ()
    said = {(links.shown[e.source], links.shown[e.target], e.kind, e.events) for e in graph.edges}
    step = "transformation:event2"
    assert said == {
        (W, step, EdgeKind.USE, (2,)),
        (step, PRODUCT, EdgeKind.MAKE, (2,)),
        (PRODUCT, case(1), EdgeKind.PACK, (3, 8)),
        (case(1), case(9), EdgeKind.PACK, (4, 7)),
    }
    stay = next(e for e in graph.edges if links.shown[e.target] == case(9))
    assert (stay.since_us, stay.until_us, stay.ending) == (4 * HOUR_US, 7 * HOUR_US, Ending.EMPTIED)
    assert next(e.quantity for e in graph.edges if e.kind is EdgeKind.USE) == "4"
    assert {links.shown[n.number] for n in graph.nodes if n.context} == {case(1), case(9)}
    sights = graph.journeys[links.number(PRODUCT)]
    assert [(s.at_us // HOUR_US, links.shown[s.place], s.step.word) for s in sights] == [
        (2, place(1), "none"), (3, place(1), "none"), (4, place(1), "none"), (5, place(1), "shipping"),
        (6, place(2), "receiving"),
        (7, place(2), "none"), (8, place(2), "none"), (9, place(2), "retail_selling"),
    ]  # fmt: skip
    assert graph.events() == set(range(2, 10))


@pytest.mark.parametrize(
    ("without", "node", "broken"),
    [
        (1, PRODUCT, BreakKind.ORIGIN),
        (0, W, BreakKind.ORIGIN),
        (4, PRODUCT, BreakKind.NOT_SENT),
        (5, PRODUCT, BreakKind.NOT_RECEIVED),
        (7, PRODUCT, BreakKind.NOT_UNPACKED),
        (2, PRODUCT, BreakKind.NOT_PACKED),
    ],
)
def test_what_is_forgotten_is_a_break(without: int, node: str, broken: BreakKind) -> None:
    events = HONEST[:without] + HONEST[without + 1 :]
    assert (node, broken) in _breaks(events)


def test_a_class_a_part_a_cycle_and_a_time_that_cannot_be() -> None:
    bare = [made(1, [], [PRODUCT], used=parts((kind("077777"), 2)))]
    assert _breaks(bare) == {(kind("077777"), BreakKind.CLASS)}
    part = [packed(1, case(1), quantities=parts((W, 5)))]
    assert (W, BreakKind.PART) in _breaks(part, case(1), back=False)
    ring = [packed(1, case(2), case(1)), packed(2, case(3), case(2)), packed(3, case(1), case(3))]
    found = _breaks(ring, case(1), back=False)
    assert {kind for _, kind in found} == {BreakKind.CYCLE}
    early = [made(5, [item(7)], [item(8, "022222")]), made(2, [item(8, "022222")], [item(9, "033333")])]
    assert (item(8, "022222"), BreakKind.TIME) in _breaks(early, item(9, "033333"))
