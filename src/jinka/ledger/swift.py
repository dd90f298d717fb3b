"""The rules of `jinka.ledger.memory` once more, for engines that load what a request touches: fast, and less to read.

A balance is a list of integers that is changed in place, flags are plain integers, and a chain that fails is undone
move by move. Whatever is wrong with a request is named by `jinka.ledger.judge`. No I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jinka.kit import MAX_MINOR
from jinka.ledger.judge import failed_chain, judge_again, judge_form, judge_id, judge_pending
from jinka.ledger.model import (
    RESERVED_IDS,
    AccountFlag,
    PendingState,
    Transfer,
    TransferFlag,
    TransferResult,
)

# Where an account's list holds what; the four sums stand in the order of `Balance`.
_LEDGER, _FLAGS, _DEBITS_PENDING, _DEBITS_POSTED, _CREDITS_PENDING, _CREDITS_POSTED = range(6)
_NO_DEBT = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
_NO_CLAIM = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
_HISTORY = int(AccountFlag.HISTORY)
_SPECIAL = _NO_DEBT | _NO_CLAIM | _HISTORY
_LINKED, _PENDING = int(TransferFlag.LINKED), int(TransferFlag.PENDING)
_POST, _VOID = int(TransferFlag.POST_PENDING), int(TransferFlag.VOID_PENDING)
_BALANCING_DEBIT, _BALANCING_CREDIT = int(TransferFlag.BALANCING_DEBIT), int(TransferFlag.BALANCING_CREDIT)
_BALANCING = _BALANCING_DEBIT | _BALANCING_CREDIT
_RESOLVE, _PHASE = _POST | _VOID, _PENDING | _POST | _VOID
_NONE, _ZERO = TransferFlag.NONE, bytes(16)
_T = TransferResult

_RESERVED_SET = frozenset(RESERVED_IDS)

Sums = tuple[int, int, int, int]
Indexes = npt.NDArray[np.intp]
Amounts = npt.NDArray[np.int64]
Columns = dict[str, list[Any]]  # by the fields of `Transfer`, in their order in an engine's row


def is_plain(flags: int) -> bool:
    """Whether an account has no limit and keeps no history, so that its balance may be added to unseen."""
    return not flags & _SPECIAL


def keeps_history(flags: int) -> bool:
    return bool(flags & _HISTORY)


def columns_of(transfers: Sequence[Transfer]) -> Columns:
    """What transfers say, by field."""
    return {
        "id": [t.id for t in transfers],
        "debit_account": [t.debit_account for t in transfers],
        "credit_account": [t.credit_account for t in transfers],
        "amount": [t.amount for t in transfers],
        "ledger": [t.ledger for t in transfers],
        "code": [t.code for t in transfers],
        "flags": [t.flags for t in transfers],
        "pending_id": [t.pending_id for t in transfers],
        "user_data": [t.user_data for t in transfers],
        "timestamp": [t.timestamp for t in transfers],
        "timeout_s": [t.timeout_s for t in transfers],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCall:
    """Transfers without any condition, added up: the accounts that they meet, and each side's sum of each account."""

    accounts: list[bytes]
    debit: Indexes  # of each transfer, the place in ``accounts``
    credit: Indexes
    debits: Amounts  # of each account
    credits: Amounts


def plain_call(columns: Columns, ledgers: Callable[[Sequence[bytes]], list[int]]) -> PlainCall | None:
    """Add up transfers, at least one; None if one of them is not as simple as that, or the sums may be too large.

    ``ledgers`` tells the ledger of each account that is plain, and 0 for others. The caller still owes that the ids are
    new and that no balance overflows; if the sum of all does not, none between did.
    """
    amounts = columns["amount"]
    count = len(amounts)
    if (
        columns["flags"].count(_NONE) != count
        or columns["pending_id"].count(_ZERO) != count
        or columns["timeout_s"].count(0) != count
        or 0 in columns["code"]
        or max(amounts) > MAX_MINOR // count
        or not _RESERVED_SET.isdisjoint(columns["id"])
    ):
        return None
    accounts, debit, credit = places(columns)
    of_account = np.array(ledgers(accounts), dtype=np.int64)
    of_transfer = np.array(columns["ledger"], dtype=np.int64)
    if (
        not of_account.all()
        or (of_account[debit] != of_transfer).any()
        or (of_account[credit] != of_transfer).any()
        or (debit == credit).any()
    ):
        return None
    moved = np.array(amounts, dtype=np.int64)
    debits, credits_ = (np.zeros(len(accounts), dtype=np.int64) for _ in range(2))
    np.add.at(debits, debit, moved)
    np.add.at(credits_, credit, moved)
    return PlainCall(accounts=accounts, debit=debit, credit=credit, debits=debits, credits=credits_)


def places(columns: Columns) -> tuple[list[bytes], Indexes, Indexes]:
    """The accounts that transfers name, and for each transfer where its debit and its credit account stand there."""
    debits, credits_ = columns["debit_account"], columns["credit_account"]
    accounts = list(dict.fromkeys(debits + credits_))
    place = dict(zip(accounts, range(len(accounts)), strict=True)).__getitem__
    count = len(debits)
    return (
        accounts,
        np.fromiter(map(place, debits), dtype=np.intp, count=count),
        np.fromiter(map(place, credits_), dtype=np.intp, count=count),
    )


class SwiftState:
    """What one call touches: give it what is stored, run the call, and store `fresh`, `pendings`, `past`, `added`."""

    def __init__(self) -> None:
        self._accounts: dict[bytes, list[int]] = {}
        self._before: dict[bytes, Sequence[int]] = {}
        self._transfers: dict[bytes, Transfer] = {}
        self.fresh: list[Transfer] = []
        self.pendings: dict[bytes, PendingState] = {}  # all that are known, as they are now
        self.past: list[tuple[bytes, bytes, Sums]] = []  # account, event, balance then

    def know_account(self, id_: bytes, ledger: int, flags: int, sums: Sequence[int]) -> None:
        """``sums`` in the order of `jinka.ledger.Balance`."""
        self._accounts[id_] = [ledger, flags, *sums]
        self._before[id_] = sums

    def know_transfer(self, transfer: Transfer) -> None:
        self._transfers[transfer.id] = transfer

    def know_pending(self, id_: bytes, state: PendingState) -> None:
        self.pendings[id_] = state

    def added(self) -> dict[bytes, Sums]:
        """What the call added to the sums of each account that it changed."""
        changed = {}
        for id_, (_, _, a, b, c, d) in self._accounts.items():
            old_a, old_b, old_c, old_d = self._before[id_]
            if a != old_a or b != old_b or c != old_c or d != old_d:
                changed[id_] = (a - old_a, b - old_b, c - old_c, d - old_d)
        return changed

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Run the requests in order; a chain that fails is undone as a whole."""
        results: list[TransferResult] = []
        chain_end = 0
        for n, new in enumerate(transfers):
            if n < chain_end:
                continue
            if not int(new.flags) & _LINKED:
                results.append(self._step(new))
                continue
            last = n
            while last < len(transfers) and int(transfers[last].flags) & _LINKED:
                last += 1
            chain_end = last + 1
            chain = transfers[n:chain_end]
            if last == len(transfers):
                results += [_T.LINKED_EVENT_FAILED] * (len(chain) - 1) + [_T.LINKED_EVENT_CHAIN_OPEN]
            else:
                results += self._chain(chain)
        return results

    def _chain(self, chain: Sequence[Transfer]) -> list[TransferResult]:
        fresh, past = len(self.fresh), len(self.past)
        for n, new in enumerate(chain):
            result = self._step(new)
            if result is not _T.CREATED:
                for done in reversed(self.fresh[fresh:]):
                    del self._transfers[done.id]
                    self._move(done, -1)
                del self.fresh[fresh:], self.past[past:]
                return failed_chain(chain, n, result, _T, self._judge)
        return [_T.CREATED] * len(chain)

    def _judge(self, new: Transfer) -> TransferResult:
        """The answer to a link of a chain that may exist as a whole; nothing else is asked here."""
        old = self._transfers.get(new.id)
        return judge_id(new) or (_T.LINKED_EVENT_FAILED if old is None else judge_again(old, new))

    def _step(self, new: Transfer) -> TransferResult:
        flags, id_, pending_id = int(new.flags), new.id, new.pending_id
        phase = flags & _PHASE
        resolves = phase & _RESOLVE
        if (
            id_ in RESERVED_IDS
            or phase not in (0, _PENDING, _POST, _VOID)
            or (resolves and flags & _BALANCING)
        ):
            return judge_id(new) or _T.FLAGS_MUTUALLY_EXCLUSIVE
        if (old := self._transfers.get(id_)) is not None:
            return judge_again(old, new)
        if resolves or new.timeout_s or not new.ledger or not new.code or pending_id != _ZERO:
            if (refused := judge_form(new)) is not None:
                return refused
        elif new.debit_account == new.credit_account:
            return _T.ACCOUNTS_MUST_BE_DIFFERENT
        debit, credit = self._accounts.get(new.debit_account), self._accounts.get(new.credit_account)
        if debit is None:
            return _T.DEBIT_ACCOUNT_NOT_FOUND
        if credit is None:
            return _T.CREDIT_ACCOUNT_NOT_FOUND
        if not debit[_LEDGER] == credit[_LEDGER] == new.ledger:
            return _T.LEDGERS_MUST_BE_THE_SAME
        if resolves:
            refused = judge_pending(new, self._transfers.get(pending_id), self.pendings.get(pending_id))
        else:
            if flags & _BALANCING:
                new = _balanced(new, flags, debit, credit)
            refused = _judge_limits(new, debit, credit)
        if refused is not None:
            return refused
        self._transfers[id_] = new
        self.fresh.append(new)
        self._move(new, 1)
        if (debit[_FLAGS] | credit[_FLAGS]) & _HISTORY:
            self._remember(id_, new)
        return _T.CREATED

    def _move(self, new: Transfer, sign: int) -> None:
        """Change balances and pending states by a transfer (``sign`` 1), or take it back (-1)."""
        flags, amount = int(new.flags), new.amount * sign
        debit, credit = self._accounts[new.debit_account], self._accounts[new.credit_account]
        if flags & _PENDING:
            debit[_DEBITS_PENDING] += amount
            credit[_CREDITS_PENDING] += amount
            if sign > 0:
                self.pendings[new.id] = PendingState.OPEN
            else:
                del self.pendings[new.id]
            return
        if flags & _RESOLVE:
            held = self._transfers[new.pending_id].amount * sign
            debit[_DEBITS_PENDING] -= held
            credit[_CREDITS_PENDING] -= held
            done = PendingState.POSTED if flags & _POST else PendingState.VOIDED
            self.pendings[new.pending_id] = done if sign > 0 else PendingState.OPEN
        if not flags & _VOID:
            debit[_DEBITS_POSTED] += amount
            credit[_CREDITS_POSTED] += amount

    def _remember(self, event: bytes, transfer: Transfer) -> None:
        for id_ in (transfer.debit_account, transfer.credit_account):
            account = self._accounts[id_]
            if account[_FLAGS] & _HISTORY:
                self.past.append((id_, event, (account[2], account[3], account[4], account[5])))

    def expire(self, ids: Sequence[bytes]) -> None:
        """Release pending transfers that are open."""
        for id_ in ids:
            held = self._transfers[id_]
            self._accounts[held.debit_account][_DEBITS_PENDING] -= held.amount
            self._accounts[held.credit_account][_CREDITS_PENDING] -= held.amount
            self.pendings[id_] = PendingState.EXPIRED
            self._remember(id_, held)


def _balanced(new: Transfer, flags: int, debit: list[int], credit: list[int]) -> Transfer:
    amount = new.amount
    if flags & _BALANCING_DEBIT:
        left = debit[_CREDITS_POSTED] - debit[_DEBITS_POSTED] - debit[_DEBITS_PENDING]
        amount = min(amount, max(left, 0))
    if flags & _BALANCING_CREDIT:
        left = credit[_DEBITS_POSTED] - credit[_CREDITS_POSTED] - credit[_CREDITS_PENDING]
        amount = min(amount, max(left, 0))
    return new if amount == new.amount else replace(new, amount=amount)


def _judge_limits(new: Transfer, debit: list[int], credit: list[int]) -> TransferResult | None:
    debits = debit[_DEBITS_PENDING] + debit[_DEBITS_POSTED] + new.amount
    credits_ = credit[_CREDITS_PENDING] + credit[_CREDITS_POSTED] + new.amount
    if debits > MAX_MINOR or credits_ > MAX_MINOR:
        return _T.OVERFLOWS_BALANCE
    if new.timeout_s and new.expires_at > MAX_MINOR:
        return _T.OVERFLOWS_TIMEOUT
    if debit[_FLAGS] & _NO_DEBT and debits > debit[_CREDITS_POSTED]:
        return _T.EXCEEDS_CREDITS
    if credit[_FLAGS] & _NO_CLAIM and credits_ > credit[_DEBITS_POSTED]:
        return _T.EXCEEDS_DEBITS
    return None
