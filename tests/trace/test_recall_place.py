"""What was at a place at a time. Goal: a recall by place begins with all that stood there, loose or in something.

Method: chains of a few events, asked at moments before, while and after.
"""

from __future__ import annotations

from jinka.trace.lineage import EdgeKind
from jinka.trace.recall_place import present_at
from jinka.trace.spread import Seed, spread_forward
from tests.trace.chains import (
    HOUR_US,
    MemoryLinks,
    case,
    item,
    lot,
    made,
    packed,
    parts,
    place,
    seen,
    unpacked,
)
from tests.trace.test_recall import BATCH, CHAIN, X, Y


def test_what_was_at_a_place_at_a_time() -> None:
    links = MemoryLinks(CHAIN)
    where = links.number(Y)
    rows = links.arriving([where], [EdgeKind.AT])
    seeds = present_at(links, where, rows, int(4.5 * HOUR_US), int(5.5 * HOUR_US))
    assert links.named(seed.node for seed in seeds) == {case(1), *BATCH[:3]}
    found = spread_forward(links, seeds)
    assert links.named(found.things()) == {case(1), *BATCH[:3]}
    assert present_at(links, where, rows, 0, HOUR_US) == []
    plant = links.number(X)
    seeds = present_at(links, plant, links.arriving([plant], [EdgeKind.AT]), 7 * HOUR_US, 9 * HOUR_US)
    assert item(90, "022222") in links.named(spread_forward(links, seeds).things())


def test_who_lies_loose_at_a_place_is_there_and_who_left_in_something_is_not() -> None:
    events = [
        made(1, [], BATCH[:5], lot="A", where=1),  # 3 is never packed, 4 is sold
        packed(2, case(1), BATCH[0], BATCH[1], where=1),
        packed(2, case(2), BATCH[2], where=1),
        packed(3, case(9), case(1), case(2), where=1),
        seen(4, "shipping", 1, case(9), to=2),
        seen(5, "retail_selling", 1, BATCH[4]),
        seen(6, "receiving", 2, case(9)),
        unpacked(7, case(9), where=2),
        unpacked(8, case(1), BATCH[0], where=2),
        packed(20, case(8), case(2), where=2),
        seen(21, "shipping", 2, case(8), to=3),
        seen(25, "receiving", 3, case(8)),
    ]
    links = MemoryLinks(events)

    def there(number: int, since: float, until: float) -> set[str]:
        node = links.number(place(number))
        rows = links.arriving([node], [EdgeKind.AT])
        seeds = present_at(links, node, rows, int(since * HOUR_US), int(until * HOUR_US))
        return {name for name in links.named(seed.node for seed in seeds) if name in BATCH}

    assert there(1, 1.2, 1.5) == {*BATCH[:5]}
    assert there(1, 4.5, 4.7) == {BATCH[3], BATCH[4]}
    assert there(1, 10, 12) == {BATCH[3]}
    assert there(2, 4.5, 5.5) == set()
    assert there(2, 7.5, 7.7) == {*BATCH[:3]}
    assert there(2, 10, 12) == {*BATCH[:3]}  # in cases, and loose: nobody saw them then
    assert there(2, 22, 23) == {BATCH[0], BATCH[1]}
    assert there(3, 22, 24) == set()
    assert there(3, 22, 26) == {BATCH[2]}


def test_a_lot_is_at_each_place_that_has_some_of_it() -> None:
    whole, part = parts((lot("W"), 100)), parts((lot("W"), 50))
    events = [
        seen(1, "commissioning", 1, quantities=whole, add=True),
        seen(2, "shipping", 1, quantities=part, to=2),
        seen(3, "receiving", 2, quantities=part),
        seen(4, "shipping", 1, quantities=part, to=3),
        seen(5, "receiving", 3, quantities=part),
        made(6, [], [item(1)], used=part, where=2),
    ]
    links = MemoryLinks(events)

    def there(number: int, since: float, until: float) -> bool:
        node = links.number(place(number))
        rows = links.arriving([node], [EdgeKind.AT])
        seeds = present_at(links, node, rows, int(since * HOUR_US), int(until * HOUR_US))
        return lot("W") in links.named(seed.node for seed in seeds)

    asked = {(1, 1.5), (1, 3.5), (1, 4.5), (2, 2.5), (2, 3.5), (2, 5.5), (2, 6.5), (3, 4.5), (3, 9)}
    assert {(n, at) for n, at in asked if there(n, at, at + 0.2)} == {
        (1, 1.5), (1, 3.5), (2, 3.5), (2, 5.5), (3, 9)
    }  # fmt: skip


def test_a_lot_is_where_the_case_is_that_has_some_of_it_and_where_it_is_taken_out() -> None:
    whole, part = parts((lot("W"), 100)), parts((lot("W"), 40))
    events = [
        seen(0, "commissioning", 1, quantities=whole, add=True),
        packed(1, case(1), quantities=part, where=1),
        packed(1.5, case(2), case(1), where=1),
        seen(2, "shipping", 1, case(2), to=2),
        seen(3, "receiving", 2, case(2)),
        seen(5, "shipping", 2, case(2), to=3),
        seen(6, "receiving", 3, case(2)),
        unpacked(7, case(2), case(1), where=3),
        unpacked(7.5, case(1), quantities=part, where=3),
        made(9, [], [item(1)], used=part, where=3),
    ]
    links = MemoryLinks(events)

    def there(number: int, since: float, until: float) -> bool:
        node = links.number(place(number))
        rows = links.arriving([node], [EdgeKind.AT])
        seeds = present_at(links, node, rows, int(since * HOUR_US), int(until * HOUR_US))
        return links.number(lot("W")) in {seed.node for seed in seeds}

    made_of_it = spread_forward(links, [Seed(links.number(lot("W")), 8 * HOUR_US)])
    assert item(1) in links.named(made_of_it.things())
    asked = {(2, 2.2), (2, 3), (2, 4), (2, 5.5), (3, 5), (3, 6.5), (3, 7.2), (3, 8), (3, 9.5)}
    assert {(n, at) for n, at in asked if there(n, at, at + 0.2)} == {
        (2, 3),
        (2, 4),
        (3, 6.5),
        (3, 7.2),
        (3, 8),
    }
