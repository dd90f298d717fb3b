"""What names a transaction at the issuer: its second, not its day; and what is heard of one that was taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.issuer import Kind, Reason, Trace
from tests.issuer.host_rig import ACQUIRER, OPENING, Bank

pytestmark = pytest.mark.usefixtures("books_engine")


def _sent(time6: str) -> Trace:
    return Trace(acquirer=ACQUIRER, terminal="00000001", stan="000777", date4="1120", time6=time6)


@pytest.mark.parametrize("kind", [Kind.REVERSAL, Kind.VOID])
def test_what_was_taken_back_is_not_approved_again(kind: Kind) -> None:
    bank = Bank()
    for request in (bank.ask(fen=1_000), bank.ask(Kind.PREAUTHORISATION, 1_000)):
        assert bank.host.decide(request).approved
        back = bank.ask(kind, 1_000, original=request.trace)
        assert bank.host.decide(back).approved
        for again in (request, replace(request, forced=True)):
            answer = bank.host.decide(again)
            assert (answer.code, answer.reason, answer.repeated) == ("94", Reason.TAKEN_BACK, True)
            assert not answer.authorisation
        assert (bank.available(), bank.owed()) == (OPENING, 0)
        if kind is Kind.VOID:  # the void is taken back: it stands again, and so does its answer
            assert bank.back(back).approved
            assert bank.host.decide(request).approved
            assert bank.back(request).approved


def test_a_trace_number_of_another_second_is_another_transaction() -> None:
    bank = Bank()
    first = bank.ask(trace=_sent("020000"))
    second = replace(first, trace=_sent("020002"), at_micros=first.at_micros + 2_000_000)
    assert [bank.host.decide(r).approved for r in (first, second)] == [True, True]
    assert (bank.available(), bank.owed()) == (OPENING - 2_000, 2_000)
    assert bank.back(first).approved
    assert bank.host.decide(second).approved, "the other one stands"
    third = replace(first, trace=_sent("020004"), at_micros=first.at_micros + 4_000_000)
    answer = bank.host.decide(third)
    assert (answer.code, answer.repeated, len(answer.transfers)) == ("00", False, 1), (
        "asked anew: booked anew"
    )
    assert bank.owed() == 2_000


def test_books_with_the_day_alone_are_known_still() -> None:
    bank = Bank()
    early = _sent("020000")
    sale = bank.ask(trace=early.by_day, forced=True)  # as it was named before
    hold = bank.ask(Kind.PREAUTHORISATION, trace=replace(early.by_day, stan="000778"))
    assert all(answer.approved for answer in bank.host.decide_all([sale, hold]))
    assert bank.host.decide(replace(sale, trace=early)).repeated, "an advice sent again is not booked twice"
    assert bank.back(replace(hold, trace=replace(early, stan="000778")), Kind.COMPLETION).approved
    later = _sent("060000")
    anew = replace(sale, trace=later, at_micros=sale.at_micros + 4 * 3_600_000_000)
    assert not bank.host.decide(anew).repeated, "it came after the row was there: another one"
    assert bank.owed() == 3_000
    assert bank.back(replace(sale, trace=early)).reason is Reason.APPROVED
    assert bank.owed() == 2_000
    assert bank.back(anew).reason is Reason.APPROVED
    assert (bank.owed(), bank.available()) == (1_000, OPENING - 1_000)
