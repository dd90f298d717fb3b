"""A generated chain with errors in it, held to its truth. Goal: traces are exact, and recalls reach every holder.

Method: the truth is kept by the generator as goods move and never looks at an event; small here, every holder and thing
compared. The same with a million items is in every run of `jinka bench trace --items 1M`.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from jinka.app.bench_trace_truth import check_back, check_holders, check_recalls
from jinka.kit import JinkaError
from jinka.sim.trace_chain import Chain, ChainSize
from jinka.sim.trace_truth import Slip
from jinka.trace.recall_scope import scope_of
from jinka.trace.spread import Seed, spread_forward
from tests.trace.chains import MemoryLinks, without_voided

Played = tuple[Chain, MemoryLinks]


@pytest.fixture(scope="module")
def played() -> Played:
    chain = Chain(ChainSize(items=4_000, items_per_lot=100, wholesalers=6, slip_rate=0.15), seed="small")
    return chain, MemoryLinks(without_voided(chain.events()))


def test_everything_goes_wrong_somewhere(played: Played) -> None:
    assert set(played[0].truth.slips) == set(Slip)
    assert 0 < sum(played[0].truth.sold) < played[0].size.items


def test_every_item_comes_from_its_lots_and_no_other(played: Played) -> None:
    chain, links = played
    items = {*random.Random(1).sample(range(chain.size.items), 150), *list(chain.truth.anew)[:5]}
    assert check_back(links, chain, items) == len(items)


@pytest.mark.parametrize("seed", range(4))
def test_a_recall_reaches_every_holder_and_nobody_else(played: Played, seed: int) -> None:
    chain, links = played
    found = check_recalls(links, chain, str(seed), lots=4, places=5)
    assert found["recalls"] > 15
    assert found["holders"] > 100


def test_a_difference_is_found(played: Played) -> None:
    chain, links = played
    scope = scope_of(links, spread_forward(links, [Seed(links.number(chain.lot(3)))]), as_of_us=1).scope
    due = chain.truth.due(chain.truth.items_of([3], chain.size.items_per_lot))
    check_holders(scope, due, "as it is")
    holder = sorted(due)[0]
    for wrong in (
        {**due, "https://id.gs1.org/414/nobody": {}},
        {each: lines for each, lines in due.items() if each != holder},
        {**due, holder: {what: amount + 1 for what, amount in due[holder].items()}},
    ):
        with pytest.raises(JinkaError, match=r"1 of .* holders wrongly"):
            check_holders(scope, wrong, "a recall")
    with pytest.raises(JinkaError, match="holders wrongly"):
        check_holders(replace(scope, holders=scope.holders[1:]), due, "a recall")
