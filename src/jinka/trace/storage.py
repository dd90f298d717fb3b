"""What dangerous goods may lie beside, and how much of them a zone may hold.

The table is the general one of the IMDG Code, 7.2.4 (segregation between classes), as carriers publish it; schedules
of single substances go before it and are not here, nor are the compatibility groups of class 1 (7.2.7). Limits of
zones are the operator's own: an amount for each class, after the licence of the place. A place where goods stand
together for a moment on a vehicle follows rules of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from itertools import combinations
from typing import NamedTuple

from jinka.kit import Usage


class Segregation(IntEnum):
    """How far two classes are kept from one another. OWN: class 1 has rules of its own."""

    NONE = 0
    AWAY = 1
    SEPARATED = 2
    COMPARTMENT = 3
    LONGITUDINAL = 4
    OWN = 9

    @property
    def words(self) -> tuple[str, str]:
        return _WORDS[self]


_WORDS = {
    Segregation.NONE: ("no segregation", "无隔离要求"), Segregation.AWAY: ("away from", "远离"),
    Segregation.SEPARATED: ("separated from", "隔离"),
    Segregation.COMPARTMENT: ("separated by a complete compartment or hold from", "用一整个舱室或货舱隔离"),
    Segregation.LONGITUDINAL: ("separated longitudinally by an intervening complete compartment or hold from",
                               "用一介于中间的整个舱室或货舱作纵向隔离"),
    Segregation.OWN: ("rules of class 1", "按第 1 类专门规定"),
}  # fmt: skip
_CLASSES = (
    "1.1", "1.3", "1.4", "2.1", "2.2", "2.3", "3", "4.1", "4.2", "4.3", "5.1", "5.2", "6.1", "6.2", "7", "8", "9",
)  # fmt: skip
_SAME_ROW = {"1.2": "1.1", "1.5": "1.1", "1.6": "1.3"}
_TABLE = """
* * * 4 2 2 4 4 4 4 4 4 2 4 2 4 0
* * * 4 2 2 4 3 3 4 4 4 2 4 2 2 0
* * * 2 1 1 2 2 2 2 2 2 0 4 2 2 0
4 4 2 0 0 0 2 1 2 0 2 2 0 4 2 1 0
2 2 1 0 0 0 1 0 1 0 0 1 0 2 1 0 0
2 2 1 0 0 0 2 0 2 0 0 2 0 2 1 0 0
4 4 2 2 1 2 0 0 2 1 2 2 0 3 2 0 0
4 3 2 1 0 0 0 0 1 0 1 2 0 3 2 1 0
4 3 2 2 1 2 2 1 0 1 2 2 1 3 2 1 0
4 4 2 0 0 0 1 0 1 0 2 2 0 2 2 1 0
4 4 2 2 0 0 2 1 2 2 0 2 1 3 1 2 0
4 4 2 2 1 2 2 2 2 2 2 0 1 3 2 2 0
2 2 0 0 0 0 0 0 1 0 1 1 0 1 0 0 0
4 4 4 4 2 2 3 3 3 2 3 3 1 0 3 3 0
2 2 2 2 1 1 2 2 2 2 1 2 0 3 0 2 0
4 2 2 1 0 0 0 1 1 1 2 2 0 3 2 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
"""
_ROWS = [line.split() for line in _TABLE.split("\n") if line]
SEGREGATION: Mapping[tuple[str, str], Segregation] = {
    (row, column): Segregation.OWN if cell == "*" else Segregation(int(cell))
    for row, cells in zip(_CLASSES, _ROWS, strict=True)
    for column, cell in zip(_CLASSES, cells, strict=True)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Dangerous goods in a place: their class with division and subsidiary risks, and how much."""

    name: str
    classes: tuple[str, ...]
    amount: Decimal = Decimal(0)
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone of a place. ``most`` bounds the amount of a class; a class that is not in it may not be there.

    ``apart``: what the zone gives between any two of its goods.
    """

    name: str
    most: Mapping[str, Decimal]
    apart: Segregation = Segregation.AWAY


class StorageFault(NamedTuple):
    """Goods that may not lie so. ``needs`` is the segregation that is missing, None for an amount or a class."""

    zone: str
    goods: tuple[str, ...]
    what: str
    needs: Segregation | None


def segregation(first: str, second: str) -> Segregation:
    """What the table says of two classes; `Usage` for one that it has not."""
    pair = []
    for each in (first, second):
        row = _SAME_ROW.get(each, each)
        if row not in _CLASSES:
            raise Usage(f"no class of dangerous goods: {each!r}", where="class", fix=", ".join(_CLASSES))
        pair.append(row)
    return SEGREGATION[pair[0], pair[1]]


def needed_between(first: Goods, second: Goods) -> Segregation:
    """The strictest that any of their classes asks for. Of class 1 with class 1: OWN.

    Goods of the very same classes are held apart by their first class alone: two cylinders of chlorine are not kept
    from one another by its subsidiary risks (IMDG Code, 7.2.6.1, taken narrowly).
    """
    if first.classes == second.classes:
        return segregation(first.classes[0], second.classes[0])
    return max(segregation(a, b) for a in first.classes for b in second.classes)


def judge_storage(goods: Sequence[Goods], zones: Iterable[Zone]) -> list[StorageFault]:
    """Hold what lies in the zones of one place to the table and to the limits of each zone."""
    made: list[StorageFault] = []
    for zone in zones:
        inside = [each for each in goods if each.zone == zone.name]
        for first, second in combinations(inside, 2):
            needs = needed_between(first, second)
            if needs > zone.apart:
                words = f"{'/'.join(first.classes)} {needs.words[0]} {'/'.join(second.classes)}"
                made.append(StorageFault(zone.name, (first.name, second.name), words, needs))
        for kind in dict.fromkeys(each.classes[0] for each in inside):
            own = [each for each in inside if each.classes[0] == kind]
            total, most = sum((each.amount for each in own), Decimal(0)), zone.most.get(kind)
            if most is None:
                made.append(
                    StorageFault(zone.name, tuple(e.name for e in own), f"class {kind} may not be here", None)
                )
            elif total > most:
                what = f"class {kind}: {total} where {most} may be"
                made.append(StorageFault(zone.name, tuple(e.name for e in own), what, None))
    return made
