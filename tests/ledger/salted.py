"""An engine that many tests share, as an empty one for each: every id is mixed with a salt on its way in and out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jinka.ledger import Account, AccountResult, Balance, LedgerEngine, PastBalance, Transfer, TransferResult
from jinka.ledger.model import RESERVED_IDS

# Tests of what TigerBeetle does otherwise: its own clock, sums up to 2^128, the order in which it finds faults.
OTHER_WAYS = frozenset(
    {
        "test_accounts_are_created_once_and_differences_are_named",
        "test_refusals_in_the_order_of_precedence",
        "test_a_second_transfer_with_a_used_id_is_refused_by_what_differs",
        "test_a_balance_never_overflows",
        "test_the_sum_of_a_call_that_overflows_stops_at_the_transfer_that_does",
        "test_a_pending_transfer_expires_by_business_time",
        "test_an_account_with_history_keeps_its_balances",
    }
)


class Salted:
    """Implements `LedgerEngine` over another one."""

    def __init__(self, inner: LedgerEngine, salt: bytes) -> None:
        self._inner, self._salt = inner, salt
        self._opened: set[bytes] = set()

    def _mix(self, id_: bytes) -> bytes:
        if id_ in RESERVED_IDS:
            return id_
        return bytes(a ^ b for a, b in zip(id_, self._salt, strict=True))

    def _account(self, account: Account) -> Account:
        return replace(account, id=self._mix(account.id))

    def _transfer(self, transfer: Transfer) -> Transfer:
        mixed = {name: self._mix(getattr(transfer, name)) for name in
                 ("id", "debit_account", "credit_account", "pending_id")}  # fmt: skip
        return replace(transfer, **mixed)

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        self._opened.update(account.id for account in accounts)
        return self._inner.create_accounts([self._account(account) for account in accounts])

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        return self._inner.create_transfers([self._transfer(transfer) for transfer in transfers])

    def expire(self, now_micros: int) -> list[bytes]:
        return [self._mix(id_) for id_ in self._inner.expire(now_micros)]

    def accounts(self) -> list[Account]:
        return [account for _, account in sorted(self.lookup_accounts(sorted(self._opened)).items())]

    def lookup_accounts(self, ids: Sequence[bytes]) -> dict[bytes, Account]:
        found = self._inner.lookup_accounts([self._mix(id_) for id_ in ids])
        return {self._mix(id_): self._account(account) for id_, account in found.items()}

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        found = self._inner.balances([self._mix(id_) for id_ in ids])
        return {self._mix(id_): balance for id_, balance in found.items()}

    def lookup(self, ids: Sequence[bytes]) -> dict[bytes, Transfer]:
        found = self._inner.lookup([self._mix(id_) for id_ in ids])
        return {self._mix(id_): self._transfer(transfer) for id_, transfer in found.items()}

    def history(self, account: bytes) -> list[Transfer]:
        return [self._transfer(transfer) for transfer in self._inner.history(self._mix(account))]

    def past_balances(self, account: bytes) -> list[PastBalance]:
        return [replace(p, event=self._mix(p.event)) for p in self._inner.past_balances(self._mix(account))]
