"""Apportionment: a metro trip's fare among the lines' owners, and a discount to who grants it.

The operator of the exit gate collects the fare; the trip went over lines of several owners. Their shares of each path
(from a station to a station) are declared, as kilometres or by agreement. Of the trips of one path, product and day:

- each owner gets its share of the gross fares;
- what the holders paid less, beyond what a government pays in, is charged to who declared that discount, or to the
  owners by their shares when nobody did;
- the collector's fees are borne by what each one gets.

So what the owners get adds up to what the collector got. Sums are split by the largest remainder, ties by code, once
for a path and not once for a trip. A trip over one owner's lines needs no path. What cannot be apportioned stays with
the collector, with a finding. Paths are declared, not computed: there is no network model and no route choice here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import ibis
import pyarrow as pa

from jinka.clearing.classify import LOAD_TYPES
from jinka.clearing.net import Flow, LineKind
from jinka.clearing.port import ClearingEngine, Table
from jinka.clearing.reasons import Outcome
from jinka.kit import Finding, Severity, Usage, apportion
from jinka.tariff import ENTRY_PRODUCT

_TRIPS = pa.schema(
    [
        *(
            (name, pa.string())
            for name in ("collector", "entry_line", "entry", "exit_line", "exit", "product")
        ),
        *((name, pa.int64()) for name in ("count", "gross", "charged", "subsidy")),
    ]
)
_ORDER = ("local_date", "local_time", "counter")


@dataclass(frozen=True, slots=True, kw_only=True)
class TripGroup:
    """Trips of one day between two stations, with one product: sums in minor units.

    ``subsidy`` is what a government pays in. ``entry_line`` and ``entry`` are empty where nobody saw the card go in.
    """

    collector: str
    entry_line: str
    entry: str
    exit_line: str
    exit: str
    product: str
    count: int
    gross: int
    charged: int
    subsidy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTable:
    """``owner_of`` a line; ``shares`` of (entry, exit) by owner; ``granted`` discounts of a product by who bears them.

    A path that is declared one way holds the other way too, unless that is declared as well.
    """

    owner_of: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    shares: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    granted: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        tables = [(f"paths.{a}.{b}", shares) for (a, b), shares in self.shares.items()]
        tables += [(f"grants.{product}", shares) for product, shares in self.granted.items()]
        for where, shares in tables:
            if not shares or min(shares.values()) < 0 or not sum(shares.values()):
                raise Usage("no shares", where=where, fix="a weight for each owner, not all zero")

    def of(self, trips: TripGroup) -> Mapping[str, int] | None:
        """The owners' weights of a path, or None when nobody declared them."""
        declared = self.shares.get((trips.entry, trips.exit)) or self.shares.get((trips.exit, trips.entry))
        if declared is not None and trips.entry:
            return declared
        owner = self.owner_of.get(trips.exit_line)
        return {owner: 1} if owner and self.owner_of.get(trips.entry_line) == owner else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one owner gets of a group of trips: its part of the gross fares, less the discounts it bears."""

    trips: TripGroup
    owner: str
    gross: int
    borne: int

    @property
    def amount(self) -> int:
        return self.gross - self.borne


def metro_trips(engine: ClearingEngine, outcomes: Table) -> list[TripGroup]:
    """Pair the paid exits of a day's outcomes with the entry before them on the same card, and add them up."""
    taps = outcomes.filter(outcomes.outcome == Outcome.PAID.value, outcomes.stop.notnull())
    taps = taps.filter(~taps.txn_type.isin(LOAD_TYPES))
    window = ibis.window(group_by="card_no", order_by=[taps[name] for name in _ORDER])
    before = taps.mutate(
        **{f"b_{name}": taps[name].lag().over(window) for name in ("product", "line", "stop", "operator")}
    )
    exits = before.filter(before.product != ENTRY_PRODUCT)
    paired = (exits.b_product == ENTRY_PRODUCT) & exits.b_stop.notnull()
    named = exits.select(
        "product",
        "gross_fare",
        "amount",
        "subsidy",
        collector="operator",
        entry_line=ibis.ifelse(paired, exits.b_line.fill_null(""), ""),
        entry=ibis.ifelse(paired, exits.b_stop.fill_null(""), ""),
        exit_line=exits.line.fill_null(""),
        exit="stop",
    )
    keys = ["collector", "entry_line", "entry", "exit_line", "exit", "product"]
    sums = named.group_by(keys).aggregate(
        count=named.count(),
        gross=named.gross_fare.sum(),
        charged=named.amount.sum(),
        subsidy=named.subsidy.sum(),
    )
    rows = engine.collect(sums.order_by(keys).select(_TRIPS.names)).cast(_TRIPS)
    return [TripGroup(**row) for row in rows.to_pylist()]


def apportion_trips(
    groups: Iterable[TripGroup], paths: PathTable
) -> tuple[tuple[Share, ...], tuple[Finding, ...]]:
    """Share out what each group of trips brought. The shares of a group add up to what its collector got for it."""
    shares: list[Share] = []
    unknown: dict[tuple[str, str, str], int] = defaultdict(int)
    for trips in groups:
        weights = paths.of(trips)
        if weights is None:
            unknown[trips.collector, trips.entry, trips.exit] += trips.charged + trips.subsidy
            weights = {trips.collector: 1}
        owners = sorted(weights)
        gross = dict(zip(owners, apportion(trips.gross, [weights[o] for o in owners], owners), strict=True))
        discount = trips.gross - trips.charged - trips.subsidy
        bearers = paths.granted.get(trips.product, weights)
        names = sorted(bearers)
        borne = dict(zip(names, apportion(discount, [bearers[n] for n in names], names), strict=True))
        shares += [
            Share(trips=trips, owner=owner, gross=gross.get(owner, 0), borne=borne.get(owner, 0))
            for owner in sorted(gross.keys() | borne.keys())
            if gross.get(owner, 0) or borne.get(owner, 0)
        ]
    findings = tuple(
        Finding(
            code="PATH_UNDECLARED" if entry else "ENTRY_UNSEEN",
            severity=Severity.WARNING,
            where=f"{entry or '?'} to {exit_}",
            what=f"{amount} stays with {collector}",
            fix="declare the owners' shares of this path" if entry else "see the disputes about lost entries",
        )
        for (collector, entry, exit_), amount in sorted(unknown.items())
    )
    return tuple(shares), findings


def share_flows(shares: Iterable[Share], fees: Mapping[str, int] | None = None) -> tuple[Flow, ...]:
    """What each collector hands on to the owners, or gets from those who bear more than they earn.

    ``fees`` are what collectors paid on these fares: they are borne by the owners, by what each one gets.
    """
    got: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for share in shares:
        got[share.trips.collector][share.owner] += share.amount
    flows = []
    for collector, parts in sorted(got.items()):
        fee = (fees or {}).get(collector, 0)
        owners = sorted(parts)
        weights = [max(parts[owner], 0) for owner in owners]
        if fee and any(weights):
            for owner, part in zip(owners, apportion(fee, weights, owners), strict=True):
                parts[owner] -= part
        flows += [_flow(collector, owner, parts[owner]) for owner in owners if owner != collector]
    return tuple(flow for flow in flows if flow.amount)


def _flow(collector: str, owner: str, amount: int) -> Flow:
    payer, payee = (collector, owner) if amount >= 0 else (owner, collector)
    return Flow(kind=LineKind.SHARE, payer=payer, payee=payee, amount=abs(amount))
