"""The contract of every ledger engine; and random requests against a model that only adds up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jinka.kit import MAX_MINOR, Usage, make_id
from jinka.ledger import (
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    LedgerEngine,
    MemoryLedger,
    Transfer,
    TransferFlag,
    TransferResult,
)
from jinka.store import SqlLedger, open_database

A, B, C, OTHER = (make_id("account", name) for name in "ABCD")
T, R = TransferFlag, TransferResult


@pytest.fixture(params=["memory", "sqlite"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerEngine]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    database = open_database(tmp_path / "ledger.db")
    yield SqlLedger(database)
    database.dispose()


@pytest.fixture
def ledger(engine: LedgerEngine) -> LedgerEngine:
    engine.create_accounts([account(A), account(B), account(C), account(OTHER, ledger=7)])
    return engine


def account(
    id_: bytes, *, ledger: int = 156, code: int = 1, flags: AccountFlag = AccountFlag.NONE
) -> Account:
    return Account(id=id_, ledger=ledger, code=code, flags=flags)


def move(name: str, amount: int, *, debit: bytes = A, credit: bytes = B, flags: TransferFlag = T.NONE,
         pending: bytes = bytes(16), code: int = 9, ledger: int = 156) -> Transfer:  # fmt: skip
    return Transfer(
        id=make_id("transfer", name), debit_account=debit, credit_account=credit, amount=amount, ledger=ledger,
        code=code, flags=flags, pending_id=pending, timestamp=5,
    )  # fmt: skip


def test_accounts_are_created_once_and_differences_are_named(engine: LedgerEngine) -> None:
    first = account(A)
    assert engine.create_accounts([first, first]) == [AccountResult.CREATED, AccountResult.EXISTS]
    both = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
    assert engine.create_accounts(
        [
            replace(first, flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS),
            replace(first, user_data=b"u" * 16, ledger=7),
            replace(first, ledger=7, code=2),
            replace(first, code=2),
            account(bytes(16)),
            account(b"\xff" * 16),
            account(B, flags=both),
            account(B, ledger=0, code=0),
            account(B, code=0),
        ]
    ) == [
        AccountResult.EXISTS_WITH_DIFFERENT_FLAGS,
        AccountResult.EXISTS_WITH_DIFFERENT_USER_DATA,
        AccountResult.EXISTS_WITH_DIFFERENT_LEDGER,
        AccountResult.EXISTS_WITH_DIFFERENT_CODE,
        AccountResult.ID_RESERVED,
        AccountResult.ID_RESERVED,
        AccountResult.FLAGS_MUTUALLY_EXCLUSIVE,
        AccountResult.LEDGER_MUST_NOT_BE_ZERO,
        AccountResult.CODE_MUST_NOT_BE_ZERO,
    ]
    assert engine.accounts() == [first]


def test_a_transfer_moves_once_however_often_it_is_sent(ledger: LedgerEngine) -> None:
    transfer = move("x", 100)
    assert ledger.create_transfers([transfer]) == [R.CREATED]
    assert ledger.create_transfers([transfer, transfer]) == [R.EXISTS, R.EXISTS]
    assert ledger.balances([A, B]) == {A: Balance(debits_posted=100), B: Balance(credits_posted=100)}
    assert ledger.lookup([transfer.id, make_id("no")]) == {transfer.id: transfer}
    assert ledger.history(A) == ledger.history(B) == [transfer]
    assert ledger.history(C) == []


def test_a_second_transfer_with_a_used_id_is_refused_by_what_differs(ledger: LedgerEngine) -> None:
    base = move("x", 100)
    ledger.create_transfers([base])
    changes = [
        ({"flags": T.PENDING}, R.EXISTS_WITH_DIFFERENT_FLAGS),
        ({"pending_id": C}, R.EXISTS_WITH_DIFFERENT_PENDING_ID),
        ({"debit_account": C}, R.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
        ({"credit_account": C}, R.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
        ({"amount": 101}, R.EXISTS_WITH_DIFFERENT_AMOUNT),
        ({"user_data": C}, R.EXISTS_WITH_DIFFERENT_USER_DATA),
        ({"ledger": 7}, R.EXISTS_WITH_DIFFERENT_LEDGER),
        ({"code": 8}, R.EXISTS_WITH_DIFFERENT_CODE),
        ({"timestamp": 6}, R.EXISTS_WITH_DIFFERENT_TIMESTAMP),
    ]
    # Each request differs in its own field and in all that come later: the earlier one is named.
    for place in range(len(changes)):
        fields = {key: value for change, _ in changes[place:] for key, value in change.items()}
        assert ledger.create_transfers([replace(base, **fields)]) == [changes[place][1]]
    assert ledger.balances([A])[A] == Balance(debits_posted=100)


def test_refusals_in_the_order_of_precedence(ledger: LedgerEngine) -> None:
    nobody, nothing = make_id("nobody"), bytes(16)
    requests = [
        (replace(move("a", 1), id=nothing), R.ID_RESERVED),
        (move("a", 1, flags=T.PENDING | T.VOID_PENDING, ledger=0), R.FLAGS_MUTUALLY_EXCLUSIVE),
        (move("a", 1, ledger=0, code=0), R.LEDGER_MUST_NOT_BE_ZERO),
        (move("a", 1, code=0, credit=A), R.CODE_MUST_NOT_BE_ZERO),
        (move("a", 1, debit=nobody, credit=nobody), R.ACCOUNTS_MUST_BE_DIFFERENT),
        (move("a", 1, debit=nobody, pending=C), R.PENDING_ID_MUST_BE_ZERO),
        (move("a", 1, debit=nobody, flags=T.POST_PENDING), R.PENDING_ID_MUST_NOT_BE_ZERO),
        (move("a", 1, debit=nobody, credit=OTHER), R.DEBIT_ACCOUNT_NOT_FOUND),
        (move("a", 1, credit=nobody), R.CREDIT_ACCOUNT_NOT_FOUND),
        (move("a", 1, credit=OTHER), R.LEDGERS_MUST_BE_THE_SAME),
        (move("a", 1, ledger=7), R.LEDGERS_MUST_BE_THE_SAME),
        (move("a", 1, flags=T.POST_PENDING, pending=nobody), R.PENDING_TRANSFER_NOT_FOUND),
    ]
    assert ledger.create_transfers([request for request, _ in requests]) == [result for _, result in requests]
    assert ledger.balances([A, B, C, OTHER]) == dict.fromkeys((A, B, C, OTHER), Balance())


def test_pending_is_posted_in_part_or_voided_and_only_once(ledger: LedgerEngine) -> None:
    held, other = move("held", 100, flags=T.PENDING), move("other", 30, flags=T.PENDING)
    assert ledger.create_transfers([held, other]) == [R.CREATED, R.CREATED]
    assert ledger.balances([A])[A] == Balance(debits_pending=130)
    post = move("post", 60, flags=T.POST_PENDING, pending=held.id)
    void = move("void", 30, flags=T.VOID_PENDING, pending=other.id)
    refused = [
        (replace(post, amount=101), R.EXCEEDS_PENDING_TRANSFER_AMOUNT),
        (replace(post, code=8), R.PENDING_TRANSFER_HAS_DIFFERENT_CODE),
        (replace(post, credit_account=C), R.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS),
        (replace(void, amount=29), R.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT),
    ]
    assert ledger.create_transfers([request for request, _ in refused]) == [result for _, result in refused]
    assert ledger.create_transfers([post, void, post, void]) == [R.CREATED, R.CREATED, R.EXISTS, R.EXISTS]
    assert ledger.balances([A, B]) == {A: Balance(debits_posted=60), B: Balance(credits_posted=60)}
    late = [
        (move("late", 1, flags=T.POST_PENDING, pending=held.id), R.PENDING_TRANSFER_ALREADY_POSTED),
        (move("late", 30, flags=T.VOID_PENDING, pending=other.id), R.PENDING_TRANSFER_ALREADY_VOIDED),
        (move("late", 60, flags=T.VOID_PENDING, pending=post.id), R.PENDING_TRANSFER_NOT_PENDING),
    ]
    assert ledger.create_transfers([request for request, _ in late]) == [result for _, result in late]


def test_a_chain_happens_as_a_whole_or_not_at_all(ledger: LedgerEngine) -> None:
    first, second = move("1", 10, flags=T.LINKED), move("2", 20, debit=B, credit=C)
    broken = replace(second, credit_account=OTHER)
    assert ledger.create_transfers([first, broken]) == [R.LINKED_EVENT_FAILED, R.LEDGERS_MUST_BE_THE_SAME]
    assert ledger.balances([A, B]) == {A: Balance(), B: Balance()}
    assert ledger.lookup([first.id]) == {}
    assert ledger.create_transfers([first]) == [R.LINKED_EVENT_CHAIN_OPEN]
    assert ledger.create_transfers([first, second, move("3", 1)]) == [R.CREATED] * 3
    assert ledger.create_transfers([first, second]) == [R.EXISTS, R.EXISTS]
    assert ledger.balances([B])[B] == Balance(debits_posted=20, credits_posted=11)


def test_a_chain_that_resolves_and_fails_leaves_the_pending_one_open(ledger: LedgerEngine) -> None:
    held = move("held", 50, flags=T.PENDING)
    ledger.create_transfers([held])
    post = move("post", 50, flags=T.POST_PENDING | T.LINKED, pending=held.id)
    ledger.create_transfers([post, move("bad", 1, credit=OTHER)])
    assert ledger.balances([A])[A] == Balance(debits_pending=50)
    assert ledger.create_transfers([replace(post, flags=T.POST_PENDING)]) == [R.CREATED]


def test_limits_count_what_is_pending(engine: LedgerEngine) -> None:
    purse = account(A, flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
    claim = account(C, flags=AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
    engine.create_accounts([purse, account(B), claim])
    assert engine.create_transfers([move("1", 1), move("2", 1, credit=C, debit=B)]) == [
        R.EXCEEDS_CREDITS, R.EXCEEDS_DEBITS,
    ]  # fmt: skip
    fill, hold = move("3", 100, debit=B, credit=A), move("4", 60, flags=T.PENDING)
    assert engine.create_transfers([fill, hold, move("5", 41)]) == [R.CREATED, R.CREATED, R.EXCEEDS_CREDITS]
    post = move("6", 60, flags=T.POST_PENDING, pending=hold.id)
    assert engine.create_transfers([post, move("7", 40), move("8", 1)]) == [
        R.CREATED,
        R.CREATED,
        R.EXCEEDS_CREDITS,
    ]


def test_a_balance_never_overflows(ledger: LedgerEngine) -> None:
    assert ledger.create_transfers([move("1", MAX_MINOR), move("2", 1)]) == [R.CREATED, R.OVERFLOWS_BALANCE]
    for amount in (-1, MAX_MINOR + 1):
        with pytest.raises(Usage):
            move("3", amount)


def test_what_was_created_is_there_after_opening_again(tmp_path: Path) -> None:
    for _ in range(2):
        database = open_database(tmp_path / "ledger.db")
        ledger = SqlLedger(database)
        ledger.create_accounts([account(A), account(B)])
        ledger.create_transfers([move("x", 100)])
        assert ledger.balances([A])[A] == Balance(debits_posted=100)
        database.dispose()


class Books(RuleBasedStateMachine):
    """Random requests to both engines; the model knows only sums, and that they never go wrong."""

    names = st.sampled_from([A, B, C])
    amounts = st.integers(0, 60)
    chosen = st.integers(0, 400)

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = open_database(Path(self.folder.name) / "l.db")
        self.engines: list[LedgerEngine] = [MemoryLedger(), SqlLedger(self.database)]
        limited = account(C, flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
        for engine in self.engines:
            engine.create_accounts([account(A), account(B), limited])
        self.sent: list[Transfer] = []
        self.posted = {A: 0, B: 0, C: 0}  # credits less debits
        self.held: dict[bytes, Transfer] = {}

    def send(self, *transfers: Transfer) -> None:
        answers = [engine.create_transfers(transfers) for engine in self.engines]
        assert answers[0] == answers[1]
        for transfer, answer in zip(transfers, answers[0], strict=True):
            self.sent.append(transfer)
            if answer is not R.CREATED:
                continue
            if transfer.flags & T.PENDING:
                self.held[transfer.id] = transfer
                continue
            if transfer.flags & (T.POST_PENDING | T.VOID_PENDING):
                assert self.held.pop(transfer.pending_id).amount >= transfer.amount
            if not transfer.flags & T.VOID_PENDING:
                self.posted[transfer.debit_account] -= transfer.amount
                self.posted[transfer.credit_account] += transfer.amount

    @rule(debit=names, credit=names, amount=amounts, held=st.booleans())
    def transfer(self, debit: bytes, credit: bytes, amount: int, held: bool) -> None:
        flags = T.PENDING if held else T.NONE
        self.send(move(f"t{len(self.sent)}", amount, debit=debit, credit=credit, flags=flags))

    @rule(debit=names, credit=names, amount=amounts)
    def chain(self, debit: bytes, credit: bytes, amount: int) -> None:
        name = f"c{len(self.sent)}"
        first = move(name, amount, debit=A, credit=C, flags=T.LINKED)
        self.send(first, move(name + "b", amount * 2, debit=debit, credit=credit))

    @precondition(lambda self: self.sent)
    @rule(which=chosen)
    def again(self, which: int) -> None:
        old = self.sent[which % len(self.sent)]
        if not old.flags & T.LINKED:
            self.send(old)

    @precondition(lambda self: self.sent)
    @rule(which=chosen, part=st.integers(0, 60), void=st.booleans())
    def resolve(self, which: int, part: int, void: bool) -> None:
        old = self.sent[which % len(self.sent)]
        flags = T.VOID_PENDING if void else T.POST_PENDING
        self.send(
            move(f"r{len(self.sent)}", old.amount if void else min(part, old.amount), debit=old.debit_account,
                 credit=old.credit_account, flags=flags, pending=old.id)
        )  # fmt: skip

    @invariant()
    def both_engines_equal_the_model(self) -> None:
        first, second = (engine.balances([A, B, C]) for engine in self.engines)
        assert first == second
        for id_, balance in first.items():
            assert balance.credits_posted - balance.debits_posted == self.posted[id_]
            assert balance.debits_pending == sum(
                t.amount for t in self.held.values() if t.debit_account == id_
            )
            assert balance.credits_pending == sum(
                t.amount for t in self.held.values() if t.credit_account == id_
            )
        assert sum(self.posted.values()) == 0
        assert first[C].debits_posted + first[C].debits_pending <= first[C].credits_posted

    def teardown(self) -> None:
        if hasattr(self, "database"):
            assert [e.history(A) for e in self.engines[:1]] == [e.history(A) for e in self.engines[1:]]
            self.database.dispose()
            self.folder.cleanup()


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=15, stateful_step_count=25)
