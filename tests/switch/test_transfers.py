"""A transfer between two banks: money at neither or at both, whatever is refused, late, lost or killed.

Method: two banks with ledgers of their own and the core between them; each fault alone, then a kill before and after
every entry of the journal. At the end what left one bank reached the other; `test_transfer_machine` is all at once.
"""

from __future__ import annotations

import pytest

from jinka.codec.iso8583 import Message
from jinka.switch import Received
from jinka.switch.states import LEG_SAYS, TRANSFER_STEPS, TransferState
from tests.switch.ground import PANS, reversal
from tests.switch.two_banks import RECEIVER_FEN, RECEIVERS, TwoBanks, transfer

pytestmark = pytest.mark.usefixtures("engine")


def code(world: TwoBanks, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def test_one_message_two_legs() -> None:
    world = TwoBanks()
    answer = world.pay(transfer(1, f52=None, f35="6228480000000000D2912", f14="2912"))
    assert answer is not None
    assert (answer.mti, answer.text(39), answer.text(38)) == ("0210", "00", "B12345")
    assert world.moved() == (1_000, 1_000)
    [debit], [credit] = world.bank.seen, world.other.seen
    assert (debit.text(3), debit.text(2), debit.text(103)) == ("460000", PANS[0], RECEIVERS[0])
    assert (credit.text(3), credit.text(2), credit.text(102)) == ("470000", RECEIVERS[0], PANS[0])
    assert debit.text(37) == credit.text(37)
    assert 35 in debit.fields
    assert not {14, 35, 52} & set(credit.fields)  # the payer's secrets are not the receiver's business
    assert world.transfers() == [("approved", "committed")]


def test_a_transfer_within_one_bank_is_one_message() -> None:
    world = TwoBanks()
    assert code(world, transfer(1, receiver=PANS[1])) == "00"
    assert [m.text(3) for m in world.bank.seen] == ["400000"]
    assert world.transfers() == []


def test_nothing_is_asked_of_the_second_bank_before_the_first_has_paid() -> None:
    world = TwoBanks()
    assert code(world, transfer(1, fen=100_001)) == "51"
    assert world.other.seen == []
    assert world.transfers() == [("declined", "refused")]


def test_a_bank_that_is_away_is_known_before_anything_moves() -> None:
    world = TwoBanks()
    world.other_down()
    assert code(world, transfer(1)) == "91"
    assert world.bank.seen == []


def test_a_credit_that_is_refused_gives_the_debit_back() -> None:
    world = TwoBanks()
    assert code(world, transfer(1, receiver="6217000000099999")) == "14"
    world.settle()
    assert world.moved() == (0, 0)
    assert world.transfers() == [("reversed", "aborted")]
    assert [m.mti for m in world.bank.seen] == ["0200", "0420"]
    assert [m.mti for m in world.other.seen] == ["0200"]  # there is nothing to undo


def test_a_line_that_goes_between_the_legs() -> None:
    world = TwoBanks()
    world.bank_answers = False
    world.pay(transfer(1))
    world.other_down()
    world.bank_answers = True
    world.bank_works()
    assert [m.text(39) for m in world.sent] == ["91"]
    world.settle()
    assert world.moved() == (0, 0)


@pytest.mark.parametrize("heard", [True, False])
def test_a_credit_without_an_answer_is_undone_before_the_debit(heard: bool) -> None:
    world = TwoBanks()
    world.other_answers = False
    world.pay(transfer(1))
    late = world.other_works(deaf=True) if heard else []
    world.to_other.clear()
    world.wait(6)
    assert [m.text(39) for m in world.sent] == ["68"]
    assert world.transfers() == [("reversing", "taking_back")]
    assert world.moved()[0] == 1_000  # the debit stays until the credit is known to be gone
    for raw in late:
        world.step(Received(peer="other", line=world.other_line, raw=raw))
    world.settle()
    assert world.moved() == (0, 0)
    assert world.transfers() == [("reversed", "aborted")]
    assert code(world, transfer(1)) == "68"  # the first answer


def test_a_credit_that_is_spent_before_it_is_undone_stays_and_so_does_the_debit() -> None:
    world = TwoBanks()
    world.other_answers = False
    world.pay(transfer(1))
    world.other_works(deaf=True)
    world.other.spend(RECEIVERS[0], 1_000 + RECEIVER_FEN)
    world.wait(6)
    world.settle()
    assert world.moved() == (1_000, -RECEIVER_FEN)  # 1,000 came, and 1,500 were spent
    assert world.transfers() == [("approved", "committed")]
    assert world.core.board.counts["reversal_refused", "other"] == 1


@pytest.mark.parametrize("which", ["bank", "other"])
def test_a_leg_whose_reversal_is_refused_ends_the_transfer_for_people_to_look_at(which: str) -> None:
    world = TwoBanks()
    bank = world.bank if which == "bank" else world.other
    real = bank.handle

    def handle(message: Message) -> Message | None:
        given = real(message)
        return given.changed({39: "12"}) if given is not None and message.mti[1] == "4" else given

    bank.handle = handle  # type: ignore[method-assign]
    assert code(world, transfer(1)) == "00"
    assert code(world, reversal(transfer(1), 2)) == "00"
    world.settle()
    assert world.transfers() == [("refused", "stuck")]
    undone = [m for m in world.bank.seen if m.mti[1] == "4"]
    assert bool(undone) == (which == "bank")  # no debit is given back while the credit may stand
    seen = len(world.bank.seen) + len(world.other.seen)
    for _ in range(2):
        world.restart()
        world.settle()
    assert (world.transfers(), world.core.transactions.memory.open) == ([("refused", "stuck")], 0)
    assert len(world.bank.seen) + len(world.other.seen) == seen
    assert code(world, reversal(transfer(1), 3)) == "00"
    assert code(world, transfer(1)) == "00"  # the first answer


def test_a_debit_without_an_answer() -> None:
    world = TwoBanks()
    world.bank_answers = False
    world.pay(transfer(1))
    world.wait(6)
    assert [m.text(39) for m in world.sent] == ["68"]
    world.settle()
    assert world.moved() == (0, 0)
    assert world.other.seen == []


@pytest.mark.parametrize("when", ["debit out", "credit out", "committed"])
def test_the_acquirer_reverses(when: str) -> None:
    world = TwoBanks()
    world.bank_answers = when != "debit out"
    world.other_answers = when == "committed"
    world.pay(transfer(1))
    assert code(world, reversal(transfer(1), 2)) == "00"
    world.settle()
    assert world.moved() == (0, 0)
    assert world.transfers() == [("reversed", "aborted")]
    assert code(world, reversal(transfer(1), 3)) == "00"


@pytest.mark.parametrize("kept", [1, 100])
def test_a_reversal_after_a_restart_finds_both_legs(kept: int) -> None:
    world = TwoBanks(closed_kept=kept)
    world.pay(transfer(1))
    world.restart()
    for trace in range(10, 13):
        world.pay(transfer(trace, fen=1))
    assert code(world, reversal(transfer(1), 2)) == "00"
    world.settle()
    assert world.moved() == (3, 3)
    assert code(world, transfer(1)) == "00"  # a repeat gets the first answer, and moves nothing
    assert world.moved() == (3, 3)


def test_a_repeat_and_a_reversal_of_what_memory_has_forgotten() -> None:
    world = TwoBanks(closed_kept=2)
    world.pay(transfer(1))
    world.hold = True
    world.restart()
    world.pay(transfer(1))
    world.pay(reversal(transfer(1), 2))
    world.settle()
    assert world.moved() == (0, 0)
    assert world.transfers() == [("reversed", "aborted")]


@pytest.mark.parametrize("out", ["debit", "credit"])
def test_a_reversal_that_comes_in_at_another_worker(out: str) -> None:
    one = TwoBanks()
    two = TwoBanks(journal=one.journal)
    two.bank, two.other = one.bank, one.other
    one.bank_answers, one.other_answers = out != "debit", False
    one.pay(transfer(1))
    assert code(two, reversal(transfer(1), 2)) == "00"
    two.settle()
    one.settle()  # what lay before the banks comes after its reversal
    assert one.moved() == (0, 0)
    assert one.transfers() == [("reversed", "aborted")]


def test_the_same_numbers_to_another_account_are_no_repeat() -> None:
    world = TwoBanks()
    world.pay(transfer(1))
    assert code(world, transfer(1, receiver=RECEIVERS[1])) == "94"
    assert world.moved() == (1_000, 1_000)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("at", range(8))
def test_killed_before_and_after_each_entry_of_the_journal(at: int, after: bool, refused: bool) -> None:
    world = TwoBanks()
    world.hold = True
    receiver = "6217000000099999" if refused else RECEIVERS[0]
    message = transfer(1, receiver=receiver)
    world.pay(message)
    for _ in range(at):
        if world.held:
            world.write(world.held.pop(0))
    if world.held and after:  # it is on the disk, and nobody heard of it
        world.journal.write(world.held[0].entries)
    world.hold = False
    world.restart()
    world.settle()
    told = code(world, message)
    world.settle()
    assert world.moved() == ((1_000, 1_000) if told == "00" else (0, 0))
    assert {state for state, _ in world.transfers()} <= {"approved", "declined", "reversed"}


def test_every_state_of_the_table_is_reached_and_every_end_is_one() -> None:
    reached = {TransferState.PREPARING}
    for _ in TransferState:
        reached |= {to for (state, _), to in TRANSFER_STEPS.items() if state in reached}
    assert reached == set(TransferState)
    assert all((state, step) in TRANSFER_STEPS for (state, _), step in LEG_SAYS.items())
