"""What is affected and what it came from. Goal: everybody who has something of it, and nobody else.

Method: chains of a few events whose answer a person can see, each with the trap that it is about.
"""

from __future__ import annotations

import dataclasses

import pytest

from jinka.codec.epcis import ErrorDeclaration, Event
from jinka.kit import Usage
from jinka.trace.lineage import edges_of
from jinka.trace.spread import Seed, Spread, spread_back, spread_forward
from tests.trace.chains import (
    HOUR_US,
    MemoryLinks,
    case,
    item,
    kind,
    lot,
    made,
    packed,
    parts,
    seen,
    unpacked,
)


def _ahead(events: list[Event], *names: str, **window: int) -> tuple[set[str], set[str], Spread]:
    links = MemoryLinks(events)
    found = spread_forward(links, [Seed(links.number(name), **window) for name in names])
    return links.named(found.things()), links.named(found.carriers), found


def _back(events: list[Event], *names: str) -> set[str]:
    links = MemoryLinks(events)
    return links.named(spread_back(links, [Seed(links.number(name)) for name in names]).things()) - set(names)


def test_a_lot_reaches_its_items_their_products_and_nothing_beside() -> None:
    events = [
        made(1, [], [item(1), item(2)], lot="A"),
        made(1, [], [item(3)], lot="B"),
        made(2, [item(1)], [item(10, "022222")]),
        made(3, [item(3)], [item(11, "022222")]),
    ]
    things, carriers, _ = _ahead(events, lot("A"))
    assert things == {lot("A"), item(1), item(2), item(10, "022222")}
    assert not carriers
    assert _back(events, item(10, "022222")) == {item(1)}


def test_what_lies_beside_it_in_a_case_is_not_affected() -> None:
    events = [packed(1, case(1), item(1), item(2)), packed(2, case(2), case(1))]
    things, carriers, _ = _ahead(events, item(1))
    assert things == {item(1)}
    assert carriers == {case(1), case(2)}


def test_a_container_that_was_used_again_carries_nothing_of_what_left_it() -> None:
    events = [
        packed(1, case(1), item(1)),
        unpacked(2, case(1)),
        packed(3, case(1), item(2)),
        packed(4, case(9), case(1)),
        made(5, [case(9)], [item(20, "033333")]),
    ]
    things, carriers, _ = _ahead(events, item(1))
    assert things == {item(1)}
    assert carriers == {case(1)}
    assert _back(events, item(20, "033333")) == {case(9), case(1), item(2)}


def test_a_whole_container_goes_into_a_transformation_with_what_it_holds_at_that_moment() -> None:
    events = [
        packed(1, case(1), item(1), item(2)),
        unpacked(2, case(1), item(2)),
        packed(3, case(1), item(3)),
        made(4, [case(1)], [item(30, "033333")]),
        made(6, [item(2)], [item(31, "033333")]),
    ]
    assert _ahead(events, item(1))[0] == {item(1), item(30, "033333")}
    assert _ahead(events, item(2))[0] == {item(2), item(31, "033333")}
    assert _back(events, item(30, "033333")) == {case(1), item(1), item(3)}


def test_a_container_used_twice_gives_each_product_its_own_contents() -> None:
    events = [
        packed(1, case(1), item(1)),
        made(2, [case(1)], [item(40, "033333")]),
        unpacked(3, case(1)),
        packed(4, case(1), item(2)),
        made(5, [case(1)], [item(41, "033333")]),
    ]
    assert _back(events, item(40, "033333")) == {case(1), item(1)}
    assert _back(events, item(41, "033333")) == {case(1), item(2)}
    both = _back(events, item(40, "033333"), item(41, "033333"))
    assert both == {case(1), item(1), item(2)}


def test_an_exposed_container_affects_what_lay_in_it_then() -> None:
    events = [
        packed(1, case(1), item(1)),
        unpacked(3, case(1), item(1)),
        packed(4, case(1), item(2)),
        packed(9, case(1), item(3)),
        made(2, [item(1)], [item(50, "033333")]),
    ]
    things, _, _ = _ahead(events, case(1), since_us=5 * HOUR_US, until_us=6 * HOUR_US)
    assert things == {case(1), item(2)}
    things, _, _ = _ahead(events, case(1), since_us=int(2.5 * HOUR_US), until_us=6 * HOUR_US)
    assert things == {case(1), item(1), item(2)}  # but what was made of item 1 before is sound


def test_contents_that_were_reached_late_are_reached_again_when_they_prove_to_be_affected_earlier() -> None:
    events = [
        packed(1, case(1), item(1)),
        packed(1, case(2), item(1), attached=True),
        made(4, [item(1)], [item(60, "033333")]),
    ]
    links = MemoryLinks(events)
    seeds = [Seed(links.number(case(1)), 5 * HOUR_US), Seed(links.number(case(2)), 2 * HOUR_US)]
    assert item(60, "033333") in links.named(spread_forward(links, seeds).things())
    assert item(60, "033333") not in links.named(spread_forward(links, seeds[:1]).things())


def test_events_of_one_transformation_share_their_inputs_and_outputs() -> None:
    events = [
        made(1, [item(1)], [], id="urn:uuid:1"),
        made(2, [item(2)], [], id="urn:uuid:1"),
        made(3, [], [item(70, "033333")], id="urn:uuid:1"),
        made(3, [item(3)], [item(71, "033333")]),
    ]
    assert _back(events, item(70, "033333")) == {item(1), item(2)}
    assert _ahead(events, item(2))[0] == {item(2), item(70, "033333")}


def test_clocks_that_disagree_hide_nothing() -> None:
    events = [
        made(5, [item(1)], [item(2, "022222")]),
        made(2, [item(2, "022222")], [item(3, "033333")]),
        made(4, [], [item(9)], lot="A"),
        made(3, [item(9)], [item(10, "022222")]),
    ]
    assert _ahead(events, item(1))[0] == {item(1), item(2, "022222"), item(3, "033333")}
    assert item(10, "022222") in _ahead(events, lot("A"))[0]


def test_a_voided_event_counts_for_nothing() -> None:
    events = [packed(1, case(1), item(1)), made(2, [item(1)], [item(80, "033333")])]
    void = [dataclasses.replace(each, error=ErrorDeclaration(declaration_time_us=1)) for each in events]
    assert [edge for each in void for edge in edges_of(each, key="x")] == []


def test_nothing_is_followed_through_a_bare_class_and_it_is_said() -> None:
    events = [
        made(1, [item(1)], [], gave=parts((kind("022222"), 10))),
        made(2, [], [item(90, "033333")], used=parts((kind("022222"), 5))),
    ]
    things, _, found = _ahead(events, item(1))
    assert things == {item(1), kind("022222")}
    assert len(found.limits) == 1
    assert _back(events, item(90, "033333")) == {kind("022222")}


def test_lots_are_followed_by_quantity_elements_and_a_part_of_a_lot_is_a_limit() -> None:
    events = [
        seen(1, "commissioning", 1, lot="W", quantities=parts((kind(), 100))),
        made(2, [], [], used=parts((lot("W"), 60)), gave=parts((lot("F", "022222"), 55))),
        packed(3, case(1), quantities=parts((lot("F", "022222"), 20))),
        made(4, [], [item(99, "033333")], used=parts((lot("F", "022222"), 5))),
    ]
    things, carriers, found = _ahead(events, lot("W"))
    assert things == {lot("W"), lot("F", "022222"), item(99, "033333")}
    assert carriers == {case(1)}
    assert not found.limits
    things, _, found = _ahead(events, case(1))
    assert things == {case(1), lot("F", "022222")}
    assert len(found.limits) == 1
    assert _back(events, item(99, "033333")) == {lot("F", "022222"), lot("W")}


def test_an_item_that_nobody_made_comes_from_its_lot() -> None:
    events = [
        made(1, [item(1)], [], gave=parts((lot("L", "022222"), 9))),
        seen(2, "commissioning", 1, item(5, "022222"), lot="L"),
    ]
    assert _back(events, item(5, "022222")) == {lot("L", "022222"), item(1)}


def test_a_link_that_names_lot_and_serial_makes_a_member() -> None:
    text = "https://shop.example/01/04012340111220/10/Q7/21/1"
    assert _ahead([seen(1, "receiving", 1, text)], lot("Q7"))[0] == {lot("Q7"), item(1)}


def test_a_link_that_names_the_lot_counts_wherever_an_event_holds_it() -> None:
    def linked(serial: int) -> str:
        return f"{lot('A')}/21/{serial}"

    events = [
        packed(1, case(1), linked(1)),
        packed(1, linked(2), item(9, "055555")),
        made(2, [linked(3)], [item(10, "022222")], lot="B"),
    ]
    assert _ahead(events, lot("A"))[0] >= {item(1), item(2), item(3), item(10, "022222")}
    assert item(3) not in _ahead(events, lot("B"))[0]  # the lot number is of what was made


def test_a_transformation_is_one_whichever_way_its_number_is_written() -> None:
    link = "https://id.gs1.org/253/69012341234569"
    events = [
        made(1, [item(1)], [], id="urn:epc:id:gdti:6901234.12345.9"),
        made(2, [], [item(2)], id=link),
    ]
    assert _ahead(events, item(1))[0] == {item(1), item(2)}


def test_a_cycle_of_packing_ends() -> None:
    events = [packed(1, case(2), case(1)), packed(2, case(3), case(2)), packed(3, case(1), case(3))]
    things, carriers, _ = _ahead(events, case(1))
    assert things == {case(1), case(2), case(3)}
    assert carriers == {case(1), case(2), case(3)}
    assert _back(events, case(1)) == {case(2), case(3)}


def test_a_walk_is_bounded() -> None:
    links = MemoryLinks([made(1, [item(1)], [item(n, "022222") for n in range(20)])])
    with pytest.raises(Usage, match="more than 10 things"):
        spread_forward(links, [Seed(links.number(item(1)))], nodes_max=10)
