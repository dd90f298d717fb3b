"""The rules of the ledger over plain dictionaries: the reference that every engine must equal, written to be read.

No I/O. `jinka.ledger.swift` has the same rules once more, written to be fast; tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jinka.kit import MAX_MINOR
from jinka.ledger.judge import (
    check_batch,
    judge_account,
    judge_again,
    judge_form,
    judge_id,
    judge_pending,
    run_chains,
)
from jinka.ledger.model import (
    MAX_BATCH,
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    PastBalance,
    PendingState,
    Transfer,
    TransferFlag,
    TransferResult,
)

_RESOLVE = TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING
_BALANCING = TransferFlag.BALANCING_DEBIT | TransferFlag.BALANCING_CREDIT
_T = TransferResult


@dataclass(slots=True)
class LedgerState:
    """A ledger, or the part of one that a request touches."""

    accounts: dict[bytes, Account] = field(default_factory=dict)
    balances: dict[bytes, Balance] = field(default_factory=dict)
    transfers: dict[bytes, Transfer] = field(default_factory=dict)
    pendings: dict[bytes, PendingState] = field(default_factory=dict)
    past: list[tuple[bytes, PastBalance]] = field(default_factory=list)  # account, its balance then

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Open accounts in order; a chain that fails is undone as a whole."""

        def judge(account: Account) -> AccountResult:
            return judge_account(self.accounts.get(account.id), account)

        def apply(account: Account) -> AccountResult:
            if (result := judge(account)) is AccountResult.CREATED:
                self.accounts[account.id] = account
                self.balances[account.id] = Balance()
            return result

        def undo(account: Account) -> None:
            del self.accounts[account.id], self.balances[account.id]

        return run_chains(accounts, AccountResult, apply, undo, judge)

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Run the requests in order; a chain that fails is undone as a whole."""
        before: dict[bytes, tuple[Balance, Balance, int]] = {}

        def apply(new: Transfer) -> TransferResult:
            result = self._judge(new)
            if result is _T.CREATED:
                debit, credit = self.balances[new.debit_account], self.balances[new.credit_account]
                before[new.id] = (debit, credit, len(self.past))
                self._apply(new)
            return result

        def undo(new: Transfer) -> None:
            debit, credit, past = before[new.id]
            self.balances |= {new.debit_account: debit, new.credit_account: credit}
            del self.transfers[new.id], self.past[past:]
            self.pendings.pop(new.id, None)
            if new.flags & _RESOLVE:
                self.pendings[new.pending_id] = PendingState.OPEN

        return run_chains(transfers, TransferResult, apply, undo, self._judge)

    def _judge(self, new: Transfer) -> TransferResult:
        if (refused := judge_id(new)) is not None:
            return refused
        if (old := self.transfers.get(new.id)) is not None:
            return judge_again(old, new)
        if (refused := judge_form(new)) is not None:
            return refused
        debit, credit = self.accounts.get(new.debit_account), self.accounts.get(new.credit_account)
        if debit is None:
            return _T.DEBIT_ACCOUNT_NOT_FOUND
        if credit is None:
            return _T.CREDIT_ACCOUNT_NOT_FOUND
        if not debit.ledger == credit.ledger == new.ledger:
            return _T.LEDGERS_MUST_BE_THE_SAME
        if new.flags & _RESOLVE:
            pending, state = self.transfers.get(new.pending_id), self.pendings.get(new.pending_id)
            return judge_pending(new, pending, state) or _T.CREATED
        return self._judge_limits(new, debit, credit)

    def _judge_limits(self, new: Transfer, debit: Account, credit: Account) -> TransferResult:
        after_debit, after_credit = self._after(replace(new, amount=self._moved(new)))
        sums = (
            after_debit.debits_pending + after_debit.debits_posted,
            after_credit.credits_pending + after_credit.credits_posted,
        )
        if max(sums) > MAX_MINOR:
            return _T.OVERFLOWS_BALANCE
        if new.expires_at > MAX_MINOR:
            return _T.OVERFLOWS_TIMEOUT
        limited = debit.flags & AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
        if limited and sums[0] > after_debit.credits_posted:
            return _T.EXCEEDS_CREDITS
        limited_credit = credit.flags & AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS
        if limited_credit and sums[1] > after_credit.debits_posted:
            return _T.EXCEEDS_DEBITS
        return _T.CREATED

    def _moved(self, new: Transfer) -> int:
        """What the transfer moves: its amount, or what the accounts leave of it."""
        debit, credit = self.balances[new.debit_account], self.balances[new.credit_account]
        amount = new.amount
        if new.flags & TransferFlag.BALANCING_DEBIT:
            left = debit.credits_posted - debit.debits_posted - debit.debits_pending
            amount = min(amount, max(left, 0))
        if new.flags & TransferFlag.BALANCING_CREDIT:
            left = credit.debits_posted - credit.credits_posted - credit.credits_pending
            amount = min(amount, max(left, 0))
        return amount

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
        if new.flags & _BALANCING:
            new = replace(new, amount=self._moved(new))
        self.balances[new.debit_account], self.balances[new.credit_account] = self._after(new)
        self.transfers[new.id] = new
        self._remember(new.id, new)
        if new.flags & TransferFlag.PENDING:
            self.pendings[new.id] = PendingState.OPEN
        if new.flags & _RESOLVE:
            posted = new.flags & TransferFlag.POST_PENDING
            self.pendings[new.pending_id] = PendingState.POSTED if posted else PendingState.VOIDED

    def _remember(self, event: bytes, transfer: Transfer) -> None:
        for id_ in (transfer.debit_account, transfer.credit_account):
            if self.accounts[id_].flags & AccountFlag.HISTORY:
                self.past.append((id_, PastBalance(event=event, balance=self.balances[id_])))

    def expire(self, ids: Sequence[bytes]) -> None:
        """Release pending transfers that are open."""
        for id_ in ids:
            held = self.transfers[id_]
            debit, credit = self.balances[held.debit_account], self.balances[held.credit_account]
            self.balances[held.debit_account] = replace(
                debit, debits_pending=debit.debits_pending - held.amount
            )
            self.balances[held.credit_account] = replace(
                credit, credits_pending=credit.credits_pending - held.amount
            )
            self.pendings[id_] = PendingState.EXPIRED
            self._remember(id_, held)


class MemoryLedger:
    """The reference engine: everything in one `LedgerState`."""

    def __init__(self) -> None:
        self._state = LedgerState()

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        check_batch(accounts)
        return self._state.create_accounts(accounts)

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        check_batch(transfers)
        return self._state.create_transfers(transfers)

    def expire(self, now_micros: int) -> list[bytes]:
        state = self._state
        due = sorted(
            (state.transfers[id_].expires_at, id_)
            for id_, what in state.pendings.items()
            if what is PendingState.OPEN and 0 < state.transfers[id_].expires_at <= now_micros
        )[:MAX_BATCH]
        state.expire([id_ for _, id_ in due])
        return [id_ for _, id_ in due]

    def accounts(self) -> list[Account]:
        return [account for _, account in sorted(self._state.accounts.items())]

    def lookup_accounts(self, ids: Sequence[bytes]) -> dict[bytes, Account]:
        return {id_: self._state.accounts[id_] for id_ in ids if id_ in self._state.accounts}

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

    def past_balances(self, account: bytes) -> list[PastBalance]:
        return [past for id_, past in self._state.past if id_ == account]
