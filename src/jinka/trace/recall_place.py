"""What was at a place in an interval of time: where a recall by place begins.

A thing is there from its sighting until it is seen elsewhere, leaves or ends. What lies in a container is seen with it,
and what was taken out stays where the container was then; what was made there is there. A lot is there while its
balance says so, or some of it lies in what is there, from then on with all of it: which part, nobody can tell later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jinka.trace.lineage import ENDS, LEAVES, EdgeKind, NodeSort
from jinka.trace.provenance import births_of, journey
from jinka.trace.recall_scope import balances_of
from jinka.trace.spread import CONTENT, NamedLinks, Seed, Spread, lift
from jinka.trace.stays import BEFORE_US, FOREVER_US, Rows, emptied, stays_of

_THINGS = (NodeSort.ITEM, NodeSort.OTHER, NodeSort.CONTAINER)
_OVER = LEAVES | ENDS


def present_at(links: NamedLinks, place: int, rows: Rows, since_us: int, until_us: int) -> list[Seed]:
    """Seeds for all that was there, out of ``rows``: everything that was ever seen there until then."""
    moments: dict[int, list[int]] = defaultdict(list)
    for source, _, at, *_ in rows:
        if at <= until_us:
            moments[source].append(at)
    works = [node for node in moments if node & 7 == NodeSort.TRANSFORMATION]
    seeds = [Seed(node) for node in sorted(works) if any(at >= since_us for at in moments[node])]
    made = {row[3] for row in links.leaving(sorted(works)) if row[1] == EdgeKind.MAKE and row[2] <= until_us}
    held = {node for node in moments.keys() | made if node & 7 in _THINGS}
    found = lift(links, held | _inside(links, held, until_us))
    births = births_of(links, found, [*found.reached])
    there: dict[int, list[tuple[int, int]]] = {}
    for node in sorted(found.reached):
        for low, high in _times_at(place, found, node, births.get(node, ())):
            if low <= until_us:
                there.setdefault(node, []).append((low, high))
            if low <= until_us and high >= since_us:
                seeds.append(Seed(node, max(low, since_us), min(high, until_us)))
    cased = _cased(links, found, there, since_us, until_us)
    lots = sorted({*(node for node in moments.keys() | made if node & 7 == NodeSort.LOT), *cased})
    loose = list(_lots(links, place, lots, since_us, until_us))
    return seeds + loose + [Seed(lot, at) for lot, at in cased.items() if at <= until_us]


def _cased(links: NamedLinks, found: Spread, there: Mapping[int, Sequence[tuple[int, int]]], since_us: int,
           until_us: int) -> dict[int, int]:  # fmt: skip
    """The lots of which some lay in what was there at any time until then: since when in the interval, else never."""
    put: dict[int, list[int]] = defaultdict(list)
    for child, _, at, parent, *_ in links.arriving(sorted(there), CONTENT):
        if child & 7 == NodeSort.LOT and at <= until_us:
            put[child].append(parent)
    rows: dict[int, list[Sequence[object]]] = defaultdict(list)
    for row in links.leaving(sorted(put)):
        rows[row[0]].append(row)
    moments = dict.fromkeys(sorted(put), FOREVER_US)
    empties = {parent: emptied(found.rows.get(parent, ())) for parents in put.values() for parent in parents}
    for lot in moments:
        for stay in stays_of(lot, rows[lot], empties, several=True):  # type: ignore[arg-type]
            for low, high in there.get(stay.parent, ()):
                begin = max(low, stay.since_us, since_us)
                if begin <= min(high, stay.until_us, until_us):
                    moments[lot] = min(moments[lot], begin)
    return moments


def _inside(links: NamedLinks, containers: Iterable[int], until_us: int) -> set[int]:
    """What ever lay in them until then, through all the containers in it."""
    known: set[int] = set()
    level = set(containers)
    while level:
        put = {row[0] for row in links.arriving(sorted(level), CONTENT) if row[2] <= until_us}
        level = {node for node in put if node & 7 in _THINGS} - known
        known |= level
    return known


def _times_at(place: int, found: Spread, node: int, births: Iterable[object]) -> Iterator[tuple[int, int]]:
    """From when until when a thing was at a place; both ends count."""
    begun: int | None = None
    for sight in journey(found, node, births):  # type: ignore[arg-type]
        here = sight.place == place
        if begun is None and here:
            begun = sight.at_us
        if begun is not None and (not here or sight.step in _OVER):
            yield begun, sight.at_us
            begun = None
    if begun is not None:
        yield begun, FOREVER_US


def _lots(links: NamedLinks, place: int, lots: list[int], since_us: int, until_us: int) -> Iterator[Seed]:
    """The lots of which some was there."""
    if not lots:
        return
    found = Spread(forward=True, rows=defaultdict(list))
    for row in links.leaving(lots):
        found.rows[row[0]].append(row)  # type: ignore[attr-defined]
    before = balances_of(links, found, lots, until_us=since_us)
    for lot in lots:
        here = [row[2] for row in found.rows[lot] if row[1] == EdgeKind.AT and row[3] == place]
        seen = [at for at in here if since_us <= at <= until_us]
        balance = before.get(lot)
        if balance is not None and (
            balance.at_place.get(place, 0) > 0 or place in balance.came | balance.seen
        ):
            yield Seed(lot, max(since_us, BEFORE_US))
        elif seen:
            yield Seed(lot, min(seen))
