"""How much of a lot is where. Goal: what was made is what was used, ended and is left, place by place.

Method: one lot through every kind of movement, with amounts that a person can add up; then the faults of real books.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from jinka.codec.epcis import Event, Quantity, Typed
from jinka.trace.balance import LotBalance, balance_of
from jinka.trace.lineage import EdgeKind
from tests.trace.chains import (
    CBV,
    MemoryLinks,
    case,
    item,
    kind,
    lot,
    made,
    packed,
    parts,
    place,
    seen,
    unpacked,
)

L = lot("L")


def _balance(*events: Event) -> tuple[LotBalance, MemoryLinks]:
    links = MemoryLinks(events)
    node = links.number(L)
    making = links.arriving([node], [EdgeKind.MAKE])
    around = {n: links.leaving([n]) for n in list(links.shown)}
    return balance_of(links.leaving([node]), making, around), links


def _at(amounts: dict[int, Decimal], links: MemoryLinks) -> dict[str, int]:
    return {links.shown[n]: int(amount) for n, amount in amounts.items() if amount}


def test_what_was_received_and_then_stored_came_once() -> None:
    got = seen(3, "receiving", 2, quantities=parts((L, 600)))
    made_and_sent = (
        made(1, [item(1)], [], gave=parts((L, 1000)), where=1),
        seen(2, "shipping", 1, quantities=parts((L, 600)), to=2),
    )
    stored = [seen(at, "storing", 2, quantities=parts((L, 300))) for at in (4, 5)]
    found, links = _balance(*made_and_sent, got, *stored)
    assert _at(found.at_place, links) == {place(1): 400, place(2): 600}
    found, links = _balance(*made_and_sent, *stored)  # nobody received it: to store it is its arrival
    assert _at(found.at_place, links) == {place(1): 400, place(2): 600}
    assert not any(found.on_way.values())


def test_a_lot_is_made_moved_used_packed_and_ended() -> None:
    found, links = _balance(
        made(1, [item(1)], [], gave=parts((L, 1000)), where=1),
        seen(2, "shipping", 1, quantities=parts((L, 600)), to=2),
        seen(3, "receiving", 2, quantities=parts((L, 600))),
        made(4, [], [item(2, "022222")], used=parts((L, 150)), where=2),
        seen(5, "shipping", 2, quantities=parts((L, 100)), to=3),
        packed(6, case(1), where=2, quantities=parts((L, 50))),
        seen(7, "destroying", 2, quantities=parts((L, 30))),
        seen(8, "inspecting", 2, quantities=parts((L, 270))),
    )
    assert (found.made, found.used, found.ended) == (1000, 150, 30)
    assert _at(found.at_place, links) == {place(1): 400, place(2): 270}
    assert _at(found.on_way, links) == {place(3): 100}
    assert _at(found.inside, links) == {case(1): 50}
    assert found.made == found.used + found.ended + found.left
    assert not found.short_at
    assert not found.unknown
    assert found.uom == "KGM"


def test_what_is_unpacked_or_emptied_lies_where_the_container_was() -> None:
    found, links = _balance(
        seen(1, "commissioning", 1, quantities=parts((L, 90)), add=True),
        packed(2, case(1), where=1, quantities=parts((L, 40))),
        packed(2, case(2), where=1, quantities=parts((L, 50))),
        seen(3, "shipping", 1, case(1), case(2), to=2),
        unpacked(4, case(1), where=2, quantities=parts((L, 15))),
        unpacked(5, case(2), where=3),
    )
    assert _at(found.at_place, links) == {place(2): 15, place(3): 50}
    assert _at(found.inside, links) == {case(1): 25}
    assert found.left == 90


def test_books_that_cannot_be_are_told() -> None:
    found, links = _balance(
        seen(1, "commissioning", 1, quantities=parts((L, 10)), add=True),
        seen(2, "shipping", 1, quantities=parts((L, 25)), to=2),
    )
    assert _at(found.short_at, links) == {place(1): 15}
    assert _balance(seen(1, "commissioning", 1, quantities=parts((L, None)), add=True))[0].unknown
    assert _balance(seen(1, "receiving", 2, quantities=parts((L, 7))))[0].made == 7


def test_a_class_with_a_lot_number_is_the_lot() -> None:
    found, links = _balance(seen(1, "commissioning", 1, quantities=parts((kind(), 5)), lot="L"))
    assert _at(found.at_place, links) == {place(1): 5}


def test_elements_of_one_lot_are_one_amount() -> None:
    found, links = _balance(seen(1, "commissioning", 1, quantities=parts((L, 5), (L, "2.5")), add=True))
    assert found.at_place == {links.number(place(1)): Decimal("7.5")}
    assert _balance(seen(1, "commissioning", 1, quantities=parts((L, 5), (L, None)), add=True))[0].unknown


def test_units_of_one_kind_are_one_balance_and_of_another_kind_unknown() -> None:
    def some(amount: object, uom: str) -> tuple[Quantity, ...]:
        return (Quantity(epc_class=L, quantity=Decimal(str(amount)), uom=uom),)

    found, links = _balance(
        seen(0, "inspecting", 1, quantities=some(1, "XBX")),
        seen(1, "commissioning", 1, quantities=some(1, "TNE"), add=True),
        seen(2, "shipping", 1, quantities=some(600, "KGM"), to=2),
        seen(3, "receiving", 2, quantities=some(600_000, "GRM")),
        seen(4, "shipping", 2, quantities=some(3, "XBX"), to=3),
        seen(5, "receiving", 3, quantities=some(3, "XBX")),
    )
    assert found.uom == "TNE"
    assert found.lies_at() == {links.number(place(1)): Decimal("0.4"), links.number(place(2)): Decimal("0.6")}
    assert found.unsure_at() == {links.number(place(3))}
    assert found.foreign == {"XBX"}
    assert found.unknown


def test_a_shipment_to_a_party_comes_off_its_way_where_the_party_is() -> None:
    def sent(party: str, received: bool) -> dict[str, int]:
        to = (Typed(id=party, type=f"{CBV}SDT-possessing_party"),)
        events = [
            seen(1, "commissioning", 1, quantities=parts((L, 100)), add=True),
            replace(seen(2, "shipping", 1, quantities=parts((L, 60))), destinations=to),
            seen(3, "receiving", 2, quantities=parts((L, 60))) if received
            else made(3, [], [item(1)], used=parts((L, 60)), where=2),
        ]  # fmt: skip
        pair = (*to, Typed(id=place(2), type=f"{CBV}SDT-location"))
        other = replace(seen(0, "shipping", 1, item(7)), destinations=pair)
        found, links = _balance(*events, other)
        places = {links.number(place(2)): links.parties([links.number(place(2))])[links.number(place(2))]}
        balance = balance_of(
            links.leaving([links.number(L)]), [], {n: links.leaving([n]) for n in list(links.shown)}, places
        )
        assert found.made == found.used + found.ended + found.left
        return {links.shown[n]: int(amount) for n, amount in balance.lies_at().items()}

    firm = "https://id.gs1.org/417/6901234000023"
    assert sent(firm, received=True) == {place(1): 40, place(2): 60}
    assert sent(firm, received=False) == {place(1): 40}  # it used what nobody reported to have come
