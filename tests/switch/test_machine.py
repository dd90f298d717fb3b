"""Whatever comes in whatever order: each transaction ends in one way, and no cardholder is charged twice.

Method: a Hypothesis state machine over the core, and one over two workers of a switch. The acquirer sends, repeats and
reverses; the bank goes, comes, falls silent, answers late; the journal is slow; a worker is killed. At the end
everything that waits is allowed to happen, and three books are compared: what the acquirer was told, what the switch
has journalled, what the bank's ledger moved.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from jinka.codec.iso8583 import Message
from tests.switch.engines import journals_on
from tests.switch.ground import PANS, World, config, request, reversal, two_workers

START_FEN = 100_000


RULES = {"closed_kept": 3, "bank": {"timeout_ms": 5_000, "retry_ms": 1_000}}


class Switch(RuleBasedStateMachine):
    def __init__(self, *worlds: World) -> None:
        super().__init__()
        self.worlds = worlds or (World(config(**RULES)),)
        self.world = self.worlds[0]
        self.asked: list[Message] = []
        self.undone: set[str] = set()  # traces whose reversal the acquirer was told is kept
        self.trace = 0

    @rule(
        pan=st.sampled_from(PANS[:3]),
        fen=st.sampled_from([1, 700, 4_000, 60_000]),
        kind=st.sampled_from(["000000", "010000", "210000", "310000"]),
        advice=st.booleans(),
    )
    def ask(self, pan: str, fen: int, kind: str, advice: bool) -> None:
        self.trace += 1
        mti = "0220" if advice and kind == "000000" and fen < 1_000 else "0200"
        message = request(self.trace, pan=pan, fen=fen, code=kind, mti=mti)
        self.asked.append(message)
        self.world.pay(message)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        if self.asked:
            message = data.draw(st.sampled_from(self.asked))
            self.world.pay(message.changed({}, message.mti[:3] + "1"))

    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        if self.asked:
            self.trace += 1
            self.world.pay(reversal(data.draw(st.sampled_from(self.asked)), self.trace))

    @rule(data=st.data())
    def reverse_half(self, data: st.DataObject) -> None:
        if self.asked:
            self.trace += 1
            original = data.draw(st.sampled_from(self.asked))
            stays = f"{int(original.text(4)) // 2:012d}" + "0" * 12 + "C00000000" * 2
            self.world.pay(reversal(original, self.trace).changed({95: stays}))

    @rule()
    def reverse_before_it_comes(self) -> None:
        self.trace += 2
        original = request(self.trace - 1)
        self.world.pay(reversal(original, self.trace))
        self.asked.append(original)

    @rule(seconds=st.sampled_from([0.5, 3, 7, 40]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule()
    def bank_goes(self) -> None:
        if self.world.bank_up:
            self.world.bank_down()
            self.world.to_bank.clear()

    @rule()
    def bank_comes(self) -> None:
        if not self.world.bank_up:
            self.world.bank_back()

    @rule()
    def bank_falls_silent(self) -> None:
        self.world.bank_answers = False

    @rule()
    def bank_wakes(self) -> None:
        self.world.bank_answers = True
        self.world.bank_works()

    @rule()
    def requests_are_lost(self) -> None:
        self.world.to_bank.clear()

    @rule()
    def journal_is_slow(self) -> None:
        self.world.hold = True

    @rule()
    def journal_writes(self) -> None:
        self.world.release()

    @rule()
    def killed(self) -> None:
        self.world.to_bank.clear()
        self.world.restart()

    @invariant()
    def memory_is_bounded(self) -> None:
        memory = self.world.core.transactions.memory
        assert memory.open >= 0

    def teardown(self) -> None:
        for _ in range(7):
            for world in self.worlds:
                self.world = world
                world.release()
                self.bank_comes()
                self.bank_wakes()
                world.wait(120)
        assert [each.core.transactions.memory.open for each in self.worlds] == [0] * len(self.worlds)
        told = self._told()
        states = {
            versions[-1].request.text(11): versions[-1]
            for versions in world.journal.values()
            if versions[-1].entity.value == "transaction"
        }
        assert {record.state for record in states.values()} <= {"approved", "declined", "reversed"}
        exceptions = [
            v[-1]
            for v in world.journal.values()
            if v[-1].entity.value == "forward" and v[-1].state == "refused"
        ]
        unpaid = {record.request.text(11) for record in exceptions}
        paid = dict.fromkeys(PANS, 0)
        for trace, record in states.items():
            if record.state == "approved" and trace not in unpaid:
                sign = {"21": -1, "31": 0}.get(record.request.text(3)[:2], 1)
                paid[record.request.text(2)] += sign * record.amount_fen
            if trace in told and told[trace] == "00" and record.state != "reversed":
                assert record.state == "approved", record
        for pan, fen in paid.items():
            assert world.bank.balance(pan) == START_FEN - fen, pan

    def _told(self) -> dict[str, str]:
        """The last answer to each request: all answers to one must say the same."""
        told: dict[str, str] = {}
        for message in (message for world in self.worlds for message in world.sent):
            if message.mti in ("0210", "0230"):
                before = told.setdefault(message.text(11), message.text(39))
                assert before == message.text(39), message
        return told


class TwoWorkers(Switch):
    def __init__(self) -> None:
        super().__init__(*two_workers(**RULES))

    @rule()
    def line_to_the_other(self) -> None:
        self.world = self.worlds[self.world is self.worlds[0]]


def test_on_each_engine(fresh_sqlite: Callable[[], Path], fresh_postgres: Callable[[], str]) -> None:
    """A few of the same runs with the journal on a disk: what is kept comes back as it was."""
    few = settings(
        max_examples=3, stateful_step_count=25, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    for place in (fresh_sqlite, fresh_postgres):
        for machine in (Switch, TwoWorkers):
            with journals_on(place):
                run_state_machine_as_test(machine, settings=few)


TestTwoWorkers = TwoWorkers.TestCase
TestTwoWorkers.settings = settings(
    max_examples=120, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
TestSwitch = Switch.TestCase
TestSwitch.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
