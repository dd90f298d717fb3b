"""What the ledger asks of an SQL engine: a few statements for whole calls, each as fast as that engine can.

The connections are the drivers' own; a transaction is open on them. Ids come sorted, so that all writers lock in one
order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from jinka.ledger import Account, Transfer, TransferFlag
from jinka.ledger.swift import Amounts, Columns, Indexes, Sums

ACCOUNT_COLUMNS = (
    "id", "ledger", "code", "flags", "user_data", "debits_pending", "debits_posted", "credits_pending",
    "credits_posted", "last_seq",
)  # fmt: skip
TRANSFER_COLUMNS = (
    "id", "debit_account", "credit_account", "amount", "ledger", "code", "flags", "pending_id", "user_data",
    "timestamp", "timeout_s",
)  # fmt: skip
PAST_COLUMNS = (
    "account", "number", "event", "debits_pending", "debits_posted", "credits_pending", "credits_posted",
)  # fmt: skip

Row = Sequence[Any]


class PlainRefused(Exception):
    """Adding up found a sum that overflows: roll back and ask the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the transfers of a call fall: accounts, the place in them of both sides, and the last transfer of each."""

    accounts: list[bytes]
    debit: Indexes
    credit: Indexes
    last: Amounts


class LedgerTables(Protocol):
    """The statements of one engine."""

    conflicts: tuple[
        type[Exception], ...
    ]  # another writer came between, or an id exists: roll back, begin again

    def transaction(self) -> AbstractContextManager[None]:
        """What surrounds a transaction, its commit included."""
        ...

    def accounts(self, raw: Any, ids: Sequence[bytes], *, lock: bool) -> Iterable[Row]:
        """Rows that begin with `ACCOUNT_COLUMNS`; locked against other writers if asked."""
        ...

    def add_accounts(self, raw: Any, accounts: Sequence[Account]) -> None: ...

    def has_any(self, raw: Any, ids: Sequence[bytes]) -> bool:
        """Whether one of the ids is stored, or comes twice; an engine that refuses to store it may answer no."""
        ...

    def transfers(self, raw: Any, ids: Sequence[bytes]) -> Iterable[Row]:
        """Rows of `TRANSFER_COLUMNS`."""
        ...

    def lasts(self, raw: Any, ids: Sequence[bytes]) -> list[int]:
        """The number of the last transfer of each of these accounts, locked against other writers."""
        ...

    def add_transfers(self, raw: Any, columns: Columns, place: Place) -> None:
        """Store in order, each behind the last of both its accounts, which is brought up to date."""
        ...

    def add_posted(self, raw: Any, place: Place, debits: Amounts, credits_: Amounts) -> None:
        """Add to what is posted of all accounts of a place, and store their last transfers.

        Raises `PlainRefused` for an overflow.
        """
        ...

    def add_sums(self, raw: Any, sums: Mapping[bytes, Sums], last: Mapping[bytes, int]) -> None:
        """Add to the four sums of accounts, and store their ``last``. Raises `PlainRefused` for an overflow."""
        ...

    def pendings(self, raw: Any, ids: Sequence[bytes]) -> Iterable[Row]:
        """Rows of (id, state)."""
        ...

    def add_pendings(self, raw: Any, rows: Sequence[Row]) -> None:
        """Rows of (id, expires_at, state)."""
        ...

    def set_pendings(self, raw: Any, rows: Sequence[Row]) -> None:
        """Rows of (state, id)."""
        ...

    def due(self, raw: Any, now_micros: int, most: int) -> list[bytes]:
        """Pending transfers that are open and whose time is up, the earliest first."""
        ...

    def past_numbers(self, raw: Any, accounts: Sequence[bytes]) -> Iterable[Row]:
        """Rows of (account, how many balances of it are kept)."""
        ...

    def add_past(self, raw: Any, rows: Sequence[Row]) -> None:
        """Rows of `PAST_COLUMNS`."""
        ...


def chained(place: Place, seqs: Amounts) -> tuple[Amounts, Amounts]:
    """For each transfer the one before of both its accounts; ``place.last`` is brought up to date."""
    both = np.empty(2 * len(seqs), dtype=np.uint16)  # a call has at most 16,380 accounts
    both[0::2], both[1::2] = place.debit, place.credit
    order = np.argsort(both, kind="stable")
    accounts, at = both[order], np.repeat(seqs, 2)[order]
    first = np.ones(len(both), dtype=np.bool_)
    first[1:] = accounts[1:] != accounts[:-1]
    before = np.empty_like(at)
    before[1:] = at[:-1]
    before[first] = place.last[accounts[first]]
    ends = np.append(first[1:], True)
    place.last[accounts[ends]] = at[ends]
    prev = np.empty_like(before)
    prev[order] = before
    return prev[0::2], prev[1::2]


def account_row(account: Account) -> tuple[Any, ...]:
    """A new account in the order of `ACCOUNT_COLUMNS`."""
    head = (account.id, account.ledger, account.code, int(account.flags), account.user_data)
    return (*head, 0, 0, 0, 0, 0)


def transfer_of(row: Row) -> Transfer:
    """The transfer of a row of `TRANSFER_COLUMNS`."""
    id_, debit, credit, amount, ledger, code, flags, pending_id, user_data, timestamp, timeout_s = row
    return Transfer(
        id=bytes(id_), debit_account=bytes(debit), credit_account=bytes(credit), amount=amount, ledger=ledger,
        code=code, flags=TransferFlag(flags), pending_id=bytes(pending_id), user_data=bytes(user_data),
        timestamp=timestamp, timeout_s=timeout_s,
    )  # fmt: skip
