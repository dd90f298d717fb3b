"""Who paid gets it back: refunds, voids and reversals of what the holder bore, the issuer bore, or nobody proved.

Method: advices above the ceiling and beyond the money, taken back in every order; who has what is read from the ledger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.issuer import AuthorisationRequest, Kind, Reason
from jinka.issuer.books import State
from jinka.issuer.chart import IssuerAccount
from jinka.issuer.policy import read_policy
from tests.issuer.host_rig import OPENING, OTHER, Bank

pytestmark = pytest.mark.usefixtures("books_engine")
DAY = 86_400_000_000


def bank(ceiling: int = 50_000) -> Bank:
    return Bank(policy=read_policy({"advice": {"unproven_fen": ceiling}, "pin": {"kinds": []}}))


def who(of: Bank) -> tuple[int, int, int, int]:
    """What the holder may spend, and what acquirer, shortfall and disputed accounts have."""
    issuers = [of.owed(code, "bank") for code in (IssuerAccount.SHORTFALL, IssuerAccount.DISPUTED)]
    return (of.available(), of.owed(), issuers[0], issuers[1])


def advice(of: Bank, kind: Kind, fen: int, **more: Any) -> AuthorisationRequest:
    request, answer = of.do(kind, fen, forced=True, **more)
    assert answer.approved, answer.reason
    return request


def back(of: Bank, first: AuthorisationRequest, kind: Kind, fen: int) -> AuthorisationRequest:
    return advice(of, kind, fen, original=first.trace)


@pytest.mark.parametrize(("fen", "bearer"), [(90_000, 3), (45_000, 2)])
def test_a_refund_of_what_the_holder_never_paid_is_not_the_holders(fen: int, bearer: int) -> None:
    at = bank()
    if bearer == 2:
        at.do(fen=OPENING)  # there is no money left
    start = who(at)
    sale = back_to = advice(at, Kind.PURCHASE, fen)
    borne = who(at)
    assert borne[bearer] == start[bearer] - fen
    for part in (fen // 3, fen - fen // 3):
        back_to = back(at, sale, Kind.REFUND, part)
    assert who(at) == start
    back(at, back_to, Kind.REVERSAL, back_to.amount_fen)
    assert who(at)[bearer] == start[bearer] - back_to.amount_fen
    assert who(at)[0] == start[0]
    again = back(at, sale, Kind.REFUND, back_to.amount_fen)
    assert who(at) == start
    at.start().recover()
    assert at.host.decide(again).repeated
    assert who(at) == start


def test_a_refund_that_the_holder_spent_is_not_given_twice() -> None:
    at = bank()
    sale, _ = at.do(fen=40_000)
    refund, _ = at.do(Kind.REFUND, 40_000, original=sale.trace)
    assert at.do(fen=OPENING)[1].approved
    assert at.back(refund).approved
    assert who(at)[0] == 0
    assert who(at)[2] == -40_000
    assert at.do(Kind.REFUND, 40_000, original=sale.trace)[1].approved
    assert who(at) == (0, OPENING, 0, 0)


def test_what_is_disputed_stays_so_when_a_void_of_it_is_taken_back() -> None:
    at = bank()
    sale = advice(at, Kind.PURCHASE, 60_000)
    void, _ = at.do(Kind.VOID, 60_000, original=sale.trace)
    assert who(at) == (OPENING, 0, 0, 0)
    assert at.back(void).approved
    assert who(at) == (OPENING, 60_000, 0, -60_000)


def test_a_disputed_transfer_is_taken_back_from_its_receiver() -> None:
    at = bank()
    moved = advice(at, Kind.TRANSFER, 60_000, receiver=OTHER)
    assert (who(at), at.available("B")) == ((OPENING, 0, 0, -60_000), OPENING + 60_000)
    assert at.back(moved).approved
    assert (who(at), at.available("B")) == ((OPENING, 0, 0, 0), OPENING)


def test_an_advice_of_a_hold_is_held_completed_and_disputed_like_a_sale() -> None:
    at = bank()
    for fen, held_by in ((50_000, "A"), (50_001, None)):
        hold = advice(at, Kind.PREAUTHORISATION, fen)
        row = at.books.bookings([hold.id])[hold.id]
        assert (row.state, row.reason) == (State.HELD, Reason.APPROVED if held_by else Reason.DISPUTED)
        assert (at.available(), at.owed()) == (OPENING - 50_000 * bool(held_by), 0)
        done = back(at, hold, Kind.COMPLETION, fen + 100)  # more than was held
        assert at.owed() == fen + 100
        back(at, done, Kind.REVERSAL, fen + 100)
        void = back(at, hold, Kind.VOID, fen)
        assert who(at) == (OPENING, 0, 0, 0)
        back(at, void, Kind.REVERSAL, fen)
        at.host.lapse(hold.at_micros + 31 * DAY)
        assert who(at) == (OPENING, 0, 0, 0)
        late = back(at, hold, Kind.COMPLETION, fen)
        assert who(at) == ((OPENING - fen, fen, 0, 0) if held_by else (OPENING, fen, 0, -fen))
        back(at, late, Kind.REVERSAL, fen)
        back(at, hold, Kind.REVERSAL, fen)
        assert who(at) == (OPENING, 0, 0, 0)


def test_what_names_itself_is_declined_and_so_is_what_follows() -> None:
    at = bank()
    void = at.ask(Kind.VOID, 100, original=at.ask().trace)
    void = replace(void, trace=void.original)
    assert void.id == void.original_id
    assert at.host.decide(void).reason is Reason.NO_ORIGINAL
    assert at.back(void).approved, "nothing to take back"
    assert who(at) == (OPENING, 0, 0, 0)
