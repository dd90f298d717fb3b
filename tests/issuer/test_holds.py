"""Holds that nobody completes lapse, once, and late completions are paid as far as there is money.

Method: the host's own sweep by business time, on each engine; what holder and acquirer have is read from the ledger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.issuer import AuthorisationRequest, Kind, Reason
from jinka.issuer.books import State
from jinka.issuer.chart import IssuerAccount
from jinka.issuer.lapsing import Sweep
from jinka.issuer.policy import read_policy
from jinka.kit import Usage
from tests.issuer.host_rig import OPENING, PAN, Bank

pytestmark = pytest.mark.usefixtures("books_engine")
DAY = 86_400_000_000


def held(bank: Bank, fen: int = 1_000) -> AuthorisationRequest:
    hold, answer = bank.do(Kind.PREAUTHORISATION, fen)
    assert answer.approved
    return hold


def state(bank: Bank, request: AuthorisationRequest) -> State:
    return bank.books.bookings([request.id])[request.id].state


def test_a_hold_lapses_after_its_days_and_once() -> None:
    bank = Bank(policy=read_policy({"hold_days": 7, "pin": {"kinds": []}}))
    old, young = held(bank), held(bank, 300)
    assert bank.host.lapse(old.at_micros + 7 * DAY) == Sweep()
    assert bank.available() == OPENING - 1_300
    [lapsed] = bank.host.lapse(old.at_micros + 7 * DAY + 1).rows
    assert (lapsed.id, lapsed.state) == (old.id, State.LAPSED)
    assert (bank.available(), bank.owed()) == (OPENING - 300, 0)
    assert bank.host.lapse(old.at_micros + 7 * DAY + 1) == Sweep()
    assert (state(bank, old), state(bank, young)) == (State.LAPSED, State.HELD)
    assert bank.start().lapse(young.at_micros + 8 * DAY).rows
    assert bank.sums().debits_pending == 0
    for wrong in (0, 367, "7", True):
        with pytest.raises(Usage, match="hold_days"):
            read_policy({"hold_days": wrong})


def test_a_completion_that_is_late_is_booked_while_there_is_money() -> None:
    bank = Bank()
    hold = held(bank)
    bank.host.lapse(hold.at_micros + 31 * DAY)
    completion, done = bank.do(Kind.COMPLETION, 900, original=hold.trace)
    assert done.approved
    assert (bank.available(), bank.owed()) == (OPENING - 900, 900)
    assert bank.back(completion).approved  # the hold stands again, until the next sweep
    assert (bank.available(), bank.owed(), state(bank, hold)) == (OPENING - 1_000, 0, State.HELD)
    bank.host.lapse(hold.at_micros + 31 * DAY)
    assert (bank.available(), bank.sums().debits_pending) == (OPENING, 0)
    assert bank.do(fen=OPENING - 10)[1].approved
    assert bank.back(hold, Kind.COMPLETION, 900).reason is Reason.FUNDS
    advice = bank.ask(Kind.COMPLETION, 900, original=hold.trace, forced=True)
    assert bank.host.decide(advice).approved  # it happened
    assert (bank.available(), bank.owed(IssuerAccount.SHORTFALL, "bank")) == (10, -900)


def spent_and_reopened(kind: Kind) -> tuple[Bank, AuthorisationRequest]:
    """A hold of 600 yuan, completed with 200; the rest is spent, then the completion is taken back."""
    bank = Bank()
    hold = held(bank, 60_000)
    completion, done = bank.do(Kind.COMPLETION, 20_000, original=hold.trace)
    assert done.approved
    assert bank.do(fen=75_000)[1].approved
    assert bank.back(completion, kind).approved
    return bank, hold


@pytest.mark.parametrize("kind", [Kind.VOID, Kind.REVERSAL])
def test_a_hold_reopened_when_its_rest_is_spent_holds_what_came_back(kind: Kind) -> None:
    bank, hold = spent_and_reopened(kind)
    row = bank.books.bookings([hold.id])[hold.id]
    assert (row.state, row.held_fen, row.amount_fen) == (State.HELD, 20_000, 60_000)
    assert (bank.available(), bank.sums().debits_pending, bank.owed()) == (5_000, 20_000, 75_000)
    assert bank.do(fen=5_001)[1].reason is Reason.FUNDS, "it is not the holder's to spend"
    assert bank.back(hold, Kind.COMPLETION, 25_001).reason is Reason.FUNDS
    completion, again = bank.do(Kind.COMPLETION, 25_000, original=hold.trace)
    assert again.approved
    assert (bank.available(), bank.owed(), bank.owed(IssuerAccount.SHORTFALL, "bank")) == (0, OPENING, 0)
    assert bank.back(completion).approved
    assert bank.sums().debits_pending == 25_000


@pytest.mark.parametrize("how", ["void", "reverse", "lapse", "force", "restore"])
def test_what_becomes_of_a_hold_that_holds_less(how: str) -> None:
    bank, hold = spent_and_reopened(Kind.REVERSAL)
    if how == "lapse":
        assert len(bank.host.lapse(hold.at_micros + 31 * DAY).rows) == 1
        assert bank.back(hold).approved
    elif how == "force":
        advice = bank.ask(Kind.COMPLETION, 60_000, original=hold.trace, forced=True)
        assert bank.host.decide(advice).approved
        assert bank.owed(IssuerAccount.SHORTFALL, "bank") == -60_000
        assert bank.back(advice).approved
    elif how == "restore":
        completion, _ = bank.do(Kind.COMPLETION, 10_000, original=hold.trace)
        void, _ = bank.do(Kind.VOID, 10_000, original=completion.trace)
        assert bank.back(void).approved
        assert (bank.available(), bank.owed(), bank.sums().debits_pending) == (15_000, 85_000, 0)
        return
    else:
        assert bank.back(hold, Kind.VOID if how == "void" else Kind.REVERSAL).approved
    if how != "force":
        assert (bank.available(), bank.owed(), bank.sums().debits_pending) == (25_000, 75_000, 0)
    assert bank.owed(IssuerAccount.SHORTFALL, "bank") == 0


@pytest.mark.parametrize("kind", [Kind.VOID, Kind.REVERSAL])
def test_taking_a_lapsed_hold_back_moves_nothing(kind: Kind) -> None:
    bank = Bank()
    hold = held(bank)
    bank.host.lapse(hold.at_micros + 31 * DAY)
    assert bank.back(hold, kind).approved
    assert (bank.available(), bank.owed(), bank.sums().debits_pending) == (OPENING, 0, 0)
    assert bank.back(hold, Kind.COMPLETION, 900).reason is Reason.INVALID
    if kind is Kind.VOID:
        void = replace(bank.ask(Kind.VOID, 1_000, original=hold.trace))
        assert bank.host.decide(void).code == "12"


def test_a_lapsed_hold_no_longer_counts_towards_limits() -> None:
    limit = {"code": "D", "en": "day", "zh": "日", "day_fen": 1_000}
    rules: Any = {"products": {"debit": {"limits": [limit]}}, "pin": {"kinds": []}}
    bank = Bank(policy=read_policy(rules))
    hold = held(bank)
    assert bank.do(fen=1)[1].reason is Reason.LIMIT
    bank.host.lapse(hold.at_micros + 31 * DAY)
    assert bank.do(fen=1)[1].approved


def test_a_sweep_that_broke_off_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank()
    holds = [held(bank, fen) for fen in (100, 200)]

    class Killed(Exception):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    later = holds[1].at_micros + 31 * DAY
    with monkeypatch.context() as patch:
        patch.setattr(bank.books, "write", killed)
        with pytest.raises(Killed):
            bank.host.lapse(later)
    swept = bank.start().lapse(
        later + 3_600_000_000
    )  # an hour later, where the ledger has the first one's transfers
    assert (len(swept.rows), swept.findings) == (2, ())
    assert (bank.available(), bank.sums().debits_pending) == (OPENING, 0)


def test_a_hold_that_the_ledger_does_not_let_go_is_told_and_hinders_no_other() -> None:
    bank = Bank()
    lost, good = held(bank), held(bank, 300)
    row = bank.books.bookings([lost.id])[lost.id]
    bank.books.write([replace(row, hold=bytes(15) + b"\7")])  # no such transfer
    for lapsed in ([good.id], []):
        swept = bank.host.lapse(good.at_micros + 31 * DAY)
        assert [row.id for row in swept.rows] == lapsed
        [finding] = swept.findings
        assert (finding.code, finding.where) == ("STUCK-HOLD", f"transaction {lost.id.hex()}")
        assert "pending transfer not found" in finding.what
    assert (state(bank, lost), state(bank, good)) == (State.HELD, State.LAPSED)
    assert bank.available() == OPENING - 1_000


def test_an_advice_behind_the_reversal_of_what_was_declined_is_not_booked() -> None:
    bank = Bank()
    request, declined = bank.do(fen=OPENING + 1)
    assert declined.reason is Reason.FUNDS
    assert bank.back(request).approved
    assert bank.host.decide(replace(request, forced=True)).reason is Reason.TAKEN_BACK
    assert bank.host.decide(request).code == "94"
    assert bank.back(request).repeated
    assert (bank.available(), bank.owed()) == (OPENING, 0)
    assert bank.do(pan=PAN, fen=5)[1].approved
