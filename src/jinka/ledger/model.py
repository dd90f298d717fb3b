"""Accounts, transfers, balances and results: the vocabulary of TigerBeetle (docs: reference/account, transfer).

Where Jinka differs: amounts end at 2^63-1, ``user_data`` is one field of 16 bytes, ``timestamp`` is business time given
by the caller (so that re-posting a day is the same transfer), there are no timeouts, and posting a pending transfer
always names its amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Protocol

from jinka.kit import MAX_MINOR, Usage

ID_BYTES = 16
RESERVED_IDS = (bytes(ID_BYTES), b"\xff" * ID_BYTES)


class AccountFlag(IntFlag):
    """Limits of an account; at most one of the two."""

    NONE = 0
    DEBITS_MUST_NOT_EXCEED_CREDITS = 1
    CREDITS_MUST_NOT_EXCEED_DEBITS = 2


class TransferFlag(IntFlag):
    """``LINKED`` ties a transfer to the next one: all of a chain happen, or none."""

    NONE = 0
    LINKED = 1
    PENDING = 2
    POST_PENDING = 4
    VOID_PENDING = 8


def _require(condition: bool, what: str, where: str) -> None:
    if not condition:
        raise Usage(what, where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """``ledger`` is the unit (accounts of two units never meet), ``code`` the kind of account."""

    id: bytes
    ledger: int
    code: int
    flags: AccountFlag = AccountFlag.NONE
    user_data: bytes = bytes(16)

    def __post_init__(self) -> None:
        _require(len(self.id) == ID_BYTES and len(self.user_data) == 16, "ids are 16 bytes", "account")
        _require(0 <= self.ledger < 2**32 and 0 <= self.code < 2**16, "ledger or code too large", "account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """``amount`` minor units from the debit to the credit account, for the reason ``code``.

    To post or void, ``pending_id`` names the pending transfer; accounts, ledger and code repeat its own.
    """

    id: bytes
    debit_account: bytes
    credit_account: bytes
    amount: int
    ledger: int
    code: int
    flags: TransferFlag = TransferFlag.NONE
    pending_id: bytes = bytes(16)
    user_data: bytes = bytes(16)
    timestamp: int = 0  # business time, microseconds UTC

    def __post_init__(self) -> None:
        ids = (self.id, self.debit_account, self.credit_account, self.pending_id, self.user_data)
        _require(all(len(value) == ID_BYTES for value in ids), "ids are 16 bytes", "transfer")
        _require(
            type(self.amount) is int and 0 <= self.amount <= MAX_MINOR, "amount not 0 to 2^63-1", "transfer"
        )
        _require(0 <= self.ledger < 2**32 and 0 <= self.code < 2**16, "ledger or code too large", "transfer")
        _require(0 <= self.timestamp <= MAX_MINOR, "timestamp not 0 to 2^63-1", "transfer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The four sums of one account."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


class AccountResult(IntEnum):
    """In descending precedence: the first that applies is the answer."""

    CREATED = 0
    ID_RESERVED = 1
    FLAGS_MUTUALLY_EXCLUSIVE = 2
    EXISTS_WITH_DIFFERENT_FLAGS = 3
    EXISTS_WITH_DIFFERENT_USER_DATA = 4
    EXISTS_WITH_DIFFERENT_LEDGER = 5
    EXISTS_WITH_DIFFERENT_CODE = 6
    EXISTS = 7
    LEDGER_MUST_NOT_BE_ZERO = 8
    CODE_MUST_NOT_BE_ZERO = 9


class TransferResult(IntEnum):
    """In descending precedence: the first that applies is the answer."""

    CREATED = 0
    LINKED_EVENT_FAILED = 1
    LINKED_EVENT_CHAIN_OPEN = 2
    ID_RESERVED = 3
    FLAGS_MUTUALLY_EXCLUSIVE = 4
    EXISTS_WITH_DIFFERENT_FLAGS = 5
    EXISTS_WITH_DIFFERENT_PENDING_ID = 6
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT = 7
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT = 8
    EXISTS_WITH_DIFFERENT_AMOUNT = 9
    EXISTS_WITH_DIFFERENT_USER_DATA = 10
    EXISTS_WITH_DIFFERENT_LEDGER = 11
    EXISTS_WITH_DIFFERENT_CODE = 12
    EXISTS_WITH_DIFFERENT_TIMESTAMP = 13
    EXISTS = 14
    LEDGER_MUST_NOT_BE_ZERO = 15
    CODE_MUST_NOT_BE_ZERO = 16
    ACCOUNTS_MUST_BE_DIFFERENT = 17
    PENDING_ID_MUST_BE_ZERO = 18
    PENDING_ID_MUST_NOT_BE_ZERO = 19
    DEBIT_ACCOUNT_NOT_FOUND = 20
    CREDIT_ACCOUNT_NOT_FOUND = 21
    LEDGERS_MUST_BE_THE_SAME = 22
    PENDING_TRANSFER_NOT_FOUND = 23
    PENDING_TRANSFER_NOT_PENDING = 24
    PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS = 25
    PENDING_TRANSFER_HAS_DIFFERENT_CODE = 26
    EXCEEDS_PENDING_TRANSFER_AMOUNT = 27
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = 28
    PENDING_TRANSFER_ALREADY_POSTED = 29
    PENDING_TRANSFER_ALREADY_VOIDED = 30
    OVERFLOWS_BALANCE = 31
    EXCEEDS_CREDITS = 32
    EXCEEDS_DEBITS = 33


class LedgerEngine(Protocol):
    """What every ledger offers. Results come in the order of the requests."""

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Open accounts; opening the same again answers EXISTS."""
        ...

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Post transfers in order, chains atomically; the whole call is durable when it returns."""
        ...

    def accounts(self) -> list[Account]:
        """All accounts in the order of their ids."""
        ...

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        """The balances of those accounts that exist."""
        ...

    def lookup(self, ids: Sequence[bytes]) -> dict[bytes, Transfer]:
        """Those transfers that exist."""
        ...

    def history(self, account: bytes) -> list[Transfer]:
        """All transfers that touch an account, in the order in which they were created."""
        ...
