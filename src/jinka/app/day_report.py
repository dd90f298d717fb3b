"""From a cleared day to the rows of its report."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.app.centre import FEES, ClearedDay
from jinka.app.day_facts import DayFacts
from jinka.app.float_proof import unpaid_debits
from jinka.app.road import Upload, outbox, read_labels
from jinka.app.tariffs import prices_named
from jinka.app.workspace import Workspace
from jinka.clearing import PARKING, REASONS, REMARKS, BatchStatus, Remark
from jinka.codec import RECORD_SCHEMA, CounterKind
from jinka.kit import Finding, Severity
from jinka.registry import Role
from jinka.reports import (
    DayReport,
    FindingRow,
    FloatProof,
    HourRow,
    InferredRow,
    OperatorRow,
    OrderRow,
    Outcome,
    OutcomeRow,
    PositionRow,
    ProductRow,
    SettlementProof,
    Source,
    SourceKind,
    SpoilRow,
    Text,
    TrialBalance,
)
from jinka.sim.compare import Answer, compare
from jinka.tariff import ENTRY_PRODUCT, Tariff
from jinka.terminal.load import LOAD_PRODUCT

_CITY = Text(en="Shenzhen", zh="深圳")
_ALL_SIMULATED = Text(
    en="Keys, cards, security modules, balances, counters and authentication codes are simulated. The key ceremony "
    "is a simulation: its shares lie in one folder.",
    zh="密钥、卡片、安全模块、余额、计数器及认证码均为模拟；密钥仪式亦为模拟，各密钥分量存于同一目录。",
)
_CITY_SIMULATED = Text(
    en="The city, its riders and its taps are drawn from the seed; only its discounts are those of Shenzhen in 2018.",
    zh="城市、乘客与刷卡均由随机种子生成，仅优惠规则取自深圳2018年票制。",
)
_TAPS_REAL = Text(
    en="The taps, their gross fares and their times are real. Holder classes, opening balances and rides outside "
    "of the file's window are inferred or made up, and labelled so.",
    zh="刷卡、应收票价与时间为真实数据；持卡人类别、期初余额及文件时间窗以外的乘车系推断或设定，并已标注。",
)
_INFERRED = {
    "holder_classes": Text(en="Holder's class, from the charge", zh="持卡人类别（由扣款推断）"),
    "holder_classes_changed": Text(
        en="Holder's class that differs from one tap to the next", zh="同卡前后类别不一致"
    ),
    "entries_before_the_window": Text(en="Metro entry before the file begins", zh="文件时间窗之前的进站"),
    "unseen_rides": Text(en="Paid ride that the file does not show", zh="文件中未出现的前一次乘车"),
    "unflagged_transfers": Text(en="Transfer that the file does not flag", zh="未标记的换乘"),
}
_READING = {
    "ROW_UNREADABLE": Text(en="Row that cannot be read", zh="无法读取的数据行"),
    "DUPLICATE_ROW": Text(en="Row delivered twice", zh="重复的数据行"),
    "DATE_OUTSIDE_FILE_DAY": Text(en="Row of another day, not played", zh="非营业日数据行，未重放"),
    "DEVICE_CONFLICT": Text(
        en="Device number of several companies or modes, not played",
        zh="设备编号对应多家公司或多种方式，未重放",
    ),
    "PRICE_DIFFERS": Text(en="Terminal's price differs from the file's charge", zh="终端计价与文件扣款不符"),
    "TAP_REFUSED": Text(en="Tap refused by the terminal: nothing charged", zh="终端拒绝，未扣款"),
    "CARD_REFUSED_BY_LIST": Text(en="Tap refused by the terminal: card on the list", zh="终端拒绝：黑名单卡"),
    "TORN_PROVEN": Text(en="Torn tap proven at once by the card", zh="断卡交易，卡片当场证实"),
    "TORN_VOID": Text(en="Torn tap disproven at once: not debited", zh="断卡交易，当场证实未扣款"),
}
PLACES = pa.schema([RECORD_SCHEMA.field("batch"), RECORD_SCHEMA.field("batch_seq")])
_CENTRE = {
    "DELIVERY_REFUSED": Text(en="Delivery refused: it cannot be read", zh="上送文件无法读取，整体拒收"),
    "CARD_LISTED": Text(en="Card goes onto the next list", zh="列入下一期黑名单"),
}
_EXTRA_PRODUCTS = {ENTRY_PRODUCT: Text(en="Metro entry", zh="地铁进站")}


def build_report(workspace: Workspace, facts: DayFacts, day: ClearedDay, uploads: list[Upload]) -> DayReport:
    """Gather every figure of the report. Timings and engines are added by the caller."""
    purchases = day.outcomes.filter(pc.equal(day.outcomes["counter_kind"], 0))
    paid = purchases.filter(pc.equal(purchases["outcome"], "PAID"))
    spoil, refused = _spoil(workspace, day)
    remarks = day.result.remarks
    return DayReport(
        source=_source(facts),
        rows_read=facts.rows_read,
        duplicates_dropped=facts.duplicates_dropped,
        taps=facts.counts.get("taps", 0),
        debits=paid.num_rows,
        loads=sum(total.count for total in _totals(day, LOAD_PRODUCT)),
        loaded_fen=sum(total.charged for total in _totals(day, LOAD_PRODUCT)),
        cards=facts.cards,
        terminals=len(set(day.registry.terminals["device"].to_pylist())),
        gross_fen=sum(total.gross for total in day.result.net.operators),
        charged_fen=pc.sum(paid["amount"]).as_py() or 0,
        unexplained=remarks[Remark.UNEXPLAINED_CHARGE] + facts.counts.get("price_differs", 0),
        nowhere_fen=day.result.nowhere_minor,
        float_proof=_float(workspace, day, uploads),
        trial_balance=TrialBalance(debits_fen=day.trial.debits, credits_fen=day.trial.credits),
        settlement_proof=_settlement(day),
        by_operator=_operators(day),
        by_product=_products(day, prices_named(facts.tariff).tariff),
        hours=_hours(facts, paid),
        outcomes=_outcomes(day),
        findings=_findings(facts, day),
        finding_samples=tuple(
            Finding(**row | {"severity": Severity(row["severity"])}) for row in facts.finding_samples
        ),
        inferred=tuple(
            InferredRow(code=code, title=_INFERRED[code], count=count)
            for code, count in facts.inferred.items()
        ),
        positions=_positions(day),
        orders=tuple(
            OrderRow(
                number=order.reference, payer=order.debtor, payee=order.creditor, amount_fen=order.amount
            )
            for order in day.orders
        ),
        spoil=spoil,
        false_rejections=refused,
    )


def _source(facts: DayFacts) -> Source:
    return Source(
        kind=SourceKind.GENERATED if facts.generated else SourceKind.TAPS_FILE,
        name=facts.source,
        city=_CITY,
        business_date=facts.first_date,
        seed=facts.seed,
        simulated=(_ALL_SIMULATED, _CITY_SIMULATED if facts.generated else _TAPS_REAL),
    )


def _totals(day: ClearedDay, product: str) -> list[Any]:
    return [total for total in day.result.net.products if total.product == product]


def _names(day: ClearedDay) -> dict[str, tuple[str, Text]]:
    rows = day.registry.participants.to_pylist()
    return {row["code"]: (row["role"], Text(en=row["name_en"], zh=row["name_zh"])) for row in rows}


def _operators(day: ClearedDay) -> tuple[OperatorRow, ...]:
    names = _names(day)
    return tuple(
        OperatorRow(
            code=total.operator,
            name=names[total.operator][1],
            taps=total.count,
            gross_fen=total.gross,
            charged_fen=total.charged,
            subsidy_fen=total.subsidy,
            fees_fen=total.fees,
            net_fen=total.net,
        )
        for total in day.result.net.operators
        if names[total.operator][0] == Role.OPERATOR.value
    )


def _products(day: ClearedDay, tariff: Tariff) -> tuple[ProductRow, ...]:
    titles = {p.code: Text(en=p.title_en, zh=p.title_zh) for p in tariff.products} | _EXTRA_PRODUCTS
    return tuple(
        ProductRow(
            product=total.product,
            title=titles.get(total.product, Text(en=total.product, zh=total.product)),
            count=total.count,
            gross_fen=total.gross,
            charged_fen=total.charged,
        )
        for total in day.result.net.products
        if total.product != LOAD_PRODUCT
    )


def _hours(facts: DayFacts, paid: pa.Table) -> tuple[HourRow, ...]:
    charged: Counter[int] = Counter()
    for time, amount in zip(paid["local_time"].to_pylist(), paid["amount"].to_pylist(), strict=True):
        charged[int(time[:1].hex())] += amount
    return tuple(
        HourRow(hour=hour, entries=entries, boards=boards, exits=exits, charged_fen=charged[hour])
        for hour, entries, boards, exits in facts.hours
    )


def _outcomes(day: ClearedDay) -> tuple[OutcomeRow, ...]:
    titles = {row.reason: Text(en=row.title_en, zh=row.title_zh) for row in REASONS}
    rows = [
        OutcomeRow(
            outcome=Outcome[total.outcome.name],
            reason=total.reason.name,
            title=titles[total.reason],
            count=total.count,
            amount_fen=total.amount,
        )
        for total in day.result.by_reason
    ]
    batches: Counter[str] = Counter()
    records: Counter[str] = Counter()
    for _, ack in day.acks:
        if ack.status is not BatchStatus.ACCEPTED:
            batches[ack.reason.value] += 1
            records[ack.reason.value] += ack.records
    sums = _parked_amounts(day)
    rows += [
        OutcomeRow(
            outcome=Outcome.REPLAYED if reason.value == "REPLAYED" else Outcome.PARKED,
            reason=reason.value,
            title=Text(
                en=f"{count:,} {'batch' if count == 1 else 'batches'}: {english}",
                zh=f"{count:,}批：{chinese}",
            ),
            count=records[reason.value],
            amount_fen=sums[reason.value],
            batches=count,
        )
        for reason, english, chinese in PARKING
        if (count := batches[reason.value])
    ]
    return tuple(rows)


def _parked_amounts(day: ClearedDay) -> Counter[str]:
    """The amounts in parked batches, by the reason for which the batch was parked."""
    sums: Counter[str] = Counter()
    if day.parked is None:
        return sums
    reason_of = {ack.number: ack.reason.value for _, ack in day.acks}
    for record_id, amount in zip(
        day.parked["record_id"].to_pylist(), day.parked["amount"].to_pylist(), strict=True
    ):
        sums[reason_of[record_id >> 32]] += amount
    return sums


def _findings(facts: DayFacts, day: ClearedDay) -> tuple[FindingRow, ...]:
    rows = [
        FindingRow(code=code, severity=Severity(severity), title=_READING[code], count=count)
        for code, severity, count in facts.findings
    ]
    counted = (
        ("PRICE_DIFFERS", Severity.ERROR, "price_differs"),
        ("TAP_REFUSED", Severity.ERROR, "tap_refused"),
        ("CARD_REFUSED_BY_LIST", Severity.INFO, "blocked"),
        ("TORN_PROVEN", Severity.INFO, "torn_proven"),
        ("TORN_VOID", Severity.INFO, "torn_void"),
    )
    rows += [
        FindingRow(code=code, severity=severity, title=_READING[code], count=facts.counts[name])
        for code, severity, name in counted
        if facts.counts.get(name)
    ]
    rows += [
        FindingRow(
            code=row.remark.name or "",
            severity=row.severity,
            title=Text(en=row.title_en, zh=row.title_zh),
            count=day.result.remarks[row.remark],
        )
        for row in REMARKS
        if day.result.remarks[row.remark]
    ]
    rows += [
        FindingRow(code=code, severity=severity, title=_CENTRE.get(code, Text(en=code, zh=code)), count=count)
        for (code, severity), count in sorted(
            Counter((f.code, f.severity) for f in day.findings).items(), key=lambda item: item[0][0]
        )
    ]
    return tuple(rows)


def _positions(day: ClearedDay) -> tuple[PositionRow, ...]:
    names = _names(day)
    return tuple(
        PositionRow(code=code, role=names[code][0], name=names[code][1], position_fen=position)
        for code, position in day.result.positions.items()
    )


def _readable(upload: Upload, schema: pa.Schema) -> pa.Table | None:
    """These columns of an upload's records; None when it was damaged, which is a finding of the intake."""
    try:
        return pq.read_table(upload.records, columns=schema.names).select(schema.names).cast(schema)
    except (OSError, KeyError, pa.ArrowException):
        return None


def _float(workspace: Workspace, day: ClearedDay, uploads: list[Upload]) -> FloatProof:
    tables = [_readable(upload, RECORD_SCHEMA) for upload in outbox(workspace)]
    journal = pa.concat_tables([table for table in tables if table is not None])
    arrived: set[tuple[bytes, int]] = set()
    taken_in = {name for name, _ in day.acks}
    for upload in uploads:
        table = _readable(upload, PLACES) if upload.name in taken_in else None
        if table is None:
            continue
        arrived.update(zip(table["batch"].to_pylist(), table["batch_seq"].to_pylist(), strict=True))
    names = ("card_no", "offline_counter", "online_counter")
    counters: dict[tuple[bytes, int], int] = {}
    for card, offline, online in zip(*(day.census[name].to_pylist() for name in names), strict=True):
        counters[card, int(CounterKind.OFFLINE)] = offline
        counters[card, int(CounterKind.ONLINE)] = online
    unpaid = unpaid_debits(journal, day.outcomes, arrived, counters)
    return FloatProof(
        cards_fen=pc.sum(day.census["balance"]).as_py() or 0,
        transit_fen=unpaid.in_transit,
        suspense_fen=unpaid.in_suspense,
        liability_fen=day.liability,
    )


def _settlement(day: ClearedDay) -> SettlementProof:
    """What each operator earned, summed from the outcome file, against its settlement order."""
    paid = day.outcomes.filter(pc.equal(day.outcomes["outcome"], "PAID"))
    rides = paid.filter(pc.equal(paid["counter_kind"], int(CounterKind.OFFLINE)))
    sums = rides.group_by("operator").aggregate([("amount", "sum"), ("subsidy", "sum")])
    ordered = {order.creditor: order.amount for order in day.orders}
    ordered |= {order.debtor: -order.amount for order in day.orders if order.debtor not in ordered}
    short = 0
    for operator, amount, subsidy in zip(
        *(sums[name].to_pylist() for name in ("operator", "amount_sum", "subsidy_sum")), strict=True
    ):
        fee = (amount * FEES.total_bp + 5_000) // 10_000
        short += abs(amount + subsidy - fee - ordered.get(operator, 0))
    return SettlementProof(
        open_fen=day.settled.open_minor,
        funds_fen=day.settled.funds,
        liability_fen=day.settled.liability,
        operators_short_fen=short,
    )


def _spoil(workspace: Workspace, day: ClearedDay) -> tuple[tuple[SpoilRow, ...], int]:
    """Set the answers of the clearing beside the labels; nothing for a day without faults."""
    if not workspace.labels.exists():
        return (), 0
    names = ("batch", "batch_seq", "outcome", "reason", "findings")
    records = {
        (batch, seq): Answer(outcome, reason, frozenset(findings.split()))
        for batch, seq, outcome, reason, findings in zip(
            *(day.outcomes[name].to_pylist() for name in names), strict=True
        )
    }
    batches = {
        (name, ack.batch): Answer(
            ack.status.value, "" if ack.reason.value == ack.status.value else ack.reason.value
        )
        for name, ack in day.acks
    }
    counts, refused = compare(read_labels(workspace), records, batches)
    rows = tuple(
        SpoilRow(
            kind=row.fault.name,
            title=Text(en=row.fault.title_en, zh=row.fault.title_zh),
            injected=row.injected,
            right=row.right,
            other=row.other,
            missed=row.missed,
        )
        for row in counts
    )
    return rows, refused
