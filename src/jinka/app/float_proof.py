"""Where the money is that cards spent and nobody was paid for: the two middle terms of the float.

The terminals' own journal (the outbox, before anything could happen to it on the road) says what cards were debited;
the outcome file says what was paid; the census says what the cards hold. What was debited and not paid is *in suspense*
when the centre took it in (rejected, parked, unresolved) and *in transit* when it did not arrive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec import RecordState
from jinka.codec.record import CREDITS, IDENTITY


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaid:
    """Sums in fen, loads counted the other way; and how many records they are."""

    in_transit: int
    in_suspense: int
    records: int


def unpaid_debits(
    journal: pa.Table,
    outcomes: pa.Table,
    arrived: set[tuple[bytes, int]],
    counters: dict[tuple[bytes, int], int],
) -> Unpaid:
    """Compare the terminals' journal with what was paid.

    ``arrived`` holds (batch, batch_seq) of every record that reached the centre, parked ones included; ``counters`` the
    counters of each (card, kind) after the day, which tell whether a torn debit or load took place.
    """
    by_purse = pc.and_(pc.equal(outcomes["outcome"], "PAID"), pc.invert(outcomes["at_risk"]))
    paid = set(_tuples(outcomes.filter(by_purse), IDENTITY))
    rows = list(
        _tuples(
            journal,
            ("card_no", "counter_kind", "counter", "state", "amount", "batch", "batch_seq", "txn_type"),
        )
    )
    uses = Counter(row[:3] for row in rows)
    sums = {True: 0, False: 0}
    count = 0
    for identity, row in zip(_tuples(journal, IDENTITY), rows, strict=True):
        card, kind, counter, state, amount, batch, seq, txn_type = row
        if identity in paid or not amount:
            continue
        if state == RecordState.UNCONFIRMED and not (
            counters.get((card, kind), 0) > counter and uses[card, kind, counter] == 1
        ):
            continue  # torn before the card wrote anything
        count += 1
        sums[(batch, seq) in arrived] += -amount if txn_type in CREDITS else amount
    return Unpaid(in_transit=sums[False], in_suspense=sums[True], records=count)


def _tuples(table: pa.Table, names: tuple[str, ...]) -> Any:
    return zip(*(table[name].to_pylist() for name in names), strict=True)
