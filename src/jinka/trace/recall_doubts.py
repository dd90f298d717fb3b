"""What a recall is told and does not take for granted: sayings of who is not believed, and events that lie ahead.

Whoever may capture can say that a thing is at his door, or that he destroyed it. Who is believed of a thing
(`jinka.trace.claims`, a container's contents with it) says where it is; who is not may only add a holder. What is to
happen later than now says nothing of where a thing is now. So a scope is found twice: over everything, for what is
concerned, and without what is doubted, for who has it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from jinka.trace.lineage import ENDS, LEAVES, EdgeKind, NodeSort, Step
from jinka.trace.spread import NamedLinks, Spread
from jinka.trace.stays import Rows

Doubted = Collection[tuple[int, int]]  # things with events that are not believed of them
Judge = Callable[[Rows], Doubted]
_THINGS = frozenset(
    int(s) for s in (NodeSort.ITEM, NodeSort.LOT, NodeSort.CLASS, NodeSort.CONTAINER, NodeSort.OTHER)
)
_OF_TARGET = (int(EdgeKind.MAKE), int(EdgeKind.MEMBER))
_AT, _SENT = int(EdgeKind.AT), int(EdgeKind.SENT)
_SALES = frozenset({Step.RETAIL_SELLING, Step.DISPENSING})
_BATCH = 20_000


class DoubtfulLinks:
    """Links that remember what they told, and leave out what was found to be doubtful (`learn`)."""

    def __init__(self, links: NamedLinks, until_us: int, judge: Judge | None) -> None:
        self._links, self._until_us, self._judge = links, until_us, judge
        self._told: dict[int, list[tuple[int, int, int, int, int, int, str | None, str | None]]] = {}
        self._known: set[int] = set()
        self._sober = False
        self.doubted: set[tuple[int, int]] = set()
        self.ahead: set[int] = set()

    def leaving(self, nodes: Sequence[int]) -> Rows:
        rows = self._links.leaving(nodes)
        fresh = {node for node in nodes if node not in self._known}
        if fresh:
            self._told.update((node, []) for node in fresh)
            for row in rows:
                if row[0] in fresh:
                    self._told[row[0]].append(row)
            self._known |= fresh
        return self.kept(rows)

    def arriving(self, nodes: Sequence[int], kinds: Sequence[int]) -> Rows:
        return self.kept(self._links.arriving(nodes, kinds))

    def names(self, wanted: Iterable[int]) -> Mapping[int, str]:
        return self._links.names(wanted)

    def parties(self, places: Iterable[int]) -> Mapping[int, Collection[int]]:
        return self._links.parties(places)

    def kept(self, rows: Rows) -> Rows:
        """Without what is doubted, once something is."""
        if not self._sober:
            return rows
        until, doubted = self._until_us, self.doubted
        return [row for row in rows if row[2] <= until and (subject_of(row), row[4]) not in doubted]

    def learn(self) -> bool:
        """Judge what was told since the last time; whether anything more is doubted than before."""
        fresh, self._told = self._told, {}
        before = len(self.doubted) + len(self.ahead)
        batch: list[tuple[int, int, int, int, int, int, str | None, str | None]] = []
        for node, rows in fresh.items():
            if any(row[2] > self._until_us for row in rows):
                self.ahead.add(node)
            batch += rows
            if len(batch) >= _BATCH:
                self._learn(batch)
                batch = []
        self._learn(batch)
        self._sober = True
        return len(self.doubted) + len(self.ahead) > before

    def _learn(self, rows: Rows) -> None:
        if self._judge is not None and rows:
            self.doubted.update(self._judge(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sober:
    """What is left without doubts: the walk over it, and what was doubted."""

    links: DoubtfulLinks
    found: Spread
    until_us: int


def subject_of(row: Sequence[object]) -> int:
    """Of which thing an edge says something: what is made, or is of a lot; else what it leaves."""
    return row[3] if row[1] in _OF_TARGET else row[0]  # type: ignore[return-value]


def judged(rows: Rows) -> set[tuple[int, int]]:
    """The things of edges with the events that say it of them; transformations, and places, are none."""
    return {(node, row[4]) for row in rows if (node := subject_of(row)) & 7 in _THINGS}


def said_at(sober: Sober, rows: Rows, node: int, since_us: int) -> set[int]:
    """Where a thing is said to be, since who is believed saw it, by those who are not: the last word of each place.

    Nobody else can take back what is said at a place, for only its own may capture there.
    """
    last: dict[int, tuple[int, int, int]] = {}
    sent: dict[int, int] = {}
    for _, kind, at, target, event, step, *_ in rows:
        if (node, event) not in sober.links.doubted or not since_us <= at <= sober.until_us:
            continue
        if kind == _SENT:
            sent[event] = target
        elif kind == _AT:
            last[target] = max(last.get(target, (at, event, step)), (at, event, step))
    found = set()
    for place, (_, event, step) in last.items():
        if step in LEAVES:
            found.add(sent.get(event, 0))
        elif step not in ENDS or step in _SALES:
            found.add(place)
    return found - {0}
