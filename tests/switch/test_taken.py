"""What an issuer always refuses is refused at the switch, before a sum changes, as far as its own record tells.

Method: reversals and refunds of sales that were voided, refunded or completed, from memory, from the journal, after a
kill and at another worker than the one that had the sale, in the same moment too; the bank of these tests would take
them, so what it saw and moved shows who refused.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message
from jinka.switch import Effect, LookUp
from tests.switch.ground import PANS, World, config, request, reversal, two_workers

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


def a_killed(*worlds: World) -> None:
    for world in worlds:
        world.restart()
        world.core.transactions.memory.known.clear()  # too long ago: only the journal has it


@pytest.mark.parametrize("killed", [False, True])
def test_all_workers_know_what_was_voided(killed: bool) -> None:
    first, second = two_workers()
    assert code(first, request(1)) == "00"
    if killed:
        a_killed(first, second)
    assert code(second, about(request(1), 2)) == "00"
    if killed:
        a_killed(first, second)
    assert code(first, reversal(request(1), 3)) == "12"
    assert code(first, part(request(1), 4, 400)) == "12"
    assert code(first, refund(request(1), 5, 1)) == "64"
    assert code(second, reversal(request(1), 6)) == "12"
    assert not [m for m in first.bank.seen if m.mti[1] == "4"]


@pytest.mark.parametrize("killed", [False, True])
def test_refunds_at_all_workers_end_at_the_sale(killed: bool) -> None:
    first, second = two_workers()
    sale = request(1, fen=900)
    assert code(first, sale) == "00"
    for world, trace, fen, answer in (
        (second, 2, 901, "64"), (second, 3, 500, "00"), (first, 4, 401, "64"), (first, 5, 300, "00"),
        (second, 6, 101, "64"), (second, 7, 100, "00"), (first, 8, 1, "64"),
    ):  # fmt: skip
        if killed:
            a_killed(world)
        assert code(world, refund(sale, trace, fen)) == answer
    assert code(first, reversal(sale, 9)) == "12"
    assert first.bank.balance(PANS[0]) == 100_000


def test_a_void_undone_at_one_worker_frees_its_sale_at_the_other() -> None:
    first, second = two_workers()
    void = about(request(1), 2)
    assert [code(first, request(1)), code(second, void), code(first, reversal(request(1), 3))] == [
        "00",
        "00",
        "12",
    ]
    assert [code(first, reversal(void, 4)), code(second, reversal(request(1), 5))] == ["00", "00"]
    assert code(first, refund(request(1), 6, 1)) == "12", "it is undone"
    assert first.bank.balance(PANS[0]) == 100_000


def test_a_completion_voided_at_one_worker_frees_its_hold_at_the_other() -> None:
    first, second = two_workers()
    hold = request(1, mti="0100")
    completion = about(hold, 2, what="000000", f25="06")
    void = about(completion, 3, f25="06")
    assert [code(first, hold), code(second, completion)] == ["00", "00"]
    a_killed(first, second)
    assert [code(first, reversal(hold, 4)), code(first, void)] == ["12", "00"]
    assert code(second, reversal(void, 5)) == "00"
    assert code(first, reversal(hold, 6)) == "12", "the completion stands again"
    assert [code(second, reversal(completion, 7)), code(first, reversal(hold, 8))] == ["00", "00"]


def test_part_of_a_completion_taken_back_is_free_in_its_hold() -> None:
    first, second = two_workers()
    hold = request(1, mti="0100")
    completion = about(hold, 2, what="000000", f25="06")
    assert [code(first, m) for m in (hold, completion, part(completion, 3, 400))] == ["00"] * 3
    a_killed(first)
    assert [code(second, refund(completion, 4, 401)), code(first, refund(completion, 5, 400))] == ["64", "00"]
    assert code(second, reversal(hold, 6)) == "12"


def test_two_refunds_of_one_moment_are_not_more_than_the_sale() -> None:
    first, second = two_workers()
    sale = request(1, fen=900)
    assert code(first, sale) == "00"
    first.hold = second.hold = True
    assert [first.pay(refund(sale, 2, 500)), second.pay(refund(sale, 3, 500))] == [None, None]
    second.release()
    first.release()
    assert [first.sent[-1].text(39), second.sent[-1].text(39)] == ["64", "00"]
    assert first.core.batches.totals("till", "T0000001", "2023-11-14").credits == 0
    assert first.core.transactions.memory.open == second.core.transactions.memory.open == 0
    a_killed(first)
    assert code(first, refund(sale, 2, 500)) == "64", "a repeat gets the first answer"
    assert first.bank.balance(PANS[0]) == 99_600


@pytest.mark.parametrize("partly", [False, True])
def test_a_reversal_and_a_refund_of_one_moment_do_not_both_take(partly: bool) -> None:
    first, second = two_workers()
    sale = request(1, fen=900)
    assert code(first, sale) == "00"
    first.hold = second.hold = True
    undo = part(sale, 2, 400) if partly else reversal(sale, 2)
    assert [first.pay(undo), second.pay(refund(sale, 3, 500))] == [None, None]
    second.release()
    first.release()
    assert [first.sent[-1].text(39), second.sent[-1].text(39)] == ["12", "00"]
    totals = first.core.batches.totals("till", "T0000001", "2023-11-14")
    assert (totals.debits, totals.debit_fen) == (1, 900)
    assert first.states() == {"approved": 2}
    assert first.bank.balance(PANS[0]) == 99_600


def test_a_void_and_a_refund_of_one_moment_are_both_in_the_book() -> None:
    """The issuer has said yes to the void, so it stays; the next refund is refused."""
    first, second = two_workers()
    assert code(first, request(1)) == "00"
    first.bank_answers = False
    assert first.pay(about(request(1), 2)) is None
    assert code(second, refund(request(1), 3, 200)) == "00"
    first.bank_answers = True
    first.bank_works()
    assert first.sent[-1].text(39) == "00"
    assert [code(w, refund(request(1), n, 1)) for n, w in enumerate((first, second), 4)] == ["64", "64"]


def test_names_that_go_in_a_circle_end() -> None:
    world = World()
    itself = about(request(1), 1, "0220", fen=300)
    hold = about(request(3), 2, mti="0220", what="000000", f25="06")
    back = about(hold, 3, f25="06", mti="0200")
    assert [code(world, m) for m in (itself, hold, back)] == ["12", "00", "00"]
    assert code(world, reversal(back, 4)) in ("00", "12")
    assert world.core.transactions.memory.open == 0


class Slow(World):
    """Its journal answers look-ups when it is told to."""

    looked: list[Effect]
    slow = False

    def carry_out(self, effects: list[Effect]) -> None:
        late = [effect for effect in effects if self.slow and isinstance(effect, LookUp)]
        self.__dict__.setdefault("looked", []).extend(late)
        super().carry_out([effect for effect in effects if effect not in late])

    def answer_looks(self) -> None:
        self.slow = False
        looked, self.looked = self.looked, []
        super().carry_out(looked)


@pytest.mark.parametrize("voided", [False, True])
def test_what_is_forgotten_while_its_line_is_looked_up_comes_to_its_end(voided: bool) -> None:
    world = Slow(config(closed_kept=1))
    original, taker = request(1), about(request(1), 2)
    assert [code(world, m) for m in (original, taker)[: 1 + voided]] == ["00"] * (1 + voided)
    world.slow = True
    assert world.pay(reversal(taker if voided else original, 3)) is None
    assert [code(world, request(n)) for n in (4, 5)] == ["00", "00"]
    world.answer_looks()
    assert world.sent[-1].text(39) == "00"
    assert world.states() == {"approved": 2 + voided, "reversed": 1}
    assert world.core.transactions.memory.open == 0
    assert len(world.core.transactions.memory.known) == 1
