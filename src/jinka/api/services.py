"""What the HTTP side works with, and who a request comes from."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

from jinka.acquirer import Bill, Desk, Draft, Gateway, Merchant, Order, OrderState, Vault
from jinka.api.counting import Requests
from jinka.api.limits import Buckets
from jinka.api.problems import Unauthorised
from jinka.kit import Clock, NotFound, Refused
from jinka.store import GatewayBooks

PAGES_PER_MINUTE = 600  # of all payers of a merchant together


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One for a process."""

    gateway: Gateway
    books: GatewayBooks
    vault: Vault
    clock: Clock
    buckets: Buckets
    requests: Requests = field(default_factory=Counter)

    def admit(self, authorization: str) -> Merchant:
        """The merchant of an API key; raises `Unauthorised` and `TooMany`."""
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key.isascii():
            raise Unauthorised("no API key", where="Authorization", fix="Authorization: Bearer KEY")
        with self.books.desk() as desk:
            merchant = desk.merchant_by_key(key_hash(key))
        if merchant is None or not merchant.active:
            raise Unauthorised("unknown API key", where="Authorization", fix="Authorization: Bearer KEY")
        self.buckets.take(f"api {merchant.id}", merchant.requests_per_minute)
        return merchant

    def page(self, key: str) -> tuple[Order, Merchant]:
        """The order of a payment page, and its merchant; raises `NotFound` and `TooMany`."""
        try:
            page_key = bytes.fromhex(key)
        except ValueError:
            page_key = b""
        with self.books.desk() as desk:
            order = desk.order_by_page(page_key)
            merchant = desk.merchant(order.merchant) if order else None
        if order is None or merchant is None or not merchant.active:
            raise NotFound("no such page", where="page")
        self.buckets.take(f"page {merchant.id}", PAGES_PER_MINUTE)
        return order, merchant

    def biller(self, id_: str) -> Merchant:
        """A merchant whose bills can be looked up; raises `NotFound` and `TooMany`."""
        with self.books.desk() as desk:
            merchant = desk.merchant(id_)
        if merchant is None or not merchant.active:
            raise NotFound("no such biller", where="biller")
        self.buckets.take(f"page {merchant.id}", PAGES_PER_MINUTE)
        return merchant

    def order_of_bill(self, merchant: Merchant, number: str) -> tuple[Bill, Order | None]:
        """The order that pays a bill; a fresh one when there is none that can be paid. None when it is paid."""
        with self.books.desk() as desk:
            bill = require_bill(desk, merchant, number)
            if bill.paid:
                return bill, None
            order = desk.order(bill.order)
            if order is not None and order.state in _DOUBTFUL:
                return bill, order
            payable = order is not None and order.state is OrderState.CREATED
            if order is None or not payable or order.expires_micros <= self.clock.now_micros():
                draft = Draft(
                    reference=number, amount_minor=bill.amount_minor, currency=bill.currency,
                    description=bill.title, bill=number,
                )  # fmt: skip
                order = self.gateway.new_order(desk, merchant, draft)
                bill = replace(bill, order=order.id)
                desk.put_bill(bill)
            return bill, order


_DOUBTFUL = frozenset({OrderState.PENDING, OrderState.UNKNOWN, OrderState.AUTHORISED})


def require_bill(desk: Desk, merchant: Merchant, number: str) -> Bill:
    """A bill of the merchant; raises `NotFound`."""
    bill = desk.bill(merchant.id, number)
    if bill is None:
        raise NotFound("no such bill", where="bill")
    return bill


def put_bill(desk: Desk, bill: Bill) -> Bill:
    """Put a bill in, or say it anew while nobody has begun to pay it; raises `Refused`."""
    old = desk.bill(bill.merchant, bill.number)
    if old is not None and old.order != bytes(16):
        same = (old.amount_minor, old.currency, old.title) == (bill.amount_minor, bill.currency, bill.title)
        if not same:
            raise Refused("somebody has begun to pay it", where="bill", fix="use a new number")
        return old
    desk.put_bill(bill)
    return bill


def key_hash(key: str) -> bytes:
    """What is kept of an API key, which is 32 random bytes and so needs no slow hash."""
    return hashlib.sha256(key.encode()).digest()
