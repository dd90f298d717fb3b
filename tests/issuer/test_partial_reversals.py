"""Partial reversals at the issuer: what was not given out goes back once, of a completion as of a withdrawal.

Method: amounts that are too much, second askings and whole reversals after a part, by the sums of the ledger, in memory
and on disk.
"""

from __future__ import annotations

import pytest

from jinka.issuer import Kind
from jinka.issuer.reasons import Reason
from tests.issuer.host_rig import OPENING, OTHER, Bank
from tests.issuer.test_authorisation import bank

__all__ = ["bank"]


def test_what_was_not_given_out_goes_back_once(bank: Bank) -> None:
    request, _ = bank.do(Kind.CASH, 1_000)
    assert bank.back(request, Kind.PARTIAL, 1_001).reason is Reason.AMOUNT
    request, _ = bank.do(Kind.CASH, 1_000)
    assert bank.back(request, Kind.PARTIAL, 600).approved
    assert bank.back(request, Kind.PARTIAL, 600).repeated
    assert bank.back(request, Kind.PARTIAL, 500).code != "00"
    assert bank.back(request).code != "00"  # a part went back already
    assert (bank.available(), bank.owed()) == (OPENING - 1_600, 1_600)


def test_a_part_of_a_completion_goes_back_and_its_hold_stays_used(bank: Bank) -> None:
    hold, _ = bank.do(Kind.PREAUTHORISATION, 1_000)
    completion, done = bank.do(Kind.COMPLETION, 1_100, original=hold.trace)  # more than was held
    assert done.approved
    assert bank.back(completion, Kind.PARTIAL, 1_100).reason is Reason.AMOUNT
    completion, done = bank.do(Kind.COMPLETION, 1_000, original=bank.do(Kind.PREAUTHORISATION, 900)[0].trace)
    assert done.approved
    assert bank.back(completion, Kind.PARTIAL, 400).approved
    assert bank.back(completion, Kind.PARTIAL, 400).repeated
    assert (bank.available(), bank.owed()) == (OPENING - 1_500, 1_500)
    for kind, fen in ((Kind.VOID, 1_000), (Kind.REVERSAL, 1_000), (Kind.REFUND, 401)):
        assert not bank.back(completion, kind, fen).approved
    assert bank.back(completion, Kind.REFUND, 400).approved
    assert (bank.available(), bank.owed()) == (OPENING - 1_100, 1_100)


def test_a_part_of_what_is_reversed_or_never_was_moves_nothing(bank: Bank) -> None:
    request, _ = bank.do(Kind.CASH, 1_000)
    assert bank.back(request).approved
    assert bank.back(request, Kind.PARTIAL, 600).reason is Reason.INVALID
    assert bank.back(bank.ask(Kind.CASH, 900), Kind.PARTIAL, 600).reason is Reason.NO_ORIGINAL
    request, _ = bank.do(Kind.PREAUTHORISATION, 800)
    assert bank.back(request, Kind.PARTIAL, 600).reason is Reason.INVALID
    assert (bank.available(), bank.owed()) == (OPENING - 800, 0)


@pytest.mark.parametrize("listed", [False, True])
def test_a_part_that_overtakes_its_sale_goes_back_once_the_sale_is_there(bank: Bank, listed: bool) -> None:
    sale = bank.ask(Kind.CASH, 5_000, forced=True)
    part = bank.ask(Kind.PARTIAL, 2_000, original=sale.trace, forced=True)
    refund = bank.ask(Kind.REFUND, 500, original=(shop := bank.ask(fen=700, forced=True)).trace, forced=True)
    asked = [part, refund, sale, shop, part, refund, part, refund]
    answers = bank.host.decide_all(asked) if listed else [bank.host.decide(request) for request in asked]
    assert [a.reason for a in answers[:2]] == [Reason.NO_ORIGINAL] * 2
    assert [(a.approved, a.repeated) for a in answers[2:]] == [(True, False)] * 4 + [(True, True)] * 2
    assert (bank.available(), bank.owed()) == (OPENING - 2_200, 2_200)


def test_a_question_that_overtakes_its_original_keeps_its_answer(bank: Bank) -> None:
    sale = bank.ask(fen=700)
    void = bank.ask(Kind.VOID, 700, original=sale.trace)
    assert bank.host.decide(void).reason is Reason.NO_ORIGINAL
    assert bank.host.decide(sale).approved
    assert bank.host.decide(void).repeated, "whoever asked acted on the answer"
    assert bank.owed() == 700


@pytest.mark.parametrize("wrong", [0, 4_999, 5_001])
def test_a_wrong_reversal_is_not_in_the_way_of_the_right_one(bank: Bank, wrong: int) -> None:
    sale, _ = bank.do(fen=5_000)
    for _ in range(2):
        assert bank.back(sale, fen=wrong).reason is Reason.AMOUNT
    assert bank.do(Kind.REVERSAL, 5_000, pan=OTHER, original=sale.trace)[1].reason is Reason.INVALID
    bank.start().recover()
    assert bank.owed() == 5_000
    assert bank.back(sale).approved
    assert bank.back(sale).repeated
    assert bank.back(sale, fen=wrong).code == "94"
    assert (bank.available(), bank.owed()) == (OPENING, 0)


def test_a_wrong_reversal_that_was_remembered_stands_for_the_right_one(bank: Bank) -> None:
    sale = bank.ask(fen=5_000)
    assert bank.back(sale, fen=0).reason is Reason.REMEMBERED
    right = bank.back(sale)
    assert (right.reason, right.repeated) == (Reason.REMEMBERED, True)
    assert bank.host.decide(sale).reason is Reason.ALREADY_REVERSED
    assert (bank.available(), bank.owed()) == (OPENING, 0)


def test_a_wrong_part_is_not_in_the_way_of_the_right_one(bank: Bank) -> None:
    sale, _ = bank.do(Kind.CASH, 5_000)
    for wrong in (0, 5_000, 5_001):
        assert bank.back(sale, Kind.PARTIAL, wrong).reason is Reason.AMOUNT
    assert bank.back(sale, Kind.PARTIAL, 2_000).approved
    assert bank.back(sale, Kind.PARTIAL, 3_000).code == "94"
    assert (bank.available(), bank.owed()) == (OPENING - 2_000, 2_000)


def test_a_reversal_of_a_voided_hold_is_decided_anew_when_the_void_is_taken_back(bank: Bank) -> None:
    hold, _ = bank.do(Kind.PREAUTHORISATION, 800)
    void, _ = bank.do(Kind.VOID, 800, original=hold.trace)
    assert bank.back(hold).reason is Reason.INVALID
    assert bank.back(void).approved
    assert bank.available() == OPENING - 800
    assert bank.back(hold).approved
    assert (bank.available(), bank.sums().debits_pending) == (OPENING, 0)
