"""The single judgements of the ledger, without a ledger: what is wrong with a request beside what it meets.

Every engine asks these. Balances and limits are the state's business (`jinka.ledger.memory`, `jinka.ledger.swift`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from jinka.kit import Usage
from jinka.ledger.model import (
    MAX_BATCH,
    RESERVED_IDS,
    Account,
    AccountFlag,
    AccountResult,
    PendingState,
    Transfer,
    TransferFlag,
    TransferResult,
)

# As plain integers, which are far quicker to ask than flags.
_PENDING, _VOID = int(TransferFlag.PENDING), int(TransferFlag.VOID_PENDING)
_RESOLVE = int(TransferFlag.POST_PENDING) | _VOID
_BALANCING = TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT
_LIMITS = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
_A, _T = AccountResult, TransferResult
_Event = TypeVar("_Event", Account, Transfer)
_Result = TypeVar("_Result", AccountResult, TransferResult)

# (field, result) in the order of precedence, for a request whose id exists already.
_ACCOUNT_FIELDS = (
    ("flags", _A.EXISTS_WITH_DIFFERENT_FLAGS),
    ("user_data", _A.EXISTS_WITH_DIFFERENT_USER_DATA),
    ("ledger", _A.EXISTS_WITH_DIFFERENT_LEDGER),
    ("code", _A.EXISTS_WITH_DIFFERENT_CODE),
)
_TRANSFER_FIELDS = (
    ("flags", _T.EXISTS_WITH_DIFFERENT_FLAGS),
    ("pending_id", _T.EXISTS_WITH_DIFFERENT_PENDING_ID),
    ("timeout_s", _T.EXISTS_WITH_DIFFERENT_TIMEOUT),
    ("debit_account", _T.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
    ("credit_account", _T.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
    ("amount", _T.EXISTS_WITH_DIFFERENT_AMOUNT),
    ("user_data", _T.EXISTS_WITH_DIFFERENT_USER_DATA),
    ("ledger", _T.EXISTS_WITH_DIFFERENT_LEDGER),
    ("code", _T.EXISTS_WITH_DIFFERENT_CODE),
    ("timestamp", _T.EXISTS_WITH_DIFFERENT_TIMESTAMP),
)


def check_batch(events: Sequence[object]) -> None:
    """Raise `Usage` when a call holds more events than an engine takes."""
    if len(events) > MAX_BATCH:
        raise Usage(
            f"{len(events)} events in one call", where="ledger", fix=f"at most {MAX_BATCH}: see batches()"
        )


def batches(events: Sequence[_Event], most: int = MAX_BATCH) -> list[Sequence[_Event]]:
    """Cut events into calls of at most ``most`` that break no chain. Raises `Usage` for a chain that is longer."""
    calls: list[Sequence[_Event]] = []
    start = end = 0  # the call that grows; where its last whole chain ends
    for n, event in enumerate(events, 1):
        if is_linked(event) and n < len(events):
            continue
        if n - start > most:
            calls.append(events[start:end])
            start = end
        if n - start > most:
            raise Usage(f"a chain of {n - start} events", where="ledger", fix=f"at most {most}")
        end = n
    if start < len(events):
        calls.append(events[start:])
    return calls


def judge_again(old: Transfer, new: Transfer) -> TransferResult:
    """The answer to a request whose id exists: EXISTS, or what differs from the stored transfer first."""
    for name, result in _TRANSFER_FIELDS:
        was, asked = getattr(old, name), getattr(new, name)
        if name == "amount" and new.flags & _BALANCING and asked >= was:
            continue  # the stored amount is what was moved, the asked one a limit
        if was != asked:
            return result
    return _T.EXISTS


def judge_form(new: Transfer) -> TransferResult | None:
    """What is wrong with a transfer by itself, when its id is new."""
    if not new.ledger:
        return _T.LEDGER_MUST_NOT_BE_ZERO
    if not new.code:
        return _T.CODE_MUST_NOT_BE_ZERO
    if new.debit_account == new.credit_account:
        return _T.ACCOUNTS_MUST_BE_DIFFERENT
    resolves = bool(int(new.flags) & _RESOLVE)
    if not resolves and new.pending_id != bytes(16):
        return _T.PENDING_ID_MUST_BE_ZERO
    if resolves and new.pending_id in RESERVED_IDS:
        return _T.PENDING_ID_MUST_NOT_BE_ZERO
    if resolves and new.pending_id == new.id:
        return _T.PENDING_ID_MUST_BE_DIFFERENT
    if new.timeout_s and not int(new.flags) & _PENDING:
        return _T.TIMEOUT_RESERVED_FOR_PENDING
    return None


def judge_account(old: Account | None, new: Account) -> AccountResult:
    """The answer to opening ``new``, when ``old`` has its id already."""
    if new.id in RESERVED_IDS:
        return _A.ID_RESERVED
    if new.flags & _LIMITS == _LIMITS:
        return _A.FLAGS_MUTUALLY_EXCLUSIVE
    if old is not None:
        return next((r for name, r in _ACCOUNT_FIELDS if getattr(old, name) != getattr(new, name)), _A.EXISTS)
    if not new.ledger:
        return _A.LEDGER_MUST_NOT_BE_ZERO
    return _A.CREATED if new.code else _A.CODE_MUST_NOT_BE_ZERO


def judge_id(new: Transfer) -> TransferResult | None:
    """What is wrong with a transfer before its id is looked up."""
    if new.id in RESERVED_IDS:
        return _T.ID_RESERVED
    phase = int(new.flags) & (_PENDING | _RESOLVE)
    exclusive = phase in (0, TransferFlag.PENDING) or (
        phase in (TransferFlag.POST_PENDING, TransferFlag.VOID_PENDING) and not new.flags & _BALANCING
    )
    return None if exclusive else _T.FLAGS_MUTUALLY_EXCLUSIVE


def judge_pending(
    new: Transfer, pending: Transfer | None, state: PendingState | None
) -> TransferResult | None:
    """What is wrong with posting or voiding ``pending``, whose state is ``state``."""
    if pending is None:
        return _T.PENDING_TRANSFER_NOT_FOUND
    if not int(pending.flags) & _PENDING:
        return _T.PENDING_TRANSFER_NOT_PENDING
    if (pending.debit_account, pending.credit_account) != (new.debit_account, new.credit_account):
        return _T.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS
    if pending.code != new.code:
        return _T.PENDING_TRANSFER_HAS_DIFFERENT_CODE
    if new.amount > pending.amount:
        return _T.EXCEEDS_PENDING_TRANSFER_AMOUNT
    if int(new.flags) & _VOID and new.amount != pending.amount:
        return _T.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    if state is PendingState.POSTED:
        return _T.PENDING_TRANSFER_ALREADY_POSTED
    if state is PendingState.VOIDED:
        return _T.PENDING_TRANSFER_ALREADY_VOIDED
    if state is PendingState.EXPIRED or 0 < pending.expires_at <= new.timestamp:
        return _T.PENDING_TRANSFER_EXPIRED
    return None


def run_chains(
    events: Sequence[_Event],
    results: type[_Result],
    apply: Callable[[_Event], _Result],
    undo: Callable[[_Event], None],
    judge: Callable[[_Event], _Result],
) -> list[_Result]:
    """Apply events in order, chain by chain; what a chain applied is undone when one of it fails."""
    answers: list[_Result] = []
    start = 0
    while start < len(events):
        end = start
        while end < len(events) and is_linked(events[end]):
            end += 1
        chain = events[start : end + 1]
        start = end + 1
        if end == len(events):
            answers += [results["LINKED_EVENT_FAILED"]] * (len(chain) - 1)
            answers.append(results["LINKED_EVENT_CHAIN_OPEN"])
            continue
        for n, event in enumerate(chain):
            answer = apply(event)
            if answer.name != "CREATED":
                for done in reversed(chain[:n]):
                    undo(done)
                answers += failed_chain(chain, n, answer, results, judge)
                break
        else:
            answers += [results["CREATED"]] * len(chain)
    return answers


def failed_chain(
    chain: Sequence[_Event],
    at: int,
    answer: _Result,
    results: type[_Result],
    judge: Callable[[_Event], _Result],
) -> list[_Result]:
    """The answers to a chain whose event ``at`` was refused; one that was created before as a whole exists."""
    if at == 0 and answer.name == "EXISTS":
        again = [judge(event) for event in chain]
        if set(again) == {answer}:
            return again
    failed = [results["LINKED_EVENT_FAILED"]] * len(chain)
    failed[at] = answer
    return failed


def is_linked(event: Account | Transfer) -> bool:
    """Whether the event is tied to the next one."""
    linked = AccountFlag.LINKED if isinstance(event, Account) else TransferFlag.LINKED
    return bool(event.flags & linked)
