"""The issuer's host, one transaction at a time. Goal: money moves once, and only for who may.

Method: a host over the reference ledger and a real key service; what the holder has and what the acquirer is owed are
read from the ledger, never from the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jinka.issuer import CardAct, Channel, HolderAccount, Kind, Reason, Trace
from jinka.issuer.accounts import CARD_STEPS, AccountAct, CardState
from jinka.issuer.authorisation import local_day
from jinka.issuer.books import STEPS, State
from jinka.issuer.chart import IssuerAccount
from jinka.keys.catalogue import KeyName
from jinka.kit import Refused, Usage
from jinka.store import SqlIssuerBooks, SqlLedger, database_at
from tests.issuer.host_rig import ATM, OPENING, OTHER, PAN, PIN_KEY, START, STRIPE_ONLY, Bank, pin_data, vault

__all__ = ["bank"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bank]:
    if request.param == "memory":
        yield Bank()
        return
    where = tmp_path / "i.db" if request.param == "sqlite" else request.getfixturevalue("fresh_postgres")()
    with database_at(where) as database:
        ledger = SqlLedger(database)
        yield Bank(books=SqlIssuerBooks(database, vault(), ledger), ledger=ledger)


def test_a_purchase_moves_money_once_however_often_it_is_asked(bank: Bank) -> None:
    request, first = bank.do(fen=1_234)
    assert (first.code, first.reason, first.repeated) == ("00", Reason.APPROVED, False)
    assert len(first.authorisation) == 6
    again = bank.host.decide(replace(request, at_micros=request.at_micros + 5_000_000))
    assert (again.code, again.authorisation, again.repeated, again.transfers) == (
        "00",
        first.authorisation,
        True,
        (),
    )
    assert bank.available() == OPENING - 1_234
    assert bank.owed() == 1_234


def test_another_request_under_a_used_number_is_refused_and_moves_nothing(bank: Bank) -> None:
    request, _ = bank.do(fen=1_000)
    for change in ({"amount_fen": 2_000}, {"pan": OTHER}, {"kind": Kind.BILL}, {"merchant": "M2"}):
        assert bank.host.decide(replace(request, **change)).reason is Reason.DUPLICATE
    assert bank.owed() == 1_000


def test_money_that_is_not_there_is_not_spent(bank: Bank) -> None:
    assert bank.do(fen=OPENING + 1)[1].reason is Reason.FUNDS
    assert bank.do(fen=OPENING)[1].approved
    assert bank.do(fen=1)[1].reason is Reason.FUNDS
    assert bank.available() == 0


def test_a_refused_request_is_reversed_without_moving_anything(bank: Bank) -> None:
    request, _ = bank.do(fen=OPENING + 1)
    assert bank.back(request).approved
    assert bank.available() == OPENING


def test_a_purchase_is_reversed_once(bank: Bank) -> None:
    request, _ = bank.do(fen=700)
    first = bank.back(request)
    again = bank.back(request)  # another stan: the same reversal all the same
    assert (first.code, again.code, again.repeated) == ("00", "00", True)
    assert (bank.available(), bank.owed()) == (OPENING, 0)
    assert bank.back(request, Kind.VOID).reason is Reason.INVALID
    assert bank.back(request, Kind.REFUND).reason is Reason.INVALID


def test_a_reversal_that_comes_first_is_remembered(bank: Bank) -> None:
    request = bank.ask(fen=700)
    assert bank.back(request).reason is Reason.REMEMBERED
    late = bank.host.decide(request)
    assert (late.code, late.reason) == ("12", Reason.ALREADY_REVERSED)
    assert (bank.available(), bank.owed()) == (OPENING, 0)
    assert bank.back(request).repeated


def test_a_reversal_of_another_amount_or_card_takes_nothing_back(bank: Bank) -> None:
    request, _ = bank.do(fen=700)
    assert bank.back(request, fen=600).reason is Reason.AMOUNT
    request, _ = bank.do(fen=800)
    assert bank.do(Kind.REVERSAL, 800, pan=OTHER, original=request.trace)[1].reason is Reason.INVALID
    assert bank.owed() == 1_500


def test_a_hold_is_completed_in_part_and_the_rest_is_free_again(bank: Bank) -> None:
    request, held = bank.do(Kind.PREAUTHORISATION, 1_000)
    assert held.approved
    assert (bank.available(), bank.owed()) == (OPENING - 1_000, 0)
    assert bank.back(request, Kind.COMPLETION, 600).approved
    assert (bank.available(), bank.owed()) == (OPENING - 600, 600)
    assert bank.back(request, Kind.COMPLETION, 600).reason is Reason.INVALID


def test_a_completion_above_its_hold_ends_at_the_policys_share(bank: Bank) -> None:
    request, _ = bank.do(Kind.PREAUTHORISATION, 1_000)
    assert bank.back(request, Kind.COMPLETION, 1_151).reason is Reason.AMOUNT
    assert bank.back(request, Kind.COMPLETION, 1_150).approved
    assert (bank.available(), bank.owed()) == (OPENING - 1_150, 1_150)


def test_a_completion_taken_back_opens_the_hold_again(bank: Bank) -> None:
    for kind in (Kind.VOID, Kind.REVERSAL):
        request, _ = bank.do(Kind.PREAUTHORISATION, 1_000)
        done = bank.ask(Kind.COMPLETION, 600, original=request.trace)
        assert bank.host.decide(done).approved
        assert bank.back(done, kind).approved
        assert (bank.available(), bank.owed()) == (OPENING - 1_000, 0)
        assert bank.back(request, Kind.VOID).approved
        assert bank.available() == OPENING


def test_a_void_taken_back_restores_what_it_voided(bank: Bank) -> None:
    sale, _ = bank.do(fen=500)
    void = bank.ask(Kind.VOID, 500, original=sale.trace)
    bank.host.decide(void)
    assert bank.available() == OPENING
    assert bank.back(void).approved
    assert (bank.available(), bank.owed()) == (OPENING - 500, 500)
    hold, _ = bank.do(Kind.PREAUTHORISATION, 1_000)
    completion = bank.ask(Kind.COMPLETION, 600, original=hold.trace)
    bank.host.decide(completion)
    void = bank.ask(Kind.VOID, 600, original=completion.trace)
    bank.host.decide(void)
    assert bank.back(void).approved
    assert (bank.available(), bank.owed()) == (OPENING - 1_100, 1_100)
    assert bank.back(hold, Kind.COMPLETION, 1_000).reason is Reason.INVALID, "it would be paid twice"


def test_refunds_never_exceed_the_sale(bank: Bank) -> None:
    sale, _ = bank.do(fen=1_000)
    assert bank.back(sale, Kind.REFUND, 600).approved
    assert bank.back(sale, Kind.REFUND, 401).reason is Reason.AMOUNT
    part = bank.ask(Kind.REFUND, 400, original=sale.trace)
    assert bank.host.decide(part).approved
    assert bank.available() == OPENING
    assert bank.back(part).approved
    assert (bank.available(), bank.owed()) == (OPENING - 400, 400)
    assert bank.back(sale, Kind.REFUND, 400).approved
    assert bank.back(sale).reason is Reason.INVALID, "it went back in parts"


def test_deposits_and_transfers_between_banks(bank: Bank) -> None:
    deposit, answer = bank.do(Kind.DEPOSIT, 5_000)
    assert answer.approved
    assert bank.do(Kind.TRANSFER_IN, 300)[1].approved
    assert bank.do(Kind.TRANSFER_OUT, 200)[1].approved
    assert bank.available() == OPENING + 5_100
    assert bank.back(deposit).approved
    assert (bank.available(), bank.owed()) == (OPENING + 100, -100)


def test_what_must_be_booked_is_booked_without_cover(bank: Bank) -> None:
    deposit, _ = bank.do(Kind.DEPOSIT, 5_000)
    assert bank.do(fen=OPENING + 5_000)[1].approved
    assert bank.back(deposit).approved, "its money is spent, and the acquirer has it back all the same"
    advice, answer = bank.do(fen=900, forced=True)
    assert answer.approved
    assert bank.owed(IssuerAccount.SHORTFALL, "bank") == -5_900
    assert bank.back(advice).approved
    assert (bank.available(), bank.owed(IssuerAccount.SHORTFALL, "bank")) == (0, -5_000)


def test_an_advice_of_what_was_declined_here_is_booked(bank: Bank) -> None:
    request, declined = bank.do(fen=OPENING + 1)
    advice = replace(request, forced=True)
    assert declined.reason is Reason.FUNDS
    for _ in range(2):
        assert bank.host.decide(advice).approved
        assert (bank.available(), bank.owed()) == (OPENING, OPENING + 1)
    assert bank.host.decide(request).approved, "and this is what it hears from now on"
    assert bank.owed(IssuerAccount.SHORTFALL, "bank") == -OPENING - 1
    request, _ = bank.do(fen=70)
    assert bank.host.decide(replace(request, forced=True)).repeated, "approved before: not charged twice"
    assert bank.available() == OPENING - 70


def test_what_names_no_original_is_told_so(bank: Bank) -> None:
    ghost = bank.ask()
    for kind in (Kind.VOID, Kind.REFUND, Kind.COMPLETION):
        assert bank.back(ghost, kind).reason is Reason.NO_ORIGINAL
    hold, _ = bank.do(Kind.PREAUTHORISATION, 10)
    assert bank.back(hold, Kind.REFUND).reason is Reason.INVALID
    with pytest.raises(Usage, match="original"):
        bank.ask(Kind.VOID)
    with pytest.raises(Usage, match="original"):
        bank.ask(Kind.PURCHASE, original=ghost.trace)


def test_the_pin_is_tried_three_times(bank: Bank) -> None:
    assert bank.do(Kind.CASH, **ATM)[1].reason is Reason.PIN_MISSING
    for left in (2, 1, 0):
        assert bank.do(Kind.CASH, pin=pin_data("654321"), **ATM)[1].reason is Reason.PIN
        assert bank.books.cards([PAN])[PAN].tries_left == left
    assert bank.do(Kind.CASH, pin=pin_data(), **ATM)[1].reason is Reason.PIN_TRIES
    bank.host.add_card(bank.books.cards([PAN])[PAN].unblocked())
    assert bank.do(Kind.CASH, pin=pin_data(), **ATM)[1].approved


def test_a_right_pin_gives_the_tries_back(bank: Bank) -> None:
    for _ in range(4):
        assert bank.do(pin=pin_data("000000"))[1].reason is Reason.PIN
        assert bank.do(pin=pin_data())[1].approved


def test_a_wrong_pin_is_written_down_before_it_is_compared(bank: Bank) -> None:
    seen = []

    def verify(*_: object, **__: object) -> None:
        seen.append(bank.books.cards([PAN])[PAN].tries_left)
        raise KeyboardInterrupt

    bank.host._checks._keys = type("Dead", (), {"verify_pin": staticmethod(verify)})()
    request = bank.ask(pin=pin_data())
    with pytest.raises(KeyboardInterrupt):
        bank.host.decide(request)
    assert seen == [2]
    assert bank.books.cards([PAN])[PAN].tries_left == 2
    assert [d.reason for d in bank.start().recover()] == [Reason.INTERRUPTED]
    assert bank.host.decide(request).code == "96"


def test_a_key_service_that_is_down_costs_no_try(bank: Bank) -> None:
    bank.keys.holding.working.keys.drop(KeyName.parse(PIN_KEY))
    assert bank.do(pin=pin_data())[1].reason is Reason.KEYS_DOWN
    assert bank.books.cards([PAN])[PAN].tries_left == 3


def test_a_stripe_needs_the_value_of_a_stripe(bank: Bank) -> None:
    assert bank.stripe().approved
    assert bank.stripe(card_value=None).reason is Reason.CARD_VALUE_MISSING
    for service in ("000", "999"):  # copied from the print or the chip
        assert bank.stripe(card_value=bank.value(service, STRIPE_ONLY)).reason is Reason.CARD_VALUE
    assert bank.stripe(card_value=bank.value("101", PAN)).reason is Reason.CARD_VALUE


def test_card_not_present_needs_the_printed_value(bank: Bank) -> None:
    online: dict[str, Any] = {"channel": Channel.ONLINE}
    assert bank.do(**online)[1].reason is Reason.CARD_VALUE_MISSING
    assert bank.do(**online, card_value=bank.value("101"))[1].reason is Reason.CARD_VALUE
    assert bank.do(**online, card_value=bank.value("000"))[1].approved


def test_who_may_not_pay(bank: Bank) -> None:
    assert bank.do(pan="6225880123450000")[1].reason is Reason.NO_CARD
    assert bank.do(currency=840)[1].reason is Reason.CURRENCY
    assert bank.do(fen=0)[1].reason is Reason.AMOUNT
    assert bank.do(expiry4="2901")[1].reason is Reason.EXPIRED
    stranger = Trace(acquirer="acq.no", terminal="1", stan="000001", date4="1120")
    assert bank.do(trace=stranger)[1].reason is Reason.INVALID_MERCHANT
    card = bank.books.cards([PAN])[PAN]
    for act, reason in ((CardAct.SUSPEND, Reason.SUSPENDED), (CardAct.REPORT_LOST, Reason.LOST),
                        (CardAct.REPORT_STOLEN, Reason.STOLEN), (CardAct.CANCEL, Reason.INACTIVE)):  # fmt: skip
        bank.host.add_card(card.act(act))
        assert bank.do()[1].reason is reason
    bank.host.add_card(replace(card, expiry4="2610"))
    assert bank.do()[1].reason is Reason.EXPIRED
    bank.host.add_card(replace(card, expiry4="2611"))
    assert bank.do()[1].approved
    bank.host.open_account(HolderAccount(number="A").act(AccountAct.SUSPEND))
    assert bank.do()[1].reason is Reason.SUSPENDED
    assert bank.do(Kind.DEPOSIT)[1].approved


def test_a_lost_card_is_still_refunded_and_reversed(bank: Bank) -> None:
    sale, _ = bank.do(fen=100)
    other, _ = bank.do(fen=100)
    bank.host.add_card(bank.books.cards([PAN])[PAN].act(CardAct.REPORT_LOST))
    assert bank.back(sale, Kind.REFUND).approved
    assert bank.back(other).approved
    assert bank.available() == OPENING


def test_a_balance_is_told_again_as_it_was(bank: Bank) -> None:
    request, told = bank.do(Kind.BALANCE, 0, pin=pin_data(), **ATM)
    assert told.available_fen == OPENING
    bank.do(fen=100)
    assert bank.host.decide(request).available_fen == OPENING


def test_tables_of_steps_are_whole() -> None:
    assert {state for state, _ in STEPS} | set(STEPS.values()) | {State.UNSEEN, State.USED} == set(State)
    assert {state for state, _ in CARD_STEPS} | set(CARD_STEPS.values()) == set(CardState)
    with pytest.raises(Refused, match="not possible"):
        Bank().books.cards([PAN])[PAN].act(CardAct.ACTIVATE)


def test_days_are_chinese() -> None:
    assert local_day(START) == 20261120
    assert local_day(START + 14 * 3_600_000_000 - 1) == 20261120
    assert local_day(START + 14 * 3_600_000_000) == 20261121


def test_a_trace_of_december_that_comes_in_january_is_last_years(bank: Bank) -> None:
    old = Trace(acquirer="acq.sz", terminal="1", stan="000001", date4="1231")
    january = START + 50 * 86_400_000_000
    assert (
        bank.ask(trace=old, at_micros=january).id
        == bank.ask(trace=old, at_micros=START + 41 * 86_400_000_000).id
    )
    assert (
        bank.ask(trace=old, at_micros=january).id
        != bank.ask(trace=old, at_micros=START + 400 * 86_400_000_000).id
    )


@pytest.mark.parametrize(
    "bad",
    [{"amount_fen": -1}, {"amount_fen": 1.0}, {"pan": "6225x"}, {"at_micros": -1}, {"amount_fen": 1 << 63}],
)
def test_a_request_that_is_none(bank: Bank, bad: dict[str, Any]) -> None:
    with pytest.raises(Usage):
        replace(bank.ask(), **bad)


def test_no_number_is_shown(bank: Bank) -> None:
    request, answer = bank.do(pin=pin_data(), card_value=bank.value("000"))
    shown = (
        repr(request) + repr(answer) + repr(bank.books.cards([PAN])) + repr(bank.books.bookings([request.id]))
    )
    assert PAN not in shown.replace(f"'{PAN}': ", "")
    assert pin_data().block.hex() not in shown


def test_a_transfer_between_two_accounts_of_the_house(bank: Bank) -> None:
    request, answer = bank.do(Kind.TRANSFER, 3_000, receiver=OTHER)
    assert answer.approved
    assert (bank.available("A"), bank.available("B"), bank.owed()) == (OPENING - 3_000, OPENING + 3_000, 0)
    bank.start()
    assert bank.host.decide(request).repeated
    elsewhere = bank.host.decide(replace(request, receiver=STRIPE_ONLY))
    assert elsewhere.reason is Reason.DUPLICATE
    assert bank.back(request).approved
    assert (bank.available("A"), bank.available("B")) == (OPENING, OPENING)
    for receiver, fen, reason in (
        ("6225880123450000", 1, Reason.NO_CARD),
        (PAN, 1, Reason.INVALID),
        (OTHER, OPENING + 1, Reason.FUNDS),
    ):
        assert bank.do(Kind.TRANSFER, fen, receiver=receiver)[1].reason is reason
    with pytest.raises(Usage):
        bank.ask(Kind.TRANSFER, 1)
    bank.host.open_account(HolderAccount(number="B").act(AccountAct.CLOSE))
    assert bank.do(Kind.TRANSFER, 1, receiver=OTHER)[1].reason is Reason.NO_CARD


def test_a_transfer_that_the_receiver_has_spent_is_given_back_by_the_house(bank: Bank) -> None:
    request, _ = bank.do(Kind.TRANSFER, 3_000, receiver=OTHER)
    assert bank.do(fen=OPENING + 3_000, pan=OTHER)[1].approved
    assert bank.back(request).approved
    assert (bank.available("A"), bank.available("B")) == (OPENING, 0)
    assert bank.owed(IssuerAccount.SHORTFALL, "bank") == -3_000
