"""Partial reversals at the issuer: what was not given out goes back once, of a completion as of a withdrawal.

Method: amounts that are too much, second askings and whole reversals after a part, by the sums of the ledger, in memory
and on disk.
"""

from __future__ import annotations

from jinka.issuer import Kind
from jinka.issuer.reasons import Reason
from tests.issuer.host_rig import OPENING, Bank
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
