"""Payments between two centres: each is ordered once, by the side that pays, and expected by the other.

Both ends of a line post the same sum to their account of the other, so both would order it. The rule: the payer's
centre instructs its bank; the payee's centre keeps the payment as an expectation, to be found in its statements. Day,
cycle, payer and payee give the reference, so the two ends know the payment by one name. Payments between a centre and
its own participants are ordered by the centre, whichever way they go.

What it does not do: a sum that one end settles in another round than the other (a window that waited) is another sum at
each end; the statements show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from jinka.kit import make_id
from jinka.settlement.centre_posting import centre_name
from jinka.settlement.chart import AccountCode
from jinka.settlement.orders import SettlementOrder, order_of
from jinka.settlement.posting import BusinessDay

_PREFIX = centre_name("")


def divide(
    day: BusinessDay, orders: Iterable[SettlementOrder], *, centre: str
) -> tuple[list[SettlementOrder], list[SettlementOrder]]:
    """What a centre instructs, and what it expects of centres that instruct it."""
    instructed: list[SettlementOrder] = []
    expected: list[SettlementOrder] = []
    for order in orders:
        if order.account is not AccountCode.CENTRE_DUE:
            instructed.append(order)
            continue
        reference = _reference(day, order.debtor, order.creditor, centre)
        pays = order.creditor.startswith(_PREFIX)
        (instructed if pays else expected).append(replace(order, reference=reference))
    return instructed, expected


def centre_order_of(
    day: BusinessDay, *, centre: str, reference: str, debtor: str, creditor: str, amount: int
) -> SettlementOrder:
    """`order_of` for a centre's orders, those to its neighbours among them; raises `Refused` alike."""
    between = debtor.startswith(_PREFIX) or creditor.startswith(_PREFIX)
    if between and reference == _reference(day, debtor, creditor, centre):
        return SettlementOrder(
            reference=reference, business_date=day.date.isoformat(), cycle=day.cycle, debtor=debtor,
            creditor=creditor, amount=amount, unit=day.unit.code, account=AccountCode.CENTRE_DUE,
        )  # fmt: skip
    return order_of(day, reference=reference, debtor=debtor, creditor=creditor, amount=amount)


def _reference(day: BusinessDay, debtor: str, creditor: str, centre: str) -> str:
    """A neighbour goes by its code, the money behind this centre's books by this centre's."""
    payer, payee = (
        party.removeprefix(_PREFIX) if party.startswith(_PREFIX) else centre for party in (debtor, creditor)
    )
    return make_id("jinka.order.between", day.date.isoformat(), day.cycle, payer, payee).hex()
