"""All that may decline a request before money moves: for a wave of cases, so that the key service is asked once.

Each case passes the same gates in the same order: its form, its card, the chip's cryptogram, the card value, the PIN,
the standing of card and account, limits, risk rules. Who fails at one comes to none behind it, so a PIN is compared
for nobody whose card value is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from jinka.issuer.authorisation import AuthorisationRequest, Flow, Kind, local_day
from jinka.issuer.books import Deed
from jinka.issuer.card_checks import CardChecks
from jinka.issuer.cases import Case
from jinka.issuer.limits import Declined, check_history
from jinka.issuer.policy import Policy
from jinka.issuer.reasons import Reason
from jinka.risk import Action, CardFacts

_ZERO = bytes(16)
# What takes something back: of the card itself nothing is asked.
_BACK = frozenset({Kind.REVERSAL, Kind.PARTIAL})


class WaveChecks:
    """The gates of one issuer."""

    def __init__(self, policy: Policy, checks: CardChecks, acquirers: frozenset[str]) -> None:
        self._policy, self._checks, self._acquirers = policy, checks, acquirers

    def passed(self, cases: Iterable[Case], before: Callable[[Case], Sequence[Deed]]) -> list[Case]:
        """Those that nothing speaks against; the others are declined. ``before`` is the past of a case's card."""
        asked = _each(cases, self._check_form)
        shown = _each(self._compare_values(asked), self._check_tries)
        return _each(self._compare_pins(shown), lambda case: self._check_use(case, before(case)))

    def _check_form(self, case: Case) -> None:
        """That it can be asked, and of a card that is here; its date and its chip."""
        request, card = case.request, case.card
        if request is None:
            raise Declined(Reason.INTERRUPTED)
        if request.trace.acquirer not in self._acquirers:
            raise Declined(Reason.INVALID_MERCHANT)
        if request.kind in _BACK:
            return
        if card is None or case.account is None:
            raise Declined(Reason.NO_CARD)
        if request.currency != self._policy.currency:
            raise Declined(Reason.CURRENCY)
        if not request.amount_fen and request.kind is not Kind.BALANCE:
            raise Declined(Reason.AMOUNT)
        if request.kind is Kind.TRANSFER and case.row.hold in (_ZERO, case.row.account):
            raise Declined(Reason.NO_CARD if case.row.hold == _ZERO else Reason.INVALID)
        if _is_shown(request):
            if request.expiry4 and request.expiry4 != card.expiry4:
                raise Declined(Reason.EXPIRED)
            case.question = self._checks.check_chip(request, card)

    def _compare_values(self, cases: Sequence[Case]) -> list[Case]:
        needed = self._policy.value_channels
        asked = [
            (case, case.request, case.card, case.request.channel in needed)
            for case in cases
            if case.request is not None and case.card is not None
            if _is_shown(case.request) and case.request.kind.flow is not Flow.CREDIT
        ]
        faults = self._checks.check_values([row[1:] for row in asked])
        return _without(cases, [row[0] for row in asked], faults)

    def _check_tries(self, case: Case) -> None:
        """That a PIN is there where one is needed, and may be tried."""
        request, card = case.request, case.card
        if request is None or card is None or not _is_shown(request):
            return
        if request.pin is None:
            if request.kind in self._policy.pin_kinds or request.channel in self._policy.pin_channels:
                raise Declined(Reason.PIN_MISSING)
        elif card.tries_left <= 0:
            raise Declined(Reason.PIN_TRIES)

    def _compare_pins(self, cases: Sequence[Case]) -> list[Case]:
        asked = [
            (case, case.request, case.card)
            for case in cases
            if case.request is not None and case.card is not None
            if case.request.pin is not None and _is_shown(case.request)
        ]
        faults = self._checks.check_pins([row[1:] for row in asked])
        for (case, *_), fault in zip(asked, faults, strict=True):
            case.pin_right = fault is None
        return _without(cases, [row[0] for row in asked], faults)

    def _check_use(self, case: Case, before: Sequence[Deed]) -> None:
        """That card and account may, and within limits and risk rules."""
        request = case.request
        if request is None or case.card is None or request.forced or request.kind in _BACK:
            return
        self._check_standing(request, case)
        if request.kind.flow in (Flow.DEBIT, Flow.HOLD) and not request.kind.needs_original:
            self._check_spending(request, case, before)

    def _check_standing(self, request: AuthorisationRequest, case: Case) -> None:
        card, account = case.card, case.account
        if card is None or account is None:
            raise Declined(Reason.NO_CARD)
        gives = request.kind.flow is Flow.CREDIT or request.kind is Kind.VOID
        refusal = card.state.refusal
        if refusal is not None and not (gives and request.kind.needs_original):
            raise Declined(refusal)
        if account.state.refusal is not None and not gives:
            raise Declined(account.state.refusal)
        if not gives and not request.kind.needs_original:
            month = local_day(request.at_micros) // 100
            if 200_000 + int(card.expiry4) < month:
                raise Declined(Reason.EXPIRED)
            if not self._policy.permits(account.product, request.kind, request.channel):
                raise Declined(Reason.NOT_PERMITTED)

    def _check_spending(self, request: AuthorisationRequest, case: Case, before: Sequence[Deed]) -> None:
        card, account = case.card, case.account
        if card is None or account is None:
            raise Declined(Reason.NO_CARD)
        check_history(before)
        for limit in self._policy.limits_of(account.product):
            limit.check(request, before)
        facts = CardFacts(id=request.card_id, chip=card.chip, first_use_micros=card.first_use_micros)
        rule = self._policy.rules.judge(case.row, before, facts)
        if rule is None:
            return
        title = (rule.english, rule.chinese)
        if rule.action is Action.DECLINE:
            raise Declined(Reason.RISK, rule.code, title)
        case.rule, case.title = rule.code, title


def _is_shown(request: AuthorisationRequest) -> bool:
    """Whether card and holder have to prove themselves: not again for an original, nor for what happened already."""
    return not request.forced and not request.kind.needs_original


def _each(cases: Iterable[Case], check: Callable[[Case], None]) -> list[Case]:
    """Those that pass a gate; the others are declined."""
    found = []
    for case in cases:
        try:
            check(case)
        except Declined as declined:
            case.decline(declined)
        else:
            found.append(case)
    return found


def _without(cases: Sequence[Case], asked: Sequence[Case], faults: Sequence[Reason | None]) -> list[Case]:
    """Those without a fault; the others are declined."""
    for case, fault in zip(asked, faults, strict=True):
        if fault is not None:
            case.decline(Declined(fault))
    return [case for case in cases if case.reason is Reason.APPROVED]
