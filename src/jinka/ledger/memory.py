"""The rules of the ledger over plain dictionaries: the reference that every engine must equal.

Engines that keep their state elsewhere load what a request touches into a `LedgerState`, run the same rules, and
store what changed. No I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jinka.kit import MAX_MINOR
from jinka.ledger.model import (
    RESERVED_IDS,
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    Transfer,
    TransferFlag,
    TransferResult,
)

_TWO_PHASE = TransferFlag.PENDING | TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING
_RESOLVE = TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING
_A, _T = AccountResult, TransferResult

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
    ("debit_account", _T.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT),
    ("credit_account", _T.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT),
    ("amount", _T.EXISTS_WITH_DIFFERENT_AMOUNT),
    ("user_data", _T.EXISTS_WITH_DIFFERENT_USER_DATA),
    ("ledger", _T.EXISTS_WITH_DIFFERENT_LEDGER),
    ("code", _T.EXISTS_WITH_DIFFERENT_CODE),
    ("timestamp", _T.EXISTS_WITH_DIFFERENT_TIMESTAMP),
)


@dataclass(slots=True)
class LedgerState:
    """The part of a ledger that a request touches. ``resolved``: pending id to the flag that resolved it."""

    accounts: dict[bytes, Account] = field(default_factory=dict)
    balances: dict[bytes, Balance] = field(default_factory=dict)
    transfers: dict[bytes, Transfer] = field(default_factory=dict)
    resolved: dict[bytes, TransferFlag] = field(default_factory=dict)

    def create_account(self, account: Account) -> AccountResult:
        result = self._judge_account(account)
        if result is _A.CREATED:
            self.accounts[account.id] = account
            self.balances[account.id] = Balance()
        return result

    def _judge_account(self, account: Account) -> AccountResult:
        if account.id in RESERVED_IDS:
            return _A.ID_RESERVED
        if (
            account.flags
            == AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS | AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
        ):
            return _A.FLAGS_MUTUALLY_EXCLUSIVE
        if (old := self.accounts.get(account.id)) is not None:
            return next(
                (r for name, r in _ACCOUNT_FIELDS if getattr(old, name) != getattr(account, name)), _A.EXISTS
            )
        if not account.ledger:
            return _A.LEDGER_MUST_NOT_BE_ZERO
        return _A.CREATED if account.code else _A.CODE_MUST_NOT_BE_ZERO

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Run the requests in order; a chain that fails is undone as a whole."""
        results: list[TransferResult] = []
        start = 0
        while start < len(transfers):
            end = start
            while end < len(transfers) and transfers[end].flags & TransferFlag.LINKED:
                end += 1
            is_open = end == len(transfers)
            results += self._run_chain(transfers[start : end + 1], is_open=is_open)
            start = end + 1
        return results

    def _run_chain(self, chain: Sequence[Transfer], *, is_open: bool) -> list[TransferResult]:
        if is_open:
            return [_T.LINKED_EVENT_FAILED] * (len(chain) - 1) + [_T.LINKED_EVENT_CHAIN_OPEN]
        undo: list[tuple[Transfer, dict[bytes, Balance]]] = []
        for n, transfer in enumerate(chain):
            result = self._judge(transfer)
            if result is _T.CREATED:
                touched = (transfer.debit_account, transfer.credit_account)
                undo.append((transfer, {id_: self.balances[id_] for id_ in touched}))
                self._apply(transfer)
            elif len(chain) > 1:
                self._undo(undo)
                failed = [_T.LINKED_EVENT_FAILED] * len(chain)
                failed[n] = result
                # A chain that was created before as a whole exists, as each of its links does.
                if result is _T.EXISTS and n == 0:
                    again = [self._judge(link) for link in chain]
                    return again if set(again) == {_T.EXISTS} else failed
                return failed
            else:
                return [result]
        return [_T.CREATED] * len(chain)

    def _undo(self, done: Sequence[tuple[Transfer, dict[bytes, Balance]]]) -> None:
        for transfer, before in reversed(done):
            del self.transfers[transfer.id]
            self.balances.update(before)
            if transfer.flags & _RESOLVE:
                del self.resolved[transfer.pending_id]

    def _judge(self, new: Transfer) -> TransferResult:
        if new.id in RESERVED_IDS:
            return _T.ID_RESERVED
        phase = new.flags & _TWO_PHASE
        if phase not in (0, TransferFlag.PENDING, TransferFlag.POST_PENDING, TransferFlag.VOID_PENDING):
            return _T.FLAGS_MUTUALLY_EXCLUSIVE
        if (old := self.transfers.get(new.id)) is not None:
            return next(
                (r for name, r in _TRANSFER_FIELDS if getattr(old, name) != getattr(new, name)), _T.EXISTS
            )
        if not new.ledger:
            return _T.LEDGER_MUST_NOT_BE_ZERO
        if not new.code:
            return _T.CODE_MUST_NOT_BE_ZERO
        if new.debit_account == new.credit_account:
            return _T.ACCOUNTS_MUST_BE_DIFFERENT
        resolves = bool(phase & _RESOLVE)
        if not resolves and new.pending_id != bytes(16):
            return _T.PENDING_ID_MUST_BE_ZERO
        if resolves and new.pending_id in RESERVED_IDS:
            return _T.PENDING_ID_MUST_NOT_BE_ZERO
        debit, credit = self.accounts.get(new.debit_account), self.accounts.get(new.credit_account)
        if debit is None:
            return _T.DEBIT_ACCOUNT_NOT_FOUND
        if credit is None:
            return _T.CREDIT_ACCOUNT_NOT_FOUND
        if not debit.ledger == credit.ledger == new.ledger:
            return _T.LEDGERS_MUST_BE_THE_SAME
        if resolves and (refused := self._judge_resolution(new)) is not None:
            return refused
        return self._judge_limits(new, debit, credit)

    def _judge_resolution(self, new: Transfer) -> TransferResult | None:
        pending = self.transfers.get(new.pending_id)
        if pending is None:
            return _T.PENDING_TRANSFER_NOT_FOUND
        if not pending.flags & TransferFlag.PENDING:
            return _T.PENDING_TRANSFER_NOT_PENDING
        if (pending.debit_account, pending.credit_account) != (new.debit_account, new.credit_account):
            return _T.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS
        if pending.code != new.code:
            return _T.PENDING_TRANSFER_HAS_DIFFERENT_CODE
        if new.amount > pending.amount:
            return _T.EXCEEDS_PENDING_TRANSFER_AMOUNT
        if new.flags & TransferFlag.VOID_PENDING and new.amount != pending.amount:
            return _T.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
        how = self.resolved.get(new.pending_id)
        if how is None:
            return None
        posted = how & TransferFlag.POST_PENDING
        return _T.PENDING_TRANSFER_ALREADY_POSTED if posted else _T.PENDING_TRANSFER_ALREADY_VOIDED

    def _judge_limits(self, new: Transfer, debit: Account, credit: Account) -> TransferResult:
        if new.flags & TransferFlag.VOID_PENDING:
            return _T.CREATED
        after_debit, after_credit = self._after(new)
        sums = (
            after_debit.debits_pending + after_debit.debits_posted,
            after_credit.credits_pending + after_credit.credits_posted,
        )
        if max(sums) > MAX_MINOR:
            return _T.OVERFLOWS_BALANCE
        limited = debit.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        if limited and sums[0] > after_debit.credits_posted:
            return _T.EXCEEDS_CREDITS
        limited_credit = credit.flags & AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
        if limited_credit and sums[1] > after_credit.debits_posted:
            return _T.EXCEEDS_DEBITS
        return _T.CREATED

    def _after(self, new: Transfer) -> tuple[Balance, Balance]:
        """The balances of the debit and the credit account after the transfer."""
        debit, credit = self.balances[new.debit_account], self.balances[new.credit_account]
        pending = posted = 0
        if new.flags & TransferFlag.PENDING:
            pending = new.amount
        elif new.flags & TransferFlag.VOID_PENDING:
            pending = -new.amount
        else:
            posted = new.amount
            if new.flags & TransferFlag.POST_PENDING:
                pending = -self.transfers[new.pending_id].amount
        return (
            replace(
                debit,
                debits_pending=debit.debits_pending + pending,
                debits_posted=debit.debits_posted + posted,
            ),
            replace(
                credit,
                credits_pending=credit.credits_pending + pending,
                credits_posted=credit.credits_posted + posted,
            ),
        )

    def _apply(self, new: Transfer) -> None:
        self.balances[new.debit_account], self.balances[new.credit_account] = self._after(new)
        self.transfers[new.id] = new
        if new.flags & _RESOLVE:
            self.resolved[new.pending_id] = new.flags & _RESOLVE


class MemoryLedger:
    """The reference engine: everything in one `LedgerState`."""

    def __init__(self) -> None:
        self._state = LedgerState()

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        return [self._state.create_account(account) for account in accounts]

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        return self._state.create_transfers(transfers)

    def accounts(self) -> list[Account]:
        return [account for _, account in sorted(self._state.accounts.items())]

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        return {id_: self._state.balances[id_] for id_ in ids if id_ in self._state.balances}

    def lookup(self, ids: Sequence[bytes]) -> dict[bytes, Transfer]:
        return {id_: self._state.transfers[id_] for id_ in ids if id_ in self._state.transfers}

    def history(self, account: bytes) -> list[Transfer]:
        return [
            transfer
            for transfer in self._state.transfers.values()
            if account in (transfer.debit_account, transfer.credit_account)
        ]
