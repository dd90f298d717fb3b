"""The gateway's acts on orders. Each is written down before the network is asked, and again when it has answered.

Between the two writes the power may go: the operation is then found open, and `settle` asks the network what became of
it. A payment that the network has not seen is voided there first, so that it cannot come late; everything else is asked
again under its own id. Requests carry an idempotency key (IETF draft-ietf-httpapi-idempotency-key-header-07): the same
key and body get the first answer, another body is refused. No I/O here: books, network, clock and chance are passed in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinka.acquirer.callbacks import order_changed, order_view
from jinka.acquirer.orders import PAYMENTS, Kind, Operation, OperationState, Order, OrderState, Step
from jinka.acquirer.ports import (
    Answer,
    Ask,
    Books,
    Busy,
    CardFacts,
    Conflict,
    Desk,
    Entry,
    KeyedAnswer,
    Merchant,
    NoAnswer,
    Payments,
    Result,
    Unheard,
    order_under,
    require_order,
)
from jinka.acquirer.vault import TokenRecord, Vault
from jinka.kit import Clock, NotFound, Randomness, Refused, Usage

LIFE_S_MAX = 30 * 86_400
LIFE_S = 1800
ANSWER_S = 30  # an operation that is open for longer has lost its process
_MICROS = 1_000_000
_KEY_MAX = 128
_ANSWERED = frozenset({OperationState.APPROVED, OperationState.DECLINED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a merchant says of a new order."""

    reference: str
    amount_minor: int
    currency: str = "CNY"
    description: str = ""
    capture_later: bool = False
    life_s: int = LIFE_S
    bill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """An idempotency key with what the request said."""

    key: str
    what: Mapping[str, Any]

    def fingerprint(self, vault: Vault) -> bytes:
        """The same for the same request, under the vault's key, since requests hold card numbers.

        Raises `Usage` for a key that is none.
        """
        if not 1 <= len(self.key) <= _KEY_MAX or not (self.key.isascii() and self.key.isprintable()):
            raise Usage("not a key", where="Idempotency-Key", fix=f"1 to {_KEY_MAX} ASCII characters")
        text = json.dumps(self.what, sort_keys=True, ensure_ascii=False)
        return vault.digest(text.encode())


Body = Mapping[str, Any]


class Gateway:
    """Orders of all merchants. Answers are views of orders (`order_view`)."""

    def __init__(
        self, books: Books, payments: Payments, vault: Vault, clock: Clock, randomness: Randomness,
        *, institution: str = "",
    ) -> None:  # fmt: skip
        """``institution``: our number in the network, kept with each operation."""
        self._books, self._payments, self._vault, self._institution = books, payments, vault, institution
        self._clock, self._randomness = clock, randomness

    def create(self, merchant: Merchant, draft: Draft, keyed: Keyed) -> Body:
        """A new order."""
        if not 60 <= draft.life_s <= LIFE_S_MAX:
            raise Usage("not a life", where="life_s", fix=f"60 to {LIFE_S_MAX} seconds")
        with self._books.desk() as desk:
            if (first := self._first(desk, merchant, keyed)) is not None:
                return first
            order = self.new_order(desk, merchant, draft)
            self._remember(desk, merchant, keyed, body=order_view(order))
            return order_view(order)

    def new_order(self, desk: Desk, merchant: Merchant, draft: Draft) -> Order:
        """A new order inside the caller's transaction."""
        now = self._clock.now_micros()
        order = Order(
            id=self._randomness.token_bytes(16),
            merchant=merchant.id,
            reference=draft.reference,
            amount_minor=draft.amount_minor,
            currency=draft.currency,
            created_micros=now,
            expires_micros=now + draft.life_s * _MICROS,
            page_key=self._randomness.token_bytes(16),
            description=draft.description,
            capture_later=draft.capture_later,
            bill=draft.bill,
        )
        desk.add_order(order)
        return order

    def pay(
        self, merchant: Merchant, order: bytes, card: CardFacts, keyed: Keyed, *, keep: bool = False
    ) -> Body:
        """Charge a card; ``keep`` lets the merchant use its token again."""

        def begin(desk: Desk, found: Order) -> tuple[Order, Operation, CardFacts]:
            if card.signed_minor not in (None, found.amount_minor):
                raise Refused("the chip signed another amount", where="code.9F02", fix="scan the order again")
            token = self._token(desk, merchant, card, keep=keep)
            kind = Kind.AUTHORISE if found.capture_later else Kind.PURCHASE
            return *found.begin(kind, found.amount_minor, self._clock.now_micros(), token.id), card

        return self._act(merchant, order, keyed, begin)

    def pay_by_token(
        self, merchant: Merchant, order: bytes, token: bytes, keyed: Keyed, card_value: str = ""
    ) -> Body:
        """Charge a card that the merchant may use again."""

        def begin(desk: Desk, found: Order) -> tuple[Order, Operation, CardFacts]:
            record = self._usable(desk, merchant, token)
            pan, expiry4 = self._vault.open(record)
            card = CardFacts(pan=pan, expiry4=expiry4, entry=Entry.STORED, card_value=card_value)
            kind = Kind.AUTHORISE if found.capture_later else Kind.PURCHASE
            return *found.begin(kind, found.amount_minor, self._clock.now_micros(), record.id), card

        return self._act(merchant, order, keyed, begin)

    def capture(self, merchant: Merchant, order: bytes, keyed: Keyed, amount_minor: int = 0) -> Body:
        """Take what was authorised, or less (0 is all); the rest is let go."""
        return self._follow(
            merchant, order, keyed, Kind.CAPTURE, lambda o: amount_minor or o.authorised_minor
        )

    def refund(self, merchant: Merchant, order: bytes, keyed: Keyed, amount_minor: int = 0) -> Body:
        """Give back what was captured, or part of what is left of it (0 is all)."""
        return self._follow(
            merchant, order, keyed, Kind.REFUND, lambda o: amount_minor or o.captured_minor - o.refunded_minor
        )

    def void(self, merchant: Merchant, order: bytes, keyed: Keyed) -> Body:
        """Take a payment back whole; an order that nobody paid is cancelled."""
        with self._books.desk() as desk:
            if (first := self._first(desk, merchant, keyed)) is not None:
                return first
            found = require_order(desk, merchant, order)
            if found.state is OrderState.CREATED:
                done = found.after(Step.CANCEL)
                self._save(desk, done)
                self._remember(desk, merchant, keyed, body=order_view(done))
                return order_view(done)
        return self._follow(merchant, order, keyed, Kind.VOID, lambda o: o.amount_minor)

    def read(self, merchant: Merchant, order: bytes) -> Body:
        """One order of the merchant."""
        with self._books.desk() as desk:
            return order_view(require_order(desk, merchant, order))

    def orders(self, merchant: Merchant, before: bytes, most: int) -> Sequence[Body]:
        """The merchant's orders, newest first; ``before`` is the last id of the page before."""
        with self._books.desk() as desk:
            return [order_view(found) for found in desk.orders(merchant.id, before, most)]

    def keep_card(self, merchant: Merchant, card: CardFacts) -> TokenRecord:
        """A token without a payment; the same card has the same token."""
        with self._books.desk() as desk:
            return self._token(desk, merchant, card, keep=True)

    def forget_card(self, merchant: Merchant, token: bytes) -> None:
        """The merchant may not use the token any more; refunds of its payments still find the card."""
        with self._books.desk() as desk:
            desk.save_token(replace(self._usable(desk, merchant, token), reusable=False))

    def settle(self, most: int = 100, *, at_start: bool = False) -> int:
        """Ask for what is in doubt and let time run out; the number of orders that moved.

        ``at_start``: no other process is at work, so every open operation has lost its own.
        """
        now = self._clock.now_micros()
        before = now + 1 if at_start else now - ANSWER_S * _MICROS
        with self._books.desk() as desk:
            doubtful = desk.unresolved(before, most)
            for order in desk.expiring(now, most):
                self._save(desk, order.after(Step.EXPIRE))
        moved = 0
        for operation in doubtful:
            try:
                self._finish(*self._resolved(self._asked_again(operation)))
            except NoAnswer:
                self._finish(operation, None)
                continue
            moved += 1
        return moved

    def _resolved(self, ask: Ask) -> tuple[Operation, Answer]:
        operation = ask.operation
        if not operation.reversing:
            if (answer := self._payments.status(ask)) is not None:
                return operation, answer
            if operation.kind not in PAYMENTS:
                try:
                    return operation, self._send(ask)
                except Unheard:
                    if operation.kind is Kind.REFUND:  # an advice: it cannot be taken back
                        raise
            operation = self._begin_reversal(operation)
        if self._payments.void(replace(ask, operation=operation)).result is not Result.APPROVED:
            raise NoAnswer("the network would not take the payment back", where="void")
        return operation, Answer(result=Result.DECLINED, code="98")

    def _begin_reversal(self, operation: Operation) -> Operation:
        """Written down before it is sent: an answer that is late has no say any more, here or in another process."""
        with self._books.desk() as desk:
            _, now = order_under(desk, operation)
            if now.state in _ANSWERED:
                raise NoAnswer("it was answered meanwhile", where="order")
            now = replace(now, reversing=True)
            desk.save_operation(now)
            return now

    def _send(self, ask: Ask) -> Answer:
        verbs: Mapping[Kind, Callable[[Ask], Answer]] = {
            Kind.AUTHORISE: self._payments.authorise,
            Kind.PURCHASE: self._payments.authorise,
            Kind.CAPTURE: self._payments.capture,
            Kind.VOID: self._payments.void,
            Kind.REFUND: self._payments.refund,
        }
        return verbs[ask.operation.kind](ask)

    def _follow(
        self, merchant: Merchant, order: bytes, keyed: Keyed, kind: Kind, amount: Callable[[Order], int]
    ) -> Body:
        def begin(desk: Desk, found: Order) -> tuple[Order, Operation, CardFacts]:
            pending, operation = found.begin(kind, amount(found), self._clock.now_micros(), found.token)
            return pending, operation, self._card_of(desk, operation)

        return self._act(merchant, order, keyed, begin)

    def _act(
        self,
        merchant: Merchant,
        id_: bytes,
        keyed: Keyed,
        begin: Callable[[Desk, Order], tuple[Order, Operation, CardFacts]],
    ) -> Body:
        """Write the operation down, ask, and write its outcome."""
        with self._books.desk() as desk:
            if (first := self._first(desk, merchant, keyed)) is not None:
                return first
            order, operation, card = begin(desk, require_order(desk, merchant, id_))
            original = desk.operation(operation.original)
            named = original or replace(operation, terminal=merchant.terminal, institution=self._institution)
            operation = replace(
                operation, serial=desk.next_serial(), terminal=named.terminal, institution=named.institution
            )
            desk.save_order(order)
            desk.add_operation(operation)
            self._remember(desk, merchant, keyed, operation=operation.id)
        ask = Ask(
            operation=operation, merchant=merchant, currency=order.currency, card=card, original=original
        )
        try:
            answer = self._send(ask)
        except NoAnswer:
            return self._finish(operation, None)
        return self._finish(operation, answer)

    def _finish(self, operation: Operation, answer: Answer | None) -> Body:
        """Write an outcome once: whoever comes second finds it done."""
        with self._books.desk() as desk:
            order, now = order_under(desk, operation)
            if now.state in _ANSWERED:
                return order_view(order)
            if now.reversing and not operation.reversing:
                answer = None  # it came too late: the reversal's own answer decides
            if answer is None and now.state is OperationState.UNKNOWN:
                return order_view(order)
            state = OperationState.UNKNOWN if answer is None else OperationState(answer.result.value)
            ended = replace(
                now,
                state=state,
                code=answer.code if answer else "",
                approval=answer.approval if answer else "",
            )
            token = desk.token(operation.token)
            order = order.end(ended, token.masked if token else "")
            desk.save_operation(ended)
            self._save(desk, order)
            self._mark_bill(desk, order)
            desk.answer_keyed(operation.id, order_view(order))
            return order_view(order)

    def _mark_bill(self, desk: Desk, order: Order) -> None:
        bill = desk.bill(order.merchant, order.bill) if order.bill else None
        if bill is not None and bill.order == order.id:
            desk.put_bill(replace(bill, paid=order.captured_minor > order.refunded_minor))

    def _save(self, desk: Desk, order: Order) -> None:
        desk.save_order(order)
        merchant = desk.merchant(order.merchant)
        if merchant is not None and merchant.callback_url:
            desk.add_callback(order_changed(order, self._clock.now_micros()))

    def _first(self, desk: Desk, merchant: Merchant, keyed: Keyed) -> Body | None:
        """The first answer to the same request; raises `Conflict` and `Busy`."""
        found = desk.keyed(merchant.id, keyed.key)
        if found is None:
            return None
        if found.fingerprint != keyed.fingerprint(self._vault):
            raise Conflict(
                "the key was used for another request", where="Idempotency-Key", fix="use a new key"
            )
        if found.body is None:
            raise Busy("the first request is under way", where="Idempotency-Key", fix="ask again in a moment")
        return found.body

    def _remember(
        self,
        desk: Desk,
        merchant: Merchant,
        keyed: Keyed,
        *,
        operation: bytes = bytes(16),
        body: Body | None = None,
    ) -> None:
        desk.add_keyed(
            KeyedAnswer(
                merchant=merchant.id,
                key=keyed.key,
                fingerprint=keyed.fingerprint(self._vault),
                at_micros=self._clock.now_micros(),
                operation=operation,
                body=body,
            )
        )

    def _token(self, desk: Desk, merchant: Merchant, card: CardFacts, *, keep: bool) -> TokenRecord:
        if keep and card.entry is Entry.CODE:
            raise Usage("a code pays once", where="keep_card", fix="leave it out")
        record = self._vault.keep(merchant.id, card.pan, card.expiry4, reusable=keep)
        found = desk.token_by_lookup(merchant.id, record.lookup)
        if found is None:
            desk.add_token(record)
            return record
        if keep and not found.reusable:
            found = replace(found, reusable=True)
            desk.save_token(found)
        return found

    def _usable(self, desk: Desk, merchant: Merchant, token: bytes) -> TokenRecord:
        found = desk.token(token)
        if found is None or found.merchant != merchant.id or not found.reusable:
            raise NotFound("no such token", where="token", fix="keep the card at a payment")
        return found

    def _card_of(self, desk: Desk, operation: Operation) -> CardFacts:
        record = desk.token(operation.token)
        if record is None:
            raise NotFound("the token is gone from the books", where="token")
        pan, expiry4 = self._vault.open(record)
        return CardFacts(pan=pan, expiry4=expiry4, entry=Entry.STORED)

    def _asked_again(self, operation: Operation) -> Ask:
        with self._books.desk() as desk:
            order = desk.order(operation.order)
            merchant = desk.merchant(order.merchant) if order else None
            if order is None or merchant is None:
                raise Refused("an operation without its order", where="books", fix="restore the database")
            return Ask(
                operation=operation,
                merchant=merchant,
                currency=order.currency,
                card=self._card_of(desk, operation),
                original=desk.operation(operation.original),
                again=True,
            )
