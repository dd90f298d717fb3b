"""Two workers behind one port: what one has begun meets the other, and nobody is charged twice or forgotten.

Method: two cores over one journal and one bank. Who is told what, who still counts it as under way, and who takes it
up when the file has fewer workers than before.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from jinka.app.switch_serving import heirs_lock, is_mine
from jinka.kit import Refused
from jinka.node import FolderLock
from jinka.switch import Record
from tests.switch.ground import DATE, PANS, Kept, World, config, request, reversal, two_workers

pytestmark = pytest.mark.usefixtures("engine")


def codes(world: World) -> list[str]:
    return [message.text(39) for message in world.sent]


def open_in(*worlds: World) -> list[int]:
    return [world.core.transactions.memory.open for world in worlds]


def test_a_repeat_that_meets_the_other_worker_gets_the_first_answer() -> None:
    first, second = two_workers()
    assert codes(first) == []
    assert first.pay(request(1)) is not None
    again = second.pay(request(1))
    assert again is not None
    assert (again.text(39), again.text(38)) == ("00", first.sent[0].text(38))
    assert second.bank.balance(PANS[0]) == 99_000
    assert open_in(first, second) == [0, 0]


def test_a_repeat_that_comes_before_the_answer_is_told_when_it_asks_after_it() -> None:
    first, second = two_workers()
    first.bank_answers = False
    assert first.pay(request(1)) is None
    assert second.pay(request(1)) is None  # nobody knows yet
    assert second.pay(request(1)) is None
    first.bank_answers = True
    first.bank_works()
    assert codes(first) == ["00"]
    answer = second.pay(request(1))
    assert answer is not None
    assert answer.text(39) == "00"
    assert second.bank.balance(PANS[0]) == 99_000
    assert open_in(first, second) == [0, 0]


def test_what_another_worker_has_under_way_is_not_counted_here() -> None:
    first, second = two_workers(open_max=3)
    first.bank_answers = False
    for n in range(1, 4):
        first.pay(request(n))
        second.pay(request(n))
    assert open_in(first, second) == [3, 0]
    assert second.pay(request(9)) is not None


def test_a_reversal_at_the_other_worker_wins_over_an_answer_that_comes_later() -> None:
    first, second = two_workers()
    first.bank_answers = False
    assert first.pay(request(1)) is None
    back = second.pay(reversal(request(1), 2))
    assert back is not None
    assert back.text(39) == "00"
    first.bank_answers = True
    first.bank_works()
    first.wait(60)
    second.wait(60)
    assert codes(first) == []  # the acquirer has given up; the yes goes no further
    assert first.bank.balance(PANS[0]) == 100_000
    assert first.states() == {"reversed": 1}
    assert open_in(first, second) == [0, 0]


def test_a_reversal_after_the_answer_at_the_other_worker_is_answered_at_the_second_asking_at_most() -> None:
    first, second = two_workers()
    first.bank_answers = False
    first.pay(request(1))
    second.pay(request(1))  # the second worker now knows how it stood
    first.bank_answers = True
    first.bank_works()
    answers = [second.pay(reversal(request(1), 2)) for _ in range(2)]
    assert [a.text(39) for a in answers if a is not None][-1:] == ["00"]
    first.wait(60)
    second.wait(60)
    assert first.bank.balance(PANS[0]) == 100_000
    assert first.states() == {"reversed": 1}
    assert open_in(first, second) == [0, 0]


def test_a_time_out_here_meets_a_reversal_there() -> None:
    first, second = two_workers()
    first.bank_answers = False
    first.pay(request(1))
    first.hold = True
    first.wait(20)  # timed out; that is not on the disk yet
    assert second.pay(reversal(request(1), 2)) is not None
    first.release()
    first.bank_answers = True
    first.wait(60)
    second.wait(60)
    first.bank_works()
    assert first.bank.balance(PANS[0]) == 100_000
    assert first.states() == {"reversed": 1}
    assert open_in(first, second) == [0, 0]


def test_what_a_killed_worker_had_under_way_is_its_own_again() -> None:
    first, second = two_workers()
    first.bank_answers = False
    first.pay(request(1))
    second.pay(request(1))
    first.to_bank.clear()
    second.restart()
    assert second.core.board.counts["recovered", "till"] == 0
    first.restart()
    assert first.core.board.counts["recovered", "till"] == 1
    first.bank_answers = True
    first.wait(60)
    answer = second.pay(request(1))
    assert answer is not None
    assert answer.text(39) == "68"
    assert first.bank.balance(PANS[0]) == 100_000


def test_reference_numbers_of_two_workers_differ() -> None:
    first, second = two_workers()
    for n in range(1, 6):
        first.pay(request(n))
        second.pay(request(n + 10))
    numbers = [message.text(37) for message in first.bank.seen]
    assert len(set(numbers)) == 10


def alone(kept: Kept, worker: str) -> list[Record]:
    """What worker 0 takes up where the file has one."""
    if kept._disk is not None:
        return list(kept._disk(worker).recover(partial(is_mine, worker=0, workers=1), DATE))
    return [versions[-1] for versions in kept.values()]


@pytest.mark.parametrize("starts", [1, 2])
def test_fewer_workers_than_before_take_up_what_the_others_had_open(
    starts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_workers()
    for world in (first, second):
        world.restart()  # as a worker does before anything else: each has its beginning in the journal
    assert second.pay(request(1)) is not None
    second.bank_down()
    assert second.pay(reversal(request(1), 2)) is not None  # it waits for the bank
    first.bank_answers = second.bank_answers = False
    second.bank_back()
    second.to_bank.clear()
    assert second.pay(request(4)) is None
    first.restart()  # its own beginning is behind all that
    assert first.pay(request(3)) is None
    monkeypatch.setattr(Kept, "newest", alone)
    one = World(config(worker="0", workers=1), journal=Kept())
    one.bank, one.journal = first.bank, first.journal
    one.bank_answers = False
    for _ in range(starts):
        one.restart()  # the first time killed before it came to anything
    one.bank_answers = True
    assert one.core.board.counts["recovered", "till"] == (2 if starts == 1 else 0)
    one.wait(120)
    assert one.states() == {"reversed": 3}
    assert one.bank.balance(PANS[0]) == 100_000
    for trace, answer in ((1, "00"), (3, "68"), (4, "68")):
        told = one.pay(request(trace))
        assert told is not None
        assert told.text(39) == answer
    assert open_in(one) == [0]


def test_who_takes_up_what_another_has_waits_until_that_one_is_gone(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f".switch-{number}").mkdir()
    (tmp_path / ".switch-page").mkdir()
    with FolderLock(tmp_path / ".switch-2"):
        with pytest.raises(Refused, match="worker 2 still runs, and the file has 1"):
            heirs_lock(tmp_path, 0, 1)
        with heirs_lock(tmp_path, 0, 3), heirs_lock(tmp_path, 1, 2), FolderLock(tmp_path / ".switch-1"):
            pass
    with heirs_lock(tmp_path, 0, 1), pytest.raises(Refused, match="another run"):
        FolderLock(tmp_path / ".switch-2").__enter__()
    with FolderLock(tmp_path / ".switch-2"):
        pass
