"""What lies in the storage zones of a journey: judged by the table of segregation and by each zone's licence.

IMDG Code, 7.2.4 (`jinka.trace.storage`); licences are the sector's. Only what the repository knows at the place can be
stored: single things by their last sighting, lots by their balance. What is shipped, used, sold or destroyed lies in no
zone any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from jinka.app.sector_trace_world import Lying, Named, Repository
from jinka.app.trace_lineage import walk
from jinka.codec.tags import canonical_id
from jinka.declaration.trace import StorageZone
from jinka.kit import Usage
from jinka.reports.day import Text
from jinka.trace.amounts import convert
from jinka.trace.holding import Standing, holdings
from jinka.trace.lineage import NodeSort, sort_of
from jinka.trace.recall_scope import balances_of
from jinka.trace.spread import Seed
from jinka.trace.storage import Goods, Zone, judge_storage

NODES_MAX = 10_000  # of one walk from what is to be stored


class StorageRefusal(NamedTuple):
    """NOT_HERE, SEGREGATION, TOO_MUCH or CLASS, and why."""

    reason: str
    said: Text


def why_not(
    zone: StorageZone, lying: Mapping[str, Lying], fresh: Mapping[str, Lying]
) -> StorageRefusal | None:
    """What forbids goods to lie in a zone beside what lies there; None where nothing does."""
    most = {kind: Decimal(amount) for kind, amount in zone.most.items()}
    declared = Zone(name=zone.name, apart=zone.apart, most=most)
    faults = judge_storage([each.goods for each in laid(lying, fresh).values()], [declared])
    if not faults:
        return None
    first = faults[0]
    if first.needs is not None:
        return StorageRefusal("SEGREGATION", Text(first.what, f"与库内物料须“{first.needs.words[1]}”"))
    if all(each.goods.classes[0] in most for each in fresh.values()):
        return StorageRefusal("TOO_MUCH", Text(first.what, "超过核定储存量"))
    return StorageRefusal("CLASS", Text(first.what, "本库区不得存放此类危险品"))


def not_here(here: Repository, zone: StorageZone, named: Named) -> StorageRefusal | None:
    """What of the goods nobody made or received at the zone's place, or not so much; None where all is there."""
    place = canonical_id(here.trace.place(zone.place).location)
    with here.links() as links:
        numbers = links.numbers([*named.ids, place])
        nodes = [numbers[name] for name in named.ids if name in numbers]
        found = walk(links, [Seed(node) for node in nodes], forward=True, nodes_max=NODES_MAX)
        held = holdings(links, found, nodes)
        balances = balances_of(links, found, [node for node in nodes if node & 7 == NodeSort.LOT])
    there = numbers.get(place, 0)
    for uri in named.epcs:
        one = held.get(numbers.get(canonical_id(uri), 0))
        if one is None or one.standing is not Standing.HELD or one.place != there:
            return _missing(here, uri, Decimal(0))
    for part in named.quantities:
        name = canonical_id(part.epc_class)
        balance = balances.get(numbers.get(name, 0))
        lying = sum((zone[name].left for zone in _zones_of(here, zone.place) if name in zone), Decimal(0))
        wanted = (
            convert(lying + (part.quantity or Decimal(1)), part.uom or "", balance.uom) if balance else None
        )
        if balance is None or wanted is None or wanted > balance.at_place.get(there, Decimal(0)):
            known = balance.at_place.get(there, Decimal(0)) - lying if balance else Decimal(0)
            return _missing(here, part.epc_class, known)
    return None


def _missing(here: Repository, uri: str, known: Decimal) -> StorageRefusal:
    title = here.named(here.shown(canonical_id(uri))).text
    if known <= 0:
        return StorageRefusal(
            "NOT_HERE", Text(f"nobody received {title.en} here", f"本处无{title.zh}的收货记录")
        )
    left = f"{known.normalize():f}"
    return StorageRefusal("NOT_HERE", Text(f"no more than {left} of it came here", f"本处账面仅余{left}"))


def _zones_of(here: Repository, place: str) -> list[dict[str, Lying]]:
    return [here.zones[one.name] for one in here.trace.zones if one.place == place and one.name in here.zones]


def stock(here: Repository) -> dict[str, int]:
    """What lies in the zones of each place, by place and kind of goods (``warehouse petrol``); parts count as whole."""
    hazards = [item.name for item in here.trace.items if item.hazard]
    found = {f"{zone.place} {name}": Decimal(0) for zone in here.trace.zones for name in hazards}
    for zone in here.trace.zones:
        for name, lying in here.zones.get(zone.name, {}).items():
            item = here.shown(name).partition("/")[0].partition("#")[0]
            found[f"{zone.place} {item}"] += lying.goods.amount
    return {name: int(amount.to_integral_value(ROUND_CEILING)) for name, amount in found.items()}


def goods_of(zone: StorageZone, named: Named) -> dict[str, Lying]:
    """What is to lie in a zone, thing by thing."""
    hazard = next((item.hazard for item in named.classes if item.hazard), ())
    if not hazard or len(named.classes) != 1:
        raise Usage("not one class of dangerous goods", where=zone.name, fix="give ItemClass.hazard")
    found, each = dict[str, Lying](), named.classes[0].contents
    for uri in named.epcs:
        found[canonical_id(uri)] = Lying(
            goods=Goods(name=uri, classes=hazard, amount=Decimal(each), zone=zone.name), left=Decimal(1)
        )
    for part in named.quantities:
        much = part.quantity or Decimal(1)
        found[canonical_id(part.epc_class)] = Lying(
            goods=Goods(name=part.epc_class, classes=hazard, amount=each * much, zone=zone.name),
            left=much,
        )
    return found


def laid(lying: Mapping[str, Lying], fresh: Mapping[str, Lying]) -> dict[str, Lying]:
    """What lies in a zone with what comes; more of a lot is more, the same thing again is not."""
    found = dict(lying)
    for name, more in fresh.items():
        known = found.get(name)
        if known is not None and sort_of(name) in (NodeSort.LOT, NodeSort.CLASS):
            goods = replace(known.goods, amount=known.goods.amount + more.goods.amount)
            more = Lying(goods=goods, left=known.left + more.left)
        found[name] = more
    return found


def take_out(here: Repository, named: Named) -> None:
    """What left its place lies in no zone any more; of a quantity its share."""
    gone: dict[str, Decimal | None] = {canonical_id(uri): None for uri in named.epcs}
    gone |= {canonical_id(part.epc_class): part.quantity for part in named.quantities}
    for lying in here.zones.values():
        for name, much in gone.items():
            found = lying.get(name)
            if found is None:
                continue
            if much is None or much >= found.left:
                del lying[name]
                continue
            rest = found.left - much
            goods = replace(found.goods, amount=found.goods.amount * rest / found.left)
            lying[name] = Lying(goods=goods, left=rest)
