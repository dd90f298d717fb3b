"""A generated supply chain whose lineage is known: farms, mills, plants, wholesalers and shops, with errors in it.

Wheat lots become flour lots, flour becomes biscuits in lots of items; items go into cases, cases onto pallets to
wholesalers, cases on other pallets to shops, where they are unpacked and partly sold. The *truth* (what every item is
made of, and who has it) is kept as the goods move, apart from the events that tell of it, so a trace can be held to it.

Errors are those of real chains (`Slip`): pallets that nobody unpacks on paper, receipts that nobody reports, a wrong
input that is declared an error and corrected, the same event told twice, documents that come late. None of them may
change an answer. Everything is drawn from the seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType, Extension, Place, Quantity, Typed
from jinka.codec.tags.check_digit import check_digit

CBV = "https://ref.gs1.org/cbv/"
START_US = 1_767_225_600_000_000  # 2026-01-01
MINUTE_US = 60_000_000
_STEM = "https://id.gs1.org/"
_FARM, _MILL, _PLANT, _WHOLESALER, _SHOP = range(1, 6)


class Slip(Enum):
    """An error of the people who report."""

    NO_UNPACK = "a pallet is not unpacked on paper"
    NO_RECEIPT = "a receipt is not reported"
    WRONG_INPUT = "a wrong input, declared an error and corrected"
    TOLD_TWICE = "an event is told twice"
    LATE = "events come after later ones"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSize:
    """How much of everything. ``slip_rate`` is the share of occasions on which somebody errs."""

    items: int = 2_000
    items_per_lot: int = 200
    items_per_case: int = 20
    cases_per_pallet: int = 10
    farms: int = 8
    mills: int = 4
    plants: int = 3
    wholesalers: int = 5
    shops: int = 20
    slip_rate: float = 0.05


@dataclass(slots=True, kw_only=True)
class Truth:
    """What really happened, by numbers: items and lots count from 0. Places are GLNs as Digital Links."""

    flour_of_lot: list[list[int]] = field(default_factory=list)  # the flour lots of each lot of items
    wheat_of_flour: list[list[int]] = field(default_factory=list)
    place_of_item: list[str] = field(default_factory=list)  # where it is, or was sold
    sold: bytearray = field(default_factory=bytearray)
    slips: Counter[Slip] = field(default_factory=Counter)


class Chain:
    """Makes the events of a chain, in the order of their capture, and its truth. ``events`` is walked once."""

    def __init__(self, size: ChainSize, seed: str = "chain") -> None:
        self.size, self.truth = size, Truth()
        self._draw = random.Random(seed)  # noqa: S311 a simulation
        self._minute = 0
        self._serial = 0
        self._voids = 0

    # Names, by number

    @staticmethod
    def party(kind: int, number: int) -> str:
        body = f"69012{kind:02d}{number:05d}"
        return f"{_STEM}414/{body}{check_digit(body)}"

    @staticmethod
    def wheat(number: int) -> str:
        return f"{_STEM}01/{_gtin('069012345001')}/10/W{number}"

    @staticmethod
    def flour(number: int) -> str:
        return f"{_STEM}01/{_gtin('069012345002')}/10/F{number}"

    @staticmethod
    def lot(number: int) -> str:
        return f"{_STEM}01/{_gtin('069012345003')}/10/B{number}"

    @staticmethod
    def item(number: int) -> str:
        return f"{_STEM}01/{_gtin('069012345003')}/21/{number}"

    def _unit(self) -> str:
        self._serial += 1
        body = f"06901234{self._serial:09d}"
        return f"{_STEM}00/{body}{check_digit(body)}"

    def item_lot(self, item: int) -> int:
        return item // self.size.items_per_lot

    # The story

    def events(self) -> Iterator[Event]:
        """Every event, with the slips; what is late comes a few hundred events after its time."""
        late: list[Event] = []
        for event in self._story():
            if self._slips(Slip.LATE, share=0.2):
                late.append(event)
                continue
            yield event
            if self._slips(Slip.TOLD_TWICE, share=0.2):
                yield event
            if len(late) > 20 or (late and self._draw.random() < 0.01):
                yield late.pop(self._draw.randrange(len(late)))
        yield from late

    def _story(self) -> Iterator[Event]:
        size, lots = self.size, -(-self.size.items // self.size.items_per_lot)
        flours = max(3, lots // 2)
        wheats = max(4, flours // 2)
        yield from self._harvest(wheats)
        yield from self._mill(flours, wheats)
        self.truth.place_of_item = [""] * size.items
        self.truth.sold = bytearray(size.items)
        stock: list[list[tuple[str, range]]] = [[] for _ in range(size.wholesalers)]
        for lot in range(lots):
            yield from self._bake(lot, flours, stock)
            for wholesaler, cases in enumerate(stock):
                while len(cases) >= size.cases_per_pallet * 2:
                    yield from self._deliver(wholesaler, cases)
        for wholesaler, cases in enumerate(stock):
            if len(cases) > size.cases_per_pallet:
                yield from self._deliver(wholesaler, cases)

    def _harvest(self, wheats: int) -> Iterator[Event]:
        for number in range(wheats):
            farm = self.party(_FARM, number % self.size.farms)
            mill = self.party(_MILL, number % self.size.mills)
            whole = (Quantity(epc_class=self.wheat(number), quantity=Decimal(10_000), uom="KGM"),)
            yield self._object("commissioning", farm, quantities=whole, action=Action.ADD)
            yield self._object("shipping", farm, quantities=whole, to=mill)
            yield self._object("receiving", mill, quantities=whole)

    def _mill(self, flours: int, wheats: int) -> Iterator[Event]:
        for number in range(flours):
            mill = number % self.size.mills
            near = [w for w in range(wheats) if w % self.size.mills == mill] or [0]
            used = sorted(self._draw.sample(near, min(len(near), self._draw.randint(1, 3))))
            self.truth.wheat_of_flour.append(used)
            plant, place = self.party(_PLANT, number % self.size.plants), self.party(_MILL, mill)
            made = (Quantity(epc_class=self.flour(number), quantity=Decimal(3_000), uom="KGM"),)
            inputs = tuple(
                Quantity(epc_class=self.wheat(w), quantity=Decimal(1_100), uom="KGM") for w in used
            )
            yield self._transformation(place, inputs=inputs, outputs=made)
            yield self._object("shipping", place, quantities=made, to=plant)
            yield self._object("receiving", plant, quantities=made)

    def _bake(self, lot: int, flours: int, stock: list[list[tuple[str, range]]]) -> Iterator[Event]:
        size = self.size
        plant = lot % size.plants
        near = [f for f in range(flours) if f % size.plants == plant] or [0]
        used = sorted(self._draw.sample(near, min(len(near), self._draw.randint(1, 2))))
        self.truth.flour_of_lot.append(used)
        place = self.party(_PLANT, plant)
        items = range(lot * size.items_per_lot, min((lot + 1) * size.items_per_lot, size.items))
        right = self._transformation(
            place,
            inputs=tuple(Quantity(epc_class=self.flour(f), quantity=Decimal(40), uom="KGM") for f in used),
            epcs=tuple(map(self.item, items)),
            lot=f"B{lot}",
        )
        if self._slips(Slip.WRONG_INPUT):
            yield from self._corrected(right, wrong=self.flour(self._draw.randrange(flours)))
        else:
            yield right
        cases = []
        for start in range(items.start, items.stop, size.items_per_case):
            held = range(start, min(start + size.items_per_case, items.stop))
            case = self._unit()
            cases.append((case, held))
            yield self._group(Action.ADD, case, tuple(map(self.item, held)), place)
        self._place(items, place)
        for at in range(0, len(cases), size.cases_per_pallet):
            some = cases[at : at + size.cases_per_pallet]
            target = self._draw.randrange(size.wholesalers)
            yield from self._haul(some, place, self.party(_WHOLESALER, target))
            stock[target] += some
            self._draw.shuffle(stock[target])

    def _haul(self, cases: list[tuple[str, range]], start: str, end: str) -> Iterator[Event]:
        """Cases on a pallet from one place to another, and off it."""
        pallet, names = self._unit(), tuple(case for case, _ in cases)
        yield self._group(Action.ADD, pallet, names, start)
        yield self._object("shipping", start, pallet, to=end)
        lost = self._slips(Slip.NO_RECEIPT)
        if not lost:
            yield self._object("receiving", end, pallet)
        if lost or not self._slips(Slip.NO_UNPACK):
            yield self._group(Action.DELETE, pallet, () if self._draw.random() < 0.5 else names, end)
        for _, held in cases:
            self._place(held, end)

    def _deliver(self, wholesaler: int, cases: list[tuple[str, range]]) -> Iterator[Event]:
        """A mixed pallet from a wholesaler to a shop, which unpacks its cases and sells some of the items."""
        some = [cases.pop() for _ in range(min(len(cases), self.size.cases_per_pallet))]
        shop = self.party(_SHOP, self._draw.randrange(self.size.shops))
        yield from self._haul(some, self.party(_WHOLESALER, wholesaler), shop)
        for case, held in some:
            names = tuple(map(self.item, held))
            forgotten = self._slips(Slip.NO_UNPACK)
            if not forgotten:
                yield self._group(Action.DELETE, case, names, shop)
            if self._draw.random() < 0.5:
                sold = held[: self._draw.randint(1, len(held))]
                yield self._object("retail_selling", shop, *map(self.item, sold), action=Action.DELETE)
                for number in sold:
                    self.truth.sold[number] = 1

    # Events

    def _corrected(self, right: Event, *, wrong: str) -> Iterator[Event]:
        """The event with a wrong input, the declaration that it is one, and the right event."""
        self._voids += 1
        id_, corrective = f"urn:jinka:chain:wrong:{self._voids}", f"urn:jinka:chain:right:{self._voids}"
        fields = {name: getattr(right, name) for name in right.__dataclass_fields__}
        more = (*right.input_quantities, Quantity(epc_class=wrong, quantity=Decimal(40), uom="KGM"))
        fields |= {"input_quantities": more, "event_id": id_}
        yield Event(**fields)
        error = ErrorDeclaration(
            declaration_time_us=right.event_time_us + MINUTE_US,
            reason=f"{CBV}ER-incorrect_data",
            corrective_event_ids=(corrective,),
        )
        yield Event(**fields | {"error": error})
        yield Event(**fields | {"event_id": corrective, "input_quantities": right.input_quantities})

    def _slips(self, slip: Slip, share: float = 1.0) -> bool:
        if self._draw.random() >= self.size.slip_rate * share:
            return False
        self.truth.slips[slip] += 1
        return True

    def _place(self, items: range, place: str) -> None:
        self.truth.place_of_item[items.start : items.stop] = [place] * len(items)

    def _time(self) -> int:
        self._minute += 1
        return START_US + self._minute * MINUTE_US

    def _object(self, step: str, place: str, *epcs: str, quantities: tuple[Quantity, ...] = (), to: str = "",
                action: Action = Action.OBSERVE) -> Event:  # fmt: skip
        return Event(
            event_type=EventType.OBJECT, event_time_us=self._time(), zone_offset="+08:00", action=action,
            epcs=epcs, quantities=quantities, biz_step=f"{CBV}BizStep-{step}", read_point=Place(id=place),
            biz_location=None if step == "shipping" else Place(id=place),
            destinations=(Typed(id=to, type=f"{CBV}SDT-location"),) if to else (),
        )  # fmt: skip

    def _group(self, action: Action, parent: str, children: tuple[str, ...], place: str) -> Event:
        step = "packing" if action is Action.ADD else "unpacking"
        return Event(
            event_type=EventType.AGGREGATION, event_time_us=self._time(), zone_offset="+08:00", action=action,
            parent_id=parent, child_epcs=children, biz_step=f"{CBV}BizStep-{step}", read_point=Place(id=place),
            biz_location=Place(id=place),
        )  # fmt: skip

    def _transformation(self, place: str, *, inputs: tuple[Quantity, ...], outputs: tuple[Quantity, ...] = (),
                        epcs: tuple[str, ...] = (), lot: str = "") -> Event:  # fmt: skip
        return Event(
            event_type=EventType.TRANSFORMATION, event_time_us=self._time(), zone_offset="+08:00",
            input_quantities=inputs, output_quantities=outputs, output_epcs=epcs,
            biz_step=f"{CBV}BizStep-commissioning", read_point=Place(id=place), biz_location=Place(id=place),
            ilmd=(Extension(namespace="urn:epcglobal:cbv:mda", name="lotNumber", text=lot),) if lot else (),
        )  # fmt: skip


def _gtin(body: str) -> str:
    padded = "0" + body
    return padded + check_digit(padded)
