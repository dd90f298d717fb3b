"""What an issuer always refuses is refused at the switch, before a sum changes, as far as its own record tells.

Method: reversals and refunds of sales that were voided, refunded or completed, from memory, from the journal and after
a kill; the bank of these tests would take them, so what it saw and moved shows who refused.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message
from tests.switch.ground import PANS, World, request, reversal

pytestmark = pytest.mark.usefixtures("engine")


def code(world: World, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def about(original: Message, trace: int, mti: str = "0200", what: str = "200000", **more: Any) -> Message:
    elements = f"{original.mti}{original.text(11)}{original.text(7)}{'101'.zfill(11)}{'0' * 11}"
    return request(trace, mti=mti, code=what, **({"f90": elements} | more))


def refund(sale: Message, trace: int, fen: int, **more: Any) -> Message:
    return about(sale, trace, "0220", fen=fen, **more)


def part(original: Message, trace: int, stays: int) -> Message:
    return reversal(original, trace).changed({95: f"{stays:012d}" + "0" * 12 + "C00000000C00000000"})


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("taker", [about(request(1), 2), refund(request(1), 2, 300)])
def test_what_was_taken_back_is_not_reversed(killed: bool, taker: Message) -> None:
    world = World()
    assert [code(world, request(1)), code(world, taker)] == ["00", "00"]
    if killed:
        world.restart()
    before = world.bank.balance(PANS[0]), world.core.batches.totals("till", "T0000001", "2023-11-14")
    assert code(world, reversal(request(1), 3)) == "12"
    assert code(world, part(request(1), 4, 400)) == "12"
    assert before == (
        world.bank.balance(PANS[0]), world.core.batches.totals("till", "T0000001", "2023-11-14")
    )  # fmt: skip
    assert not [m for m in world.bank.seen if m.mti[1] == "4"]


def test_a_void_that_was_reversed_leaves_the_sale_as_it_was() -> None:
    world = World()
    void = about(request(1), 2)
    assert [code(world, m) for m in (request(1), void, reversal(void, 3), reversal(request(1), 4))] == [
        "00"
    ] * 4
    assert world.bank.balance(PANS[0]) == 100_000


def test_a_hold_is_reversed_unless_it_was_completed() -> None:
    hold = request(1, mti="0100")
    completion = about(hold, 2, what="000000", f25="06")
    void = about(completion, 3, f25="06")
    world = World()
    assert [code(world, m) for m in (hold, completion, reversal(hold, 4))] == ["00", "00", "12"]
    assert [code(world, m) for m in (void, reversal(completion, 5), reversal(hold, 6))] == ["00", "12", "00"]


@pytest.mark.parametrize("forgotten", [False, True])
def test_refunds_end_at_the_sale(forgotten: bool) -> None:
    world = World()
    sale = request(1, fen=900)
    assert code(world, sale) == "00"
    if forgotten:
        world.core.transactions.memory.known.clear()  # the journal has it
    assert code(world, refund(sale, 2, 901)) == "64"
    assert code(world, refund(sale, 3, 500)) == "00"
    assert code(world, refund(sale, 3, 500)) == "00"  # a repeat counts once
    assert code(world, refund(sale, 4, 401)) == "64"
    assert code(world, refund(sale, 5, 400)) == "00"
    assert code(world, refund(sale, 6, 1)) == "64"
    assert world.core.batches.totals("till", "T0000001", "2023-11-14").credit_fen == 900
    assert world.bank.balance(PANS[0]) == 100_000
    assert code(world, refund(sale, 2, 901)) == "64", "a repeat gets the first answer"


def test_a_refund_of_what_was_no_sale_of_the_card() -> None:
    world = World()
    cash, poor, undone = request(1, code="010000"), request(2, fen=100_001), request(3)
    assert [code(world, m) for m in (cash, poor, undone, reversal(undone, 4))] == ["00", "51", "00", "00"]
    assert [code(world, refund(m, n, 1)) for n, m in enumerate((cash, poor, undone), 5)] == ["12"] * 3
    sale = request(8)
    assert code(world, sale) == "00"
    assert code(world, refund(sale, 9, 1, pan=PANS[1])) == "12"
    assert code(world, refund(request(10), 11, 5)) == "00", "of a sale that is not known the issuer can tell"


def test_a_part_stays_of_a_completion_and_of_no_transfer() -> None:
    world = World()
    hold = request(1, mti="0100")
    completion = about(hold, 2, what="000000", f25="06")
    assert [code(world, m) for m in (hold, completion, part(completion, 3, 400))] == ["00"] * 3
    transfer = request(4, code="400000", f103=PANS[1])
    assert [code(world, m) for m in (transfer, part(transfer, 5, 400))] == ["00", "12"]
    assert len([m for m in world.bank.seen if 95 in m.fields]) == 1
