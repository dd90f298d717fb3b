"""A writer of its own process: ``python -m tests.ledger.hammer WHERE SEED CALLS SIZE``; a line for each answered call.

The calls of one seed are always the same. Every account of ``ACCOUNTS`` may be met; the last of them has a limit.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from jinka.kit import make_id
from jinka.ledger import Account, AccountFlag, Transfer, TransferFlag, TransferResult
from jinka.store import SqlLedger, open_database

IDS = [make_id("hammer.account", n) for n in range(12)]
LIMITED = IDS[-1]
ACCOUNTS = [
    Account(
        id=id_, ledger=156, code=1,
        flags=AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS if id_ == LIMITED else AccountFlag.NONE,
    )
    for id_ in IDS
]  # fmt: skip


def call(seed: int, number: int, size: int) -> list[Transfer]:
    """Simple transfers in the even calls; chains, limits and holds in the odd ones."""
    draw = random.Random(f"{seed}.{number}")
    transfers = []
    for n in range(size):
        debit, credit = draw.sample(IDS if number % 2 else IDS[:-1], 2)
        flags = (
            draw.choice([TransferFlag.LINKED, TransferFlag.PENDING, TransferFlag.NONE]) if number % 2 else 0
        )
        last = n == size - 1
        transfers.append(
            Transfer(
                id=make_id("hammer", seed, number, n), debit_account=debit, credit_account=credit,
                amount=draw.randrange(1, 100), ledger=156, code=1,
                flags=TransferFlag.NONE if last else TransferFlag(flags),
            )
        )  # fmt: skip
    return transfers


def main() -> None:
    where, seed, calls, size = sys.argv[1], *map(int, sys.argv[2:])
    ledger = SqlLedger(open_database(where if "://" in where else Path(where)))
    ledger.create_accounts(ACCOUNTS)
    for number in range(calls):
        results = ledger.create_transfers(call(seed, number, size))
        made = sum(result is TransferResult.CREATED for result in results)
        sys.stdout.write(f"{number} {made}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
