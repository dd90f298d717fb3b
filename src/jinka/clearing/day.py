"""One business day, stage by stage: verify, classify, chain, price, outcomes, net.

Each stage is ``stage(input, params) -> (output, findings)``. The outcomes go to one sorted Parquet file, and every
total and position is computed from that file, so that the report cannot say anything else than the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pyarrow as pa

from jinka.clearing.chain import ChainResult, chain
from jinka.clearing.classify import LOAD_TYPES, classify
from jinka.clearing.net import NetResult, PaidGroup, net
from jinka.clearing.port import ClearingEngine, ClearingParams, ClearingTables, Explain, Expr, FeeTable, Table
from jinka.clearing.price import price
from jinka.clearing.reasons import OUTCOME_OF, Outcome, Reason, Remark
from jinka.clearing.verify import verify
from jinka.codec import RECORD_SCHEMA
from jinka.keys.port import KeyService
from jinka.kit import Finding

# Sorted by card, moment and place of origin: a total order, so that the same records give the same bytes.
OUTCOME_ORDER = ("card_no", "local_date", "local_time", "terminal_id", "batch", "batch_seq")
GROUPS = pa.schema(
    [
        *((name, pa.string()) for name in ("operator", "acquirer", "issuer", "product")),
        *((name, pa.bool_()) for name in ("online", "at_risk")),
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

    outcomes: Table  # reads the outcome file
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
    fees: FeeTable,
    out: str,
) -> DayResult:
    """Clear all records of ``tables`` and write their outcomes to the Parquet file ``out``."""
    facts, found = verify(engine, tables.records, keys)
    findings = list(found)
    checked, found = classify(engine, tables, facts, params)
    findings += found
    links, found = chain(engine, tables, checked, params)
    findings += found
    prices, found = price(engine, tables, explain, params)
    findings += found
    outcomes = engine.write(_outcomes(tables, checked, links, prices), out, order_by=OUTCOME_ORDER)
    by_reason, remarks = _counts(engine, outcomes)
    torn = [row for row in by_reason if row.outcome is Outcome.UNCONFIRMED]
    return DayResult(
        outcomes=outcomes,
        path=out,
        records=sum(row.count for row in by_reason),
        by_reason=by_reason,
        remarks=remarks,
        net=net(_paid_groups(engine, outcomes), fees),
        new_listings=tuple(sorted(links.listed)),
        judged_cards=links.judged_cards,
        suspense=sum(row.amount for row in torn),
        unconfirmed=sum(row.count for row in torn),
        missing_count=links.missing_count,
        missing_minor=links.missing_minor,
        nowhere_minor=links.nowhere_minor,
        findings=tuple(findings),
    )


def _outcomes(tables: ClearingTables, checked: Table, links: ChainResult, prices: Table) -> Table:
    """All records, wide, with their verdicts."""
    narrow = checked.select("online", "torn", "late", c_id="record_id", c_reason="reason").left_join(
        links.verdicts, [("c_id", "v_id")]
    )
    records = tables.records
    row = records.inner_join(narrow, [("record_id", "c_id")])
    row = row.left_join(prices, [("product", "q_product"), ("gross_fare", "q_gross")])
    accepted = int(Reason.ACCEPTED)
    code = ibis.ifelse(row.c_reason == accepted, row.v_reason.fill_null(accepted), row.c_reason)
    paid = code == accepted
    explained = row.online | (row.q_charge == row.amount).fill_null(False)
    mask = ibis.ifelse(
        paid,
        row.v_remarks.fill_null(0).cast("int32")
        + _flag(row.late, Remark.CARD_LISTED_LATE)
        + _flag(~explained, Remark.UNEXPLAINED_CHARGE),
        ibis.literal(0, "int32"),
    )
    borne = paid & ~row.online & explained
    return row.select(
        *RECORD_SCHEMA.names,
        outcome=_name_of(code, {int(reason): outcome.value for reason, outcome in OUTCOME_OF.items()}),
        reason=_name_of(code, {int(reason): reason.name for reason in Reason}),
        findings=_remark_names(mask),
        at_risk=paid & row.v_risk.fill_null(False),
        subsidy=ibis.ifelse(borne, row.q_subsidy, 0),
        payer=ibis.ifelse(borne, row.q_payer, ""),
    )


def _flag(condition: Expr, remark: Remark) -> Expr:
    return ibis.ifelse(condition, int(remark), 0).cast("int32")


def _name_of(code: Expr, names: dict[int, str]) -> Expr:
    first = ibis.cases((code == int(Reason.ACCEPTED), names[int(Reason.ACCEPTED)]), else_=None)
    rest = ibis.cases(*((code == number, name) for number, name in names.items()), else_="")
    return first.fill_null(rest)


def _remark_names(mask: Expr) -> Expr:
    """The findings of a record as words joined by spaces, in the order of `Remark`; mostly none."""
    words = [ibis.ifelse((mask & int(remark)) != 0, f"{remark.name} ", "") for remark in Remark]
    joined = words[0]
    for word in words[1:]:
        joined = joined + word
    return ibis.ifelse(mask == 0, "", joined.strip())


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


def _in_range(amount: Expr) -> Expr:
    """Amounts that a MAC can bind; others are rejected, and would spoil a sum."""
    return ibis.ifelse(amount.between(0, 2**32 - 1), amount, 0)


def _paid_groups(engine: ClearingEngine, outcomes: Table) -> list[PaidGroup]:
    paid = outcomes.filter(outcomes.outcome == Outcome.PAID.value)
    paid = paid.mutate(online=paid.txn_type.isin(LOAD_TYPES))
    keys = ["operator", "acquirer", "issuer", "product", "online", "at_risk", "payer"]
    grouped = paid.group_by(keys).aggregate(
        count=paid.count(),
        gross=_in_range(paid.gross_fare).sum(),
        amount=paid.amount.sum(),
        subsidy=paid.subsidy.sum(),
    )
    rows = engine.collect(grouped.order_by(keys))
    return [PaidGroup(**row) for row in rows.cast(GROUPS).to_pylist()]
