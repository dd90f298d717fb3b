"""Stage chain: duplicates, counters, balances and torn taps, card by card.

One window over all good records tells the cards whose chain is perfect: every counter is the next one, every
balance follows, no tap is torn, and no two records share a second (so none can be a duplicate, since the identity
holds the time). All their records are accepted. The few other cards are judged one by one by `jinka.clearing.judge`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import ibis
import pyarrow as pa

from jinka.clearing.classify import ATTESTED_TYPES, LOAD_TYPES, PASSBOOK_TYPES
from jinka.clearing.judge import CardJudgement, Opening, Tap, Verdict, judge_card
from jinka.clearing.port import ClearingEngine, ClearingParams, ClearingTables, Expr, Table
from jinka.clearing.reasons import REMARKS, Reason, Remark
from jinka.codec import RECORD_SCHEMA
from jinka.codec.record import IDENTITY
from jinka.kit import Finding

# Fields that say where a record lies, not what it says; and those that the identity compares already.
UNBOUND = tuple(
    name for name in RECORD_SCHEMA.names if name not in {*IDENTITY, "batch", "batch_seq", "state"}
)
VERDICTS = pa.schema(
    [("v_id", pa.int64()), ("v_reason", pa.uint8()), ("v_remarks", pa.uint16()), ("v_risk", pa.bool_())]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainResult:
    """Verdicts on the records of imperfect cards, the cards to be listed, and sums in minor units."""

    verdicts: Table
    judged_cards: int
    listed: list[bytes]
    missing_count: int
    missing_minor: int
    nowhere_minor: int


def chain(
    engine: ClearingEngine, tables: ClearingTables, checked: Table, params: ClearingParams
) -> tuple[ChainResult, list[Finding]]:
    """Judge the records that `classify` accepted."""
    good = checked.filter(checked.reason == int(Reason.ACCEPTED))
    crooked = engine.keep("crooked", _imperfect_cards(good))
    rows = engine.collect(_rows_to_judge(tables, good, crooked))
    lost = _lost_loads(engine, tables, checked, params, rows["card_no"])
    ids: list[int] = []
    reasons: list[int] = []
    remarks: list[int] = []
    risks: list[bool] = []
    listed: list[bytes] = []
    listing = Remark(sum(row.remark for row in REMARKS if row.lists_card))
    cards = missing_count = missing_minor = nowhere_minor = 0
    for card_no, passbook, opening, taps, duplicates in _by_card(rows):
        cards += not passbook
        if passbook:
            judgement = _unchained(taps)
        else:
            judgement = judge_card(opening, taps, gap_max=params.gap_max, lost_loads=lost.get(card_no, ()))
        missing_count += judgement.missing_count
        missing_minor += judgement.missing_minor
        nowhere_minor += judgement.nowhere_minor
        for record_id, reason in duplicates:
            ids.append(record_id)
            reasons.append(reason)
            remarks.append(0)
            risks.append(False)
        on_list = False
        for record_id, verdict in judgement.verdicts.items():
            ids.append(record_id)
            reasons.append(int(verdict.reason))
            remarks.append(int(verdict.remarks))
            risks.append(verdict.at_risk)
            faults = verdict.remarks & listing
            if record_id in judgement.excused:
                faults &= ~Remark.BALANCE_BREAK
            on_list = on_list or bool(faults)
        if on_list:
            listed.append(card_no)
    table = pa.table([ids, reasons, remarks, risks], schema=VERDICTS)
    return (
        ChainResult(
            verdicts=engine.arrow("verdicts", table),
            judged_cards=cards,
            listed=listed,
            missing_count=missing_count,
            missing_minor=missing_minor,
            nowhere_minor=nowhere_minor,
        ),
        [],
    )


def _imperfect_cards(good: Table) -> Table:
    """The cards whose good records are not the perfect continuation of the opening, and those with a passbook's."""
    with_passbook = good.filter(good.passbook).select(k_card="card")
    good = good.filter(~good.passbook)
    so_far = ibis.cumulative_window(group_by=good.card, order_by=good.place)
    second = good.place >> 17  # see `place_of`: the moment alone
    row = good.select(
        "card", "step", "rest", "torn",
        purchase=_is_purchase(good),
        purchases=_is_purchase(good).cast("int32").sum().over(so_far),
        taps=ibis.row_number().over(so_far) + 1,
        moved=good.moved.sum().over(so_far),
        same_second=(second == second.lag().over(so_far)).fill_null(False),
    )  # fmt: skip
    expected = ibis.ifelse(row.purchase, row.purchases, row.taps - row.purchases) - 1
    perfect = (row.step == expected) & (row.rest == row.moved) & ~row.torn & ~row.same_second
    return row.filter(~perfect).select(k_card=row.card).union(with_passbook).distinct()


def _unchained(taps: list[Tap]) -> CardJudgement:
    """The passbook's records: no opening is registered, so no chain proves a torn one or shows a gap."""
    unresolved = Verdict(reason=Reason.UNRESOLVED)
    return CardJudgement(verdicts={tap.record_id: unresolved if tap.torn else Verdict() for tap in taps})


def _is_purchase(row: Table) -> Expr:
    return (row.place >> 16) & 1 == 1  # bits, not a division, which engines do in floating point


def _lost_loads(
    engine: ClearingEngine,
    tables: ClearingTables,
    checked: Table,
    params: ClearingParams,
    judged: pa.ChunkedArray,
) -> dict[bytes, list[int]]:
    """Amounts of loads of the judged cards that were rejected, or lie in parked batches."""
    refused = checked.filter(checked.reason != int(Reason.ACCEPTED)).select(f_id="record_id")
    loads = tables.records.filter(tables.records.txn_type.isin(LOAD_TYPES))
    found = loads.inner_join(refused, [("record_id", "f_id")]).select("card_no", "amount")
    if tables.parked is not None:
        parked = tables.parked.filter(tables.parked.txn_type.isin(LOAD_TYPES))
        found = found.union(parked.select("card_no", "amount"))
    cards = engine.arrow("judged", pa.table({"j_no": judged.unique().cast(pa.binary(10))}))
    mine = found.inner_join(cards, [("card_no", "j_no")]).select("card_no", "amount")
    rows = engine.collect(
        mine.filter(mine.amount.between(1, params.purse_limit)).order_by(["card_no", "amount"])
    )
    lost: dict[bytes, list[int]] = {}
    for card_no, amount in zip(rows["card_no"].to_pylist(), rows["amount"].to_pylist(), strict=True):
        lost.setdefault(card_no, []).append(amount)
    return lost


def _rows_to_judge(tables: ClearingTables, good: Table, crooked: Table) -> Table:
    """All good records of the imperfect cards with their openings, each marked if it is a duplicate."""
    mine = good.inner_join(crooked, [("card", "k_card")])
    mine = mine.select(
        g_id="record_id", g_place="place", g_torn="torn", g_online=~_is_purchase(mine),
        g_explained=mine.remarks & int(Remark.UNEXPLAINED_CHARGE) == 0,
    )  # fmt: skip
    cards = tables.cards.select(
        c_no="card_no", o_counter="opening_counter", o_online="opening_online", o_balance="opening_balance"
    )
    records = tables.records
    wide = records.inner_join(mine, [("record_id", "g_id")]).inner_join(cards, [("card_no", "c_no")])
    # Among equal identities a confirmed record comes before a torn one, then the one that came in first.
    # The TAC of a load binds counter and balance too.
    bound = [ibis.ifelse(wide.g_online, wide[name].cast("int64"), 0) for name in ("counter", "balance")]
    identity = [wide[name] for name in IDENTITY] + bound
    first = ibis.window(group_by=identity, order_by=[wide.g_torn, wide.record_id])
    same = ibis.literal(True)
    for name in UNBOUND:
        same = same & wide[name].identical_to(wide[name].first(include_null=True).over(first))
    marked = wide.select(
        "record_id", "card_no", "counter", "amount", "balance", "o_counter", "o_online", "o_balance",
        place="g_place", online="g_online", torn="g_torn", explained="g_explained",
        copy=ibis.row_number().over(first) > 0,
        same=same | wide.g_torn, out=wide.txn_type.isin(ATTESTED_TYPES), passbook=wide.txn_type.isin(PASSBOOK_TYPES),
    )  # fmt: skip
    return marked.order_by(["card_no", "passbook", "place", "record_id"])


def _by_card(rows: pa.Table) -> Iterator[tuple[bytes, bool, Opening, list[Tap], list[tuple[int, int]]]]:
    names = (
        "card_no", "passbook", "record_id", "online", "counter", "amount", "balance", "torn", "explained", "out",
        "copy", "same", "o_counter", "o_online", "o_balance",
    )  # fmt: skip
    columns = [rows.column(name).to_pylist() for name in names]
    for (card_no, passbook), lines in groupby(zip(*columns, strict=True), key=itemgetter(0, 1)):
        taps: list[Tap] = []
        duplicates: list[tuple[int, int]] = []
        opening = Opening(0, 0, 0)
        for _, _, record_id, *said, copy, same, o_counter, o_online, o_balance in lines:
            opening = Opening(o_counter, o_online, o_balance)
            if copy:
                duplicates.append((record_id, int(Reason.DUPLICATE if same else Reason.ALTERED_DUPLICATE)))
            else:
                taps.append(Tap(record_id, *said))
        yield card_no, passbook, opening, taps, duplicates
