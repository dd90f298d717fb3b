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
    "id", "debit_account", "credit_account", "amount", "ledger", "code", "flags", "pending_id", "user_data",
    "timestamp",
)  # fmt: skip


class PlainSql:
    """Tables as a program would make them, a transfer with a unique id and an account with a balance.

    Made from the ledger's accounts; each transfer is one insert and two updates, in ``executemany``.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        blob, row = ("BLOB", "seq INTEGER PRIMARY KEY") if _is_sqlite(engine) else ("bytea", "seq bigserial")
        kinds = {
            "amount": "bigint",
            "ledger": "bigint",
            "code": "bigint",
            "flags": "bigint",
            "timestamp": "bigint",
        }
        columns = ", ".join(f"{name} {kinds.get(name, blob)} NOT NULL" for name in _COLUMNS)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE peer_transfers ({row}, {columns}, UNIQUE (id))")
            connection.exec_driver_sql(
                f"CREATE TABLE peer_accounts (id {blob} PRIMARY KEY, debits_posted bigint NOT NULL, "
                "credits_posted bigint NOT NULL)"
            )
            connection.exec_driver_sql("INSERT INTO peer_accounts SELECT id, 0, 0 FROM ledger_accounts")

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """One transaction."""
        mark = "?" if _is_sqlite(self._engine) else "%s"
        marks = ", ".join([mark] * len(_COLUMNS))
        insert = f"INSERT INTO peer_transfers ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608
        debit, credit = (
            f"UPDATE peer_accounts SET {side}_posted = {side}_posted + {mark} WHERE id = {mark}"  # noqa: S608
            for side in ("debits", "credits")
        )
        rows = [
            (t.id, t.debit_account, t.credit_account, t.amount, t.ledger, t.code, 0, t.pending_id, t.user_data,
             t.timestamp)
            for t in transfers
        ]  # fmt: skip
        with self._engine.begin() as connection:
            raw = connection.connection.driver_connection
            if raw is None:
                raise RuntimeError("no connection")
            cursor = raw.cursor()
            cursor.executemany(insert, rows)
            cursor.executemany(debit, [(t.amount, t.debit_account) for t in transfers])
            cursor.executemany(credit, [(t.amount, t.credit_account) for t in transfers])
            cursor.close()
        return [TransferResult.CREATED] * len(transfers)


def _is_sqlite(engine: sa.Engine) -> bool:
    return engine.dialect.name == "sqlite"


@contextmanager
def without_flush(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The engine with commits that do not wait for the disk, to see what waiting costs."""
    off = "PRAGMA synchronous = OFF" if _is_sqlite(engine) else "SET synchronous_commit = off"

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
