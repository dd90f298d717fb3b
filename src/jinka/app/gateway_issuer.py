"""The gateway's payments at an issuer's host in the same process: cards of one's own, without a network between.

Implements `jinka.acquirer.Payments`. An operation is known to the host by acquirer, terminal, stan and date; the stan
is the operation's serial, so the same operation asked again is the same transaction. What goes wrong inside is an
outcome that is not known, and is settled later.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

from jinka.acquirer import Answer, Ask, Entry, Kind, NoAnswer, Operation, Result
from jinka.acquirer.currency import currency_of
from jinka.acquirer.orders import PAYMENTS
from jinka.issuer import authorisation as issuer
from jinka.issuer.books import IssuerBooks, State
from jinka.issuer.host import IssuerHost
from jinka.kit import Refused

_ENTRIES: Mapping[Entry, tuple[issuer.Entry, issuer.Channel]] = MappingProxyType(
    {
        Entry.TYPED: (issuer.Entry.MANUAL, issuer.Channel.ONLINE),
        Entry.STORED: (issuer.Entry.STORED, issuer.Channel.ONLINE),
        Entry.CODE: (issuer.Entry.CONTACTLESS, issuer.Channel.PHONE),
    }
)
_KINDS: Mapping[Kind, issuer.Kind] = MappingProxyType(
    {
        Kind.PURCHASE: issuer.Kind.PURCHASE,
        Kind.AUTHORISE: issuer.Kind.PREAUTHORISATION,
        Kind.CAPTURE: issuer.Kind.COMPLETION,
        Kind.VOID: issuer.Kind.VOID,
        Kind.REFUND: issuer.Kind.REFUND,
    }
)
_STANS = 1_000_000
_REVERSED = "98"  # no answer: taken back
_PRINTED = "000"  # the service code that a printed card value is made with


class HostPayments:
    """Asks one issuer's host. One question at a time: the host has one writer."""

    def __init__(self, host: IssuerHost, books: IssuerBooks, *, acquirer: str) -> None:
        self._host, self._books, self._acquirer = host, books, acquirer
        self._lock = threading.Lock()

    def authorise(self, ask: Ask) -> Answer:
        """Hold, or take for a purchase."""
        return self._decide(ask, _KINDS[ask.operation.kind])

    def capture(self, ask: Ask) -> Answer:
        """Complete a pre-authorisation."""
        return self._decide(ask, issuer.Kind.COMPLETION)

    def refund(self, ask: Ask) -> Answer:
        """Give back."""
        return self._decide(ask, issuer.Kind.REFUND)

    def void(self, ask: Ask) -> Answer:
        """Take a payment back: by its void, or by a reversal when its own outcome is in doubt."""
        reversal = ask.operation.kind in PAYMENTS
        return self._decide(ask, issuer.Kind.REVERSAL if reversal else issuer.Kind.VOID)

    def status(self, ask: Ask) -> Answer | None:
        """What the host's journal says."""
        request = self._request(ask, _KINDS[ask.operation.kind])
        try:
            with self._lock:
                found = self._books.bookings([request.id]).get(request.id)
        except Exception as error:
            raise NoAnswer(f"the host failed: {type(error).__name__}", where="issuer") from error
        if found is None:
            return None
        if found.state is State.RECEIVED:
            raise NoAnswer("the host has not decided yet", where="issuer")
        if found.state in (State.UNSEEN, State.REVERSED):
            return Answer(result=Result.DECLINED, code=_REVERSED)
        if found.approved:
            return Answer(result=Result.APPROVED, code="00", approval=found.authorisation)
        return Answer(result=Result.DECLINED, code=found.reason.code)

    def _decide(self, ask: Ask, kind: issuer.Kind) -> Answer:
        request = self._request(ask, kind)
        try:
            with self._lock:
                decision = self._host.decide(request)
        except Exception as error:
            raise NoAnswer(f"the host failed: {type(error).__name__}", where="issuer") from error
        result = Result.APPROVED if decision.approved else Result.DECLINED
        return Answer(result=result, code=decision.code, approval=decision.authorisation)

    def _request(self, ask: Ask, kind: issuer.Kind) -> issuer.AuthorisationRequest:
        operation, card, merchant = ask.operation, ask.card, ask.merchant
        original = None
        if kind is issuer.Kind.REVERSAL:
            original = self._trace(operation, merchant.terminal)
        elif kind.needs_original:
            if ask.original is None:
                raise Refused("an operation without its original", where="books", fix="restore the database")
            original = self._trace(ask.original, merchant.terminal)
        entry, channel = _ENTRIES[card.entry]
        value = issuer.CardValue(value=card.card_value, service3=_PRINTED) if card.card_value else None
        return issuer.AuthorisationRequest(
            kind=kind,
            pan=card.pan,
            amount_fen=operation.amount_minor,
            at_micros=operation.at_micros,
            trace=self._trace(operation, merchant.terminal),
            currency=int(currency_of(ask.currency).numeric),
            entry=entry,
            channel=channel,
            merchant=merchant.id,
            category=merchant.category,
            expiry4=card.expiry4,
            card_value=value,
            field55=card.chip,
            original=original,
        )

    def _trace(self, operation: Operation, terminal: str) -> issuer.Trace:
        day = issuer.local_day(operation.at_micros)
        return issuer.Trace(
            acquirer=self._acquirer,
            terminal=terminal,
            stan=f"{operation.serial % _STANS:06d}",
            date4=f"{day % 10_000:04d}",
        )
