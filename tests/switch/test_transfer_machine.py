"""Transfers between two banks with faults in any order: a Hypothesis machine, in memory and on each engine.

At the end what left one bank reached the other, and every acquirer was told what became of his.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from jinka.codec.iso8583 import Message
from jinka.switch import Received
from tests.switch.engines import journals_on
from tests.switch.ground import CODEC, PANS, reversal
from tests.switch.two_banks import RECEIVERS, TwoBanks, transfer


class Transfers(RuleBasedStateMachine):
    """Answers, time-outs, late answers, reversals, lost messages and kills, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = TwoBanks(closed_kept=2)
        self.asked: list[Message] = []
        self.trace = 0
        self.late: list[tuple[str, bytes]] = []

    @rule(
        fen=st.sampled_from([1, 700, 60_000]),
        payer=st.sampled_from(PANS[:2]),
        receiver=st.sampled_from([*RECEIVERS[:2], "6217000000099999"]),
    )
    def ask(self, fen: int, payer: str, receiver: str) -> None:
        self.trace += 1
        self.asked.append(transfer(self.trace, fen=fen, payer=payer, receiver=receiver))
        self.world.pay(self.asked[-1])

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.asked:
            message = data.draw(st.sampled_from(self.asked))
            self.world.pay(message.changed({}, "0201"))

    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        if self.asked:
            self.trace += 1
            self.world.pay(reversal(data.draw(st.sampled_from(self.asked)), self.trace))

    @rule(seconds=st.sampled_from([0.5, 3, 7, 40]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(bank=st.booleans(), other=st.booleans())
    def answers(self, bank: bool, other: bool) -> None:
        self.world.bank_answers, self.world.other_answers = bank, other
        if bank:
            self.world.bank_works()
        if other:
            self.world.other_works()

    @rule()
    def requests_are_lost(self) -> None:
        self.world.to_bank.clear()
        self.world.to_other.clear()

    @rule()
    def answers_are_late(self) -> None:
        self.late += [("other", raw) for raw in self.world.other_works(deaf=True)]
        waiting, self.world.to_bank = self.world.to_bank, []
        answers = [self.world.bank.handle(CODEC.decode(raw)) for raw in waiting]
        self.late += [("bank", CODEC.encode(answer)) for answer in answers if answer is not None]

    @rule()
    def late_answers_come(self) -> None:
        late, self.late = self.late, []
        for name, raw in late:
            line = self.world.bank_line if name == "bank" else self.world.other_line
            self.world.step(Received(peer=name, line=line, raw=raw))

    @rule()
    def other_goes_or_comes(self) -> None:
        if self.world.other_up:
            self.world.other_down()
        else:
            self.world.other_back()

    @rule()
    def journal_is_slow(self) -> None:
        self.world.hold = True

    @rule()
    def journal_writes_one(self) -> None:
        if self.world.held:
            self.world.write(self.world.held.pop(0))

    @rule()
    def journal_writes(self) -> None:
        self.world.release()

    @rule(kept=st.booleans())
    def killed(self, kept: bool) -> None:
        if kept and self.world.held:  # it is on the disk, and nobody heard of it
            self.world.journal.write(self.world.held[0].entries)
        self.world.to_bank.clear()
        self.world.to_other.clear()
        self.world.restart()

    def teardown(self) -> None:
        world = self.world
        world.settle()
        self.late_answers_come()
        world.settle()
        gone, come = world.moved()
        assert gone == come
        states = [v[-1] for v in world.journal.values() if v[-1].kind == "transfer_banks"]
        assert {record.state for record in states} <= {"approved", "declined", "reversed"}
        assert gone == sum(record.amount_fen for record in states if record.state == "approved")
        told: dict[str, str] = {}
        for message in world.sent:
            if message.mti == "0210":
                assert told.setdefault(message.text(11), message.text(39)) == message.text(39)
        for record in states:
            if told.get(record.request.text(11)) == "00":
                assert record.state in ("approved", "reversed")  # reversed where the acquirer asked for it
        assert world.core.transactions.watched == {}
        assert world.core.transactions.memory.open == 0


def test_on_each_engine(fresh_sqlite: Callable[[], Path], fresh_postgres: Callable[[], str]) -> None:
    """A few of the same runs with the journal on a disk."""
    few = settings(
        max_examples=3, stateful_step_count=25, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for place in (fresh_sqlite, fresh_postgres):
        with journals_on(place):
            run_state_machine_as_test(Transfers, settings=few)


TestTransfers = Transfers.TestCase
TestTransfers.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
