"""A cash machine that gave out less than it was allowed: the holder pays what was given out, once.

Method: reversals with replacement amounts (field 95), wrong ones first, against a bank with a ledger and batch totals.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message
from tests.switch.ground import PANS, World, config, request, reversal
from tests.switch.two_banks import TwoBanks, transfer

pytestmark = pytest.mark.usefixtures("engine")


def code(world: World, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def cash(trace: int = 1, fen: int = 1_000, **more: Any) -> Message:
    return request(trace, fen=fen, code="010000", **more)


def part(original: Message, trace: int, stays: int | str) -> Message:
    text = f"{stays:012d}" + "0" * 12 + "C00000000C00000000" if isinstance(stays, int) else stays
    return reversal(original, trace).changed({95: text})


def test_the_rest_goes_back_and_only_once() -> None:
    world = World()
    assert code(world, cash()) == "00"
    assert code(world, part(cash(), 2, 600)) == "00"
    assert world.bank.balance(PANS[0]) == 100_000 - 600
    [sent] = [m for m in world.bank.seen if m.mti == "0420"]
    assert (sent.text(4), sent.text(95)[:12], sent.text(90)[4:10]) == (
        "000000001000",
        "000000000600",
        "000001",
    )
    assert code(world, part(cash(), 2, 600)) == "00"  # its answer was lost
    assert code(world, part(cash(), 3, 500)) == "12"
    assert code(world, reversal(cash(), 4)) == "12"
    assert world.bank.balance(PANS[0]) == 100_000 - 600
    assert code(world, cash()) == "00"  # a repeat gets the first answer, and takes nothing


@pytest.mark.parametrize(
    ("stays", "wanted"),
    [(1_000, "64"), (1_001, "64"), ("x" * 42, "30"), ("0" * 11 + "x" * 31, "30")],
)
def test_an_amount_that_is_none_changes_nothing(stays: int | str, wanted: str) -> None:
    world = World()
    world.pay(cash())
    assert code(world, part(cash(), 2, stays)) == wanted
    assert world.bank.balance(PANS[0]) == 99_000


def test_nothing_stays_is_a_whole_reversal() -> None:
    world = World()
    world.pay(cash())
    assert code(world, part(cash(), 2, 0)) == "00"
    assert world.states() == {"reversed": 1}
    assert world.bank.balance(PANS[0]) == 100_000


def test_no_part_of_what_is_not_approved() -> None:
    world = World()
    assert code(world, part(cash(), 9, 600)) == "25"
    world.pay(cash(2, fen=100_001))
    assert code(world, part(cash(2, fen=100_001), 10, 600)) == "12"
    world.pay(cash(3))
    assert code(world, reversal(cash(3), 11)) == "00"
    assert code(world, part(cash(3), 12, 600)) == "12"
    world.bank_answers = False
    world.pay(cash(4))
    assert code(world, part(cash(4), 13, 600)) == "12"  # nobody may have given out anything yet


def test_no_part_of_a_deposit_or_a_transfer_between_banks() -> None:
    world = World()
    deposit = request(1, code="210000")
    world.pay(deposit)
    assert code(world, part(deposit, 2, 600)) == "12"
    banks = TwoBanks()
    banks.pay(transfer(1))
    assert code(banks, part(transfer(1), 2, 600)) == "12"
    assert banks.moved() == (1_000, 1_000)


def test_a_request_does_not_say_what_was_taken_back_of_it() -> None:
    world = World()
    assert code(world, cash(f95="000000000001" + "0" * 30)) == "30"
    assert world.bank.seen == []


def test_batches_limits_and_restarts_count_what_stays() -> None:
    world = World()
    world.bank_down()
    rules = {"f60": "00000007000"}
    sale = request(1, fen=5_000, **rules)
    assert code(world, sale) == "00"  # in the bank's place
    assert code(world, part(sale, 2, 1_000)) == "00"
    assert world.core.batches.totals("till", "T0000001", "000007").debit_fen == 1_000
    world.restart()
    assert world.core.batches.totals("till", "T0000001", "000007").debit_fen == 1_000
    assert code(world, request(3, fen=5_000, **rules)) == "00"  # within the card's 8,000
    world.bank_back()
    world.wait(60)
    about = [m.mti[1] for m in world.bank.seen if "000001" in (m.text(11), m.text(90)[4:10])]
    assert about == ["2", "4"]  # the advice, then what was taken back of it
    assert world.bank.balance(PANS[0]) == 100_000 - 6_000


def test_a_part_whose_message_is_lost_is_sent_again_after_a_kill() -> None:
    world = World(config(bank={"retry_ms": 1_000}))
    world.pay(cash())
    world.bank_answers = False
    assert code(world, part(cash(), 2, 600)) == "00"
    world.to_bank.clear()
    world.bank_answers = True
    world.restart()
    world.wait(10)
    assert world.bank.balance(PANS[0]) == 100_000 - 600
    assert code(world, part(cash(), 2, 600)) == "00"
