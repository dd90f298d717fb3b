"""What the gateway asks of others: the network that moves money, and the books that keep its orders.

The network is known by an operation's id: the same id asked again is the same operation and gets the same answer. A
void of a payment that the network has not seen is kept there, so that the payment coming late is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from jinka.acquirer.orders import Operation, Order
from jinka.acquirer.vault import TokenRecord
from jinka.kit import Fault, JinkaError, NotFound


class NoAnswer(JinkaError):
    """The network did not answer in time, or the link broke: the outcome is not known."""

    fault = Fault.PEER


class NotSent(NoAnswer):
    """The question never left: no line stands."""


class Unheard(NoAnswer):
    """The repeat was not looked at: no word on what became of it when it came first."""


class Busy(JinkaError):
    """The first request with this key is still under way."""

    fault = Fault.PEER


class Conflict(JinkaError):
    """The key was used with another body."""

    fault = Fault.PEER
    exit_code = 4


class Result(Enum):
    """The network's word."""

    APPROVED = "approved"
    DECLINED = "declined"


class Entry(Enum):
    """How the card came in."""

    TYPED = "typed"  # number, expiry and card value, by the payer
    STORED = "stored"  # a token of an earlier payment
    CODE = "code"  # a code shown by a phone, with a cryptogram of its chip


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Who sells. ``terminal`` is the number that stands in messages; ``key_hash`` is of the API key."""

    id: str
    name: str
    local_name: str
    category: str
    city: str
    terminal: str
    key_hash: bytes = field(repr=False)
    callback_url: str = ""
    callback_secret: bytes = field(default=b"", repr=False)  # sealed
    requests_per_minute: int = 600
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What the network needs of a card. ``card_value`` and ``chip`` go through and are kept nowhere.

    ``signed_minor`` is the amount that the chip says it signed; None where it was told none.
    """

    pan: str = field(repr=False)
    expiry4: str  # YYMM
    entry: Entry
    card_value: str = field(default="", repr=False)
    chip: bytes = field(default=b"", repr=False)
    signed_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question to the network; asked again, it comes without what is kept nowhere (card value, chip data)."""

    operation: Operation
    merchant: Merchant
    currency: str
    card: CardFacts
    original: Operation | None = None
    again: bool = False  # it was asked before, or may have been


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``code`` is ISO 8583's field 39, ``approval`` field 38."""

    result: Result
    code: str
    approval: str = ""


class Payments(Protocol):
    """The network. Every verb raises `NoAnswer` when its outcome is not known."""

    def authorise(self, ask: Ask) -> Answer:
        """Hold the amount, or take it when the operation is a purchase."""
        ...

    def capture(self, ask: Ask) -> Answer:
        """Take what was held, or less, and let the rest go."""
        ...

    def void(self, ask: Ask) -> Answer:
        """Take a payment back as if it had not been, whatever of it was seen; of what is ``reversing``, itself."""
        ...

    def refund(self, ask: Ask) -> Answer:
        """Give captured money back."""
        ...

    def status(self, ask: Ask) -> Answer | None:
        """What became of an operation; None when the network has not seen it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedAnswer:
    """What a request with an idempotency key was, and its first answer (None while it is under way)."""

    merchant: str
    key: str
    fingerprint: bytes
    at_micros: int
    operation: bytes = bytes(16)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One message to a merchant in the outbox; ``next_micros`` 0 means that it is done with."""

    id: bytes
    merchant: str
    kind: str
    body: str
    created_micros: int
    next_micros: int
    attempts: int = 0
    delivered: bool = False
    outcome: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a biller wants from a payer, known by its number at a self-service terminal."""

    merchant: str
    number: str
    amount_minor: int
    currency: str
    title: str
    order: bytes = bytes(16)
    paid: bool = False


class Desk(Protocol):
    """The books inside one transaction: committed at its end, taken back when it raises."""

    def merchant(self, id_: str) -> Merchant | None: ...
    def merchant_by_key(self, key_hash: bytes) -> Merchant | None: ...
    def order(self, id_: bytes) -> Order | None: ...
    def order_by_page(self, page_key: bytes) -> Order | None: ...
    def orders(self, merchant: str, before: bytes, most: int) -> Sequence[Order]: ...
    def add_order(self, order: Order) -> None: ...
    def save_order(self, order: Order) -> None: ...
    def next_serial(self) -> int: ...
    def operation(self, id_: bytes) -> Operation | None: ...
    def operations(self, order: bytes) -> Sequence[Operation]: ...
    def add_operation(self, operation: Operation) -> None: ...
    def save_operation(self, operation: Operation) -> None: ...
    def unresolved(self, before_micros: int, most: int) -> Sequence[Operation]:
        """What is unknown, and what was begun before and is open still."""
        ...

    def expiring(self, now_micros: int, most: int) -> Sequence[Order]: ...
    def keyed(self, merchant: str, key: str) -> KeyedAnswer | None: ...
    def add_keyed(self, keyed: KeyedAnswer) -> None: ...
    def answer_keyed(self, operation: bytes, body: Mapping[str, Any]) -> None: ...
    def add_callback(self, callback: Callback) -> None: ...
    def token(self, id_: bytes) -> TokenRecord | None: ...
    def token_by_lookup(self, merchant: str, lookup: bytes) -> TokenRecord | None: ...
    def add_token(self, token: TokenRecord) -> None: ...
    def save_token(self, token: TokenRecord) -> None: ...
    def bill(self, merchant: str, number: str) -> Bill | None: ...
    def put_bill(self, bill: Bill) -> None: ...


class Books(Protocol):
    """Where the gateway's orders are kept, durably."""

    def desk(self) -> AbstractContextManager[Desk]:
        """One transaction."""
        ...


def require_order(desk: Desk, merchant: Merchant, id_: bytes) -> Order:
    """The merchant's own order; `NotFound` for another's too."""
    found = desk.order(id_)
    if found is None or found.merchant != merchant.id:
        raise NotFound("no such order", where="order", fix="see GET /v1/orders")
    return found


def order_under(desk: Desk, operation: Operation) -> tuple[Order, Operation]:
    """Both as they stand; the order first, which locks them."""
    order, now = desk.order(operation.order), desk.operation(operation.id)
    if now is None or order is None:
        raise NotFound("the operation is gone from the books", where="order")
    return order, now
