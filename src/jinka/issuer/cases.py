"""One request on its way through the issuer's host.

What a request becomes (its row, its card afterwards, its answer) is made here from what the host's checks said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from jinka.issuer.accounts import PIN_TRIES, AccountState, HolderAccount, IssuedCard
from jinka.issuer.authorisation import AuthorisationRequest, Decision, Flow, Kind
from jinka.issuer.books import Booking, State, Step
from jinka.issuer.card_checks import seen_entry
from jinka.issuer.emv import Question
from jinka.issuer.limits import Declined
from jinka.issuer.posting import Plan, Way
from jinka.issuer.reasons import Reason
from jinka.ledger import Transfer

_ZERO = bytes(16)


@dataclass(slots=True)
class Case:
    """One request on its way through a wave."""

    row: Booking
    request: AuthorisationRequest | None = None  # None after a crash: the row is all that is left
    card: IssuedCard | None = None
    account: HolderAccount | None = None
    question: Question | None = None
    plan: Plan | None = None
    pin_right: bool = False
    reason: Reason = Reason.APPROVED
    rule: str = ""
    title: tuple[str, str] = ("", "")
    transfers: tuple[Transfer, ...] = ()
    available_fen: int | None = None
    chip: bytes = b""
    way: Way = Way.ACCOUNT
    used: bytes = _ZERO  # of an advice: the row that says that its certificate was booked
    heard_before: bool = False  # an advice of what was asked here and declined

    def decline(self, declined: Declined) -> None:
        self.reason, self.rule, self.title = declined.reason, declined.rule, declined.title
        self.plan = None

    @property
    def tries(self) -> bool:
        """Whether this request costs a try of the PIN."""
        request, card = self.request, self.card
        if request is None or card is None or request.pin is None:
            return False
        return not request.forced and not request.kind.needs_original and card.tries_left > 0

    def changed_card(self) -> IssuedCard | None:
        """The card, if what is known of it changed: the PIN's tries, the chip's counter, the first use."""
        card = after = self.card
        if card is None or after is None or self.request is None:
            return None
        if self.tries:
            kept = card.tries_left - 1 if self.reason is Reason.PIN else card.tries_left
            after = replace(after, tries_left=PIN_TRIES if self.pin_right else kept)
        if self.question is not None:
            after = replace(after, counter=max(card.counter, self.question.counter))
        moved = self.request.kind.flow is not Flow.NONE and not self.request.kind.needs_original
        if self.reason is Reason.APPROVED and not card.first_use_micros and moved:
            after = replace(after, first_use_micros=self.request.at_micros)
        return after if after != card else None

    def final_rows(self) -> list[Booking]:
        """The rows as they are kept: the own one first."""
        if self.plan is None:
            row, others = self.row, []
            state = row.after(Step.DECLINE)
        else:
            row, *others = sorted(self.plan.rows, key=lambda other: other.id != self.row.id)
            state = row.after(Step.HOLD if row.kind is Kind.PREAUTHORISATION else Step.APPROVE)
        row = replace(
            row,
            state=state,
            reason=self.reason,
            rule=self.rule,
            chip=self.chip,
            available_fen=self.available_fen,
            authorisation=self.authorisation,
        )
        return [row, *others]

    def decision(self) -> Decision:
        """The answer."""
        return Decision(
            code=self.reason.code,
            reason=self.reason,
            rule=self.rule,
            rule_title=self.title,
            id=self.row.id,
            authorisation=self.authorisation,
            available_fen=self.available_fen,
            chip=self.chip,
            transfers=self.transfers,
        )

    @property
    def authorisation(self) -> str:
        """The authorisation number of six digits; none for a refusal."""
        number = int.from_bytes(self.row.id[:8], "big") % 1_000_000
        return f"{number:06}" if self.reason.code == "00" else ""


def received(
    request: AuthorisationRequest, cards: Mapping[str, IssuedCard], accounts: Mapping[str, HolderAccount]
) -> Case:
    card = cards.get(request.pan)
    account = accounts.get(card.account) if card is not None else None
    receiver = cards.get(request.receiver)
    into = accounts.get(receiver.account) if receiver is not None else None
    place = request.place
    row = Booking(
        id=request.id,
        kind=request.kind,
        fingerprint=request.fingerprint,
        card=request.card_id,
        account=account.id if account is not None else _ZERO,
        acquirer=request.trace.acquirer,
        merchant=request.merchant,
        category=request.category,
        channel=request.channel,
        entry=seen_entry(request, card) if card is not None else request.entry,
        amount_fen=request.amount_fen,
        at_micros=request.at_micros,
        original=request.original_id,
        hold=into.id if into is not None and into.state is not AccountState.CLOSED else _ZERO,
        forced=request.forced,
        terminal_chip=request.terminal_chip,
        card_chip=card is not None and card.chip,
        place_e6=(place.latitude_e6, place.longitude_e6) if place is not None else None,
        settled=request.settled,
        stan=request.trace.stan,
        terminal=request.trace.terminal,
        masked=_masked(request.pan),
    )
    return Case(request=request, row=row, card=card, account=account)


def _masked(pan: str) -> str:
    return f"{pan[:6]}{'*' * (len(pan) - 10)}{pan[-4:]}" if len(pan) > 12 else "*" * len(pan)


def repeat(request: AuthorisationRequest, row: Booking) -> Decision:
    """The answer that a transaction had; or why it has none under this number."""
    if row.state is State.UNSEEN:
        reason = Reason.ALREADY_REVERSED
    elif row.fingerprint != request.fingerprint and row.reason is not Reason.REMEMBERED:
        reason = Reason.DUPLICATE  # but a reversal that took nothing back said no amount that counts
    elif row.state in (State.REVERSED, State.VOIDED):
        reason = Reason.TAKEN_BACK  # an approval now would hand out what nobody pays for
    else:
        return Decision(
            code=row.reason.code,
            reason=row.reason,
            rule=row.rule,
            id=row.id,
            authorisation=row.authorisation,
            available_fen=row.available_fen,
            chip=row.chip,
            repeated=True,
        )
    return Decision(code=reason.code, reason=reason, id=row.id, repeated=True)
