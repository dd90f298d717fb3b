"""What is believed of an advice: a payment that happened already, which a message tells of afterwards.

EMV Book 3, 9.2 and 10.8 (TC: the card agreed), Book 2, 8.1; JR/T 0025.5 (the card's verification results say what it
answered). A right certificate is the card's own word: it has no ceiling, and is booked once. Without one (a stripe, a
stand-in, the card's mere question) the policy has a ceiling. What is above it, and what was signed wrongly, is booked
all the same, so that nothing is lost, but on the issuer's account of disputed advices and not on the holder's: the
reason and the rule stand in the decision and in the books, and people look at it.

A card that asked first, and whose counter the host has passed since, was heard under another number or stood in for:
nobody can tell which, so that is disputed too. A dispute ends by the acquirer's reversal; to charge the holder after
all is not done here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from jinka.issuer.accounts import IssuedCard
from jinka.issuer.authorisation import CHIP_ENTRIES, AuthorisationRequest, Flow, Kind
from jinka.issuer.books import Booking
from jinka.issuer.emv import Agreed, Question, read_question
from jinka.issuer.limits import Declined
from jinka.issuer.reasons import Reason
from jinka.kit import Refused, make_id

_ZERO = bytes(16)


class Doubt(Enum):
    """Why an advice is disputed: (rule, English, Chinese)."""

    CERTIFICATE = ("TC", "the chip's certificate is wrong", "交易证书错误")
    OTHER = ("TC-OTHER", "the chip's certificate is for something else", "交易证书与报文不符")
    REFUSED = ("TC-NO", "the chip did not agree", "卡片拒绝交易")
    USED = ("TC-USED", "the chip's certificate was booked before", "交易证书重复使用")
    CEILING = ("ADVICE", "above what is believed without a certificate", "超出无证书通知上限")

    @property
    def rule(self) -> str:
        return self.value[0]

    @property
    def title(self) -> tuple[str, str]:
        return self.value[1], self.value[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """``used`` names the row that keeps a certificate from being booked again; zeros where there was none."""

    doubt: Doubt | None = None
    used: bytes = _ZERO


def needs_proof(kind: Kind, *, forced: bool) -> bool:
    """Whether it takes a holder's money on an advice's word alone; what has an original is bounded by that."""
    return forced and kind.flow in (Flow.DEBIT, Flow.HOLD) and not kind.needs_original


def certificate_of(request: AuthorisationRequest) -> bytes:
    """The id of the row that says that the chip's certificate was booked; zeros where none can be read."""
    if not needs_proof(request.kind, forced=request.forced) or not request.field55:
        return _ZERO
    try:
        question = read_question(request.field55, request.pan)
    except Refused:
        return _ZERO
    return make_id("jinka.issuer.certificate", request.card_id, question.counter)


def believe(
    request: AuthorisationRequest,
    card: IssuedCard,
    known: Mapping[bytes, Booking],
    prove: Callable[[AuthorisationRequest, IssuedCard], Question],
    *,
    unproven_fen: int,
    here_before: bool,
) -> Belief:
    """What is believed; ``prove`` raises `Declined`. ``here_before``: the host itself heard of this transaction."""
    doubt = Doubt.CEILING if request.amount_fen > unproven_fen else None
    if request.entry not in CHIP_ENTRIES or not request.field55:
        return Belief(doubt=doubt)
    proven = True
    try:
        question = prove(request, card)
    except Declined as declined:
        if declined.reason is not Reason.KEYS_DOWN:
            return Belief(doubt=Doubt.OTHER if declined.reason is Reason.FORMAT else Doubt.CERTIFICATE)
        # Nobody could look: no more than one without is believed, and what can be read of it still says which it is.
        question, proven = read_question(request.field55, request.pan), False
    if question.agreed is Agreed.NO:
        return Belief(doubt=Doubt.REFUSED)
    if question.agreed is Agreed.ASKS:
        return Belief(doubt=doubt)
    used = certificate_of(request)
    booked = known.get(used)
    if booked is not None and booked.original != request.id:
        return Belief(doubt=Doubt.USED)
    if question.asked_first and question.counter <= card.counter and not here_before:
        return Belief(doubt=Doubt.USED)  # it asked, and was heard under another number
    if doubt is not None and not proven:
        return Belief(doubt=doubt)  # not the holder's so far: the proof may come yet
    return Belief(used=used)
