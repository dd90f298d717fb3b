"""The table of bank card disputes: inquiry, retrieval, chargeback, re-presentment, adjustment, exception, arbitration.

From a chargeback on the money lies in the dispute's own suspense, with neither side, until somebody accepts, a deadline
passes or the scheme rules. Who did not hand in documents in time may not present again. A transaction of a debit card,
or cash, is charged back once; what the issuer still disputes goes to arbitration. Deadlines are business days after the
state began; an opening's are calendar days since the transaction. UnionPay's rule book is not public: the acts are its
trade's, the numbers and what silence means are Jinka's own, and `Terms` changes the numbers.
"""

from __future__ import annotations

from jinka.clearing.dispute import Post, Step, Table, row
from jinka.clearing.dispute_words import Actor, Event, EvidenceKind, Machine, Place, State, Sum

_ISSUER, _OTHER, _SCHEME = (Actor.CLAIMANT,), (Actor.RESPONDENT,), (Actor.SCHEME,)
_CLOCK = (Actor.CLOCK,)
_S, _E, _P = State, Event, Place

_HOLD = (Post(debit=_P.RESPONDENT, credit=_P.HELD, sum=Sum.CLAIM),)
_TO_ISSUER = (Post(debit=_P.HELD, credit=_P.CLAIMANT, sum=Sum.HELD),)
_BACK = (Post(debit=_P.HELD, credit=_P.RESPONDENT, sum=Sum.HELD),)
_DIRECT = (Post(debit=_P.RESPONDENT, credit=_P.CLAIMANT, sum=Sum.CHOSEN),)
_REST_TO_ISSUER = (Post(debit=_P.HELD, credit=_P.CLAIMANT, sum=Sum.REST),)
_REST_BACK = (Post(debit=_P.HELD, credit=_P.RESPONDENT, sum=Sum.REST),)
_RETRIEVAL_FEE = (Post(debit=_P.CLAIMANT, credit=_P.RESPONDENT, sum=Sum.FEE_RETRIEVAL),)
_RULED_FOR = (
    Post(debit=_P.HELD, credit=_P.CLAIMANT, sum=Sum.CHOSEN),
    Post(debit=_P.HELD, credit=_P.RESPONDENT, sum=Sum.REST),
    Post(debit=_P.RESPONDENT, credit=_P.FEES, sum=Sum.FEE_ARBITRATION),
)
_RULED_AGAINST = (*_BACK, Post(debit=_P.CLAIMANT, credit=_P.FEES, sum=Sum.FEE_ARBITRATION))


def _claim(state: State) -> tuple[Step, ...]:
    """What an issuer may do that knows enough, or as much as it will get."""
    return (
        row(state, _E.CHARGE_BACK, _ISSUER, _S.CHARGED_BACK, _HOLD, EvidenceKind.STATEMENT),
        row(state, _E.ADJUST, _OTHER, _S.ADJUSTED, _DIRECT),
        row(state, _E.PROPOSE, _ISSUER, _S.NEGOTIATED),
        row(state, _E.WITHDRAW, _ISSUER, _S.WITHDRAWN),
        row(state, _E.DEADLINE, _CLOCK, _S.LAPSED, days=30, note="the issuer asks no more"),
    )


_LETTER, _RECEIPT = EvidenceKind.LETTER, EvidenceKind.RECEIPT

BANK = Table(
    machine=Machine.BANK,
    giver=_P.RESPONDENT,
    steps=(
        row(_S.START, _E.INQUIRE, _ISSUER, _S.ASKED, days=365),
        row(_S.START, _E.RETRIEVE, _ISSUER, _S.REQUESTED, days=365),
        row(_S.START, _E.CHARGE_BACK, _ISSUER, _S.CHARGED_BACK, _HOLD, EvidenceKind.STATEMENT, days=180),
        row(_S.START, _E.ADJUST, _OTHER, _S.ADJUSTED, _DIRECT),
        row(_S.START, _E.PROPOSE, _ISSUER, _S.NEGOTIATED, note="when the days of a right have passed"),
        row(_S.ASKED, _E.REPLY, _OTHER, _S.ANSWERED, (), _LETTER),
        row(_S.ASKED, _E.ADJUST, _OTHER, _S.ADJUSTED, _DIRECT),
        row(_S.ASKED, _E.WITHDRAW, _ISSUER, _S.WITHDRAWN),
        row(_S.ASKED, _E.DEADLINE, _CLOCK, _S.UNANSWERED, days=5),
        row(_S.ANSWERED, _E.RETRIEVE, _ISSUER, _S.REQUESTED),
        *_claim(_S.ANSWERED),
        row(_S.UNANSWERED, _E.RETRIEVE, _ISSUER, _S.REQUESTED),
        *_claim(_S.UNANSWERED),
        row(_S.REQUESTED, _E.FULFIL, _OTHER, _S.FULFILLED, _RETRIEVAL_FEE, _RECEIPT),
        row(_S.REQUESTED, _E.ADJUST, _OTHER, _S.ADJUSTED, _DIRECT),
        row(_S.REQUESTED, _E.WITHDRAW, _ISSUER, _S.WITHDRAWN),
        row(_S.REQUESTED, _E.DEADLINE, _CLOCK, _S.UNFULFILLED, days=20),
        *_claim(_S.FULFILLED),
        row(_S.UNFULFILLED, _E.CHARGE_BACK, _ISSUER, _S.UPHELD,
              (Post(debit=_P.RESPONDENT, credit=_P.CLAIMANT, sum=Sum.CLAIM),), EvidenceKind.STATEMENT,
              note="final: without documents there is no re-presentment"),
        *(step for step in _claim(_S.UNFULFILLED) if step.event is not _E.CHARGE_BACK),
        row(_S.CHARGED_BACK, _E.ACCEPT, _OTHER, _S.UPHELD, _TO_ISSUER),
        row(_S.CHARGED_BACK, _E.REPRESENT, _OTHER, _S.REPRESENTED, _REST_TO_ISSUER, _RECEIPT,
              note="what is not presented again is accepted"),
        row(_S.CHARGED_BACK, _E.WITHDRAW, _ISSUER, _S.WITHDRAWN, _BACK),
        row(_S.CHARGED_BACK, _E.DEADLINE, _CLOCK, _S.UPHELD, _TO_ISSUER, days=30, note="deemed accepted"),
        row(_S.REPRESENTED, _E.ACCEPT, _ISSUER, _S.REJECTED, _BACK),
        row(_S.REPRESENTED, _E.CHARGE_BACK_AGAIN, _ISSUER, _S.CHARGED_BACK_AGAIN, _REST_BACK,
              EvidenceKind.STATEMENT, _LETTER, note="credit cards only; the rest is accepted"),
        row(_S.REPRESENTED, _E.ARBITRATE, _ISSUER, _S.ARBITRATED, (), _LETTER),
        row(_S.REPRESENTED, _E.DEADLINE, _CLOCK, _S.REJECTED, _BACK, days=30, note="time-barred"),
        row(_S.CHARGED_BACK_AGAIN, _E.ACCEPT, _OTHER, _S.UPHELD, _TO_ISSUER),
        row(_S.CHARGED_BACK_AGAIN, _E.ARBITRATE, _OTHER, _S.ARBITRATED, (), _LETTER),
        row(_S.CHARGED_BACK_AGAIN, _E.DEADLINE, _CLOCK, _S.UPHELD, _TO_ISSUER, days=30, note="deemed accepted"),
        row(_S.NEGOTIATED, _E.AGREE, _OTHER, _S.UPHELD, _DIRECT),
        row(_S.NEGOTIATED, _E.REFUSE, _OTHER, _S.UNAGREED, (), _LETTER),
        row(_S.NEGOTIATED, _E.WITHDRAW, _ISSUER, _S.WITHDRAWN),
        row(_S.NEGOTIATED, _E.DEADLINE, _CLOCK, _S.UNAGREED, days=30, note="silence is no agreement"),
        row(_S.UNAGREED, _E.ARBITRATE, _ISSUER, _S.ARBITRATED, _HOLD, _LETTER),
        row(_S.UNAGREED, _E.WITHDRAW, _ISSUER, _S.WITHDRAWN),
        row(_S.UNAGREED, _E.DEADLINE, _CLOCK, _S.LAPSED, days=30),
        row(_S.ARBITRATED, _E.UPHOLD, _SCHEME, _S.UPHELD, _RULED_FOR, EvidenceKind.RULING),
        row(_S.ARBITRATED, _E.REJECT, _SCHEME, _S.REJECTED, _RULED_AGAINST, EvidenceKind.RULING),
        row(_S.ARBITRATED, _E.DEADLINE, _CLOCK, _S.LAPSED, _BACK, days=60, note="nobody ruled: as it was before"),
    ),
)  # fmt: skip
