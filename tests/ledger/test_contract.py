"""The contract of every ledger engine: each test runs over each of them (`conftest.engine`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jinka.kit import MAX_MINOR, Usage, make_id
from jinka.ledger import (
    MAX_BATCH,
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    LedgerEngine,
    MemoryLedger,
    PastBalance,
    Transfer,
    TransferFlag,
    TransferResult,
    batches,
)
from jinka.store import SqlLedger, open_database
from tests.ledger.salted import Salted

A, B, C, OTHER = (make_id("account", name) for name in "ABCD")
T, R = TransferFlag, TransferResult


@pytest.fixture
def ledger(engine: LedgerEngine) -> LedgerEngine:
    engine.create_accounts([account(A), account(B), account(C), account(OTHER, ledger=7)])
    return engine


def account(
    id_: bytes, *, ledger: int = 156, code: int = 1, flags: AccountFlag = AccountFlag.NONE
) -> Account:
    return Account(id=id_, ledger=ledger, code=code, flags=flags)


def move(name: str, amount: int, *, debit: bytes = A, credit: bytes = B, flags: TransferFlag = T.NONE,
         pending: bytes = bytes(16), code: int = 9, ledger: int = 156, at: int = 5,
         timeout_s: int = 0) -> Transfer:  # fmt: skip
    return Transfer(
        id=make_id("transfer", name), debit_account=debit, credit_account=credit, amount=amount, ledger=ledger,
        code=code, flags=flags, pending_id=pending, timestamp=at, timeout_s=timeout_s,
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
        ({"timeout_s": 1}, R.EXISTS_WITH_DIFFERENT_TIMEOUT),
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
        (move("a", 1, flags=T.POST_PENDING | T.BALANCING_DEBIT, ledger=0), R.FLAGS_MUTUALLY_EXCLUSIVE),
        (move("a", 1, ledger=0, code=0), R.LEDGER_MUST_NOT_BE_ZERO),
        (move("a", 1, code=0, credit=A), R.CODE_MUST_NOT_BE_ZERO),
        (move("a", 1, debit=nobody, credit=nobody), R.ACCOUNTS_MUST_BE_DIFFERENT),
        (move("a", 1, debit=nobody, pending=C), R.PENDING_ID_MUST_BE_ZERO),
        (move("a", 1, debit=nobody, flags=T.POST_PENDING), R.PENDING_ID_MUST_NOT_BE_ZERO),
        (
            move("a", 1, debit=nobody, flags=T.POST_PENDING, pending=move("a", 1).id),
            R.PENDING_ID_MUST_BE_DIFFERENT,
        ),
        (move("a", 1, debit=nobody, timeout_s=1), R.TIMEOUT_RESERVED_FOR_PENDING),
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


def test_accounts_of_a_chain_are_opened_together_or_not_at_all(engine: LedgerEngine) -> None:
    first = account(A, flags=AccountFlag.LINKED)
    linked = AccountResult.LINKED_EVENT_FAILED
    assert engine.create_accounts([first, account(B, code=0)]) == [
        linked,
        AccountResult.CODE_MUST_NOT_BE_ZERO,
    ]
    assert engine.create_accounts([first]) == [AccountResult.LINKED_EVENT_CHAIN_OPEN]
    assert engine.accounts() == []
    assert engine.create_accounts([first, account(B)]) == [AccountResult.CREATED] * 2
    assert engine.create_accounts([first, account(B)]) == [AccountResult.EXISTS] * 2
    assert engine.lookup_accounts([B, C, A]) == {B: account(B), A: first}


def test_a_balancing_transfer_moves_what_is_left_and_no_more(ledger: LedgerEngine) -> None:
    ledger.create_transfers([move("fill", 100, debit=B, credit=A), move("hold", 30, flags=T.PENDING)])
    sweep = move("sweep", MAX_MINOR, credit=C, flags=T.BALANCING_DEBIT)
    assert ledger.create_transfers([sweep, move("none", 5, flags=T.BALANCING_DEBIT)]) == [R.CREATED] * 2
    assert ledger.lookup([sweep.id])[sweep.id] == replace(sweep, amount=70)
    assert ledger.balances([A, C]) == {
        A: Balance(debits_pending=30, debits_posted=70, credits_posted=100), C: Balance(credits_posted=70),
    }  # fmt: skip
    again = [sweep, replace(sweep, amount=70), replace(sweep, amount=69)]
    assert ledger.create_transfers(again) == [R.EXISTS, R.EXISTS, R.EXISTS_WITH_DIFFERENT_AMOUNT]
    back = move("back", 1_000, debit=OTHER, credit=C, flags=T.BALANCING_CREDIT | T.PENDING)
    assert ledger.create_transfers([back]) == [R.LEDGERS_MUST_BE_THE_SAME]
    part = move("part", 40, debit=A, credit=B, flags=T.BALANCING_CREDIT | T.PENDING)
    assert ledger.create_transfers([part]) == [R.CREATED]
    assert ledger.lookup([part.id])[part.id].amount == 40


def test_a_pending_transfer_expires_by_business_time(ledger: LedgerEngine) -> None:
    second = 1_000_000
    soon = move("soon", 10, flags=T.PENDING, at=5, timeout_s=2)
    later = move("later", 20, flags=T.PENDING, at=5, timeout_s=3)
    posted = move("posted", 40, flags=T.PENDING, at=5, timeout_s=1)
    never = move("never", 80, flags=T.PENDING)
    post = move("post", 40, flags=T.POST_PENDING, pending=posted.id, at=6)
    assert ledger.create_transfers([soon, later, posted, never, post]) == [R.CREATED] * 5
    assert ledger.expire(2 * second + 4) == []
    assert ledger.balances([A])[A] == Balance(debits_pending=110, debits_posted=40)
    too_late = move("late", 10, flags=T.POST_PENDING, pending=soon.id, at=2 * second + 5)
    assert ledger.create_transfers([too_late]) == [R.PENDING_TRANSFER_EXPIRED]
    assert ledger.expire(9 * second) == [soon.id, later.id]
    assert ledger.expire(9 * second) == []
    assert ledger.balances([A, B]) == {
        A: Balance(debits_pending=80, debits_posted=40), B: Balance(credits_pending=80, credits_posted=40),
    }  # fmt: skip
    in_time = move("late", 20, flags=T.VOID_PENDING, pending=later.id, at=6)
    assert ledger.create_transfers([in_time, soon]) == [R.PENDING_TRANSFER_EXPIRED, R.EXISTS]
    assert ledger.create_transfers([move("far", 1, flags=T.PENDING, at=MAX_MINOR, timeout_s=1)]) == [
        R.OVERFLOWS_TIMEOUT
    ]


def test_an_account_with_history_keeps_its_balances(engine: LedgerEngine) -> None:
    engine.create_accounts([account(A, flags=AccountFlag.HISTORY), account(B)])
    first, held = move("1", 5), move("2", 7, flags=T.PENDING, timeout_s=1)
    engine.create_transfers([first, held])
    engine.create_transfers([first, move("x", 1, credit=OTHER), move("3", 2, debit=B, credit=A)])
    engine.create_transfers([move("4", 1, flags=T.LINKED), move("5", 1, credit=OTHER)])
    assert engine.expire(2_000_000) == [held.id]
    assert engine.past_balances(A) == [
        PastBalance(event=first.id, balance=Balance(debits_posted=5)),
        PastBalance(event=held.id, balance=Balance(debits_posted=5, debits_pending=7)),
        PastBalance(
            event=move("3", 2).id, balance=Balance(debits_posted=5, debits_pending=7, credits_posted=2)
        ),
        PastBalance(event=held.id, balance=Balance(debits_posted=5, credits_posted=2)),
    ]
    assert engine.past_balances(B) == []


def test_a_call_takes_a_full_batch_and_not_one_more(ledger: LedgerEngine) -> None:
    many = [move(f"m{n}", 1) for n in range(MAX_BATCH + 1)]
    with pytest.raises(Usage, match="8191 events"):
        ledger.create_transfers(many)
    assert ledger.balances([A])[A] == Balance()
    assert set(ledger.create_transfers(many[:-1])) == {R.CREATED}
    assert ledger.create_transfers(many[1:]) == [R.EXISTS] * (MAX_BATCH - 1) + [R.CREATED]
    assert ledger.balances([A, B]) == {
        A: Balance(debits_posted=MAX_BATCH + 1), B: Balance(credits_posted=MAX_BATCH + 1),
    }  # fmt: skip
    assert ledger.history(B) == many


def test_the_sum_of_a_call_that_overflows_stops_at_the_transfer_that_does(ledger: LedgerEngine) -> None:
    half = MAX_MINOR // 2
    assert ledger.create_transfers([move("1", half)]) == [R.CREATED]
    assert ledger.create_transfers([move("2", half), move("3", 2), move("4", 1)]) == [
        R.CREATED, R.OVERFLOWS_BALANCE, R.CREATED,
    ]  # fmt: skip
    assert ledger.balances([B])[B] == Balance(credits_posted=MAX_MINOR)


def test_a_call_of_simple_transfers_is_refused_where_one_of_them_is_wrong(engine: LedgerEngine) -> None:
    """What engines add up at once must not hide a fault: a wrong ledger, a limit, an id that comes twice."""
    limit = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    engine.create_accounts([account(A, flags=limit), account(B, flags=limit), account(C), account(OTHER)])
    assert engine.create_transfers([move("1", 1, ledger=0), move("2", 1)]) == [
        R.LEDGER_MUST_NOT_BE_ZERO, R.EXCEEDS_CREDITS,
    ]  # fmt: skip
    good = [move(f"{n}", n, debit=C, credit=OTHER) for n in range(3, 9)]
    assert engine.create_transfers(good) == [R.CREATED] * 6
    absent = move("9", 1, debit=C, credit=make_id("account", "absent"))
    same = move("10", 1, debit=C, credit=C)
    twice = replace(good[0], id=make_id("transfer", "11"))
    call = [twice, absent, twice, same, good[5], replace(good[0], amount=1)]
    assert engine.create_transfers(call) == [
        R.CREATED, R.CREDIT_ACCOUNT_NOT_FOUND, R.EXISTS, R.ACCOUNTS_MUST_BE_DIFFERENT, R.EXISTS,
        R.EXISTS_WITH_DIFFERENT_AMOUNT,
    ]  # fmt: skip
    assert engine.create_transfers([twice, twice]) == [R.EXISTS] * 2
    moved = sum(t.amount for t in [*good, twice])
    assert engine.balances([C, OTHER]) == {
        C: Balance(debits_posted=moved), OTHER: Balance(credits_posted=moved),
    }  # fmt: skip
    assert engine.history(C) == [*good, twice]


def test_calls_are_cut_between_chains() -> None:
    linked = [move(f"{n}", 1, flags=T.LINKED if n % 3 else T.NONE) for n in range(10)]  # 0, 123, 456, 789..
    assert [len(call) for call in batches(linked, 4)] == [4, 3, 3]
    assert [t for call in batches(linked, 4) for t in call] == linked
    assert batches([], 4) == []
    with pytest.raises(Usage, match="a chain of 3"):
        batches(linked, 2)


def test_a_salted_engine_is_an_empty_one_for_each_salt() -> None:
    """What lets the contract share one TigerBeetle server holds on the reference too."""
    shared = MemoryLedger()
    for salt in (b"s" * 16, b"t" * 16):
        engine = Salted(shared, salt)
        assert engine.create_accounts([account(A), account(B)]) == [AccountResult.CREATED] * 2
        transfer = move("x", 100)
        assert engine.create_transfers([transfer]) == [R.CREATED]
        assert engine.accounts() == sorted([account(A), account(B)], key=lambda a: a.id)
        assert engine.history(A) == [transfer]
        assert engine.lookup([transfer.id]) == {transfer.id: transfer}
        assert engine.balances([B]) == {B: Balance(credits_posted=100)}
