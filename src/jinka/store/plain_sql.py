"""What `jinka bench ledger` measures against: transfers by plain SQL, and an engine that does not wait for the disk.

Nothing else uses these: the first checks nothing, the second may lose what it acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from jinka.ledger import Transfer, TransferResult

_COLUMNS = (
    "seq", "id", "debit_account", "credit_account", "amount", "ledger", "code", "flags", "pending_id", "user_data",
    "timestamp", "timeout_s", "debit_prev", "credit_prev",
)  # fmt: skip


def plain_sql_transfers(engine: sa.Engine, transfers: Sequence[Transfer]) -> list[TransferResult]:
    """Insert each transfer and add to both balances by statements of its own; one transaction."""
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    insert = (
        f"INSERT INTO ledger_transfers ({', '.join(_COLUMNS)}) VALUES ({', '.join([mark] * len(_COLUMNS))})"  # noqa: S608
    )
    debit, credit = (
        f"UPDATE ledger_accounts SET {side}_posted = {side}_posted + {mark} WHERE id = {mark}"  # noqa: S608
        for side in ("debits", "credits")
    )
    with engine.begin() as connection:
        seq = connection.exec_driver_sql("SELECT coalesce(max(seq), 0) FROM ledger_transfers").scalar_one()
        raw = connection.connection.driver_connection
        if raw is None:
            raise RuntimeError("no connection")
        cursor = raw.cursor()
        for n, t in enumerate(transfers, seq + 1):
            ids = (t.id, t.debit_account, t.credit_account)
            numbers = (t.amount, t.ledger, t.code, 0)
            cursor.execute(insert, (n, *ids, *numbers, t.pending_id, t.user_data, t.timestamp, 0, 0, 0))
            cursor.execute(debit, (t.amount, t.debit_account))
            cursor.execute(credit, (t.amount, t.credit_account))
        cursor.close()
    return [TransferResult.CREATED] * len(transfers)


@contextmanager
def without_flush(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The engine with commits that do not wait for the disk, to see what waiting costs."""
    off = "PRAGMA synchronous = OFF" if engine.dialect.name == "sqlite" else "SET synchronous_commit = off"

    def connect(raw: Any, _: object) -> None:
        raw.cursor().execute(off)
        raw.commit()

    engine.dispose()
    sa.event.listen(engine, "connect", connect)
    try:
        yield engine
    finally:
        sa.event.remove(engine, "connect", connect)
        engine.dispose()
