"""What lies in the storage zones of a journey: judged by the table of segregation and by each zone's licence.

IMDG Code, 7.2.4 (`jinka.trace.storage`); licences are the sector's. What is shipped, used, sold or destroyed lies in no
zone any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from jinka.app.sector_trace_world import Lying, Named, Repository
from jinka.codec.tags import canonical_id
from jinka.declaration.trace import StorageZone
from jinka.kit import Usage
from jinka.reports.day import Text
from jinka.trace.storage import Goods, Zone, judge_storage


class StorageRefusal(NamedTuple):
    """SEGREGATION, TOO_MUCH or CLASS, and why."""

    reason: str
    said: Text


def why_not(
    zone: StorageZone, lying: Mapping[str, Lying], fresh: Mapping[str, Lying]
) -> StorageRefusal | None:
    """What forbids goods to lie in a zone beside what lies there; None where nothing does."""
    most = {kind: Decimal(amount) for kind, amount in zone.most.items()}
    declared = Zone(name=zone.name, apart=zone.apart, most=most)
    faults = judge_storage([each.goods for each in {**lying, **fresh}.values()], [declared])
    if not faults:
        return None
    first = faults[0]
    if first.needs is not None:
        return StorageRefusal("SEGREGATION", Text(first.what, f"与库内物料须“{first.needs.words[1]}”"))
    if all(each.goods.classes[0] in most for each in fresh.values()):
        return StorageRefusal("TOO_MUCH", Text(first.what, "超过核定储存量"))
    return StorageRefusal("CLASS", Text(first.what, "本库区不得存放此类危险品"))


def goods_of(zone: StorageZone, named: Named, amount: int) -> dict[str, Lying]:
    """What is to lie in a zone, thing by thing; an amount is shared out to single things evenly."""
    hazard = next((item.hazard for item in named.classes if item.hazard), ())
    if not hazard or len(named.classes) != 1:
        raise Usage("not one class of dangerous goods", where=zone.name, fix="give ItemClass.hazard")
    found = dict[str, Lying]()
    each = Decimal(amount) / len(named.epcs) if amount and named.epcs else Decimal(1)
    for uri in named.epcs:
        found[canonical_id(uri)] = Lying(
            goods=Goods(name=uri, classes=hazard, amount=each, zone=zone.name), left=Decimal(1)
        )
    for part in named.quantities:
        much = part.quantity or Decimal(1)
        found[canonical_id(part.epc_class)] = Lying(
            goods=Goods(name=part.epc_class, classes=hazard, amount=Decimal(amount) or much, zone=zone.name),
            left=much,
        )
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
            goods = found.goods
            amount = goods.amount * rest / found.left
            lying[name] = Lying(
                goods=Goods(name=goods.name, classes=goods.classes, amount=amount, zone=goods.zone), left=rest
            )
