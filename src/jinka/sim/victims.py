"""Who gets which fault: the records of a day, with the indices that the search for a victim needs.

A card carries at most one fault, so that each label has one right answer. A day may be too small to have a victim for
a kind; then there is none, and the report shows that none was injected.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from jinka.codec import CounterKind, RecordState
from jinka.sim.changes import HALF_FARE, Row
from jinka.sim.faults import Fault

_HALF_MAX_FEN = 2_500  # so that twice of it is a fare that the tariff could ask

Place = Callable[[Sequence[Row], int], bool]  # the records of one card in order, and a place among them


@dataclass(slots=True, kw_only=True)
class Victims:
    """Draws records without a fault. A kind's candidates are sought once and drawn until they are used up.

    A card is known by the number that it had before any fault, since a fault may change the number in the record.
    """

    draw: random.Random
    rows: Sequence[Row]
    by_card: Mapping[bytes, Sequence[int]]  # in the order of time
    used: set[bytes]  # cards with a fault
    _cards: list[bytes] = field(init=False)
    _pools: dict[Fault, list[tuple[bytes, int]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._cards = sorted(self.by_card)

    def of(self, fault: Fault) -> int | None:
        """Take the card of a confirmed purchase (or load) that can bear the fault: its index, or None without one."""
        if fault not in self._pools:
            self._pools[fault] = self._candidates(fault)
        pool = self._pools[fault]
        while pool:
            card, index = pool.pop()
            if card not in self.used:
                self.used.add(card)
                return index
        return None

    def bystander(self, terminals: Callable[[bytes], bool]) -> int | None:
        """Draw a card's first record, a purchase that no fault has touched, at one of the terminals: its index."""
        count = len(self._cards)
        first = self.draw.randrange(max(count, 1))
        for place in range(first, first + count):
            card = self._cards[place % count]
            row = self.rows[index := self.by_card[card][0]]
            is_purchase = row["counter_kind"] == CounterKind.OFFLINE
            if card not in self.used and is_purchase and terminals(row["terminal_id"]):
                return index
        return None

    def _candidates(self, fault: Fault) -> list[tuple[bytes, int]]:
        kind = CounterKind.ONLINE if fault is Fault.FORGED_LOAD else CounterKind.OFFLINE
        wanted = _WANTED.get(fault, _any)
        found = []
        for card, indices in self.by_card.items():
            if card in self.used:
                continue
            rows = [self.rows[index] for index in indices]
            found += [
                (card, index)
                for place, index in enumerate(indices)
                if rows[place]["counter_kind"] == kind and wanted(rows, place)
            ]
        self.draw.shuffle(found)
        return found


def by_card_in_time(rows: Sequence[Row]) -> dict[bytes, list[int]]:
    """The indices of the records of each card, as its day went."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for index in sorted(range(len(rows)), key=lambda index: _moment(rows[index])):
        found[rows[index]["card_no"]].append(index)
    return dict(found)


def torn_by_nature(rows: Sequence[Row]) -> set[bytes]:
    """The cards with a record that is in doubt without any fault of ours."""
    return {row["card_no"] for row in rows if row["state"] != RecordState.CONFIRMED}


def _moment(row: Row) -> tuple[bytes, bytes, int]:
    return row["local_date"], row["local_time"], row["counter"]


def _any(_rows: Sequence[Row], _place: int) -> bool:
    return True


def _last(rows: Sequence[Row], place: int) -> bool:
    return place + 1 == len(rows)


def _alone(rows: Sequence[Row], _place: int) -> bool:
    return len(rows) == 1


def _offline(row: Row) -> bool:
    return bool(row["counter_kind"] == CounterKind.OFFLINE)


def _followed(rows: Sequence[Row], place: int) -> bool:
    return place + 1 < len(rows) and _offline(rows[place + 1])


def _between(rows: Sequence[Row], place: int) -> bool:
    return _followed(rows, place) and place > 0 and _offline(rows[place - 1])


def _costly_followed(rows: Sequence[Row], place: int) -> bool:
    return _followed(rows, place) and rows[place]["amount"] > 0


def _full_price(rows: Sequence[Row], place: int) -> bool:
    return bool(rows[place]["product"] != HALF_FARE and 0 < rows[place]["amount"] <= _HALF_MAX_FEN)


_WANTED: dict[Fault, Place] = {
    Fault.BLOCKED_CARD: _alone,
    Fault.LATE_LIST: _alone,
    Fault.COUNTER_REUSED: _last,
    Fault.COUNTER_GAP: _followed,
    Fault.COUNTER_BREAK: _between,
    Fault.TORN_RESOLVED: _costly_followed,
    Fault.TORN_OPEN: _last,
    Fault.FORGED_TORN: _last,
    Fault.FALSE_SUBSIDY: _full_price,
}
