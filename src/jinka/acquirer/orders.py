"""A merchant's order and the operations on it, with its life as a transition table.

At most one operation of an order is under way at a time. What the network did not answer makes the order `UNKNOWN`, and
nothing else can be done with it until the network's word is known; so no card is charged twice, and no refund goes
beyond what was captured. Amounts are minor units of the order's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from jinka.acquirer.currency import currency_of
from jinka.kit import Refused, Usage, make_id

ATTEMPTS_MAX = 5  # cards that a payer may try on one order
AMOUNT_MAX = 10**12 - 1  # 12 digits: ISO 8583 field 4, and 13 characters with a point in a payment code
_TEXT_MAX = 120


class OrderState(Enum):
    """Where an order stands: (word, Chinese)."""

    CREATED = ("created", "待支付")
    PENDING = ("pending", "处理中")
    AUTHORISED = ("authorised", "已授权")
    CAPTURED = ("captured", "已收款")
    VOIDED = ("voided", "已撤销")
    REFUNDED_PARTLY = ("refunded_partly", "部分退款")
    REFUNDED = ("refunded", "已退款")
    FAILED = ("failed", "支付失败")
    EXPIRED = ("expired", "已过期")
    UNKNOWN = ("unknown", "结果待查")

    @property
    def word(self) -> str:
        return self.value[0]


class Kind(Enum):
    """What is asked of the network. ``PURCHASE`` authorises and captures in one message."""

    AUTHORISE = "authorise"
    PURCHASE = "purchase"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Step(Enum):
    """What moves an order: it begins an operation, one ends, or its time is up."""

    BEGIN_PAYMENT = "begin payment"
    BEGIN_CAPTURE = "begin capture"
    BEGIN_VOID = "begin void"
    BEGIN_REFUND = "begin refund"
    CANCEL = "cancel"
    EXPIRE = "expire"
    NO_ANSWER = "no answer"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED_PARTLY = "refunded partly"
    REFUNDED = "refunded"
    DECLINED = "declined"  # the payer may try another card
    FAILED = "failed"  # was the last attempt


class OperationState(Enum):
    """Where an operation stands. ``OPEN``: asked and not answered yet, in this process or one that was killed."""

    OPEN = "open"
    UNKNOWN = "unknown"
    APPROVED = "approved"
    DECLINED = "declined"


_S, _P = OrderState, Step
_ENDS = {
    _P.AUTHORISED: _S.AUTHORISED,
    _P.CAPTURED: _S.CAPTURED,
    _P.VOIDED: _S.VOIDED,
    _P.REFUNDED_PARTLY: _S.REFUNDED_PARTLY,
    _P.REFUNDED: _S.REFUNDED,
    _P.DECLINED: _S.CREATED,
    _P.FAILED: _S.FAILED,
}
STEPS: Mapping[tuple[OrderState, Step], OrderState] = MappingProxyType(
    {
        (_S.CREATED, _P.BEGIN_PAYMENT): _S.PENDING,
        (_S.CREATED, _P.CANCEL): _S.VOIDED,
        (_S.CREATED, _P.EXPIRE): _S.EXPIRED,
        (_S.AUTHORISED, _P.BEGIN_CAPTURE): _S.PENDING,
        (_S.AUTHORISED, _P.BEGIN_VOID): _S.PENDING,
        (_S.CAPTURED, _P.BEGIN_VOID): _S.PENDING,
        (_S.CAPTURED, _P.BEGIN_REFUND): _S.PENDING,
        (_S.REFUNDED_PARTLY, _P.BEGIN_REFUND): _S.PENDING,
        (_S.PENDING, _P.NO_ANSWER): _S.UNKNOWN,
        (_S.UNKNOWN, _P.NO_ANSWER): _S.UNKNOWN,
        **{(_S.PENDING, step): state for step, state in _ENDS.items()},
        **{(_S.UNKNOWN, step): state for step, state in _ENDS.items()},
    }
)
BEGINS: Mapping[Kind, Step] = MappingProxyType(
    {
        Kind.AUTHORISE: _P.BEGIN_PAYMENT,
        Kind.PURCHASE: _P.BEGIN_PAYMENT,
        Kind.CAPTURE: _P.BEGIN_CAPTURE,
        Kind.VOID: _P.BEGIN_VOID,
        Kind.REFUND: _P.BEGIN_REFUND,
    }
)
PAYMENTS = frozenset({Kind.AUTHORISE, Kind.PURCHASE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing asked of the network under an id that it is known by for good."""

    order: bytes
    number: int
    kind: Kind
    amount_minor: int
    at_micros: int
    token: bytes  # whose card
    serial: int = 0  # counts the gateway's operations; the books give it
    original: bytes = bytes(16)  # the payment that it follows
    # What its message names in fields 41 and 32, and what all that follows it names; empty: begun before it was kept.
    terminal: str = ""
    institution: str = ""
    reversing: bool = False  # a reversal of it may be out: only the reversal's answer counts from now on
    state: OperationState = OperationState.OPEN
    code: str = ""
    approval: str = ""

    @property
    def id(self) -> bytes:
        """The same however often it is asked."""
        return make_id("jinka.gateway.operation", self.order, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a merchant wants paid. ``page_key`` opens its payment page; ``version`` counts its changes."""

    id: bytes
    merchant: str
    reference: str
    amount_minor: int
    currency: str
    created_micros: int
    expires_micros: int
    page_key: bytes = field(repr=False)
    description: str = ""
    bill: str = ""
    capture_later: bool = False
    state: OrderState = OrderState.CREATED
    authorised_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    attempts: int = 0
    operations: int = 0
    payment: bytes = bytes(16)  # the operation that what follows refers to
    token: bytes = bytes(16)
    masked: str = ""
    code: str = ""  # the network's last response code
    version: int = 1

    def __post_init__(self) -> None:
        currency_of(self.currency)
        if type(self.amount_minor) is not int or not 0 < self.amount_minor <= AMOUNT_MAX:
            raise Usage("not an amount", where="amount_minor", fix="1 to 10^12-1 minor units")
        for name, text in (("reference", self.reference), ("description", self.description)):
            if len(text) > _TEXT_MAX or (text and not text.isprintable()):
                raise Usage("too long or not printable", where=name, fix=f"at most {_TEXT_MAX} characters")
        if not 0 <= self.refunded_minor <= self.captured_minor <= self.authorised_minor <= self.amount_minor:
            raise Refused("refunded, captured, authorised and ordered are not in order", where="order")

    def after(self, step: Step) -> Order:
        """After a step; raises `Refused` for one that the table does not have."""
        state = STEPS.get((self.state, step))
        if state is None:
            raise Refused(
                f"{step.value} is not possible when {self.state.word}", where="order",
                fix="read the order again",
            )  # fmt: skip
        return replace(self, state=state, version=self.version + 1)

    def begin(self, kind: Kind, amount_minor: int, at_micros: int, token: bytes) -> tuple[Order, Operation]:
        """Begin an operation: the order pending, and what is to be asked; raises `Refused`."""
        self._require_amount(kind, amount_minor)
        order = self.after(BEGINS[kind])
        if kind in PAYMENTS and at_micros >= self.expires_micros:
            raise Refused("the order's time is up", where="order", fix="make a new order")
        if kind is Kind.VOID and self.captured_minor and self.capture_later:
            raise Refused("it was captured apart from its payment", where="order", fix="refund it")
        operation = Operation(
            order=self.id,
            number=self.operations + 1,
            kind=kind,
            amount_minor=amount_minor,
            at_micros=at_micros,
            token=token,
            original=bytes(16) if kind in PAYMENTS else self.payment,
        )
        attempts = self.attempts + (kind in PAYMENTS)
        return replace(order, operations=operation.number, attempts=attempts), operation

    def end(self, operation: Operation, masked: str = "") -> Order:
        """The order after its operation's outcome."""
        if operation.order != self.id or operation.number != self.operations:
            raise Refused("not the operation under way", where="order")
        order = replace(self, code=operation.code)
        if operation.state is OperationState.APPROVED:
            return _approved(order, operation, masked)
        if operation.state is OperationState.DECLINED:
            return _declined(order, operation.kind)
        return order.after(Step.NO_ANSWER)

    def _require_amount(self, kind: Kind, amount_minor: int) -> None:
        most = {
            Kind.CAPTURE: self.authorised_minor,
            Kind.REFUND: self.captured_minor - self.refunded_minor,
        }.get(kind, self.amount_minor)
        exact = kind in PAYMENTS or kind is Kind.VOID
        if not 0 < amount_minor <= most or (exact and amount_minor != most):
            raise Refused(
                f"{kind.value} of {amount_minor}", where="amount_minor", fix=f"at most {most} minor units"
            )


def _approved(order: Order, operation: Operation, masked: str) -> Order:
    amount = operation.amount_minor
    if operation.kind in PAYMENTS:
        captured = amount if operation.kind is Kind.PURCHASE else 0
        paid = replace(
            order, authorised_minor=amount, captured_minor=captured, payment=operation.id,
            token=operation.token, masked=masked,
        )  # fmt: skip
        return paid.after(Step.CAPTURED if captured else Step.AUTHORISED)
    if operation.kind is Kind.CAPTURE:
        return replace(order, captured_minor=amount, payment=operation.id).after(Step.CAPTURED)
    if operation.kind is Kind.VOID:
        return replace(order, captured_minor=0, authorised_minor=0).after(Step.VOIDED)
    refunded = order.refunded_minor + amount
    whole = refunded == order.captured_minor
    return replace(order, refunded_minor=refunded).after(Step.REFUNDED if whole else Step.REFUNDED_PARTLY)


def _declined(order: Order, kind: Kind) -> Order:
    """Back to where it stood, which its amounts tell."""
    if kind in PAYMENTS:
        return order.after(Step.FAILED if order.attempts >= ATTEMPTS_MAX else Step.DECLINED)
    if not order.captured_minor:
        return order.after(Step.AUTHORISED)
    return order.after(Step.REFUNDED_PARTLY if order.refunded_minor else Step.CAPTURED)
