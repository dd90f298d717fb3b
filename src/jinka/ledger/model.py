"""Accounts, transfers, balances and results: the vocabulary of TigerBeetle (docs: reference/account, transfer).

Where Jinka differs: amounts end at 2^63-1, ``user_data`` is one field of 16 bytes, ``timestamp`` is business time given
by the caller (so that re-posting a day is the same transfer) and what a timeout counts from, a refused id may be tried
again, a chain that exists as a whole answers EXISTS for each link, and posting a pending transfer always names its
amount. Closing accounts and importing past events are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Protocol

from jinka.kit import MAX_MINOR, Usage

ID_BYTES = 16
MAX_BATCH = 8_190  # events in one call: what fits in one message of TigerBeetle's
MICROS_PER_SECOND = 1_000_000
RESERVED_IDS = (bytes(ID_BYTES), b"\xff" * ID_BYTES)


class AccountFlag(IntFlag):
    """Limits of an account (at most one of the two); ``HISTORY`` keeps its balance after each transfer.

    ``LINKED`` ties an account to the next one in the call: all of a chain are opened, or none.
    """

    NONE = 0
    DEBITS_MUST_NOT_EXCEED_CREDITS = 1
    CREDITS_MUST_NOT_EXCEED_DEBITS = 2
    LINKED = 4
    HISTORY = 8


class TransferFlag(IntFlag):
    """``LINKED`` ties a transfer to the next one: all of a chain happen, or none.

    ``BALANCING_DEBIT`` moves at most what the debit account's credits leave over its debits, ``BALANCING_CREDIT`` the
    same of the credit account; ``amount`` is the most, and what was moved stands in the stored transfer.
    """

    NONE = 0
    LINKED = 1
    PENDING = 2
    POST_PENDING = 4
    VOID_PENDING = 8
    BALANCING_DEBIT = 16
    BALANCING_CREDIT = 32


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

    To post or void, ``pending_id`` names the pending transfer; accounts, ledger and code repeat its own. A pending
    transfer with ``timeout_s`` expires so many seconds after its ``timestamp``; 0 is never.
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
    timeout_s: int = 0

    def __post_init__(self) -> None:
        ids = (self.id, self.debit_account, self.credit_account, self.pending_id, self.user_data)
        _require(all(len(value) == ID_BYTES for value in ids), "ids are 16 bytes", "transfer")
        _require(
            type(self.amount) is int and 0 <= self.amount <= MAX_MINOR, "amount not 0 to 2^63-1", "transfer"
        )
        _require(0 <= self.ledger < 2**32 and 0 <= self.code < 2**16, "ledger or code too large", "transfer")
        _require(0 <= self.timestamp <= MAX_MINOR, "timestamp not 0 to 2^63-1", "transfer")
        _require(0 <= self.timeout_s < 2**32, "timeout not 0 to 2^32-1 seconds", "transfer")

    @property
    def expires_at(self) -> int:
        """Microseconds UTC, or 0 for never."""
        return self.timestamp + self.timeout_s * MICROS_PER_SECOND if self.timeout_s else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The four sums of one account."""

    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PastBalance:
    """An account's balance after the transfer ``event``, or after that pending transfer expired."""

    event: bytes
    balance: Balance


class PendingState(IntEnum):
    """What became of a pending transfer."""

    OPEN = 0
    POSTED = 1
    VOIDED = 2
    EXPIRED = 3


class AccountResult(IntEnum):
    """In descending precedence: the first that applies is the answer."""

    CREATED = 0
    LINKED_EVENT_FAILED = 1
    LINKED_EVENT_CHAIN_OPEN = 2
    ID_RESERVED = 3
    FLAGS_MUTUALLY_EXCLUSIVE = 4
    EXISTS_WITH_DIFFERENT_FLAGS = 5
    EXISTS_WITH_DIFFERENT_USER_DATA = 6
    EXISTS_WITH_DIFFERENT_LEDGER = 7
    EXISTS_WITH_DIFFERENT_CODE = 8
    EXISTS = 9
    LEDGER_MUST_NOT_BE_ZERO = 10
    CODE_MUST_NOT_BE_ZERO = 11


class TransferResult(IntEnum):
    """In descending precedence: the first that applies is the answer."""

    CREATED = 0
    LINKED_EVENT_FAILED = 1
    LINKED_EVENT_CHAIN_OPEN = 2
    ID_RESERVED = 3
    FLAGS_MUTUALLY_EXCLUSIVE = 4
    EXISTS_WITH_DIFFERENT_FLAGS = 5
    EXISTS_WITH_DIFFERENT_PENDING_ID = 6
    EXISTS_WITH_DIFFERENT_TIMEOUT = 7
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT = 8
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT = 9
    EXISTS_WITH_DIFFERENT_AMOUNT = 10
    EXISTS_WITH_DIFFERENT_USER_DATA = 11
    EXISTS_WITH_DIFFERENT_LEDGER = 12
    EXISTS_WITH_DIFFERENT_CODE = 13
    EXISTS_WITH_DIFFERENT_TIMESTAMP = 14
    EXISTS = 15
    ID_ALREADY_FAILED = 16  # TigerBeetle's own: an id that was refused stays refused there
    LEDGER_MUST_NOT_BE_ZERO = 17
    CODE_MUST_NOT_BE_ZERO = 18
    ACCOUNTS_MUST_BE_DIFFERENT = 19
    PENDING_ID_MUST_BE_ZERO = 20
    PENDING_ID_MUST_NOT_BE_ZERO = 21
    PENDING_ID_MUST_BE_DIFFERENT = 22
    TIMEOUT_RESERVED_FOR_PENDING = 23
    DEBIT_ACCOUNT_NOT_FOUND = 24
    CREDIT_ACCOUNT_NOT_FOUND = 25
    LEDGERS_MUST_BE_THE_SAME = 26
    PENDING_TRANSFER_NOT_FOUND = 27
    PENDING_TRANSFER_NOT_PENDING = 28
    PENDING_TRANSFER_HAS_DIFFERENT_ACCOUNTS = 29
    PENDING_TRANSFER_HAS_DIFFERENT_CODE = 30
    EXCEEDS_PENDING_TRANSFER_AMOUNT = 31
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = 32
    PENDING_TRANSFER_ALREADY_POSTED = 33
    PENDING_TRANSFER_ALREADY_VOIDED = 34
    PENDING_TRANSFER_EXPIRED = 35
    OVERFLOWS_BALANCE = 36
    OVERFLOWS_TIMEOUT = 37
    EXCEEDS_CREDITS = 38
    EXCEEDS_DEBITS = 39


class LedgerEngine(Protocol):
    """What every ledger offers. Results come in the order of the requests, of which a call takes `MAX_BATCH`."""

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Open accounts; opening the same again answers EXISTS."""
        ...

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Post transfers in order, chains atomically; the whole call is durable when it returns."""
        ...

    def expire(self, now_micros: int) -> list[bytes]:
        """Release the pending transfers whose time is up, at most `MAX_BATCH`, and return their ids in order.

        The earliest expire first. Call it again until nothing comes back.
        """
        ...

    def accounts(self) -> list[Account]:
        """All accounts in the order of their ids."""
        ...

    def lookup_accounts(self, ids: Sequence[bytes]) -> dict[bytes, Account]:
        """Those accounts that exist."""
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

    def past_balances(self, account: bytes) -> list[PastBalance]:
        """The balances of an account with `AccountFlag.HISTORY`, oldest first; of any other, nothing."""
        ...
