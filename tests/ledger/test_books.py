"""Random requests to every engine at once: all must answer as the reference does, and money must neither come nor go.

The reference (`jinka.ledger.memory`) and the model here, which only adds up, are the oracles of the SQL engines.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jinka.ledger import (
    Account,
    AccountFlag,
    LedgerEngine,
    MemoryLedger,
    Transfer,
    TransferFlag,
    TransferResult,
)
from jinka.store import SqlLedger, open_database
from tests.ledger.test_contract import A, B, C, R, T, account, move

_IDS = [A, B, C]
_SECOND = 1_000_000


class Books(RuleBasedStateMachine):
    """Commands to the reference and to the engines; after each, all tell the same of all accounts."""

    urls: ClassVar[Callable[[], str]]

    names = st.sampled_from(_IDS)
    amounts = st.integers(0, 60)
    chosen = st.integers(0, 400)
    kinds = st.sampled_from(
        [T.NONE, T.PENDING, T.BALANCING_DEBIT, T.BALANCING_CREDIT, T.PENDING | T.BALANCING_DEBIT]
    )

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.databases = [open_database(Path(self.folder.name) / "l.db"), open_database(type(self).urls())]
        self.engines: list[LedgerEngine] = [MemoryLedger(), *map(SqlLedger, self.databases)]
        flags = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.HISTORY
        self.open_accounts([account(A), account(B), account(C, flags=flags)])
        self.sent: list[Transfer] = []
        self.posted = dict.fromkeys(_IDS, 0)  # credits less debits
        self.held: dict[bytes, Transfer] = {}
        self.now = 0

    def open_accounts(self, accounts: list[Account]) -> None:
        first, *others = (engine.create_accounts(accounts) for engine in self.engines)
        assert all(other == first for other in others)

    def send(self, *transfers: Transfer) -> None:
        first, *others = (engine.create_transfers(transfers) for engine in self.engines)
        assert all(other == first for other in others)
        stored = self.engines[0].lookup([t.id for t in transfers])
        for transfer, answer in zip(transfers, first, strict=True):
            self.sent.append(transfer)
            if answer is R.CREATED:
                self.add_up(stored[transfer.id])

    def add_up(self, transfer: Transfer) -> None:
        if transfer.flags & T.PENDING:
            self.held[transfer.id] = transfer
            return
        if transfer.flags & (T.POST_PENDING | T.VOID_PENDING):
            assert self.held.pop(transfer.pending_id).amount >= transfer.amount
        if not transfer.flags & T.VOID_PENDING:
            self.posted[transfer.debit_account] -= transfer.amount
            self.posted[transfer.credit_account] += transfer.amount

    @rule(debit=names, credit=names, amount=amounts, flags=kinds, timeout_s=st.integers(0, 3))
    def transfer(self, debit: bytes, credit: bytes, amount: int, flags: TransferFlag, timeout_s: int) -> None:
        timeout_s = timeout_s if flags & T.PENDING else 0
        name = f"t{len(self.sent)}"
        self.send(
            move(name, amount, debit=debit, credit=credit, flags=flags, at=self.now, timeout_s=timeout_s)
        )

    @rule(amounts=st.lists(amounts, min_size=1, max_size=6), debit=names, credit=names)
    def call(self, amounts: list[int], debit: bytes, credit: bytes) -> None:
        name = f"b{len(self.sent)}"
        self.send(*(move(f"{name}.{n}", a, debit=debit, credit=credit) for n, a in enumerate(amounts)))

    @rule(debit=names, credit=names, amount=amounts, kind=kinds)
    def chain(self, debit: bytes, credit: bytes, amount: int, kind: TransferFlag) -> None:
        name = f"c{len(self.sent)}"
        first = move(name, amount, debit=A, credit=C, flags=T.LINKED | kind)
        post = move(
            name + "b", amount // 2, debit=A, credit=C, flags=T.LINKED | T.POST_PENDING, pending=first.id
        )
        last = move(name + "c", amount * 2, debit=debit, credit=credit)
        self.send(*([first, post, last] if kind is T.PENDING else [first, last]))

    @precondition(lambda self: self.sent)
    @rule(which=chosen, many=st.integers(1, 4))
    def again(self, which: int, many: int) -> None:
        """Any run of requests once more, whole chains and broken ones."""
        start = which % len(self.sent)
        self.send(*self.sent[start : start + many])

    @precondition(lambda self: self.sent)
    @rule(which=chosen, part=st.integers(0, 60), void=st.booleans())
    def resolve(self, which: int, part: int, void: bool) -> None:
        old = self.sent[which % len(self.sent)]
        stored = self.engines[0].lookup([old.id]).get(old.id, old)
        amount = stored.amount if void else min(part, stored.amount)
        flags = T.VOID_PENDING if void else T.POST_PENDING
        self.send(
            move(f"r{len(self.sent)}", amount, debit=old.debit_account, credit=old.credit_account, flags=flags,
                 pending=old.id, at=self.now)
        )  # fmt: skip

    @rule(seconds=st.integers(0, 2))
    def expire(self, seconds: int) -> None:
        self.now += seconds * _SECOND
        first, *others = (engine.expire(self.now) for engine in self.engines)
        assert all(other == first for other in others)
        for id_ in first:
            assert 0 < self.held.pop(id_).expires_at <= self.now

    @invariant()
    def all_equal_the_model(self) -> None:
        first, *others = (engine.balances(_IDS) for engine in self.engines)
        assert all(other == first for other in others)
        for id_, balance in first.items():
            assert balance.credits_posted - balance.debits_posted == self.posted[id_]
            debits = sum(t.amount for t in self.held.values() if t.debit_account == id_)
            credits_ = sum(t.amount for t in self.held.values() if t.credit_account == id_)
            assert (balance.debits_pending, balance.credits_pending) == (debits, credits_)
        assert sum(self.posted.values()) == 0
        assert first[C].debits_posted + first[C].debits_pending <= first[C].credits_posted

    def teardown(self) -> None:
        if not hasattr(self, "databases"):
            return
        for id_ in _IDS:
            first, *others = (engine.history(id_) for engine in self.engines)
            assert all(other == first for other in others)
        first_past, *other_past = (engine.past_balances(C) for engine in self.engines)
        assert all(other == first_past for other in other_past)
        assert not first_past or first_past[-1].balance == self.engines[0].balances([C])[C]
        for database in self.databases:
            database.dispose()
        self.folder.cleanup()


def test_every_engine_answers_as_the_reference(fresh_postgres: Callable[[], str]) -> None:
    class Here(Books):
        urls = staticmethod(fresh_postgres)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate],  # to make a failure short would take minutes on engines
        ),
    )


def test_the_reference_and_the_swift_rules_answer_the_same_on_long_runs(tmp_path: Path) -> None:
    """A seeded run that is too long for Hypothesis: some thousands of requests in calls of a hundred."""
    draw = random.Random(5)
    memory = MemoryLedger()
    database = open_database(tmp_path / "l.db")
    stored = SqlLedger(database)
    ids = [bytes([n]) * 16 for n in range(1, 9)]
    flags = [AccountFlag(n) for n in (0, 1, 2, 8, 9, 0, 1, 0)]
    for engine in (memory, stored):
        engine.create_accounts([account(i, flags=f) for i, f in zip(ids, flags, strict=True)])
    sent: list[Transfer] = []
    kinds = (
        [T.NONE] * 6
        + [T.PENDING] * 4
        + [T.LINKED, T.BALANCING_DEBIT, T.LINKED | T.PENDING, T.POST_PENDING, T.VOID_PENDING]
    )
    seen: set[TransferResult] = set()
    for _ in range(40):
        call = []
        for _ in range(100):
            kind, debit, credit = draw.choice(kinds), draw.choice(ids), draw.choice(ids)
            pending, amount = bytes(16), draw.randrange(200)
            if kind & (T.POST_PENDING | T.VOID_PENDING) and sent:
                old = draw.choice(sent)
                pending, debit, credit, amount = old.id, old.debit_account, old.credit_account, old.amount
            call.append(
                move(f"n{len(sent)}", amount, debit=debit, credit=credit, flags=kind, pending=pending)
                if draw.random() < 0.95 or not sent
                else draw.choice(sent)
            )
            sent.append(call[-1])
        answers = memory.create_transfers(call)
        assert stored.create_transfers(call) == answers
        seen.update(answers)
    assert memory.balances(ids) == stored.balances(ids)
    for id_ in ids:
        assert memory.history(id_) == stored.history(id_)
        assert memory.past_balances(id_) == stored.past_balances(id_)
    assert {R.CREATED, R.EXISTS, R.LINKED_EVENT_FAILED, R.EXCEEDS_CREDITS, R.EXCEEDS_DEBITS,
            R.PENDING_TRANSFER_ALREADY_POSTED, R.PENDING_TRANSFER_ALREADY_VOIDED} <= seen  # fmt: skip
    database.dispose()
