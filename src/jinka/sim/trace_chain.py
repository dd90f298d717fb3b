"""A generated supply chain whose lineage is known: farms, mills, plants, wholesalers and shops, with errors in it.

Wheat lots become flour lots, flour becomes biscuits in lots of items; some flour is sold by weight. Items go into
cases, cases onto pallets to wholesalers, cases on other pallets to shops, where they are unpacked and partly sold. The
*truth* (`jinka.sim.trace_truth`) is kept as the goods move, apart from the events, so a trace can be held to it.

Errors are those of real chains (`Slip`): pallets that nobody unpacks on paper, receipts that nobody reports, wrong
inputs and wrong receivers that are declared errors and corrected, events told twice or late, lots in two units, lots
that are split or partly sent back, shipments to a firm that a place receives, numbers that are given anew. None of them
may change an answer. Everything is drawn from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType, Extension, Place, Quantity, Typed
from jinka.codec.tags.check_digit import check_digit
from jinka.sim.trace_truth import Slip, Truth, Visit

CBV = "https://ref.gs1.org/cbv/"
START_US = 1_767_225_600_000_000  # 2026-01-01
MINUTE_US = 60_000_000
_STEM = "https://id.gs1.org/"
_FARM, _MILL, _PLANT, _WHOLESALER, _SHOP = range(1, 6)
_FIRM = 50  # firms that have another number than their place
_LOCATION, _PARTY = f"{CBV}SDT-location", f"{CBV}SDT-possessing_party"
_WHEAT_KG, _FLOUR_KG, _MILLED_KG, _BAKED_KG = Decimal(10_000), Decimal(3_000), Decimal(1_100), Decimal(40)


class _Case(NamedTuple):
    """A case with its items, where they are."""

    name: str
    visit: Visit


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


class Chain:
    """Makes the events of a chain, in the order of their capture, and its truth. ``events`` is walked once."""

    def __init__(self, size: ChainSize, seed: str = "chain") -> None:
        self.size, self.truth = size, Truth()
        self._draw = random.Random(seed)  # noqa: S311 a simulation
        self._minute = 0
        self._serial = 0
        self._voids = 0
        self._at_mill: dict[int, list[int]] = {}  # lots of wheat with something left, by mill
        self._given_up: dict[int, list[int]] = {}  # numbers that the next lot of a plant gives anew
        self._introduced: set[str] = set()  # places whose firm some event has named

    # Names, by number

    @staticmethod
    def party(kind: int, number: int) -> str:
        body = f"69012{kind:02d}{number:05d}"
        return f"{_STEM}414/{body}{check_digit(body)}"

    @staticmethod
    def firm(place: str) -> str:
        """The firm at a place: every other one has the place's own number."""
        number = place.rpartition("/")[2]
        if int(number[-2]) % 2:
            body = f"{number[:5]}{int(number[5:7]) + _FIRM}{number[7:-1]}"
            number = body + check_digit(body)
        return f"{_STEM}417/{number}"

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
        self.truth.place_of_item = [""] * size.items
        self.truth.sold = bytearray(size.items)
        yield from self._harvest(max(4, flours // 2))
        yield from self._mill(flours)
        stock: list[list[_Case]] = [[] for _ in range(size.wholesalers)]
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
            lot, farm = self.wheat(number), self.party(_FARM, number % self.size.farms)
            tonnes = self._slips(Slip.OTHER_UNIT, share=4)
            whole = self._amount(lot, _WHEAT_KG / 1_000, "TNE") if tonnes else self._amount(lot, _WHEAT_KG)
            self.truth.make(lot, farm, _WHEAT_KG)
            yield self._object("commissioning", farm, quantities=whole, action=Action.ADD)
            mill, loads = number % self.size.mills, [_WHEAT_KG]
            if self._slips(Slip.SPLIT, share=4):
                loads = [Decimal(6_000), Decimal(3_000)]  # and a tonne stays
            for n, kg in enumerate(loads):
                here = (mill + n) % self.size.mills
                self._at_mill.setdefault(here, []).append(number)
                yield from self._carry(lot, farm, self.party(_MILL, here), kg)

    def _carry(self, lot: str, start: str, end: str, kg: Decimal, disposition: str = "") -> Iterator[Event]:
        """An amount of a lot from one place to another."""
        part = self._amount(lot, kg)
        shipped = self._object("shipping", start, quantities=part, to=end, disposition=disposition)
        yield shipped
        self.truth.move(lot, start, end, kg)
        if (
            len(shipped.destinations) > 1
            or shipped.destinations[0].id != end
            or not self._slips(Slip.NO_RECEIPT)
        ):
            yield self._object("receiving", end, quantities=part)

    def _mill(self, flours: int) -> Iterator[Event]:
        """Flour out of one to three lots of wheat, to a plant; of some flour a part is sold by weight."""
        size = self.size
        for number in range(flours):
            mill = next(
                m % size.mills
                for m in range(number, number + size.mills)
                if self._at_mill.get(m % size.mills)
            )
            near, place = self._at_mill[mill], self.party(_MILL, mill)
            used = sorted(self._draw.sample(near, min(len(near), self._draw.randint(1, 3))))
            self.truth.wheat_of_flour.append(used)
            lot, plant = self.flour(number), self.party(_PLANT, number % size.plants)
            inputs = tuple(each for w in used for each in self._amount(self.wheat(w), _MILLED_KG))
            yield self._transformation(place, inputs=inputs, outputs=self._amount(lot, _FLOUR_KG))
            self.truth.make(lot, place, _FLOUR_KG)
            for wheat in used:
                self.truth.use(self.wheat(wheat), place, _MILLED_KG)
                if self.truth.stock_kg[self.wheat(wheat)][place] < _MILLED_KG:
                    near.remove(wheat)
            loose = Decimal(600) if number % 4 == 0 else Decimal(0)
            yield from self._carry(lot, place, plant, _FLOUR_KG - loose)
            if loose:
                seller = self.party(_WHOLESALER, number % size.wholesalers)
                yield from self._carry(lot, place, seller, loose)
                sold = self._amount(lot, Decimal(250))
                yield self._object("retail_selling", seller, quantities=sold, action=Action.DELETE)
                self.truth.sell(lot, seller, Decimal(250))
            if self._slips(Slip.RETURNED, share=4):
                yield from self._carry(lot, plant, place, Decimal(500), "returned")

    def _bake(self, lot: int, flours: int, stock: list[list[_Case]]) -> Iterator[Event]:
        size, truth = self.size, self.truth
        plant = lot % min(size.plants, flours)
        whole, place = range(plant, flours, size.plants), self.party(_PLANT, plant)
        near = [
            f
            for f in self._draw.sample(whole, min(len(whole), 6))
            if truth.stock_kg[self.flour(f)][place] >= _BAKED_KG
        ]
        used = sorted(near[: self._draw.randint(1, 2)])
        truth.flour_of_lot.append(used)
        numbers = [
            *self._given_up.pop(plant, ()),
            *range(lot * size.items_per_lot, min((lot + 1) * size.items_per_lot, size.items)),
        ]
        right = self._transformation(
            place,
            inputs=tuple(each for f in used for each in self._amount(self.flour(f), _BAKED_KG)),
            epcs=tuple(map(self.item, numbers)),
            lot=f"B{lot}",
        )
        for flour in used:
            truth.use(self.flour(flour), place, _BAKED_KG)
        for item in numbers:
            if self.item_lot(item) != lot:
                truth.anew[item] = lot
                truth.ended.discard(item)
        if self._slips(Slip.WRONG_INPUT):
            wrong = self._amount(self.flour(self._draw.randrange(flours)), _BAKED_KG)
            yield from self._corrected(right, {"input_quantities": (*right.input_quantities, *wrong)})
        else:
            yield right
        if self._slips(Slip.MADE_ANEW, share=4):
            yield self._end(numbers.pop(), plant)
        made_us = right.event_time_us
        cases = []
        for start in range(0, len(numbers), size.items_per_case):
            held = numbers[start : start + size.items_per_case]
            cases.append(_Case(self._unit(), truth.arrive(held, place, made_us)))
            yield self._group(Action.ADD, cases[-1].name, tuple(map(self.item, held)), place)
        for at in range(0, len(cases), size.cases_per_pallet):
            target = self._draw.randrange(size.wholesalers)
            hauled: list[_Case] = []
            yield from self._haul(
                cases[at : at + size.cases_per_pallet], place, self.party(_WHOLESALER, target), hauled
            )
            stock[target] += hauled
            self._draw.shuffle(stock[target])

    def _end(self, item: int, plant: int) -> Event:
        """An item comes to its end before it is packed; the next lot of the plant gives its number anew."""
        self._given_up.setdefault(plant, []).append(item)
        self.truth.ended.add(item)
        self.truth.place_of_item[item] = self.party(_PLANT, plant)
        step = self._draw.choice(("destroying", "decommissioning"))
        return self._object(step, self.party(_PLANT, plant), self.item(item), action=Action.DELETE)

    def _haul(self, cases: Sequence[_Case], start: str, end: str, hauled: list[_Case]) -> Iterator[Event]:
        """Cases on a pallet from one place to another, and off it: then they are ``hauled``."""
        pallet, names = self._unit(), tuple(case.name for case in cases)
        yield self._group(Action.ADD, pallet, names, start)
        shipped = self._object("shipping", start, pallet, to=end)
        if self._slips(Slip.WRONG_PLACE):
            wrong = (Typed(id=self.party(_SHOP, self._draw.randrange(self.size.shops)), type=_LOCATION),)
            yield from self._corrected(shipped, {"destinations": wrong})
        else:
            yield shipped
        for case in cases:
            case.visit.until_us = shipped.event_time_us
        arrived_us = 0
        lost = self._slips(Slip.NO_RECEIPT)
        if not lost:
            yield (event := self._object("receiving", end, pallet))
            arrived_us = event.event_time_us
        if lost or not self._slips(Slip.NO_UNPACK):
            children = () if self._draw.random() < 0.5 else names
            yield (event := self._group(Action.DELETE, pallet, children, end))
            arrived_us = arrived_us or event.event_time_us
        hauled += [_Case(case.name, self.truth.arrive(case.visit.items, end, arrived_us)) for case in cases]

    def _deliver(self, wholesaler: int, cases: list[_Case]) -> Iterator[Event]:
        """A mixed pallet from a wholesaler to a shop, which unpacks its cases and sells some of the items."""
        some = [cases.pop() for _ in range(min(len(cases), self.size.cases_per_pallet))]
        shop = self.party(_SHOP, self._draw.randrange(self.size.shops))
        here: list[_Case] = []
        yield from self._haul(some, self.party(_WHOLESALER, wholesaler), shop, here)
        for case, visit in here:
            names = tuple(map(self.item, visit.items))
            if not self._slips(Slip.NO_UNPACK):
                yield self._group(Action.DELETE, case, names, shop)
            if self._draw.random() < 0.5:
                count = self._draw.randint(1, len(names))
                sale = self._object("retail_selling", shop, *names[:count], action=Action.DELETE)
                yield sale
                self.truth.sell_items(visit, shop, count, sale.event_time_us)

    # Events

    def _corrected(self, right: Event, wrong: dict[str, object]) -> Iterator[Event]:
        """The event with something wrong, the declaration that it is an error, and the right event."""
        self._voids += 1
        id_, corrective = f"urn:jinka:chain:wrong:{self._voids}", f"urn:jinka:chain:right:{self._voids}"
        error = ErrorDeclaration(
            declaration_time_us=right.event_time_us + MINUTE_US,
            reason=f"{CBV}ER-incorrect_data",
            corrective_event_ids=(corrective,),
        )
        yield replace(right, event_id=id_, **wrong)  # type: ignore[arg-type]
        yield replace(right, event_id=id_, error=error, **wrong)  # type: ignore[arg-type]
        yield replace(right, event_id=corrective)

    @staticmethod
    def _amount(lot: str, amount: Decimal, uom: str = "KGM") -> tuple[Quantity, ...]:
        return (Quantity(epc_class=lot, quantity=amount, uom=uom),)

    def _receiver(self, place: str) -> tuple[Typed, ...]:
        """Who gets a shipment: the place, or sometimes its firm alone.

        Where the number does not tell that they belong together, the first shipment names both.
        """
        firm = Typed(id=self.firm(place), type=_PARTY)
        if place not in self._introduced and firm.id.replace("/417/", "/414/") != place:
            self._introduced.add(place)
            return (Typed(id=place, type=_LOCATION), firm)
        return (firm,) if self._slips(Slip.PARTY_NAMED, share=4) else (Typed(id=place, type=_LOCATION),)

    def _slips(self, slip: Slip, share: float = 1.0) -> bool:
        if self._draw.random() >= self.size.slip_rate * share:
            return False
        self.truth.slips[slip] += 1
        return True

    def _time(self) -> int:
        self._minute += 1
        return START_US + self._minute * MINUTE_US

    def _object(self, step: str, place: str, *epcs: str, quantities: tuple[Quantity, ...] = (), to: str = "",
                action: Action = Action.OBSERVE, disposition: str = "") -> Event:  # fmt: skip
        return Event(
            event_type=EventType.OBJECT, event_time_us=self._time(), zone_offset="+08:00", action=action,
            epcs=epcs, quantities=quantities, biz_step=f"{CBV}BizStep-{step}", read_point=Place(id=place),
            biz_location=None if step == "shipping" else Place(id=place),
            disposition=f"{CBV}Disp-{disposition}" if disposition else None,
            destinations=self._receiver(to) if to else (),
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
