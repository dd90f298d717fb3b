"""How much of a lot is where: a balance of masses over what was made, moved, used and ended.

EPCIS 2.0, 7.3.3.3 (quantity elements). A lot has no one place: each event moves an amount of it. What is made or
commissioned comes in, what is used in a transformation or ends goes out, shipments move it onto the way and receipts
off it, packing moves it into a container and with it. The sides add up by construction; what cannot be (more went out
of a place than came in) shows as a negative amount there, and an event without a quantity makes the balance unknown:
where it says that some came, and where some was only seen, there is some, and nobody knows how much (`unsure_at`).

Goods that were received and are then put onto a shelf (``storing``, ``stocking``) came once.

Units of one kind are converted (`jinka.trace.amounts`); an amount in a unit of another kind is unknown, and the unit is
said (`foreign`). What was sent to a party comes off its way where a place of the party gets it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from jinka.trace.amounts import convert, told_in
from jinka.trace.lineage import ARRIVES, BIRTHS, ENDS, LEAVES, EdgeKind, Step
from jinka.trace.stays import Rows

_ZERO = Decimal(0)
_INTO = frozenset({EdgeKind.PACK, EdgeKind.ATTACH})
_OUT_OF = frozenset({EdgeKind.UNPACK, EdgeKind.DETACH})
_SALES = frozenset({Step.RETAIL_SELLING, Step.DISPENSING})
_INDOORS = frozenset({Step.STOCKING, Step.STORING})  # arrivals only of what nobody received before
_MOVING = LEAVES | ARRIVES | BIRTHS | ENDS
_EMPTIED = frozenset({EdgeKind.EMPTY, EdgeKind.DETACH_ALL})
_NOBODY: Mapping[int, Collection[int]] = MappingProxyType({})
_Entry = tuple[int, int, int, int, int, int, str | None, str | None]


@dataclass(slots=True, kw_only=True)
class LotBalance:
    """Amounts in ``uom``, by node; place 0 is an unknown one. ``made`` = ``used`` + ``ended`` + what is left."""

    uom: str = ""
    made: Decimal = _ZERO
    used: Decimal = _ZERO
    ended: Decimal = _ZERO
    at_place: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    on_way: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # by whom it is sent to
    inside: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # by container
    sold: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # of what ended, by seller
    got: dict[int, Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )  # all that ever came to a place
    came: set[int] = field(default_factory=set)  # where some came, by events that do not say how much
    sold_some: set[int] = field(default_factory=set)  # who sold some, by events that do not say how much
    seen: set[int] = field(default_factory=set)  # where some was seen by other steps
    unknown: bool = False  # an event did not say how much, or in a unit of another kind
    foreign: set[str] = field(default_factory=set)  # such units

    @property
    def left(self) -> Decimal:
        return sum((sum(each.values(), _ZERO) for each in (self.at_place, self.on_way, self.inside)), _ZERO)

    @property
    def short_at(self) -> dict[int, Decimal]:
        """Places that gave more than they got."""
        return {place: -amount for place, amount in self.at_place.items() if amount < 0}

    def lies_at(self) -> dict[int, Decimal]:
        """What is left, by place, receiver or container, without those that have none."""
        total: dict[int, Decimal] = defaultdict(Decimal)
        for each in (self.at_place, self.on_way, self.inside):
            for node, amount in each.items():
                total[node] += amount
        return {node: amount for node, amount in total.items() if amount > 0}

    def unsure_at(self) -> set[int]:
        """Where there is some of it, or was, and nobody knows how much: a place, receiver or container."""
        told = self.at_place.keys() | self.on_way.keys()
        return (self.came | (self.seen - told)) - self.lies_at().keys() - {0}

    def more_at(self) -> set[int]:
        """Where more of it came than was measured: what is known to lie there is not all."""
        return (self.came & self.lies_at().keys()) - {0}


def balance_of(
    leaving: Rows, making: Rows, around: Mapping[int, Rows], parties: Mapping[int, Collection[int]] = _NOBODY
) -> LotBalance:
    """The balance of one lot. ``making`` are the MAKE rows that end at it, ``around`` what leaves the transformations
    and containers that its rows name: there stands where they were. ``parties`` says of a place whose it is."""
    entries: list[_Entry] = []
    sent: dict[int, int] = {}
    for row in leaving:
        if row[1] == EdgeKind.SENT:
            sent[row[4]] = row[3]
        else:
            entries.append((*row[:6], row[6], row[7]))
    for row in making:
        entries.append((row[3], row[1], row[2], row[0], row[4], row[5], row[6], row[7]))
    containers = {row[3] for row in leaving if row[1] in _INTO}
    for container in containers:
        entries += [row for row in around.get(container, ()) if row[1] in _EMPTIED]
    entries.sort(key=lambda e: (e[2], _order(e[1]), e[4]))
    found = LotBalance(uom=told_in([e[7] or "" for e in entries if e[6] is not None and _counts(e[1], e[5])]))
    for _, kind, at, other, event, step, quantity, uom in entries:
        if kind in _EMPTIED:
            found.at_place[_place(around, other, event, at)] += found.inside.pop(other, _ZERO)
            if other in found.came:
                found.came.add(_place(around, other, event, at))
            continue
        if not _counts(kind, step):
            found.seen.add(other)
            continue
        amount = _amount(found, quantity, uom)
        if amount is None and kind == EdgeKind.AT and step in ENDS:
            (found.sold_some if step in _SALES else found.seen).add(other)
        elif amount is None:
            found.came.add(_comes_to(kind, step, other, sent.get(event, 0), _place(around, other, event, at)))
        else:
            place = _place(around, other, event, at)
            _move(found, kind, step, other, amount, sent.get(event, 0), place, parties)
    for place, amount in [
        *found.at_place.items()
    ]:  # what it gave and never got came to it, and nobody reported it
        if amount < 0:
            found.at_place[place] += _off_way(found, parties.get(place, ()), -amount)
    return found


def _counts(kind: int, step: int) -> bool:
    """Whether it moves some, and does not only see it."""
    return kind != EdgeKind.AT or step in _MOVING


def _order(kind: int) -> int:
    return {EdgeKind.MAKE: 0, EdgeKind.USE: 9}.get(kind, 1)  # type: ignore[call-overload,no-any-return]


def _amount(found: LotBalance, quantity: str | None, uom: str | None) -> Decimal | None:
    amount = None if quantity is None else convert(Decimal(quantity), uom or "", found.uom)
    if amount is None:
        found.unknown = True
        if quantity is not None:
            found.foreign.add(uom or "")
    return amount


def _comes_to(kind: int, step: int, other: int, to: int, place: int) -> int:
    """Where an event brings some of it; 0 where it only takes some away."""
    match kind:
        case EdgeKind.MAKE | EdgeKind.UNPACK | EdgeKind.DETACH:
            return place
        case EdgeKind.PACK | EdgeKind.ATTACH:
            return other
        case EdgeKind.AT:
            return to if step in LEAVES else other
        case _:
            return 0


def _move(found: LotBalance, kind: int, step: int, other: int, amount: Decimal, to: int, place: int,
          parties: Mapping[int, Collection[int]]) -> None:  # fmt: skip
    match kind:
        case EdgeKind.MAKE:
            found.made += amount
            found.at_place[place] += amount
            found.got[place] += amount
        case EdgeKind.USE:
            found.used += amount
            found.at_place[place] -= amount
        case EdgeKind.PACK | EdgeKind.ATTACH:
            found.at_place[place] -= amount
            found.inside[other] += amount
        case EdgeKind.UNPACK | EdgeKind.DETACH:
            found.inside[other] -= amount
            found.at_place[place] += amount
            found.got[place] += amount
        case EdgeKind.AT if step in BIRTHS:
            found.made += amount
            found.at_place[other] += amount
            found.got[other] += amount
        case EdgeKind.AT if step in ENDS:
            found.ended += amount
            if step in _SALES:
                found.sold[other] += amount
            found.at_place[other] -= amount
        case EdgeKind.AT if step in _INDOORS and _is_there(found, other, amount, parties.get(other, ())):
            found.seen.add(other)
        case EdgeKind.AT if step in LEAVES:
            found.at_place[other] -= amount
            found.on_way[to] += amount
        case EdgeKind.AT:
            _receive(found, other, amount, parties.get(other, ()))
        case _:
            pass


def _is_there(found: LotBalance, place: int, amount: Decimal, parties: Collection[int]) -> bool:
    """Whether so much lies at the place already, and none of it is on its way there."""
    ways = (place, *parties, 0)
    return found.at_place[place] >= amount and not any(found.on_way.get(way, _ZERO) > 0 for way in ways)


def _receive(found: LotBalance, place: int, amount: Decimal, parties: Collection[int]) -> None:
    """Off the way to this place, then to whose it is, then to nobody knows where. The rest came from unknown."""
    found.at_place[place] += amount
    found.got[place] += amount
    rest = amount - _off_way(found, (place, *sorted(parties), 0), amount)
    if rest and found.made:
        found.at_place[0] -= rest
    elif rest:
        found.made += rest  # the first that is known of it


def _off_way(found: LotBalance, ways: Iterable[int], amount: Decimal) -> Decimal:
    """Take an amount off the way to these, as far as there is so much; how much it was."""
    rest = amount
    for way in ways:
        taken = min(rest, max(found.on_way.get(way, _ZERO), _ZERO))
        if taken:
            found.on_way[way] -= taken
            rest -= taken
    return amount - rest


def _place(around: Mapping[int, Rows], node: int, event: int, at: int) -> int:
    """Where a transformation or a container was at an event, or else at its last sighting before."""
    best = (-1, -(2**62), 0)
    for _, kind, when, target, seq, *_ in around.get(node, ()):
        if kind == EdgeKind.AT and when <= at:
            best = max(best, (int(seq == event), when, target))
    return best[2]
