"""Whether traces and recalls of a generated chain are exact: held to its truth thing by thing and holder by holder.

The truth is `jinka.sim.trace_truth`. Any difference raises `JinkaError` and says how many things or which holders are
too many, missing or told another amount. Amounts of lots are compared in kilograms.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from jinka.kit import JinkaError
from jinka.sim.trace_chain import Chain
from jinka.sim.trace_truth import Due
from jinka.trace.lineage import EdgeKind
from jinka.trace.recall import Scope
from jinka.trace.recall_place import present_at
from jinka.trace.recall_scope import scope_of
from jinka.trace.spread import NamedLinks, Seed, spread_back, spread_forward

_KILOGRAMS = {"": Decimal(1), "KGM": Decimal(1), "TNE": Decimal(1000)}
_SHOWN = 3  # differences in a message
_DAY_US = 86_400_000_000


class KnownLinks(NamedLinks, Protocol):
    """Links that know the numbers of names."""

    def number(self, name: str) -> int: ...


def check_back(links: KnownLinks, chain: Chain, items: Iterable[int]) -> int:
    """Every item comes from its lots of flour and wheat, and from nothing else; how many were asked for."""
    truth, asked = chain.truth, list(items)
    for item in asked:
        lots = {chain.item_lot(item), truth.anew.get(item, chain.item_lot(item))}
        flours = {flour for lot in lots for flour in truth.flour_of_lot[lot]}
        wheats = {wheat for flour in flours for wheat in truth.wheat_of_flour[flour]}
        found = spread_back(links, [Seed(links.number(chain.item(item)))])
        expected = {*map(chain.flour, flours), *map(chain.wheat, wheats), chain.item(item)}
        told = set(links.names(found.things()).values())
        _same_things(told, expected, f"back from item {item}")
    return len(asked)


def check_recalls(
    links: KnownLinks, chain: Chain, seed: str, *, lots: int = 2, places: int = 2
) -> dict[str, int]:
    """Recalls of lots of farms, mills and plants, and by place and time, each to its things and its holders."""
    draw, truth, size = random.Random(seed), chain.truth, chain.size  # noqa: S311 a check
    per_lot, found = size.items_per_lot, {"recalls": 0, "things": 0, "holders": 0}

    def recall(seeds: Sequence[Seed], things: set[str], due: Due, what: str) -> None:
        found["recalls"] += 1
        found["things"] += len(things)
        found["holders"] += _check_recall(links, seeds, things, due, what)

    def of_lots(
        causes: Sequence[str], flours: Iterable[int], baked: Iterable[int], weighed: Sequence[str], what: str
    ) -> None:
        baked = list(baked)
        things = {*weighed, *map(chain.flour, flours), *map(chain.lot, baked)}
        things |= set(map(chain.item, truth.numbers_of(baked, per_lot)))
        due = truth.due(truth.items_of(baked, per_lot), weighed)
        recall([Seed(links.number(name)) for name in causes], things, due, what)

    for wheat in _some(draw, range(len(truth.stock_kg) - len(truth.wheat_of_flour)), lots):
        flours = truth.flours_of([wheat])
        weighed = [chain.wheat(wheat), *map(chain.flour, flours)]
        of_lots(weighed[:1], flours, truth.lots_of(flours), weighed, f"a recall of farm lot W{wheat}")
    whole = range(0, len(truth.stock_kg) - len(truth.wheat_of_flour), 10)
    flours = truth.flours_of(whole)
    weighed = [*map(chain.wheat, whole), *map(chain.flour, flours)]
    of_lots(
        weighed[: len(whole)], flours, truth.lots_of(flours), weighed, "a recall of a tenth of all farm lots"
    )
    for flour in _some(draw, range(len(truth.wheat_of_flour)), lots):
        name = chain.flour(flour)
        of_lots([name], [flour], truth.lots_of([flour]), [name], f"a recall of mill lot F{flour}")
    again = [lot for lot in sorted(set(truth.anew.values())) if lot]
    for lot in {
        *_some(draw, range(len(truth.flour_of_lot)), lots),
        *again[:1],
        *(each - 1 for each in again[:1]),
    }:
        of_lots([chain.lot(lot)], [], [lot], [], f"a recall of plant lot B{lot}")
    weighed_at = {place for amounts in truth.stock_kg.values() for place in amounts}
    for place in _some(draw, sorted(truth.visits.keys() - weighed_at), places):  # items alone were there
        since = draw.choice(truth.visits[place]).since_us
        items = truth.there(place, since, since + _DAY_US)
        node = links.number(place)
        rows = links.arriving([node], [EdgeKind.AT])
        seeds = present_at(links, node, rows, since, since + _DAY_US)
        recall(seeds, set(map(chain.item, items)), truth.due(items), f"a recall by place {place}")
    return found


def _check_recall(links: KnownLinks, seeds: Sequence[Seed], things: set[str], due: Due, what: str) -> int:
    found = spread_forward(links, seeds)
    scope = scope_of(links, found, as_of_us=1)
    names = links.names(thing.node for thing in scope.things)
    told = {name for name in names.values() if "/21/" in name or "/10/" in name}
    _same_things(told, things, what)
    check_holders(scope.scope, due, what)
    return len(due)


def check_holders(scope: Scope, due: Due, what: str) -> None:
    """Who has to answer is who has something of it, each for what he has."""
    told = {
        each.holder: {line.subject: line.amount * _KILOGRAMS[line.uom] for line in each.lines}
        for each in scope.holders
    }
    wrong = [holder for holder in sorted({*told, *due}) if told.get(holder) != due.get(holder)]
    if wrong:
        shown = "; ".join(
            f"{holder}: {told.get(holder)}, and has {due.get(holder)}" for holder in wrong[:_SHOWN]
        )
        raise JinkaError(f"{what} names {len(wrong)} of {len(due)} holders wrongly: {shown}", where="trace")


def _same_things(told: set[str], expected: set[str], what: str) -> None:
    if told != expected:
        shown = ", ".join(sorted(told ^ expected)[:_SHOWN])
        raise JinkaError(
            f"{what}: {len(told - expected)} too many, {len(expected - told)} missing: {shown}", where="trace"
        )


def _some(draw: random.Random, population: Sequence[Any], most: int) -> list[Any]:
    return draw.sample(population, min(len(population), most))
