"""A generated chain with errors in it, held to its truth. Goal: every trace is exact, and every holder is found.

Method: the truth is kept by the generator as goods move and never looks at an event; small here. The same with a
million items is `jinka bench trace --items 1M`.
"""

from __future__ import annotations

import random

import pytest

from jinka.sim.trace_chain import Chain, ChainSize, Slip
from jinka.trace.holding import Standing, holdings
from jinka.trace.spread import Seed, spread_back, spread_forward
from tests.trace.chains import MemoryLinks, without_voided

Played = tuple[Chain, MemoryLinks]


@pytest.fixture(scope="module")
def played() -> Played:
    chain = Chain(ChainSize(items=4_000, slip_rate=0.15), seed="small")
    return chain, MemoryLinks(without_voided(chain.events()))


def test_everything_goes_wrong_somewhere(played: Played) -> None:
    assert set(played[0].truth.slips) == set(Slip)
    assert 0 < sum(played[0].truth.sold) < played[0].size.items


def test_every_item_comes_from_its_lots_and_no_other(played: Played) -> None:
    chain, links = played
    for item in random.Random(1).sample(range(chain.size.items), 150):
        found = spread_back(links, [Seed(links.number(chain.item(item)))])
        flours = chain.truth.flour_of_lot[chain.item_lot(item)]
        expected = {chain.flour(f) for f in flours} | {
            chain.wheat(w) for f in flours for w in chain.truth.wheat_of_flour[f]
        }
        assert links.named(found.things()) == expected | {chain.item(item)}
        assert not found.limits


def test_a_lot_of_wheat_reaches_its_items_with_their_holders_and_nobody_else(played: Played) -> None:
    chain, links = played
    truth, tried = chain.truth, 0
    for wheat in range(8):
        flours = {f for f, used in enumerate(truth.wheat_of_flour) if wheat in used}
        lots = {b for b, used in enumerate(truth.flour_of_lot) if flours & set(used)}
        items = [item for item in range(chain.size.items) if chain.item_lot(item) in lots]
        found = spread_forward(links, [Seed(links.number(chain.wheat(wheat)))])
        expected = {
            chain.wheat(wheat),
            *map(chain.flour, flours),
            *map(chain.lot, lots),
            *map(chain.item, items),
        }
        assert links.named(found.things()) == expected
        where = holdings(links, found, [links.number(chain.item(item)) for item in items])
        for item in items:
            holding = where[links.number(chain.item(item))]
            assert links.shown[holding.place] == truth.place_of_item[item]
            assert holding.standing is (Standing.SOLD if truth.sold[item] else Standing.HELD)
        tried += len(items)
    assert tried > 1_000
