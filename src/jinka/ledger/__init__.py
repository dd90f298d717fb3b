"""Pure double entry in TigerBeetle's vocabulary, with an in-memory reference and the `LedgerEngine` port.

No I/O, no clock: timestamps are business times that the caller gives. Accounts and transfers are idempotent by id;
sending one again answers ``EXISTS``. `jinka.store` has the SQLite engine; one contract test runs over all engines.
"""

from jinka.ledger.memory import MemoryLedger
from jinka.ledger.model import (
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    LedgerEngine,
    Transfer,
    TransferFlag,
    TransferResult,
)

__all__ = [
    "Account",
    "AccountFlag",
    "AccountResult",
    "Balance",
    "LedgerEngine",
    "MemoryLedger",
    "Transfer",
    "TransferFlag",
    "TransferResult",
]
