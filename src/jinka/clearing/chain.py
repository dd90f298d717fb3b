"""Stage chain: duplicates, counters, balances and torn taps, card by card.

One window over all good records tells the cards whose chain is perfect: every counter is the next one, every
balance follows, no tap is torn, and no two records share a second (so none can be a duplicate, since the identity
holds the time). All their records are accepted. Of the few other cards those with nothing but gaps are told by
`jinka.clearing.gaps`, and the rest are judged one by one by `jinka.clearing.judge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

import ibis
import pyarrow as pa

from jinka.clearing.classify import LOAD_TYPES, Classified
from jinka.clearing.gaps import plain_gaps
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
CARDS_AT_ONCE = 50_000  # that Python has in its hands: bounds its memory
_LISTING = Remark(sum(row.remark for row in REMARKS if row.lists_card))
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
    engine: ClearingEngine, tables: ClearingTables, classified: Classified, params: ClearingParams
) -> tuple[ChainResult, list[Finding]]:
    """Judge the records that `classify` accepted."""
    checked = classified.records
    good = checked.filter(checked.reason == int(Reason.ACCEPTED))
    crooked = engine.keep("crooked", _imperfect_cards(good))
    gaps = plain_gaps(engine, good, crooked, _cards_with_lost_loads(tables, checked), gap_max=params.gap_max)
    hard = engine.keep("hard", crooked.anti_join(gaps.cards, [("k_card", "p_card")]))
    judged = _Judged(
        cards=gaps.card_count, missing_count=gaps.missing_count, missing_minor=gaps.missing_minor
    )
    count = engine.collect(hard.count().as_table())[0][0].as_py()
    for part in range(-(-count // CARDS_AT_ONCE)):
        of_part = hard.filter(hard.k_card % -(-count // CARDS_AT_ONCE) == part)
        rows = engine.collect(_rows_to_judge(engine, tables, classified.cards, good, of_part))
        lost = _lost_loads(engine, tables, checked, params, rows["card_no"])
        judged.take(rows, lost, params.gap_max)
    verdicts = pa.Table.from_batches(judged.verdicts, schema=VERDICTS)
    return (
        ChainResult(
            verdicts=as_verdicts(engine.arrow("verdicts", verdicts)).union(gaps.verdicts),
            judged_cards=judged.cards,
            listed=judged.listed,
            missing_count=judged.missing_count,
            missing_minor=judged.missing_minor,
            nowhere_minor=judged.nowhere_minor,
        ),
        [],
    )


@dataclass(slots=True, kw_only=True)
class _Judged:
    """What the judgement of cards one by one comes to."""

    cards: int = 0
    listed: list[bytes] = field(default_factory=list)
    missing_count: int = 0
    missing_minor: int = 0
    nowhere_minor: int = 0
    verdicts: list[pa.RecordBatch] = field(default_factory=list)

    def take(self, rows: pa.Table, lost: Mapping[bytes, Sequence[int]], gap_max: int) -> None:
        """Judge the cards of some rows."""
        found: list[tuple[int, int, int, bool]] = []
        for card_no, passbook, opening, taps, duplicates in _by_card(rows):
            self.cards += not passbook
            if passbook:
                judgement = _unchained(taps)
            else:
                judgement = judge_card(opening, taps, gap_max=gap_max, lost_loads=lost.get(card_no, ()))
            self.missing_count += judgement.missing_count
            self.missing_minor += judgement.missing_minor
            self.nowhere_minor += judgement.nowhere_minor
            found += [(record_id, reason, 0, False) for record_id, reason in duplicates]
            on_list = False
            for record_id, verdict in judgement.verdicts.items():
                found.append((record_id, int(verdict.reason), int(verdict.remarks), verdict.at_risk))
                faults = verdict.remarks & _LISTING
                if record_id in judgement.excused:
                    faults &= ~Remark.BALANCE_BREAK
                on_list = on_list or bool(faults)
            if on_list:
                self.listed.append(card_no)
        columns = [list(column) for column in zip(*found, strict=True)] or [[], [], [], []]
        self.verdicts.append(pa.record_batch(columns, schema=VERDICTS))


def as_verdicts(rows: Table) -> Table:
    """In the types in which verdicts of all kinds are put together; engines have different small ones."""
    return rows.select(
        "v_id", v_reason=rows.v_reason.cast("int32"), v_remarks=rows.v_remarks.cast("int32"), v_risk="v_risk"
    )


def _imperfect_cards(good: Table) -> Table:
    """The cards whose good records are not the perfect continuation of the opening, and those with a passbook's."""
    with_passbook = good.filter(good.passbook).select(k_card="card")
    good = good.filter(~good.passbook)
    so_far = ibis.cumulative_window(group_by=good.card, order_by=good.place)
    row = good.select(
        "step", "rest", "torn", "moved", "card", "place",
        taps=ibis.row_number().over(so_far) + 1,
        before=good.place.lag().over(so_far),
        step_before=good.step.lag().over(so_far),
        rest_before=good.rest.lag().over(so_far),
    )  # fmt: skip
    # If all before it is perfect, the one before tells how many there were of its kind, and so of the other.
    of_kind = (row.before >> 16) & 1 == (row.place >> 16) & 1
    expected = ibis.ifelse(of_kind, row.step_before + 1, row.taps - row.step_before - 2).fill_null(0)
    perfect = (
        (row.step == expected)
        & (row.rest == row.rest_before.fill_null(0) + row.moved)
        & ~row.torn
        & (row.place >> 17 != row.before >> 17).fill_null(True)  # see `place_of`: the second alone
    )
    return row.filter(~perfect).select(k_card=row.card).union(with_passbook).distinct()


def _unchained(taps: list[Tap]) -> CardJudgement:
    """The passbook's records: no opening is registered, so no chain proves a torn one or shows a gap."""
    unresolved = Verdict(reason=Reason.UNRESOLVED)
    return CardJudgement(verdicts={tap.record_id: unresolved if tap.torn else Verdict() for tap in taps})


def _is_purchase(row: Table) -> Expr:
    return (row.place >> 16) & 1 == 1  # bits, not a division, which engines do in floating point


def _cards_with_lost_loads(tables: ClearingTables, checked: Table) -> Table:
    """The numbers of cards with a load that was rejected, or lies in a parked batch."""
    refused = checked.filter(checked.reason != int(Reason.ACCEPTED), checked.load).select(n_card="card")
    if tables.parked is not None:
        loads = tables.parked.filter(tables.parked.txn_type.isin(LOAD_TYPES)).select(x_no="card_no")
        mine = tables.records.semi_join(loads, [("card_no", "x_no")]).select(x_id="record_id")
        refused = refused.union(checked.semi_join(mine, [("record_id", "x_id")]).select(n_card="card"))
    return refused.filter(refused.n_card.notnull()).distinct()


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


def _rows_to_judge(
    engine: ClearingEngine, tables: ClearingTables, cards: Table, good: Table, crooked: Table
) -> Table:
    """All good records of the imperfect cards with their openings, each marked if it is a duplicate."""
    mine = good.inner_join(crooked, [("card", "k_card")]).inner_join(cards, [("card", "c_card")])
    online = ~_is_purchase(mine)
    mine = mine.select(
        "record_id", "place", "torn", "passbook", "o_counter", "o_online", "o_balance", card_no="c_no", online=online,
        counter=mine.step + ibis.ifelse(online, mine.o_online, mine.o_counter).cast("int32"),
        amount=mine.moved.abs(),
        balance=mine.rest + mine.o_balance,
        explained=mine.remarks & int(Remark.UNEXPLAINED_CHARGE) == 0,
        out=online & ~mine.load,
    )  # fmt: skip
    in_second = ibis.window(group_by=[mine.card_no, mine.place >> 17])  # see `place_of`: the second alone
    mine = engine.keep("mine", mine.mutate(alone=mine.count().over(in_second) == 1))
    # An identity holds the second: no copy is alone in its own, so few records have to be compared field by field.
    near = mine.filter(~mine.alone).select(g_id="record_id", g_torn="torn", g_online="online")
    copies = _copies(tables.records.inner_join(near, [("record_id", "g_id")]))
    marked = mine.left_join(copies, [("record_id", "y_id")])
    marked = marked.mutate(copy=marked.y_id.notnull(), same=marked.y_same.fill_null(True))
    return marked.order_by(["card_no", "passbook", "place", "record_id"])


def _copies(wide: Table) -> Table:
    """Of records with all their fields those that repeat another's identity, and whether they say the same."""
    # Among equal identities a confirmed record comes before a torn one, then the one that came in first.
    # The TAC of a load binds counter and balance too.
    bound = [ibis.ifelse(wide.g_online, wide[name].cast("int64"), 0) for name in ("counter", "balance")]
    identity = [wide[name] for name in IDENTITY] + bound
    first = ibis.window(group_by=identity, order_by=[wide.g_torn, wide.record_id])
    same = ibis.literal(True)
    for name in UNBOUND:
        same = same & wide[name].identical_to(wide[name].first(include_null=True).over(first))
    marked = wide.select(
        y_id="record_id", y_copy=ibis.row_number().over(first) > 0, y_same=same | wide.g_torn
    )
    return marked.filter(marked.y_copy).drop("y_copy")


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
