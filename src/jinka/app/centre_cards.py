"""The cards of a centre from one day to the next: their counters and balances after a day's records.

What is carried is what the paid records say; a record off the chain of its card's counters says nothing. A late record
of a day before does not change what was carried. No standard: the registry's openings are Jinka's own.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jinka.clearing.reasons import Outcome
from jinka.codec import CounterKind

_OPENING = ("opening_counter", "opening_online", "opening_balance")


def carry_forward(cards: pa.Table, outcomes: pa.Table) -> pa.Table:
    """The cards as the next day finds them: counters behind the last, and the balance after the latest, paid record."""
    paid = outcomes.filter(
        pc.and_(pc.equal(outcomes["outcome"], Outcome.PAID.value), pc.invert(outcomes["at_risk"]))
    )
    latest: dict[bytes, tuple[tuple[Any, ...], int]] = {}
    counters: dict[tuple[bytes, int], int] = {}
    names = ("card_no", "counter_kind", "counter", "local_date", "local_time", "balance", "findings")
    for card, kind, counter, date, time, balance, found in zip(
        *(paid[name].to_pylist() for name in names), strict=True
    ):
        if "COUNTER_BREAK" in found:
            continue
        counters[card, kind] = max(counters.get((card, kind), 0), counter + 1)
        place = (date, time, kind == CounterKind.OFFLINE, counter)
        if card not in latest or place > latest[card][0]:
            latest[card] = (place, balance)
    columns: dict[str, list[int]] = {name: cards[name].to_pylist() for name in _OPENING}
    for row, card in enumerate(cards["card_no"].to_pylist()):
        if card in latest:
            columns["opening_balance"][row] = latest[card][1]
            for name, kind in (
                ("opening_counter", CounterKind.OFFLINE),
                ("opening_online", CounterKind.ONLINE),
            ):
                columns[name][row] = counters.get((card, kind), columns[name][row])
    for name in _OPENING:
        place_of = cards.schema.get_field_index(name)
        cards = cards.set_column(
            place_of, cards.schema.field(name), pa.array(columns[name], cards.schema.field(name).type)
        )
    return cards


__all__ = ["carry_forward"]
