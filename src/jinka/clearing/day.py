"""One business day, stage by stage: verify, price, classify, chain, outcomes, net.

Each stage is ``stage(input, params) -> (output, findings)``. The outcomes go to one folder of sorted Parquet, and
every total and position is computed from it, so that the report cannot say anything else than the files.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pyarrow as pa

from jinka.clearing.chain import ChainResult, as_verdicts, chain
from jinka.clearing.classify import LOAD_TYPES, classify
from jinka.clearing.fees import FeeSchedule
from jinka.clearing.net import NetResult, PaidGroup, net
from jinka.clearing.port import (
    FIRST_INBOUND,
    PURSE_AMOUNT_MAX,
    ClearingEngine,
    ClearingParams,
    ClearingTables,
    Explain,
    Expr,
    FeeTable,
    Lookup,
    Table,
)
from jinka.clearing.price import price
from jinka.clearing.reasons import OUTCOME_OF, Outcome, Reason, Remark
from jinka.clearing.verify import verify
from jinka.codec import RECORD_SCHEMA
from jinka.codec.record import CASH
from jinka.keys.port import KeyService
from jinka.kit import Finding

# The order of the journal: total, so that the same intake gives the same bytes, and that in which files are read, so
# that wide rows need not be sorted.
OUTCOME_KEY = "record_id"
GROUPS = pa.schema(
    [
        *((name, pa.string()) for name in ("operator", "acquirer", "issuer", "product")),
        *((name, pa.bool_()) for name in ("online", "cash", "at_risk")),
        ("payer", pa.string()),
        *((name, pa.int64()) for name in ("count", "gross", "amount", "subsidy")),
    ]
)
VERDICT_COLUMNS = ("outcome", "reason", "findings", "at_risk", "subsidy", "payer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonTotal:
    """How many records got a reason, and their amounts."""

    outcome: Outcome
    reason: Reason
    count: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResult:
    """A cleared day. Amounts in minor units."""

    outcomes: Table  # reads the outcome files
    path: str
    records: int
    by_reason: tuple[ReasonTotal, ...]
    remarks: dict[Remark, int]
    net: NetResult
    new_listings: tuple[bytes, ...]  # numbers of cards to be put onto the list
    judged_cards: int
    suspense: int  # debits of torn taps that nothing has shown yet
    unconfirmed: int
    missing_count: int  # counters without a record
    missing_minor: int  # debits less loads hidden by them, as far as balances tell
    nowhere_minor: int  # balance that appeared on cards without a load
    findings: tuple[Finding, ...]

    @property
    def positions(self) -> dict[str, int]:
        return self.net.positions


def clear_day(
    engine: ClearingEngine,
    tables: ClearingTables,
    params: ClearingParams,
    *,
    keys: KeyService,
    explain: Explain,
    fees: FeeTable | FeeSchedule,
    out: str,
) -> DayResult:
    """Clear all records of ``tables`` and write their outcomes to the folder ``out``.

    Of a fee schedule, the lines of the business date count.
    """
    if isinstance(fees, FeeSchedule):
        fees = fees.on(params.business_date)
    priced, found = price(engine, tables, explain, params)
    findings = list(found)
    classified, found = classify(engine, tables, verify(keys), priced.prices, params)
    findings += found
    links, found = chain(engine, tables, classified, params)
    findings += found
    outcomes = engine.write(
        tables.records.select(OUTCOME_KEY, *RECORD_SCHEMA.names),
        _verdicts(tables, classified.records, links),
        _lookups(priced.subsidies),
        out,
        key=OUTCOME_KEY,
    )
    by_reason, remarks = _counts(engine, outcomes)
    torn = [row for row in by_reason if row.outcome is Outcome.UNCONFIRMED]
    return DayResult(
        outcomes=outcomes,
        path=out,
        records=sum(row.count for row in by_reason),
        by_reason=by_reason,
        remarks=remarks,
        net=net(paid_groups(engine, outcomes, params.purse_limit, by_amount=asks_for_amounts(fees)), fees),
        new_listings=tuple(sorted(links.listed)),
        judged_cards=links.judged_cards,
        suspense=sum(row.amount for row in torn),
        unconfirmed=sum(row.count for row in torn),
        missing_count=links.missing_count,
        missing_minor=links.missing_minor,
        nowhere_minor=links.nowhere_minor,
        findings=tuple(findings),
    )


def _verdicts(tables: ClearingTables, checked: Table, links: ChainResult) -> Table:
    """What becomes of each record, as numbers: see `_lookups`."""
    accepted = int(Reason.ACCEPTED)
    verdicts = links.verdicts
    if tables.answers is not None:  # another centre has a say on the records that await it, and on no others
        awaited = checked.filter(checked.reason == int(Reason.AWAITED)).select("record_id")
        said = tables.answers.inner_join(awaited, [("w_id", "record_id")])
        said = said.select(v_id="w_id", v_reason="w_reason", v_remarks="w_remarks", v_risk="w_risk")
        verdicts = verdicts.union(as_verdicts(said))
    row = checked.left_join(verdicts, [("record_id", "v_id")])
    open_ = row.reason.isin([accepted, int(Reason.AWAITED)])
    row = row.mutate(code=ibis.ifelse(open_, row.v_reason.fill_null(row.reason), row.reason))
    row = row.mutate(paid=row.code == accepted)
    return row.select(
        OUTCOME_KEY,
        code=row.code.cast("uint8"),
        mask=ibis.ifelse(row.paid, row.v_remarks.fill_null(0).cast("int32") + row.remarks, 0).cast("int32"),
        at_risk=row.paid & row.v_risk.fill_null(False),
        price_id=ibis.ifelse(row.paid, row.price_id, 0).cast("int32"),
    )


def _lookups(subsidies: pa.Table) -> list[Lookup]:
    """The words of reasons and of findings, and the subsidies of prices."""
    reasons = [Reason(code) for code in range(len(Reason))]
    # Every set of findings as words joined by spaces, in the order of `Remark`.
    masks = range(1 << len(Remark))
    words = [" ".join(remark.name or "" for remark in Remark if mask & remark) for mask in masks]
    return [
        Lookup(
            column="code",
            words=pa.table(
                {
                    "outcome": [OUTCOME_OF[reason].value for reason in reasons],
                    "reason": [reason.name for reason in reasons],
                }
            ),
        ),
        Lookup(column="mask", words=pa.table({"findings": words})),
        Lookup(column="price_id", words=subsidies),
    ]


def _counts(engine: ClearingEngine, outcomes: Table) -> tuple[tuple[ReasonTotal, ...], dict[Remark, int]]:
    grouped = outcomes.group_by(["reason", "findings"]).aggregate(
        count=outcomes.count(), amount=_in_range(outcomes.amount).sum()
    )
    totals: dict[Reason, list[int]] = {}
    remarks = dict.fromkeys(Remark, 0)
    for row in engine.collect(grouped).to_pylist():
        total = totals.setdefault(Reason[row["reason"]], [0, 0])
        total[0] += row["count"]
        total[1] += int(row["amount"] or 0)
        for word in row["findings"].split():
            remarks[Remark[word]] += row["count"]
    by_reason = tuple(
        ReasonTotal(outcome=OUTCOME_OF[reason], reason=reason, count=count, amount=amount)
        for reason, (count, amount) in sorted(totals.items())
    )
    return by_reason, remarks


def _in_range(amount: Expr, limit: int = PURSE_AMOUNT_MAX) -> Expr:
    """Amounts that a MAC can bind, or a purse pay; others would spoil a sum."""
    return ibis.ifelse(amount.between(0, limit), amount, 0)


def asks_for_amounts(fees: FeeTable | FeeSchedule) -> bool:
    """Whether a fee is computed on each record, so that groups may hold records of one amount alone."""
    return isinstance(fees, FeeSchedule) and fees.per_record


def paid_groups(
    engine: ClearingEngine, outcomes: Table, purse_limit: int, *, by_amount: bool = False
) -> list[PaidGroup]:
    """What `net` needs of the paid records that were taken in here; another centre pays its own operators."""
    paid = outcomes.filter(outcomes.outcome == Outcome.PAID.value, outcomes.record_id < FIRST_INBOUND)
    paid = paid.mutate(online=paid.txn_type.isin(LOAD_TYPES), cash=paid.txn_type.isin(tuple(map(int, CASH))))
    keys = ["operator", "acquirer", "issuer", "product", "online", "cash", "at_risk", "payer"]
    if by_amount:
        keys.append("each")
        paid = paid.mutate(each=paid.amount)
    grouped = paid.group_by(keys).aggregate(
        count=paid.count(),
        gross=_in_range(paid.gross_fare, purse_limit).sum(),
        amount=paid.amount.sum(),
        subsidy=paid.subsidy.sum(),
    )
    rows = engine.collect(grouped.order_by(keys).select(GROUPS.names))
    return [PaidGroup(**row, by_amount=by_amount) for row in rows.cast(GROUPS).to_pylist()]
