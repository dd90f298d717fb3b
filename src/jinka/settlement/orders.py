"""Settlement orders: one payment for each account that a day left open between a participant and the bank.

Orders are rows (CSV, JSON), and ISO 20022 messages are made from them (`jinka.settlement.iso20022`). A city's day posts
them as paid; what the bank then says of each is `jinka.settlement.order_life`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from jinka.clearing import NetResult
from jinka.kit import Finding, Refused, make_id
from jinka.ledger import LedgerEngine, Transfer
from jinka.settlement.chart import STAYING, AccountCode, AccountName, TransferCode
from jinka.settlement.posting import BusinessDay, Entry, flow_entry, post


def float_name(issuer: str) -> str:
    """The party that holds the money behind an issuer's purses: not the issuer's own money."""
    return f"{issuer}.float"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementOrder:
    """``amount`` minor units from ``debtor`` to ``creditor``; ``reference`` is the order's id in hex."""

    reference: str
    business_date: str
    cycle: int
    debtor: str
    creditor: str
    amount: int
    unit: str
    account: AccountCode

    def as_row(self) -> dict[str, str | int]:
        """The row for CSV and JSON."""
        return {
            "reference": self.reference,
            "business_date": self.business_date,
            "cycle": self.cycle,
            "debtor": self.debtor,
            "creditor": self.creditor,
            "amount": self.amount,
            "unit": self.unit,
            "account": self.account.name,
        }


def settlement_orders(day: BusinessDay, result: NetResult, *, issuer: str) -> list[SettlementOrder]:
    """One order for each account of a participant that the day's flows left open, in the order of the accounts.

    The money behind the purses is the other side of every order.
    """
    return orders_of(day, [flow_entry(flow) for flow in result.flows], issuer=issuer)


def orders_of(day: BusinessDay, entries: Iterable[Entry], *, issuer: str) -> list[SettlementOrder]:
    """One order for each account that the entries leave open and that is settled with the bank."""
    open_: dict[tuple[AccountCode, str], int] = defaultdict(int)
    for entry in entries:
        open_[entry.debit.code, entry.debit.owner] -= entry.amount
        open_[entry.credit.code, entry.credit.owner] += entry.amount
    return [
        _order(day, code, owner, amount, issuer)
        for (code, owner), amount in sorted(open_.items())
        if amount and code not in STAYING
    ]


def _order(day: BusinessDay, code: AccountCode, owner: str, amount: int, issuer: str) -> SettlementOrder:
    pays = amount < 0
    return SettlementOrder(
        reference=make_id("jinka.order", day.date.isoformat(), day.cycle, owner, int(code)).hex(),
        business_date=day.date.isoformat(),
        cycle=day.cycle,
        debtor=owner if pays else float_name(issuer),
        creditor=float_name(issuer) if pays else owner,
        amount=abs(amount),
        unit=day.unit.code,
        account=code,
    )


def order_of(day: BusinessDay, *, reference: str, debtor: str, creditor: str, amount: int) -> SettlementOrder:
    """A reported order whole again: its reference proves day, cycle, owner and account, and the ledger its amount.

    Raises `Refused` when the reference is not the one of such an order.
    """
    for code in AccountCode:
        for owner in (debtor, creditor):
            if make_id("jinka.order", day.date.isoformat(), day.cycle, owner, int(code)).hex() == reference:
                return SettlementOrder(
                    reference=reference, business_date=day.date.isoformat(), cycle=day.cycle, debtor=debtor,
                    creditor=creditor, amount=amount, unit=day.unit.code, account=code,
                )  # fmt: skip
    raise Refused(
        "the reference is not that of an order of this day and these parties",
        where=f"order {reference}",
        fix="clear the day again: its report was changed",
    )


def settlement_entry(order: SettlementOrder, *, issuer: str) -> Entry:
    """The posting of one order that is paid: its account against the money behind the purses."""
    funds = AccountName(code=AccountCode.CUSTOMER_FUNDS, owner=issuer)
    pays = order.creditor == float_name(issuer)
    other = AccountName(code=order.account, owner=order.debtor if pays else order.creditor)
    return Entry(
        debit=funds if pays else other,
        credit=other if pays else funds,
        amount=order.amount,
        code=TransferCode.SETTLEMENT,
    )


def require_booked(
    engine: LedgerEngine, day: BusinessDay, orders: Iterable[SettlementOrder], *, issuer: str
) -> None:
    """Raise `Refused` for an order that the ledger does not have, or has with another amount."""
    plain = {order: settlement_entry(order, issuer=issuer).transfer(day).id for order in orders}
    known = engine.lookup(list(plain.values()))
    for order, name in plain.items():
        booked = known.get(name)
        if booked is None or booked.amount != order.amount:
            what = "is not in the ledger" if booked is None else "has another amount than the ledger"
            raise Refused(what, where=f"order {order.reference}", fix="clear the day again")


def post_settlement(
    engine: LedgerEngine, day: BusinessDay, orders: Iterable[SettlementOrder], *, issuer: str
) -> tuple[list[Transfer], list[Finding]]:
    """Post the orders as paid: every payable and receivable of the day goes to zero against customer funds."""
    return post(engine, day, [settlement_entry(order, issuer=issuer) for order in orders])
