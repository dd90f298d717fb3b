"""Pure double entry in TigerBeetle's vocabulary, with an in-memory reference and the `LedgerEngine` port.

No I/O, no clock: timestamps are business times that the caller gives. Accounts and transfers are idempotent by id;
sending one again answers ``EXISTS``. `jinka.store` has the engines (SQLite, PostgreSQL, TigerBeetle); one contract
test runs over all of them.
"""

from jinka.ledger.judge import batches, check_batch
from jinka.ledger.memory import MemoryLedger
from jinka.ledger.model import (
    MAX_BATCH,
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    LedgerEngine,
    PastBalance,
    PendingState,
    Transfer,
    TransferFlag,
    TransferResult,
)

__all__ = [
    "MAX_BATCH",
    "Account",
    "AccountFlag",
    "AccountResult",
    "Balance",
    "LedgerEngine",
    "MemoryLedger",
    "PastBalance",
    "PendingState",
    "Transfer",
    "TransferFlag",
    "TransferResult",
    "batches",
    "check_batch",
]
