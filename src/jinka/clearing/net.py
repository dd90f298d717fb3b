"""Stage net: totals, fees and the position of each participant. Positions add up to zero.

An operator receives what was charged, and the declared subsidies. Fees follow the lines of a schedule
(`jinka.clearing.fees`); a plain `FeeTable` is one line on each operator's total. The purse float stands behind the
issuer: it pays what genuine cards spent and receives what was loaded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from jinka.clearing.fee_split import split_fees
from jinka.clearing.fees import PPM, FeeLine, FeeParty, FeeSchedule, FeeShare, Volumes
from jinka.clearing.port import FeeTable


class LineKind(Enum):
    """Why a participant receives or pays; one ledger transfer a line."""

    CHARGE = "charge"  # paid from the purse float to the operator, or to who gave cash for it
    RISK = "risk"  # paid from the scheme's risk account to the operator
    SUBSIDY = "subsidy"  # from the government to the operator
    LOAD = "load"  # owed by the load agent to the purse float
    FEE = "fee"  # from the operator to scheme, issuer or acquirer
    INTERCHANGE = "interchange"  # a fee between acquirer, issuer, switch and scheme
    SHARE = (
        "share"  # from the operator that collected a fare to the owner of a line (`jinka.clearing.apportion`)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """``amount`` minor units move from ``payer`` to ``payee`` for one reason; both are participant codes."""

    kind: LineKind
    payer: str
    payee: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidGroup:
    """Paid records of one operator, acquirer, issuer and product, summed by the engine. ``online``: loads."""

    operator: str
    acquirer: str
    issuer: str
    product: str
    online: bool
    at_risk: bool
    payer: str
    count: int
    gross: int
    amount: int
    subsidy: int
    cash: bool = False  # handed to the holder: the float pays it back, and no fee is due
    by_amount: bool = False  # all its records have one amount, which a fee per record asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTotal:
    """What one operator (or load agent) delivered and gets, all products together."""

    operator: str
    count: int
    gross: int
    charged: int
    loaded: int
    subsidy: int
    fees: int

    @property
    def net(self) -> int:
        return self.charged + self.subsidy - self.fees - self.loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTotal:
    """One product over all operators."""

    product: str
    count: int
    gross: int
    charged: int
    subsidy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NetResult:
    """Flows between participants, the totals they come from, and net positions (receives > 0).

    ``fees`` say what each line of the schedule took, ``volumes`` what its lines by the month go on from tomorrow.
    """

    operators: tuple[OperatorTotal, ...]
    products: tuple[ProductTotal, ...]
    flows: tuple[Flow, ...]
    positions: dict[str, int]
    fees: tuple[FeeShare, ...] = ()
    volumes: Volumes = field(default_factory=dict)


def fee_schedule(table: FeeTable) -> FeeSchedule:
    """A plain table as a schedule: one line on each operator's total, shared by scheme, issuers and acquirers."""
    if not table.total_bp:
        return FeeSchedule(scheme=table.scheme)
    shares = {
        FeeParty.SCHEME: table.scheme_bp,
        FeeParty.ISSUER: table.issuer_bp,
        FeeParty.ACQUIRER: table.acquirer_bp,
    }
    line = FeeLine(
        code="fee",
        title_en="Service fee",
        title_zh="服务费",
        payers={FeeParty.OPERATOR: 1},
        payees={party: points for party, points in shares.items() if points},
        bands=((None, table.total_bp * (PPM // 10_000)),),
    )
    return FeeSchedule(scheme=table.scheme, lines=(line,))


def net(groups: Sequence[PaidGroup], fees: FeeTable | FeeSchedule) -> NetResult:
    """Net the paid groups of a day. A load is product ``load`` of an operator that is a load agent.

    Of a schedule, all lines count: ask it for those of the day first (`FeeSchedule.on`).
    """
    schedule = fee_schedule(fees) if isinstance(fees, FeeTable) else fees
    moves: dict[tuple[LineKind, str, str], int] = defaultdict(int)
    for group in groups:
        if group.online:
            if not group.at_risk:  # a load that no purse shows is no money of the float
                moves[LineKind.LOAD, group.operator, group.issuer] += group.amount
            continue
        if group.at_risk:
            moves[LineKind.RISK, fees.scheme, group.operator] += group.amount
        else:
            moves[LineKind.CHARGE, group.issuer, group.operator] += group.amount
        if group.subsidy:
            moves[LineKind.SUBSIDY, group.payer, group.operator] += group.subsidy
    shares, volumes = split_fees([g for g in groups if not (g.online or g.cash)], schedule)
    fee_of: dict[str, int] = defaultdict(int)
    for share in shares:
        if share.payer_is is FeeParty.OPERATOR:
            fee_of[share.payer] += share.amount
            moves[LineKind.FEE, share.payer, share.payee] += share.amount
        else:
            moves[LineKind.INTERCHANGE, share.payer, share.payee] += share.amount
    flows = tuple(
        Flow(kind=kind, payer=payer, payee=payee, amount=amount)
        for (kind, payer, payee), amount in sorted(
            moves.items(), key=lambda item: (item[0][0].value, *item[0][1:])
        )
        if amount
    )
    positions: dict[str, int] = defaultdict(int)
    for flow in flows:
        positions[flow.payer] -= flow.amount
        positions[flow.payee] += flow.amount
    assert sum(positions.values()) == 0
    return NetResult(
        operators=_operators(groups, fee_of),
        products=_products(groups),
        flows=flows,
        positions=dict(sorted(positions.items())),
        fees=shares,
        volumes=volumes,
    )


def _operators(groups: Sequence[PaidGroup], fee_of: dict[str, int]) -> tuple[OperatorTotal, ...]:
    by_code: dict[str, list[PaidGroup]] = defaultdict(list)
    for group in groups:
        by_code[group.operator].append(group)
    return tuple(
        OperatorTotal(
            operator=code,
            count=sum(g.count for g in mine),
            gross=sum(g.gross for g in mine if not g.online),
            charged=sum(g.amount for g in mine if not g.online),
            loaded=sum(g.amount for g in mine if g.online and not g.at_risk),
            subsidy=sum(g.subsidy for g in mine),
            fees=fee_of.get(code, 0),
        )
        for code, mine in sorted(by_code.items())
    )


def _products(groups: Sequence[PaidGroup]) -> tuple[ProductTotal, ...]:
    by_product: dict[str, list[PaidGroup]] = defaultdict(list)
    for group in groups:
        by_product[group.product].append(group)
    return tuple(
        ProductTotal(
            product=product,
            count=sum(g.count for g in mine),
            gross=sum(g.gross for g in mine),
            charged=sum(g.amount for g in mine),
            subsidy=sum(g.subsidy for g in mine),
        )
        for product, mine in sorted(by_product.items())
    )
