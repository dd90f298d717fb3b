"""Imperfect cards whose chain has one reading: counters are missing, and nothing else is odd.

Most imperfect cards lack a record: its TAC was wrong, or it never arrived. Their records are all on the chain, and at
most one step of the balance has to be explained, by a hole that ends at the very record where it shows. Any other
reading would cost more (`jinka.clearing.judge`, whose answers these are), so they are told by expressions. All other
cards are judged one by one: torn taps, two records in a second, lost loads, the passbook's, anything off the chain.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis

from jinka.clearing.port import ClearingEngine, Table
from jinka.clearing.reasons import Reason, Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What is told already: records behind a gap (``v_id`` and so on, as `jinka.clearing.chain.VERDICTS`), and sums."""

    verdicts: Table
    cards: Table  # ``p_card``: those that nobody has to judge any more
    card_count: int
    missing_count: int
    missing_minor: int


def plain_gaps(
    engine: ClearingEngine, good: Table, crooked: Table, with_lost_loads: Table, *, gap_max: int
) -> Gaps:
    """Tell the cards of ``crooked`` (``k_card``) that have only gaps; ``with_lost_loads`` (``n_card``) are left out."""
    mine = good.inner_join(crooked, [("card", "k_card")]).anti_join(with_lost_loads, [("card", "n_card")])
    purchase = (mine.place >> 16) & 1 == 1
    so_far = ibis.cumulative_window(group_by=mine.card, order_by=mine.place)
    of_kind = ibis.cumulative_window(group_by=[mine.card, purchase], order_by=mine.place)
    second = mine.place >> 17
    row = mine.select(
        "record_id", "card", "torn", "passbook",
        purchase=purchase,
        missing=mine.step - mine.step.lag().over(of_kind).fill_null(-1) - 1,
        level=mine.rest - mine.moved.sum().over(so_far),
        place="place",
        same_second=(second == second.lag().over(so_far)).fill_null(False),
    )  # fmt: skip
    by_place = ibis.cumulative_window(group_by=row.card, order_by=row.place)
    row = row.mutate(jump=(row.level - row.level.lag().over(by_place).fill_null(0)).cast("int64"))
    # Missing purchases lower the level, missing loads and others under the online counter raise it.
    explained = (row.jump == 0) | ((row.missing > 0) & ((row.jump > 0) != row.purchase))
    odd = ~explained | row.torn | row.passbook | row.same_second | ~row.missing.between(0, gap_max)
    marked = engine.keep("gaps", row.select("record_id", "card", "missing", "jump", odd=odd))
    by_card = marked.group_by("card").aggregate(
        odd=marked.odd.cast("int32").max(),
        jumps=(marked.jump != 0).cast("int32").sum(),
        missing=marked.missing.cast("int64").sum(),
        moved=marked.jump.sum(),
    )
    plain = by_card.filter(by_card.odd == 0, by_card.jumps <= 1)
    cards = engine.keep("plain", plain.select("missing", "moved", p_card="card"))
    sums = engine.collect(
        cards.aggregate(
            count=cards.count(),
            missing=cards.missing.sum().fill_null(0).cast("int64"),
            moved=cards.moved.sum().fill_null(0).cast("int64"),
        )
    ).to_pylist()[0]
    gaps = marked.filter(marked.missing > 0).semi_join(cards, [("card", "p_card")])
    return Gaps(
        verdicts=gaps.select(
            v_id="record_id",
            v_reason=ibis.literal(int(Reason.ACCEPTED), "int32"),
            v_remarks=ibis.literal(int(Remark.COUNTER_GAP), "int32"),
            v_risk=ibis.literal(False),
        ),
        cards=cards.select("p_card"),
        card_count=sums["count"],
        missing_count=sums["missing"],
        missing_minor=-sums["moved"],
    )
