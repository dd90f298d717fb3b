"""Where things are now, and who holds them: the last sighting of a thing, or of what it lies in.

EPCIS 2.0, 7.3.5 (business location, read point), CBV 2.0, 7.1 (steps) and 7.4 (destinations). A thing in a container is
where the container is; what was shipped and not received is on its way, to the destination that the shipment named. A
sighting of a container counts for what lay in it at that moment and for nothing else. Lots are not in one place:
`jinka.trace.balance` counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from jinka.trace.lineage import ENDS, LEAVES, EdgeKind, NodeSort, Step
from jinka.trace.spread import Links, Spread
from jinka.trace.stays import BEFORE_US, FOREVER_US


class Standing(Enum):
    """What became of a thing: (value, Chinese title)."""

    HELD = ("held", "在库")
    ON_ITS_WAY = ("on its way", "在途")
    SOLD = ("sold", "已售")
    DESTROYED = ("destroyed", "已销毁")
    USED = ("used up", "已使用")
    UNKNOWN = ("never seen", "无记录")


class Holding(NamedTuple):
    """Where a thing is: ``place`` is the last one (0: unknown), ``sent_to`` where it is under way to (0: not said).

    ``inside`` is the container whose sighting it is (0: its own), ``event`` the evidence.
    """

    standing: Standing
    place: int
    since_us: int
    event: int
    sent_to: int = 0
    inside: int = 0

    @property
    def holder(self) -> int:
        """Whom to ask for it: the receiver of what is on its way, if the shipment named one."""
        return self.sent_to or self.place


_AT, _SENT, _USE, _LOT = int(EdgeKind.AT), int(EdgeKind.SENT), int(EdgeKind.USE), int(NodeSort.LOT)
_Sight = tuple[int, int, int, int, int]  # time, event, place, step, whose
_NONE: _Sight = (BEFORE_US - 1, 0, 0, 0, 0)
_END_WORDS = {
    step: Standing.SOLD if step.word in ("retail_selling", "dispensing") else Standing.DESTROYED
    for step in ENDS
}
_NOWHERE = Holding(Standing.UNKNOWN, 0, 0, 0)


def holdings(links: Links, found: Spread, things: Iterable[int] | None = None) -> dict[int, Holding]:
    """Where each of ``things`` is, by default all that the walk reached and that can be somewhere."""
    wanted = list(found.things() if things is None else things)
    sights = _Sights(found)
    made: dict[int, Holding] = {}
    homeless: list[int] = []
    for node in wanted:
        sight = sights.last(node, BEFORE_US, found.ended.get(node, FOREVER_US))
        if sight is _NONE or sight[1] == 0:
            homeless.append(node)
        else:
            made[node] = sights.holding(node, sight)
    if homeless:  # seen nowhere since they were made
        made |= _births(links, found, sights, homeless)
    return {node: made.get(node, _NOWHERE) for node in wanted}


def _births(links: Links, found: Spread, sights: _Sights, nodes: Sequence[int]) -> dict[int, Holding]:
    births = {row[3]: (row[0], row[2]) for row in links.arriving(sorted(nodes), (EdgeKind.MAKE,))}
    unknown = sorted({source for source, _ in births.values() if source not in found.rows})
    for row in links.leaving(unknown):
        found.rows[row[0]] = [*found.rows.get(row[0], ()), row]
    made = {}
    for node, (source, at) in births.items():
        sight = sights.last(source, BEFORE_US, at)
        if sight[1]:
            made[node] = sights.holding(node, (sight[0], sight[1], sight[2], 0, source))
    return made


class _Sights:
    """The last sighting within an interval; those of containers are asked for by every thing inside and kept."""

    def __init__(self, found: Spread) -> None:
        self._found = found
        self._kept: dict[tuple[int, int, int], _Sight] = {}

    def last(self, node: int, since: int, until: int) -> _Sight:
        best, best_us = _NONE, _NONE[0]
        rows = self._found.rows.get(node, ())
        if rows and rows[-1][1] >= _AT:  # in the order of kinds
            for _, kind, at, target, event, step, _, _ in rows:
                if kind == _AT and since <= at <= until and at >= best_us and (at, event) > best[:2]:
                    best, best_us = (at, event, target, step, node), at
        for _, parent, begin, end, *_ in self._found.stays.get(node, ()):
            low, high = since if since > begin else begin, until if until < end else end
            if low <= high and high >= best_us:
                sight = self._kept.get((parent, low, high)) or self._of_container(parent, low, high)
                if sight[0] >= best_us and sight[:2] > best[:2]:
                    best, best_us = sight, sight[0]
        return best

    def _of_container(self, node: int, since: int, until: int) -> _Sight:
        key = (node, since, until)
        self._kept[key] = _NONE  # a cycle of containers finds nothing new
        known = self._kept[key] = self.last(node, since, until)
        return known

    def holding(self, node: int, sight: _Sight) -> Holding:
        at, event, place, step, whose = sight
        used = self._used(node, at)
        if used is not None:
            return Holding(Standing.USED, place, *used)
        inside = 0 if whose == node or whose & 7 == NodeSort.TRANSFORMATION else whose
        if step in _END_WORDS and not (inside and step == Step.DECOMMISSIONING):
            # with a container its contents are sold or destroyed; that its number is given up does nothing to them
            return Holding(_END_WORDS[step], place, at, event, 0, inside)  # type: ignore[index]
        if step not in LEAVES:
            return Holding(Standing.HELD, place, at, event, 0, inside)
        sent = next(
            (row[3] for row in self._found.rows.get(whose, ()) if row[1] == _SENT and row[4] == event),
            0,
        )
        return Holding(Standing.ON_ITS_WAY, place, at, event, sent, inside)

    def _used(self, node: int, after_us: int) -> tuple[int, int] | None:
        """When an item went into a transformation, and by which event; a lot is never used up so."""
        if node & 7 == _LOT:
            return None
        used: tuple[int, int] | None = None
        for row in self._found.rows.get(node, ()):
            if row[1] == _USE and row[2] <= self._found.ended.get(node, FOREVER_US):
                used = (row[2], row[4]) if used is None else max(used, (row[2], row[4]))
        return used if used is not None and used[0] >= after_us else None
