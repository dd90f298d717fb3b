"""What lies in a container at which times, through all the containers in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from jinka.trace.lineage import NodeSort
from jinka.trace.spread import CONTENT, Links
from jinka.trace.stays import GROUPING, Rows, Stay, emptied, stays_of

LEVELS_MAX = 12
_HOLD = (NodeSort.OTHER, NodeSort.ITEM, NodeSort.CONTAINER)
Window = tuple[int, int]  # from, until
Contents = dict[int, dict[int, set[Window]]]


def contents_between(links: Links, nodes: Iterable[int], since_us: int, until_us: int) -> Contents:
    """What lies in each of ``nodes`` at any time of an interval (both ends count), and when; a cycle ends.

    The times are cut to the interval and end one microsecond after ``until_us``. Of nothing inside there is no entry.
    """
    inside: Contents = defaultdict(lambda: defaultdict(set))
    roots: Contents = defaultdict(lambda: defaultdict(set))  # container: what it is or is inside of, and when
    level = {node for node in nodes if node & 7 in _HOLD}
    for node in level:
        roots[node][node].add((since_us, until_us + 1))
    for _ in range(LEVELS_MAX):
        grown: set[int] = set()
        for stay in _stays(links, sorted(level)):
            for root, windows in [*roots[stay.parent].items()]:
                for low, high in [*windows]:
                    window = max(low, stay.since_us), min(high, stay.until_us)
                    if (
                        window[0] < window[1]
                        and stay.child != root
                        and window not in inside[root][stay.child]
                    ):
                        inside[root][stay.child].add(window)
                        roots[stay.child][root].add(window)
                        grown.add(stay.child)
        level = {node for node in grown if node & 7 in _HOLD}
        if not level:
            break
    return {node: {child: when for child, when in held.items() if when} for node, held in inside.items()}


def _stays(links: Links, parents: list[int]) -> list[Stay]:
    """Everything that ever lay in one of ``parents`` directly."""
    children = sorted({row[0] for row in links.arriving(parents, CONTENT)})
    rows = _by_source(links.leaving(children))
    around = sorted({row[3] for each in rows.values() for row in each if row[1] in GROUPING})
    leaving = _by_source(links.leaving(around))
    empties = {node: emptied(leaving[node]) for node in around}
    wanted = set(parents)
    return [
        stay
        for child in children
        for stay in stays_of(child, rows[child], empties, several=child & 7 == NodeSort.LOT)
        if stay.parent in wanted
    ]


def _by_source(rows: Rows) -> dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]]:
    made: dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]] = defaultdict(list)
    for row in rows:
        made[row[0]].append(row)
    return made
