"""What really happened in a generated chain, and so what a right recall of any part of it has to answer.

Kept by `jinka.sim.trace_chain` as goods move, apart from the events that tell of it, and never drawn from them: who has
which items, how much of which lot lies where, who was where when. `Truth.due` and `Truth.there` are the answers that a
recall is held to, holder by holder. Nothing of `jinka.trace` is used here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

ITEMS, SOLD_ITEMS, SOLD_OF = "items", "items sold", "sold:"
_FOREVER_US = 2**62
Due = dict[str, dict[str, Decimal]]  # by holder: items, items sold, kilograms of a lot, kilograms sold of it


class Slip(Enum):
    """An error of the people who report, or a turn that hides goods from who follows them carelessly."""

    NO_UNPACK = "a pallet is not unpacked on paper"
    NO_RECEIPT = "a receipt is not reported"
    WRONG_INPUT = "a wrong input, declared an error and corrected"
    WRONG_PLACE = "a shipment to a wrong place, declared an error and corrected"
    TOLD_TWICE = "an event is told twice"
    LATE = "events come after later ones"
    OTHER_UNIT = "a lot is made in tonnes and shipped in kilograms"
    SPLIT = "a lot goes to two places, and a part of it stays"
    PARTY_NAMED = "a shipment names a party, and a place answers"
    MADE_ANEW = "an item ends, and its number is given to another one"
    RETURNED = "a part of a lot goes back"


@dataclass(slots=True)
class Visit:
    """Items at a place: from when until when, both ends count."""

    items: Sequence[int]
    since_us: int
    until_us: int = _FOREVER_US


@dataclass(slots=True, kw_only=True)
class Truth:
    """Items and lots count from 0. Places are GLNs as Digital Links, lots by quantity canonical ids."""

    flour_of_lot: list[list[int]] = field(default_factory=list)  # the flour lots of each lot of items
    wheat_of_flour: list[list[int]] = field(default_factory=list)
    place_of_item: list[str] = field(default_factory=list)  # where it is, or was sold
    sold: bytearray = field(default_factory=bytearray)
    anew: dict[int, int] = field(default_factory=dict)  # items whose number was given anew: in which lot
    ended: set[int] = field(default_factory=set)  # items that were destroyed, and no other has the number
    stock_kg: dict[str, dict[str, Decimal]] = field(default_factory=dict)  # of each lot, by place
    sold_kg: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    visits: dict[str, list[Visit]] = field(default_factory=lambda: defaultdict(list))
    slips: Counter[Slip] = field(default_factory=Counter)

    def make(self, lot: str, place: str, kg: Decimal) -> None:
        self.stock_kg[lot] = defaultdict(Decimal, {place: kg})
        self.sold_kg[lot] = defaultdict(Decimal)

    def move(self, lot: str, start: str, end: str, kg: Decimal) -> None:
        self.stock_kg[lot][start] -= kg
        self.stock_kg[lot][end] += kg

    def use(self, lot: str, place: str, kg: Decimal) -> None:
        self.stock_kg[lot][place] -= kg

    def sell(self, lot: str, place: str, kg: Decimal) -> None:
        self.use(lot, place, kg)
        self.sold_kg[lot][place] += kg

    def flours_of(self, wheats: Iterable[int]) -> list[int]:
        """The flour lots that have something of lots of wheat in them."""
        wanted = set(wheats)
        return [f for f, used in enumerate(self.wheat_of_flour) if not wanted.isdisjoint(used)]

    def lots_of(self, flours: Iterable[int]) -> list[int]:
        """The lots of items that have something of lots of flour in them."""
        wanted = set(flours)
        return [b for b, used in enumerate(self.flour_of_lot) if not wanted.isdisjoint(used)]

    def numbers_of(self, lots: Iterable[int], per_lot: int) -> list[int]:
        """Every item number that was ever given in these lots, in order."""
        wanted = set(lots)
        found = {i for b in wanted for i in range(b * per_lot, min((b + 1) * per_lot, len(self.sold)))}
        return sorted(found | {item for item, lot in self.anew.items() if lot in wanted})

    def items_of(self, lots: Iterable[int], per_lot: int) -> list[int]:
        """The items of these lots that there are: whose number was given anew elsewhere is none any more."""
        wanted = set(lots)
        numbers = self.numbers_of(wanted, per_lot)
        return [i for i in numbers if self.anew.get(i, i // per_lot) in wanted and i not in self.ended]

    def due(self, items: Iterable[int], lots: Iterable[str] = ()) -> Due:
        """Who has to answer for what, if these items and these lots by quantity are recalled."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for item in items:
            found[self.place_of_item[item]][SOLD_ITEMS if self.sold[item] else ITEMS] += 1
        made: Due = {holder: {w: Decimal(n) for w, n in each.items()} for holder, each in found.items()}
        for lot in lots:
            for mark, amounts in (("", self.stock_kg[lot]), (SOLD_OF, self.sold_kg[lot])):
                for place, kg in amounts.items():
                    if kg:
                        made.setdefault(place, {})[mark + lot] = kg
        return made

    def there(self, place: str, since_us: int, until_us: int) -> set[int]:
        """The items that were at a place at any time of an interval."""
        return {
            item
            for visit in self.visits[place]
            if visit.since_us <= until_us and since_us <= visit.until_us
            for item in visit.items
        }

    def arrive(self, items: Sequence[int], place: str, at_us: int) -> Visit:
        """They are there from now on, until somebody ends the visit."""
        for item in items:
            self.place_of_item[item] = place
        visit = Visit(items, at_us)
        self.visits[place].append(visit)
        return visit

    def sell_items(self, visit: Visit, place: str, count: int, at_us: int) -> None:
        """The first ``count`` items of a visit are sold, and are there no longer."""
        for item in visit.items[:count]:
            self.sold[item] = 1
        self.visits[place].append(Visit(visit.items[:count], visit.since_us, at_us))
        visit.items = visit.items[count:]
