"""What lay in what, from when until when: intervals out of the facts of packing and unpacking.

GS1 EPCIS 2.0, 7.4.2 and 7.4.6: ADD begins, DELETE ends, DELETE without children ends for all. What real chains forget
is tolerated and said: a thing that is packed elsewhere, sold or destroyed has left (`Ending.MOVED`, `GONE`); one that
is taken out and was never put in was in there from an unknown time; one that is seen inside was put in by then. Facts
may come in any order; of the same moment, what ends stands before what begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from jinka.trace.lineage import ENDS, EdgeKind, NodeSort

BEFORE_US, FOREVER_US = -(2**62), 2**62
_SORT_BITS = 3


class Row(NamedTuple):
    """An edge as a store gives it: nodes by number, and the event that it stands on."""

    source: int
    kind: int
    at_us: int
    target: int
    event: int
    step: int
    quantity: str | None = None
    uom: str | None = None


class Ending(Enum):
    """Why a stay is over: (word, Chinese)."""

    OPEN = ("still inside", "仍在其中")
    UNPACKED = ("taken out", "取出")
    EMPTIED = ("container emptied", "容器清空")
    MOVED = ("packed elsewhere, never taken out", "未记录取出即装入他处")
    GONE = ("sold or destroyed, never taken out", "未记录取出即售出或销毁")


class Stay(NamedTuple):
    """``child`` lay in ``parent`` during [since, until). ``begun`` and ``ended`` are events, 0 where none says so."""

    child: int
    parent: int
    since_us: int
    until_us: int
    begun: int
    ended: int
    ending: Ending
    quantity: str | None = None

    @property
    def unfounded(self) -> bool:
        """Whether nothing tells when it was put in."""
        return self.begun == 0


def sort_in(node: int) -> NodeSort:
    """What a node is, by its number."""
    return NodeSort(node & 7)


def node_number(ordinal: int, sort: NodeSort) -> int:
    """The number of the ``ordinal``-th node."""
    return ordinal << _SORT_BITS | sort


_BEGINS = {EdgeKind.PACK: False, EdgeKind.SEEN_IN: False, EdgeKind.ATTACH: True, EdgeKind.SEEN_ON: True}
_FINISHES = {EdgeKind.UNPACK: False, EdgeKind.DETACH: True}
GROUPING: frozenset[int] = frozenset(int(kind) for kind in (*_BEGINS, *_FINISHES))
_PACK, _UNPACK, _AT = int(EdgeKind.PACK), int(EdgeKind.UNPACK), int(EdgeKind.AT)
_SPECIAL = frozenset(int(kind) for kind in GROUPING)
_ENDING_STEPS = frozenset(int(step) for step in ENDS)
_OF_ATTACHED = frozenset(int(k) for k, attached in {**_BEGINS, **_FINISHES}.items() if attached)
_OPEN, _UNPACKED = Ending.OPEN, Ending.UNPACKED
_SEEN = (EdgeKind.SEEN_IN, EdgeKind.SEEN_ON)
_ORDER = {kind: 0 if kind in _FINISHES else 2 if kind in _SEEN else 1 for kind in _SPECIAL}  # at one moment
_Fact = tuple[int, int, int, int, int, str | None]
_EMPTIES = (EdgeKind.EMPTY, EdgeKind.DETACH_ALL)

Rows = Sequence[tuple[int, int, int, int, int, int, str | None, str | None]]


def emptied(rows: Rows) -> list[tuple[int, int, bool]]:
    """When a container was emptied, out of the rows that leave it: (time, event, of what was attached)."""
    return sorted(
        (at, event, kind == EdgeKind.DETACH_ALL) for _, kind, at, _, event, *_ in rows if kind in _EMPTIES
    )


def stays_of(
    child: int, rows: Rows, empties: Mapping[int, Sequence[tuple[int, int, bool]]], *, several: bool = False
) -> list[Stay]:
    """The stays of one thing, out of the rows that leave it and the times when its containers were emptied.

    ``several``: it may be in many containers at once, since it is a lot.
    """
    if not several and (plain := plain_stay(child, rows)) is not None:
        return [_cut(plain, empties, attached=False)]
    made: list[Stay] = []
    both: tuple[list[_Fact], list[_Fact]] = ([], [])  # what is packed, and what is attached
    ends_of_it: list[tuple[int, int]] = []
    for _, kind, at, parent, event, step, quantity, _ in rows:
        order = _ORDER.get(kind)
        if order is not None:
            both[kind in _OF_ATTACHED].append((at, order, event, kind, parent, quantity))
        elif kind == _AT and step in _ENDING_STEPS and not several:
            ends_of_it.append((at, event))
    ends_of_it.sort()
    for facts, attached in zip(both, (False, True), strict=True):
        if not facts:
            continue
        facts.sort()
        for stay in _walk(child, facts, several=several or attached, lot=several):
            cut = _cut(stay, empties, attached=attached) if empties.get(stay.parent) else stay
            made.append(cut if attached or not ends_of_it else _cut_gone(cut, ends_of_it))
    return made


def plain_stay(child: int, rows: Rows) -> Stay | None:
    """The one stay of a thing that was packed once, perhaps taken out or ended: by far the most. Else None.

    As if its container was never emptied.
    """
    packed: tuple[int, int, int, str | None] | None = None
    out: tuple[int, int, int] | None = None
    gone: list[tuple[int, int]] | None = None
    for _, kind, at, target, event, step, quantity, _ in rows:
        if kind == _PACK and packed is None:
            packed = (target, at, event, quantity)
        elif kind == _UNPACK and out is None:
            out = (target, at, event)
        elif kind == _AT:
            if step in _ENDING_STEPS:
                gone = [*(gone or ()), (at, event)]
        elif kind in _SPECIAL:
            return None
    if packed is None:
        return None
    parent, since, begun, amount = packed
    if out is None:
        stay = Stay(child, parent, since, FOREVER_US, begun, 0, _OPEN, amount)
    elif out[0] != parent or out[1] <= since:
        return None
    else:
        stay = Stay(child, parent, since, out[1], begun, out[2], _UNPACKED, amount)
    return _cut_gone(stay, sorted(gone)) if gone else stay


def _walk(
    child: int, facts: Sequence[tuple[int, int, int, int, int, str | None]], *, several: bool, lot: bool
) -> list[Stay]:
    inside: dict[int, Stay] = {}
    made: list[Stay] = []
    last_end = BEFORE_US

    def close(parent: int, at: int, event: int, ending: Ending) -> None:
        nonlocal last_end
        made.append(inside.pop(parent)._replace(until_us=at, ended=event, ending=ending))
        last_end = at

    for at, _, event, kind, parent, quantity in facts:
        if kind in _FINISHES:
            stay = inside.get(parent)
            if stay is None:  # it must have been in there, since nobody knows when
                made.append(Stay(child, parent, last_end, at, 0, event, Ending.UNPACKED, quantity))
                last_end = at
            elif rest := _rest(stay.quantity, quantity):
                inside[parent] = stay._replace(quantity=rest)
            else:
                close(parent, at, event, Ending.UNPACKED)
            continue
        if kind in _SEEN and parent in inside:
            continue
        if lot and parent in inside:  # more of it
            inside[parent] = inside[parent]._replace(quantity=_sum(inside[parent].quantity, quantity))
            continue
        for other in [*inside] if not several else [parent] if parent in inside else []:
            close(other, at, event, Ending.MOVED)
        inside[parent] = Stay(
            child, parent, at, FOREVER_US, 0 if kind in _SEEN else event, 0, Ending.OPEN, quantity
        )
    return made + list(inside.values())


def _rest(held: str | None, taken: str | None) -> str | None:
    """What is left of a quantity of a lot; None when nothing is, or when one of them is unknown."""
    if held is None or taken is None:
        return None
    rest = Decimal(held) - Decimal(taken)
    return format(rest, "f") if rest > 0 else None


def _sum(held: str | None, more: str | None) -> str | None:
    return None if held is None or more is None else format(Decimal(held) + Decimal(more), "f")


def _cut(stay: Stay, empties: Mapping[int, Sequence[tuple[int, int, bool]]], *, attached: bool) -> Stay:
    times = empties.get(stay.parent)
    if not times:
        return stay
    for at, event, of_attached in times:
        if of_attached is attached and stay.since_us < at < stay.until_us:
            return stay._replace(until_us=at, ended=event, ending=Ending.EMPTIED)
    return stay


def _cut_gone(stay: Stay, gone: Sequence[tuple[int, int]]) -> Stay:
    for at, event in gone:
        if stay.since_us < at < stay.until_us:
            return stay._replace(until_us=at, ended=event, ending=Ending.GONE)
    return stay
