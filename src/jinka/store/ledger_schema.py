"""The ledger's tables, which differ by engine, as SQLAlchemy Core. Created and changed by the migrations alone.

PostgreSQL keeps a unique index over the ids of transfers, which is the judge between its writers. SQLite has one
writer: there a transfer is a row of ``ledger_moves`` with the numbers of its accounts, ``ledger_transfers`` is a view
that shows their ids, and ids are indexed in runs (`jinka.store.ledger_ids`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

LEDGER_METADATA = {"sqlite": sa.MetaData(), "postgresql": sa.MetaData()}
_SUMS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_DUE = sa.text("state = 0 AND expires_at > 0")


def _int(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, **({"nullable": False} | options))


def _blob(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, **({"nullable": False} | options))


def _row_number(name: str) -> sa.Column[int]:
    """SQLite's own number of a row, which costs no index."""
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _account() -> list[sa.Column[Any]]:
    newest = _int("last_seq", server_default="0")  # seq of its newest transfer
    return [*map(_int, ("ledger", "code", "flags")), _blob("user_data"), *map(_int, _SUMS), newest]


for _metadata in LEDGER_METADATA.values():
    sa.Table(
        "ledger_pendings", _metadata, _blob("id", primary_key=True),
        _int("expires_at"),  # microseconds UTC; 0: never
        _int("state"),  # jinka.ledger.PendingState
        sa.Index("ledger_pendings_due", "expires_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )  # fmt: skip
    sa.Table(
        "ledger_past_balances", _metadata, _blob("account", primary_key=True),
        _int("number", primary_key=True, autoincrement=False), _blob("event"), *map(_int, _SUMS),
    )  # fmt: skip

_postgres = LEDGER_METADATA["postgresql"]
sa.Table("ledger_accounts", _postgres, _blob("id", primary_key=True), *_account())
sa.Table(
    "ledger_transfers", _postgres, _int("seq", primary_key=True, autoincrement=False), _blob("id", unique=True),
    *map(_blob, ("debit_account", "credit_account")), *map(_int, ("amount", "ledger", "code", "flags")),
    *map(_blob, ("pending_id", "user_data")), *map(_int, ("timestamp", "timeout_s")),
    *map(_int, ("debit_prev", "credit_prev")),  # seq of that account's transfer before; 0: none
)  # fmt: skip

_sqlite = LEDGER_METADATA["sqlite"]
sa.Table("ledger_accounts", _sqlite, _row_number("number"), _blob("id", unique=True), *_account())
sa.Table(
    "ledger_moves", _sqlite, _row_number("seq"), _blob("id"),
    *map(_int, ("debit", "credit")),  # numbers of accounts
    *map(_int, ("amount", "code", "flags")),
    *(_blob(name, nullable=True) for name in ("pending_id", "user_data")),  # NULL: 16 zero bytes
    *map(_int, ("timestamp", "timeout_s", "debit_prev", "credit_prev")),
)  # fmt: skip
sa.Table("ledger_runs", _sqlite, _row_number("number"), _int("upto_seq"), _blob("filter"))
sa.Table(
    "ledger_run_ids", _sqlite, _int("run", primary_key=True, autoincrement=False), _blob("id", primary_key=True),
    _int("seq"), sqlite_with_rowid=False,
)  # fmt: skip
