"""What lies in a container at a moment, through all the containers in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from jinka.trace.lineage import NodeSort
from jinka.trace.spread import CONTENT, Links
from jinka.trace.stays import GROUPING, Rows, emptied, stays_of

LEVELS_MAX = 12
_HOLD = (NodeSort.OTHER, NodeSort.ITEM, NodeSort.CONTAINER)


def contents_at(links: Links, nodes: Iterable[int], at_us: int) -> dict[int, set[int]]:
    """What is inside each of ``nodes`` at ``at_us``; of nothing inside there is no entry. A cycle ends."""
    roots = defaultdict[int, set[int]](set)  # container: the nodes that it is, or is inside
    level = {node for node in nodes if node & 7 in _HOLD}
    for node in level:
        roots[node].add(node)
    inside = defaultdict[int, set[int]](set)
    for _ in range(LEVELS_MAX):
        grown: set[int] = set()
        for child, parent in _held(links, sorted(level), at_us):
            new = {root for root in roots[parent] if child not in inside[root] and child != root}
            if new:
                roots[child] |= new
                grown.add(child)
                for root in new:
                    inside[root].add(child)
        level = {node for node in grown if node & 7 in _HOLD}
        if not level:
            break
    return {node: held for node, held in inside.items() if held}


def _held(links: Links, parents: list[int], at_us: int) -> list[tuple[int, int]]:
    """(child, parent) for everything that lies in one of ``parents`` directly."""
    children = sorted({row[0] for row in links.arriving(parents, CONTENT)})
    rows = _by_source(links.leaving(children))
    around = sorted({row[3] for each in rows.values() for row in each if row[1] in GROUPING})
    leaving = _by_source(links.leaving(around))
    empties = {node: emptied(leaving[node]) for node in around}
    wanted = set(parents)
    return [
        (child, stay.parent)
        for child in children
        for stay in stays_of(child, rows[child], empties, several=child & 7 == NodeSort.LOT)
        if stay.parent in wanted and stay.since_us <= at_us < stay.until_us
    ]


def _by_source(rows: Rows) -> dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]]:
    made: dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]] = defaultdict(list)
    for row in rows:
        made[row[0]].append(row)
    return made
