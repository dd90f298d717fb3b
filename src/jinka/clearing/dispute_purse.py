"""The tables of disputes about purses: torn tap, unconfirmed load, lost exit, wrong fare, dead card.

What is disputed is held by a pending posting, so the books of the day still say what the cards hold. Where the card
itself can tell (a torn tap, a load), its reading decides and silence gives nothing away. Where an operator took too
much, its silence is agreement. Once money is due to a holder it lies in the dispute's own suspense and waits without
an end. All days and what silence means are Jinka's own rules: no national one was found, and cities differ.
"""

from __future__ import annotations

from jinka.clearing.dispute import Post, Table, row
from jinka.clearing.dispute_words import Actor, Event, EvidenceKind, How, Machine, Place, State, Sum

_DESK, _OTHER, _SCHEME = (Actor.DESK,), (Actor.RESPONDENT,), (Actor.SCHEME,)
_CLOCK, _CLEARING = (Actor.CLOCK,), (Actor.CLEARING,)
_S, _E, _P, _V = State, Event, Place, EvidenceKind


def _hold(giver: Place) -> Post:
    return Post(debit=giver, credit=_P.HELD, sum=Sum.CLAIM, how=How.HOLD)


def _take(giver: Place, amount: Sum = Sum.PENDING) -> Post:
    return Post(debit=giver, credit=_P.HELD, sum=amount, how=How.TAKE)


def _drop(giver: Place) -> tuple[Post, ...]:
    return (Post(debit=giver, credit=_P.HELD, sum=Sum.PENDING, how=How.DROP),)


def _pass(to: Place) -> Post:
    return Post(debit=_P.HELD, credit=to, sum=Sum.HELD)


_REFUND = (
    row(_S.REFUND_DUE, _E.PAY_OUT, _DESK, _S.REFUNDED, (_pass(_P.FUNDS),), _V.PAYMENT),
    row(
        _S.REFUND_DUE,
        _E.CREDIT_CARD,
        _DESK,
        _S.CARD_CREDITED,
        (_pass(_P.COUNTER),),
        _V.CARD_READING,
        note="an ordinary load, which the clearing claims from who made it",
    ),
)

TORN_TAP = Table(
    machine=Machine.TORN_TAP,
    giver=_P.PURSE,
    steps=(
        row(_S.START, _E.REPORT, (Actor.DESK, Actor.RESPONDENT), _S.REPORTED, (_hold(_P.PURSE),), days=365),
        row(_S.REPORTED, _E.SHOW_DEBITED, _DESK, _S.OPERATOR_PAID, (_take(_P.PURSE), _pass(_P.OPERATOR)),
              _V.CARD_READING),
        row(_S.REPORTED, _E.SHOW_UNSERVED, _DESK, _S.REFUND_DUE, (_take(_P.PURSE),), _V.CARD_READING,
              _V.STATEMENT),
        row(_S.REPORTED, _E.SHOW_NOT_DEBITED, _DESK, _S.REJECTED, _drop(_P.PURSE), _V.CARD_READING),
        row(_S.REPORTED, _E.SETTLE, _CLEARING, _S.CLEARED, _drop(_P.PURSE)),
        row(_S.REPORTED, _E.DEADLINE, _CLOCK, _S.LAPSED, _drop(_P.PURSE), days=60,
              note="the card did not come: nothing is proven"),
        *_REFUND,
    ),
)  # fmt: skip

UNCONFIRMED_LOAD = Table(
    machine=Machine.UNCONFIRMED_LOAD,
    giver=_P.AGENT,
    steps=(
        row(_S.START, _E.REPORT, _DESK, _S.REPORTED, (_hold(_P.AGENT),), _V.RECEIPT, days=365),
        row(_S.REPORTED, _E.SHOW_CREDITED, _DESK, _S.LOAD_CONFIRMED, (_take(_P.AGENT), _pass(_P.PURSE)),
              _V.CARD_READING),
        row(_S.REPORTED, _E.SHOW_NOT_CREDITED, _DESK, _S.REFUND_DUE, (_take(_P.AGENT),), _V.CARD_READING),
        row(_S.REPORTED, _E.SETTLE, _CLEARING, _S.CLEARED, _drop(_P.AGENT)),
        row(_S.REPORTED, _E.WITHDRAW, _DESK, _S.WITHDRAWN, _drop(_P.AGENT)),
        row(_S.REPORTED, _E.DEADLINE, _CLOCK, _S.LAPSED, _drop(_P.AGENT), days=60,
              note="a load is given back by the card's own proof alone"),
        *_REFUND,
    ),
)  # fmt: skip

LOST_EXIT = Table(
    machine=Machine.LOST_EXIT,
    giver=_P.OPERATOR,
    steps=(
        row(_S.START, _E.REPORT, _DESK, _S.REPORTED, (_hold(_P.OPERATOR),), days=90,
              note="the claim: the most that the tariff asks, less the fare to prove"),
        row(_S.REPORTED, _E.PROVE, _DESK, _S.PROVEN, (_take(_P.OPERATOR, Sum.CHOSEN),), _V.JOURNEY),
        row(_S.REPORTED, _E.WITHDRAW, _DESK, _S.WITHDRAWN, _drop(_P.OPERATOR)),
        row(_S.REPORTED, _E.DEADLINE, _CLOCK, _S.REJECTED, _drop(_P.OPERATOR), days=10,
              note="no proof: the maximum fare stands"),
        row(_S.PROVEN, _E.AGREE, _OTHER, _S.REFUND_DUE),
        row(_S.PROVEN, _E.CONTEST, _OTHER, _S.CONTESTED, (), _V.TERMINAL_LOG),
        row(_S.PROVEN, _E.DEADLINE, _CLOCK, _S.REFUND_DUE, days=10, note="deemed agreed"),
        row(_S.CONTESTED, _E.UPHOLD, _SCHEME, _S.REFUND_DUE,
              (Post(debit=_P.HELD, credit=_P.OPERATOR, sum=Sum.REST),), _V.RULING),
        row(_S.CONTESTED, _E.REJECT, _SCHEME, _S.REJECTED, (_pass(_P.OPERATOR),), _V.RULING),
        row(_S.CONTESTED, _E.DEADLINE, _CLOCK, _S.REFUND_DUE, days=20, note="nobody ruled: for the holder"),
        *_REFUND,
    ),
)  # fmt: skip

# The right fare may move a subsidy too; it does where the whole claim is right.
_SUBSIDY = (
    Post(debit=_P.GOVERNMENT, credit=_P.OPERATOR, sum=Sum.SUBSIDY),
    Post(debit=_P.OPERATOR, credit=_P.GOVERNMENT, sum=Sum.SUBSIDY_BACK),
)

WRONG_FARE = Table(
    machine=Machine.WRONG_FARE,
    giver=_P.OPERATOR,
    steps=(
        row(_S.START, _E.REPORT, _DESK, _S.REPORTED, (_hold(_P.OPERATOR),), _V.STATEMENT, days=90,
              note="the claim: what was charged less the tariff's fare"),
        row(_S.REPORTED, _E.AGREE, _OTHER, _S.REFUND_DUE, (_take(_P.OPERATOR, Sum.CHOSEN), *_SUBSIDY)),
        row(_S.REPORTED, _E.CONTEST, _OTHER, _S.CONTESTED, (), _V.TERMINAL_LOG),
        row(_S.REPORTED, _E.WITHDRAW, _DESK, _S.WITHDRAWN, _drop(_P.OPERATOR)),
        row(_S.REPORTED, _E.DEADLINE, _CLOCK, _S.REFUND_DUE, (_take(_P.OPERATOR), *_SUBSIDY), days=10,
              note="deemed agreed"),
        row(_S.CONTESTED, _E.UPHOLD, _SCHEME, _S.REFUND_DUE, (_take(_P.OPERATOR, Sum.CHOSEN), *_SUBSIDY),
              _V.RULING),
        row(_S.CONTESTED, _E.REJECT, _SCHEME, _S.REJECTED, _drop(_P.OPERATOR), _V.RULING),
        row(_S.CONTESTED, _E.DEADLINE, _CLOCK, _S.REFUND_DUE, (_take(_P.OPERATOR), *_SUBSIDY), days=20,
              note="nobody ruled: for the holder"),
        *_REFUND,
    ),
)  # fmt: skip

DEAD_CARD = Table(
    machine=Machine.DEAD_CARD,
    giver=_P.PURSE,
    steps=(
        row(_S.START, _E.REPORT, _DESK, _S.WAITING, (_hold(_P.PURSE),), _V.INSPECTION,
              note="the claim: the card's shadow balance"),
        row(_S.WAITING, _E.WITHDRAW, _DESK, _S.WITHDRAWN, _drop(_P.PURSE), note="the card can be read again"),
        row(_S.WAITING, _E.DEADLINE, _CLOCK, _S.WAITED, days=7, note="late records have come by now"),
        row(_S.WAITED, _E.DETERMINE, _DESK, _S.REFUND_DUE, (_take(_P.PURSE, Sum.CHOSEN),), _V.BALANCE),
        row(_S.WAITED, _E.REJECT, _DESK, _S.REJECTED, _drop(_P.PURSE), _V.BALANCE, note="nothing is left"),
        *_REFUND,
    ),
)  # fmt: skip
