"""The life of a settlement order at the bank, as a transition table, and what its end posts.

A status report moves an order on or turns it down; a statement alone makes it final or shows its return, and counts
even against a rejection. What is not in the table changes nothing and is listed as a contradiction.

Posting is through `jinka.ledger`: an order that is held (pending) is posted or voided; one that was posted when it was
written is taken back by a transfer of its own. All ids follow from the order's: reconciling again posts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from jinka.kit import Finding, Severity, make_id
from jinka.ledger import LedgerEngine, Transfer, TransferFlag, TransferResult, batches
from jinka.settlement.chart import TransferCode
from jinka.settlement.orders import SettlementOrder, settlement_entry
from jinka.settlement.posting import BusinessDay


class OrderState(Enum):
    """Where an order stands: (value, Chinese title)."""

    ISSUED = ("issued", "已发出")
    ACCEPTED = ("accepted", "已受理")
    OVERDUE = ("overdue", "逾期未记账")
    REJECTED = ("rejected", "已拒绝")
    SETTLED = ("settled", "已结清")
    RETURNED = ("returned", "已退回")


class OrderEvent(Enum):
    """What moves it: a status report, a statement, or its deadline."""

    ACCEPT = "accepted by the bank"
    REJECT = "rejected by the bank"
    BOOK = "booked on the statement"
    RETURN = "returned on the statement"
    DEADLINE = "deadline passed"


ORDER_STEPS: Mapping[tuple[OrderState, OrderEvent], OrderState] = MappingProxyType(
    {
        (OrderState.ISSUED, OrderEvent.ACCEPT): OrderState.ACCEPTED,
        (OrderState.ACCEPTED, OrderEvent.ACCEPT): OrderState.ACCEPTED,
        (OrderState.ISSUED, OrderEvent.REJECT): OrderState.REJECTED,
        (OrderState.ACCEPTED, OrderEvent.REJECT): OrderState.REJECTED,
        (OrderState.REJECTED, OrderEvent.REJECT): OrderState.REJECTED,
        (OrderState.ISSUED, OrderEvent.BOOK): OrderState.SETTLED,
        (OrderState.ACCEPTED, OrderEvent.BOOK): OrderState.SETTLED,
        (OrderState.REJECTED, OrderEvent.BOOK): OrderState.SETTLED,
        (OrderState.SETTLED, OrderEvent.RETURN): OrderState.RETURNED,
        (OrderState.ISSUED, OrderEvent.DEADLINE): OrderState.OVERDUE,
        (OrderState.ACCEPTED, OrderEvent.DEADLINE): OrderState.OVERDUE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult:
    """Where an order stands, since which day (ISO date, empty while issued), and the bank's reason for it."""

    order: SettlementOrder
    state: OrderState
    since: str = ""
    reason: str = ""


def hold_orders(
    engine: LedgerEngine, day: BusinessDay, orders: Iterable[SettlementOrder], *, issuer: str
) -> list[Finding]:
    """Post every order as pending: its money is spoken for until the statement decides."""
    return _send(engine, [_held(first) for first in _as_paid(engine, day, orders, issuer)])


def finish_orders(
    engine: LedgerEngine, day: BusinessDay, results: Iterable[OrderResult], *, issuer: str
) -> list[Finding]:
    """Post what the bank decided; an order that is still on its way posts nothing. Doing it again changes nothing.

    ``day`` is the orders' own; what comes later is dated by the day on which the bank did it.
    """
    wanted = list(results)
    plain = _as_paid(engine, day, [result.order for result in wanted], issuer)
    ids = [id for first in plain for id in (first.id, _held(first).id, *_end_ids(first.id))]
    known = engine.lookup(ids)
    undone = [
        _undone(result)
        for result, first in zip(wanted, plain, strict=True)
        if result.state is OrderState.SETTLED and not known.keys().isdisjoint(_end_ids(first.id)[1:])
    ]
    transfers = [
        transfer
        for result, first in zip(wanted, plain, strict=True)
        for transfer in _end(result, first, known, day)
        if transfer.id not in known or known[transfer.id].amount != transfer.amount
    ]
    return undone + _send(engine, transfers)


def _undone(result: OrderResult) -> Finding:
    return Finding(
        code="SETTLED_AFTER_TAKEN_BACK",
        severity=Severity.ERROR,
        where=f"order {result.order.reference}",
        what="the books took the payment back before, and now a statement shows it",
        fix="have an officer post the payment by a correction",
    )


def _as_paid(
    engine: LedgerEngine, day: BusinessDay, orders: Iterable[SettlementOrder], issuer: str
) -> list[Transfer]:
    """The transfers that the orders post when they are paid at once; their accounts are opened."""
    entries = [settlement_entry(order, issuer=issuer) for order in orders]
    names = {name for entry in entries for name in (entry.debit, entry.credit)}
    for opened in batches([name.opened(day.unit) for name in sorted(names, key=lambda name: name.id)]):
        engine.create_accounts(opened)
    return [entry.transfer(day) for entry in entries]


def _end(
    result: OrderResult, first: Transfer, known: Mapping[bytes, Transfer], day: BusinessDay
) -> Iterator[Transfer]:
    """The transfers that an order's state asks for; ``first`` is what it posts when it is paid at once."""
    settled, void, back = _end_ids(first.id)
    hold = _held(first)
    on = replace(day, date=dt.date.fromisoformat(result.since)) if result.since else day
    held, paid = hold.id in known, first.id in known
    resolve = replace(hold, pending_id=hold.id, timestamp=on.micros)
    if result.state in (OrderState.SETTLED, OrderState.RETURNED):
        yield replace(resolve, id=settled, flags=TransferFlag.POST_PENDING) if held else first
    if result.state is OrderState.REJECTED and held:
        yield replace(resolve, id=void, flags=TransferFlag.VOID_PENDING)
    if result.state is OrderState.RETURNED or (result.state is OrderState.REJECTED and paid):
        yield replace(
            first,
            id=back,
            debit_account=first.credit_account,
            credit_account=first.debit_account,
            code=int(TransferCode.SETTLEMENT_RETURN),
            timestamp=on.micros,
        )


def _held(first: Transfer) -> Transfer:
    return replace(first, id=make_id("jinka.transfer.hold", first.id), flags=TransferFlag.PENDING)


def _end_ids(first: bytes) -> tuple[bytes, bytes, bytes]:
    """Of the transfers that post a hold, void it, and take a payment back."""
    settled, void, back = (
        make_id("jinka.transfer.order", end, first) for end in ("settled", "void", "returned")
    )
    return settled, void, back


def _send(engine: LedgerEngine, transfers: Sequence[Transfer]) -> list[Finding]:
    results = [result for part in batches(transfers) for result in engine.create_transfers(part)]
    return [
        Finding(
            code=f"LEDGER_{result.name}",
            severity=Severity.ERROR,
            where=f"transfer {transfer.id.hex()}",
            what=f"the ledger refused {transfer.amount}",
            fix="the bank changed its word after it was posted: have an officer look",
        )
        for transfer, result in zip(transfers, results, strict=True)
        if result not in (TransferResult.CREATED, TransferResult.EXISTS)
    ]
