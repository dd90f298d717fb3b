"""The ledger on a TigerBeetle cluster, by its Python client (docs: reference/requests, coding/clients/python).

The cluster is the operator's. Ids and ``user_data`` are 128 bits, big-endian; business time stands in ``user_data_64``,
the cluster's own time says the order. What differs from the other engines: pending transfers expire by the cluster's
clock, so `expire` has nothing to do; balances overflow only at 2^128; an id that was refused for a passing reason stays
refused (ID_ALREADY_FAILED); voiding with amount 0 voids all; a call longer than one message is sent as several.
The client waits for an unreachable cluster without end: bound the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tigerbeetle as tb
from tigerbeetle.client import InitError

from jinka.kit import MAX_MINOR, JinkaError, Usage
from jinka.ledger import (
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    PastBalance,
    Transfer,
    TransferFlag,
    TransferResult,
    batches,
    check_batch,
)
from jinka.ledger.judge import failed_chain, is_linked, judge_account, judge_again

_MESSAGE = 8_189  # events in one message of this client's release
_A, _T = AccountResult, TransferResult
# Names that are the same in both vocabularies are not listed.
_ACCOUNT_NAMES = {
    "ID_MUST_NOT_BE_ZERO": _A.ID_RESERVED,
    "ID_MUST_NOT_BE_INT_MAX": _A.ID_RESERVED,
    "FLAGS_ARE_MUTUALLY_EXCLUSIVE": _A.FLAGS_MUTUALLY_EXCLUSIVE,
    "EXISTS_WITH_DIFFERENT_USER_DATA_128": _A.EXISTS_WITH_DIFFERENT_USER_DATA,
}
_TRANSFER_NAMES = {
    "ID_MUST_NOT_BE_ZERO": _T.ID_RESERVED,
    "ID_MUST_NOT_BE_INT_MAX": _T.ID_RESERVED,
    "FLAGS_ARE_MUTUALLY_EXCLUSIVE": _T.FLAGS_MUTUALLY_EXCLUSIVE,
    "EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID": _T.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT,
    "EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID": _T.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT,
    "EXISTS_WITH_DIFFERENT_USER_DATA_128": _T.EXISTS_WITH_DIFFERENT_USER_DATA,
    "EXISTS_WITH_DIFFERENT_USER_DATA_64": _T.EXISTS_WITH_DIFFERENT_TIMESTAMP,
    "DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO": _T.DEBIT_ACCOUNT_NOT_FOUND,
    "DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX": _T.DEBIT_ACCOUNT_NOT_FOUND,
    "CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO": _T.CREDIT_ACCOUNT_NOT_FOUND,
    "CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX": _T.CREDIT_ACCOUNT_NOT_FOUND,
    "PENDING_ID_MUST_NOT_BE_INT_MAX": _T.PENDING_ID_MUST_NOT_BE_ZERO,
    "TIMEOUT_RESERVED_FOR_PENDING_TRANSFER": _T.TIMEOUT_RESERVED_FOR_PENDING,
    "ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER": _T.LEDGERS_MUST_BE_THE_SAME,
    "TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS": _T.LEDGERS_MUST_BE_THE_SAME,
    "PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID": _T.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS,
    "PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID": _T.PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS,
    "PENDING_TRANSFER_HAS_DIFFERENT_LEDGER": _T.LEDGERS_MUST_BE_THE_SAME,
    **dict.fromkeys(
        (
            "OVERFLOWS_DEBITS_PENDING", "OVERFLOWS_CREDITS_PENDING", "OVERFLOWS_DEBITS_POSTED",
            "OVERFLOWS_CREDITS_POSTED", "OVERFLOWS_DEBITS", "OVERFLOWS_CREDITS",
        ),
        _T.OVERFLOWS_BALANCE,
    ),
}  # fmt: skip
_ACCOUNT_FLAGS = tuple((flag, tb.AccountFlags[flag.name or ""]) for flag in AccountFlag if flag)
_TRANSFER_FLAGS = tuple(
    (flag, tb.TransferFlags[{"POST_PENDING": "POST_PENDING_TRANSFER", "VOID_PENDING": "VOID_PENDING_TRANSFER"}.get(
        flag.name or "", flag.name or "")])
    for flag in TransferFlag if flag
)  # fmt: skip


class TigerBeetleLedger:
    """Implements `jinka.ledger.LedgerEngine`; ``addresses`` as ``3000`` or ``10.0.0.1:3000,10.0.0.2:3000``."""

    def __init__(self, addresses: str, cluster: int = 0) -> None:
        try:
            self._client = tb.ClientSync(cluster_id=cluster, replica_addresses=addresses)
        except InitError as error:
            raise Usage(
                f"no client for {addresses!r} ({error})", where="tigerbeetle", fix="host:port,..."
            ) from error

    def close(self) -> None:
        self._client.close()

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        check_batch(accounts)
        results: list[AccountResult] = []
        for call in batches(accounts, _MESSAGE):
            answers = self._client.create_accounts([account_to(account) for account in call])
            results += [account_result(answer.status.name) for answer in answers]
        return _chains_again(accounts, results, _A, self._judge_account)

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        check_batch(transfers)
        results: list[TransferResult] = []
        for call in batches(transfers, _MESSAGE):
            answers = self._client.create_transfers([transfer_to(transfer) for transfer in call])
            results += [transfer_result(answer.status.name) for answer in answers]
        return _chains_again(transfers, results, _T, self._judge_transfer)

    def _judge_account(self, account: Account) -> AccountResult:
        return judge_account(self.lookup_accounts([account.id]).get(account.id), account)

    def _judge_transfer(self, transfer: Transfer) -> TransferResult:
        old = self.lookup([transfer.id]).get(transfer.id)
        return _T.LINKED_EVENT_FAILED if old is None else judge_again(old, transfer)

    def expire(self, now_micros: int) -> list[bytes]:  # noqa: ARG002 the cluster's clock decides
        return []

    def accounts(self) -> list[Account]:
        found: list[tb.Account] = []
        after = 0
        while page := self._client.query_accounts(
            tb.QueryFilter(
                user_data_128=0, user_data_64=0, user_data_32=0, ledger=0, code=0, timestamp_min=after,
                timestamp_max=0, limit=_MESSAGE, flags=tb.QueryFilterFlags.NONE,
            )
        ):  # fmt: skip
            found += page
            after = page[-1].timestamp + 1
        return sorted(map(account_from, found), key=lambda account: account.id)

    def lookup_accounts(self, ids: Sequence[bytes]) -> dict[bytes, Account]:
        return {account.id: account for account in map(account_from, self._rows(ids))}

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        return {_bytes(row.id): _balance(row) for row in self._rows(ids)}

    def _rows(self, ids: Sequence[bytes]) -> Iterator[tb.Account]:
        for part in _parts(ids):
            yield from self._client.lookup_accounts(part)

    def lookup(self, ids: Sequence[bytes]) -> dict[bytes, Transfer]:
        rows = [row for part in _parts(ids) for row in self._client.lookup_transfers(part)]
        return {transfer.id: transfer for transfer in map(transfer_from, rows)}

    def history(self, account: bytes) -> list[Transfer]:
        return [transfer_from(row) for row in self._pages(self._client.get_account_transfers, account)]

    def past_balances(self, account: bytes) -> list[PastBalance]:
        """As the cluster keeps them: what expired has no event here and is left out."""
        moved = {row.timestamp: row.id for row in self._pages(self._client.get_account_transfers, account)}
        kept = self._pages(self._client.get_account_balances, account)
        return [
            PastBalance(event=_bytes(moved[row.timestamp]), balance=_balance(row))
            for row in kept
            if row.timestamp in moved
        ]

    def _pages(self, ask: Callable[[tb.AccountFilter], list[Any]], account: bytes) -> Iterator[Any]:
        after = 0
        while page := ask(
            tb.AccountFilter(
                account_id=_int(account), user_data_128=0, user_data_64=0, user_data_32=0, code=0,
                timestamp_min=after, timestamp_max=0, limit=_MESSAGE,
                flags=tb.AccountFilterFlags.DEBITS | tb.AccountFilterFlags.CREDITS,
            )
        ):  # fmt: skip
            yield from page
            after = page[-1].timestamp + 1


def account_to(account: Account) -> tb.Account:
    """The client's value of an account."""
    flags = tb.AccountFlags.NONE
    for ours, theirs in _ACCOUNT_FLAGS:
        if account.flags & ours:
            flags |= theirs
    return tb.Account(
        id=_int(account.id), user_data_128=_int(account.user_data), ledger=account.ledger, code=account.code,
        flags=flags,
    )  # fmt: skip


def account_from(row: tb.Account) -> Account:
    """The account of the client's value."""
    flags = AccountFlag.NONE
    for ours, theirs in _ACCOUNT_FLAGS:
        if row.flags & theirs:
            flags |= ours
    return Account(
        id=_bytes(row.id), user_data=_bytes(row.user_data_128), ledger=row.ledger, code=row.code, flags=flags
    )


def transfer_to(transfer: Transfer) -> tb.Transfer:
    """The client's value of a transfer."""
    flags = tb.TransferFlags.NONE
    for ours, theirs in _TRANSFER_FLAGS:
        if transfer.flags & ours:
            flags |= theirs
    return tb.Transfer(
        id=_int(transfer.id), debit_account_id=_int(transfer.debit_account),
        credit_account_id=_int(transfer.credit_account), amount=transfer.amount, pending_id=_int(transfer.pending_id),
        user_data_128=_int(transfer.user_data), user_data_64=transfer.timestamp, timeout=transfer.timeout_s,
        ledger=transfer.ledger, code=transfer.code, flags=flags,
    )  # fmt: skip


def transfer_from(row: tb.Transfer) -> Transfer:
    """The transfer of the client's value. Raises `JinkaError` for an amount beyond Jinka's money."""
    if row.amount > MAX_MINOR or row.user_data_64 > MAX_MINOR:
        raise JinkaError("a transfer beyond 2^63-1", where="tigerbeetle", fix="another program wrote it")
    flags = TransferFlag.NONE
    for ours, theirs in _TRANSFER_FLAGS:
        if row.flags & theirs:
            flags |= ours
    return Transfer(
        id=_bytes(row.id), debit_account=_bytes(row.debit_account_id), credit_account=_bytes(row.credit_account_id),
        amount=row.amount, ledger=row.ledger, code=row.code, flags=flags, pending_id=_bytes(row.pending_id),
        user_data=_bytes(row.user_data_128), timestamp=row.user_data_64, timeout_s=row.timeout,
    )  # fmt: skip


def account_result(name: str) -> AccountResult:
    """Jinka's answer for the cluster's. Raises `JinkaError` for one that no request of Jinka's can cause."""
    if (found := _ACCOUNT_NAMES.get(name) or _A.__members__.get(name)) is None:
        raise JinkaError(f"an unexpected answer, {name}", where="tigerbeetle")
    return found


def transfer_result(name: str) -> TransferResult:
    """As `account_result`, of a transfer."""
    if (found := _TRANSFER_NAMES.get(name) or _T.__members__.get(name)) is None:
        raise JinkaError(f"an unexpected answer, {name}", where="tigerbeetle")
    return found


def _chains_again(
    events: Sequence[Any], results: list[Any], kinds: type[Any], judge: Callable[[Any], Any]
) -> list[Any]:
    """A chain that exists as a whole answers EXISTS for its first link alone there, and for each link here."""
    start = 0
    while start < len(events):
        end = start
        while end < len(events) - 1 and is_linked(events[end]):
            end += 1
        if end > start and results[start] is kinds.EXISTS:
            chain = events[start : end + 1]
            results[start : end + 1] = failed_chain(chain, 0, kinds.EXISTS, kinds, judge)
        start = end + 1
    return results


def _parts(ids: Sequence[bytes]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _MESSAGE):
        yield [_int(id_) for id_ in ids[start : start + _MESSAGE]]


def _balance(row: tb.Account | tb.AccountBalance) -> Balance:
    return Balance(
        debits_pending=row.debits_pending, debits_posted=row.debits_posted, credits_pending=row.credits_pending,
        credits_posted=row.credits_posted,
    )  # fmt: skip


def _int(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes(16, "big")
